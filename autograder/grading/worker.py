"""Grade one submission in a process of its own: a task and its reply are JSON.

`course grade` shares submissions among such processes (`autograder.workers`). They fork their
kernels from one zygote, whose socket they inherit.
"""

import nbformat

from autograder.errors import CourseError
from autograder.grading.execute import Limits
from autograder.grading.folder import CourseFolder
from autograder.grading.rebuild import Note
from autograder.grading.space import Full
from autograder.grading.submission import grade_prepared, prepare, was_stopped
from autograder.kernels.shared import attach

_folders = {}


def task_of(folder, learner, assignment, limits, tier, again=False, zygote=None):
    """Return the task of one submission.

    Args:
        folder: the `CourseFolder`.
        learner: the learner's id.
        assignment: the assignment's name.
        limits: the `Limits`.
        tier: str. How the kernel is confined.
        again: bool. Grade anew even when a result is stored.
        zygote: int. The inherited socket of the zygote.
    """
    return {
        "folder": str(folder.path), "learner": learner, "assignment": assignment,
        "limits": limits.as_dict(), "tier": tier, "again": again, "zygote": zygote,
    }  # fmt: skip


def grade_task(task):
    """Grade one submission; a failure is part of the reply, never an exception."""
    try:
        return _grade(task)
    except Full as error:
        return {"full": str(error)}
    except CourseError as error:
        return {"error": str(error)}
    except Exception as error:  # noqa: BLE001  one submission must not cost another
        return {"error": f"{type(error).__name__}: {error}"}


def _grade(task):
    if task["zygote"] is not None:
        attach(task["zygote"])
    path, learner, assignment = task["folder"], task["learner"], task["assignment"]
    if path not in _folders:
        _folders[path] = CourseFolder(path)
    folder = _folders[path]
    prepared = prepare(folder, folder.submission(learner, assignment), assignment)
    graded = grade_prepared(
        folder, prepared, learner, Limits(**task["limits"]), task["again"], task["tier"]
    )
    return reply_of(graded, prepared.unreadable)


def reply_of(graded, unreadable):
    """Return a `Graded` as JSON."""
    return {
        "notebook": graded.notebook,
        "notes": [[note.cell, note.sentence] for note in graded.notes],
        "failures": [[note.cell, note.sentence] for note in graded.failures],
        "unreadable": unreadable,
        "stopped": was_stopped(graded),
    }


def read(reply):
    """Return a reply's notebook, notes and failures as objects."""
    notebook = nbformat.from_dict(reply["notebook"])
    return notebook, *([Note(*note) for note in reply[key]] for key in ("notes", "failures"))
