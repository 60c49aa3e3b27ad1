"""`lend("m02_transformer.attention_scores")`: the course's own version, for 0 points.

Nobody is stuck: the learner assigns it in the exercise's cell, and what builds on it works. The
check sees the mark on it and gives no points.
"""

import functools
import importlib

from autograder.check import CheckFailed
from autograder.errors import CourseError
from autograder.exercise import find


def lend(exercise_id):
    """Return the course's version of what an exercise asks for, marked as lent."""
    try:
        exercise = find(exercise_id)
    except CourseError as error:
        raise CheckFailed(str(error)) from None
    if not exercise.package:
        raise CheckFailed(f"{exercise.id} asks for an answer of your own: nothing can be lent.")
    owner, _, name = exercise.package.rpartition(".")
    ours = getattr(importlib.import_module(owner), name)
    if isinstance(ours, type):
        return type(ours.__name__, (ours,), {"__course_lent__": True, "__doc__": ours.__doc__})

    @functools.wraps(ours)
    def lent(*args, **kwargs):
        return ours(*args, **kwargs)

    lent.__course_lent__ = True
    return lent
