"""The assignments of a module: one per lab and one for the quiz, as instructor notebooks."""

import importlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nbformat import NotebookNode

from autograder.build.notebook import instructor_notebook
from autograder.build.source import read
from autograder.errors import CourseError
from autograder.exercise import load_module

ROOT = Path(__file__).resolve().parents[2]
SOLUTIONS = ROOT / "solutions"


@dataclass
class Assignment:
    """One nbgrader assignment with its only notebook.

    Attributes:
        name: nbgrader's name for it, `m02_lab1_self_attention` or `m02_quiz`.
        slug: the module.
        lab: the notebook's stem, `lab1_self_attention` or `quiz`.
        notebook: the instructor notebook, solutions included.
    """

    name: str
    slug: str
    lab: str
    notebook: NotebookNode


def assignment_name(slug, lab):
    """Return nbgrader's name of a lab or quiz: `m02_lab1_self_attention`."""
    return f"{slug.partition('_')[0]}_{lab}"


def slugs(module=None, solutions=SOLUTIONS):
    """Return the modules that have sources, or the one that is asked for.

    Raises:
        CourseError: there is no such module, or no sources at all.
    """
    found = sorted(path.name for path in Path(solutions).glob("m[0-9][0-9]_*") if path.is_dir())
    if not found:
        raise CourseError(
            f"There are no lab sources in {solutions}; run this in a clone of the course."
        )
    if module is None:
        return found
    chosen = [slug for slug in found if module in (slug, slug.partition("_")[0])]
    if not chosen:
        raise CourseError(f'There is no module "{module}"; there are {", ".join(found)}.')
    return chosen


def assignments(slug, solutions=SOLUTIONS, registry=load_module):
    """Return the assignments of one module: its labs in order, then its quiz.

    Args:
        slug: the module.
        solutions: the folder of sources.
        registry: function from slug to the module's exercises.

    Raises:
        CourseError: one sentence for each mistake in a source, with file and line.
    """
    folder, found, mistakes = Path(solutions) / slug, [], []
    exercises = registry(slug)
    for path in sorted(folder.glob("lab*.py")):
        if path.stem.endswith("_alternatives"):
            continue
        try:
            lab = read(path, exercises)
        except CourseError as error:
            mistakes.append(str(error))
        else:
            name = assignment_name(slug, lab.lab)
            found.append(Assignment(name, slug, lab.lab, instructor_notebook(lab)))
    quiz = optional("quiz")
    if quiz and (folder / "quiz.yaml").is_file():
        load_keras()
        notebook = quiz.notebook(slug, folder / "quiz.yaml")
        found.append(Assignment(assignment_name(slug, "quiz"), slug, "quiz", notebook))
    if mistakes:
        raise CourseError("\n".join(mistakes))
    return found


@cache
def load_keras():
    """Import Keras, by which figures and quiz keys are computed, without TensorFlow's log.

    The log goes to the file descriptor of standard error, whatever its level is set to.
    """
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as sink:
            os.dup2(sink.fileno(), 2)
        importlib.import_module("keras").ops.zeros(1)
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def optional(name):
    """Return the builder `autograder.build.<name>`, or None where it does not exist."""
    full = f"autograder.build.{name}"
    try:
        return importlib.import_module(full)
    except ModuleNotFoundError as error:
        if error.name != full:
            raise
        return None
