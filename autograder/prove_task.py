"""One part of a proof, in a worker: a `Task` and what is replied to it are JSON."""

import gc
import importlib.util
import time
import traceback
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

from autograder.build.source import read
from autograder.errors import CourseError
from autograder.exercise import find, load_labs
from autograder.proof import RIGHT, Here, prove_part

SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions"


@dataclass
class Quiz:
    """What was found for one quiz: how many keys were computed, and what is wrong."""

    module: str
    items: int = 0
    keys: int = 0
    problems: list = field(default_factory=list)

    @property
    def line(self):
        """What was proved, in one line."""
        found = "; ".join(self.problems) or "no problems"
        mark = "✗" if self.problems else "✓"
        return f"{mark} {self.module} quiz: {self.items} items, {self.keys} keys computed, {found}"


@dataclass(frozen=True)
class Task:
    """A part of an exercise's proof, or the quiz of a module."""

    slug: str
    lab: str = ""
    name: str = "quiz"
    part: int | str = RIGHT
    seeds: int | None = None
    tier: str = ""
    zygote: int | None = None


def prove_task(values):
    """Carry out a `Task` in a worker; return what was found, as JSON holds it."""
    task = Task(*values)
    try:
        if not task.lab:
            return asdict(prove_quiz(task.slug))
        exercise = find(f"{task.slug}.{task.name}")
        with place_of(task) as place:
            start = time.process_time()  # a busy machine shall not make an exercise look slow
            row, failed = prove_part(exercise, place, task.part, task.seeds)
        row.seconds = round(time.process_time() - start, 2)
        return {"row": asdict(row), "failed": sorted(failed)}
    except Exception as error:  # noqa: BLE001  one that cannot be proved costs the others nothing
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{'/'.join(Path(frame.filename).parts[-3:])}:{frame.lineno}"
        return {"died": f"the proof stopped at {where}: {type(error).__name__}: {error}"}


def prove_quiz(slug):
    """Compute every key of a module's quiz, in every variant."""
    from autograder.quiz.bank import find
    from autograder.quiz.items import BankError, Computed
    from autograder.quiz.review import review_keys
    from autograder.quiz.variants import variants

    quiz = Quiz(slug)
    try:
        bank = find(slug)
        quiz.items = len(bank.items)
        computed = [item for item in bank.items if isinstance(item, Computed)]
        review_keys(bank)
        quiz.keys = sum(len(variants(item.choose)) for item in computed)
    except BankError as error:
        quiz.problems = str(error).splitlines()
    return quiz


@contextmanager
def place_of(task):
    """Yield where a task's answers are judged: here, or in a confined kernel."""
    alternatives = _load_alternatives(task.slug, task.lab)
    if not task.tier:
        yield Here(_names(task.slug, task.lab))
        return
    from autograder.kernels.shared import attach
    from autograder.proof_kernel import ProofKernel

    if task.zygote is not None:
        attach(task.zygote)
    lab = read(source(task.slug, task.lab), load_labs(task.slug)[0])
    with ProofKernel(lab, task.tier, alternatives) as kernel:
        yield kernel


@cache
def _names(slug, stem):
    """Return the names that a lab's reference defines."""
    namespace = reference_names(read(source(slug, stem), load_labs(slug)[0]))
    gc.collect()
    gc.freeze()  # TensorFlow's million objects stay: no later collection walks through them
    gc.set_threshold(100_000, 20, 20)
    return namespace


def source(slug, stem):
    """Return the path of a lab's source.

    Raises:
        CourseError: there is none.
    """
    path = SOLUTIONS / slug / f"{stem}.py"
    if not path.is_file():
        raise CourseError(f"{slug}/{stem}: there is no source {path.name} in solutions.")
    return path


def reference_names(lab):
    """Run a lab's setup, code and solution cells and return the names they define."""
    namespace = {"__name__": "__main__"}
    for cell in lab.cells:
        if cell.kind in ("setup", "code", "exercise"):
            exec(compile(cell.source, f"<cell {lab.lab}:{cell.line}>", "exec"), namespace)
    return namespace


@cache
def _load_alternatives(slug, stem):
    """Register a lab's alternatives; return the path of their file."""
    path = SOLUTIONS / slug / f"{stem}_alternatives.py"
    if path.is_file():
        spec = importlib.util.spec_from_file_location(f"{slug}_{stem}_alternatives", path)
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return path
