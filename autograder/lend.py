"""`lend("m02_transformer.attention_scores")`: the course's own version, for 0 points.

Nobody is stuck: the learner assigns it in the exercise's cell, and what builds on it works, in
grading too, where no checks are at hand: the version is looked for in the course's files. The
check sees the mark on it and gives no points. Called from within an answer to the same exercise it
refuses: an answer of one's own is something else.
"""

import ast
import functools
import importlib
from pathlib import Path

import course
from autograder.check import CheckFailed
from autograder.wire.forbid import refuse_lent

COURSE = Path(course.__file__).parent


def lend(exercise_id):
    """Return the course's version of what an exercise asks for, marked as lent."""
    path = course_version(exercise_id)
    if not path:
        raise CheckFailed(
            f"The course has no version of {exercise_id!r} to lend. `course unlock` gives the "
            "line for your cell, where there is one."
        )
    owner, _, name = path.rpartition(".")
    ours = getattr(importlib.import_module(owner), name)
    if isinstance(ours, type):
        return _lent_class(ours, exercise_id)

    @functools.wraps(ours)
    def lent(*args, **kwargs):
        refuse_lent(exercise_id)
        return ours(*args, **kwargs)

    lent.__course_lent__ = True
    return lent


def _lent_class(ours, exercise_id):
    def new(cls, *args, **kwargs):
        refuse_lent(exercise_id)
        return super(lent, cls).__new__(cls, *args, **kwargs)

    names = {"__course_lent__": True, "__doc__": ours.__doc__, "__new__": new}
    lent = type(ours.__name__, (ours,), names)
    return lent


@functools.cache
def course_version(exercise_id):
    """Return the dotted path of a function or class with an exercise's name, or an empty string.

    It lies in the exercise's module, else in one before it, else with the data.
    """
    module, _, name = str(exercise_id).partition(".")
    known = sorted((path.name for path in COURSE.glob("m[0-9][0-9]_*")), reverse=True)
    if module not in known:
        return ""
    for package in (*known[known.index(module) :], "data"):
        for file in sorted((COURSE / package).glob("*.py")):
            if name in _defined(file):
                return f"course.{package}.{file.stem}.{name}"
    return ""


def _defined(file):
    """Return the names of the functions and classes of a file."""
    defines = ast.FunctionDef | ast.ClassDef
    nodes = ast.parse(file.read_text(encoding="utf-8")).body
    return {node.name for node in nodes if isinstance(node, defines)}
