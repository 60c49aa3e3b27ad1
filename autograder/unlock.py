"""`course unlock`: the course lends its version of an exercise, for 0 points."""

from autograder.errors import CourseError, UsageError
from autograder.exercise import load_labs, modules
from autograder.progress import update
from course.workspace import existing_workspace


def unlock(name, workspace=None):
    """Mark an exercise as lent; return the line that the learner pastes into its cell.

    Args:
        name: `m02_transformer.attention_scores`, `m02.attention_scores` or `attention_scores`.
        workspace: the learner's workspace.

    Raises:
        UsageError: no exercise has this name.
        CourseError: the course has nothing to lend for it.
    """
    exercise = find_exercise(name)
    if not exercise.package:
        raise CourseError(f"{exercise.id} asks for a number of your own: nothing can be lent.")
    update(workspace or existing_workspace(), exercise.id, lent=True)
    return f'{exercise.name} = lend("{exercise.id}")'


def find_exercise(name):
    """Return the exercise that a person means, with or without its module.

    Raises:
        UsageError: no exercise has this name, or several have.
    """
    slug, _, short = name.rpartition(".")
    known = [e for module in modules() for e in load_labs(module)[0].values()]
    found = [
        exercise
        for exercise in known
        if exercise.name == short and slug in ("", exercise.module, exercise.module[:3])
    ]
    if not found:
        names = ", ".join(exercise.name for exercise in known)
        raise UsageError(f"There is no exercise {name!r}. There are {names or 'none'}.")
    if len(found) > 1:
        ids = " or ".join(exercise.id for exercise in found)
        raise UsageError(f"Several modules have an exercise {name!r}: write {ids}.")
    return found[0]
