"""Build `labs/` from `solutions/` with nbgrader's own `generate_assignment`.

Each build runs in a throwaway course folder with a throwaway gradebook, so `labs/` is what
nbgrader would release. The same sources give the same bytes. Files are replaced one by one and
whole, after everything was built.
"""

import logging
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path

import nbformat

from autograder.build.assignments import ROOT, SOLUTIONS, assignments, load_keras, optional, slugs
from autograder.build.notebook import STUB
from autograder.errors import CourseError
from autograder.exercise import load_module
from autograder.gradebook import create
from course.files import write_atomic

LABS = ROOT / "labs"


def build(module=None, check=False, solutions=SOLUTIONS, labs=LABS, registry=load_module):
    """Write the learner's notebooks, readings and quizzes.

    Args:
        module: slug or `m02`; every module with sources when None.
        check: compare only, write nothing.
        solutions: the folder of sources.
        labs: the folder to write.
        registry: function from slug to the module's exercises.

    Returns:
        The files that differ from what was there (and, unless `check`, are now replaced), as
        paths relative to `labs`. A file without a source is listed and removed.

    Raises:
        CourseError: a source has mistakes; nothing was written.
    """
    labs, chosen = Path(labs), slugs(module, solutions)
    built = {}
    for slug in chosen:
        todo = assignments(slug, solutions, registry)
        for name, text in released(todo).items():
            built[f"{slug}/{name}.ipynb"] = text
        reading = optional("reading")
        if reading and (Path(solutions).parent / "course" / slug / "reading.md").is_file():
            load_keras()
            built |= {f"{slug}/{name}": data for name, data in reading.build(slug).items()}
    start = optional("start")
    if start and Path(solutions) == SOLUTIONS:
        built |= start.build()
    built = {name: _as_bytes(data) for name, data in built.items()}
    stale = [
        path.relative_to(labs).as_posix()
        for slug in chosen
        for path in sorted((labs / slug).rglob("*"))
        if path.is_file() and path.relative_to(labs).as_posix() not in built
    ]
    changed = [name for name, data in built.items() if not _same(labs / name, data)]
    if not check:
        for name in changed:
            write_atomic(labs / name, built[name])
        for name in stale:
            (labs / name).unlink()
    return sorted(changed + stale)


def released(todo):
    """Return what nbgrader releases: a dict from notebook stem to the notebook's bytes.

    Args:
        todo: list of `Assignment`.
    """
    found = {}
    with tempfile.TemporaryDirectory(prefix="course-build-") as folder:
        create(f"sqlite:///{folder}/gradebook.db")
        for assignment in todo:
            write_source(folder, assignment)
            generate(folder, assignment.name)
            path = Path(folder, "release", assignment.name, f"{assignment.lab}.ipynb")
            found[assignment.lab] = path.read_bytes()
    return found


def write_source(folder, assignment):
    """Write an instructor notebook to where nbgrader looks for it."""
    path = Path(folder, "source", assignment.name, f"{assignment.lab}.ipynb")
    write_atomic(path, nbformat.writes(assignment.notebook).encode())


def generate(folder, assignment, config=None, force=True):
    """Run nbgrader's `generate_assignment` in a course folder.

    Raises:
        CourseError: nbgrader refused; the sentence is its reason.
    """
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    config = config.copy() if config else Config()
    configure(config)
    config.CourseDirectory.root = str(Path(folder).resolve())
    config.CourseDirectory.assignment_id = assignment
    directory = CourseDirectory(config=config)
    converter = GenerateAssignment(coursedir=directory, config=config)
    converter.force = force
    with nbgrader_errors(converter, f"nbgrader could not release {assignment}"):
        converter.start()


def configure(config):
    """Set what a release needs in an nbgrader configuration."""
    config.ClearSolutions.code_stub = {"python": STUB}


@contextmanager
def nbgrader_errors(converter, what):
    """Turn a failure inside nbgrader into one sentence, and keep its log off the terminal."""
    lines = []

    class Collect(logging.Handler):
        def emit(self, record):
            if record.levelno >= logging.ERROR:
                lines.extend(record.getMessage().strip().splitlines())

    log, handler = converter.log, Collect()
    handlers, propagate = log.handlers[:], log.propagate
    log.handlers[:], log.propagate = [handler], False
    try:
        with warnings.catch_warnings():
            # nbgrader links rows before it adds them, which SQLAlchemy remarks on.
            warnings.filterwarnings("ignore", "Object of type .* not in session")
            yield lines
    except Exception as error:
        causes = [line for line in lines if "Error: " in line or "Exception: " in line]
        cause = causes[-1].partition(": ")[2] if causes else str(error)
        raise CourseError(f"{what}: {cause.rstrip('.')}.") from error
    finally:
        log.handlers[:], log.propagate = handlers, propagate


def _same(path, data):
    return path.is_file() and path.read_bytes() == data


def _as_bytes(data):
    return data.encode() if isinstance(data, str) else data
