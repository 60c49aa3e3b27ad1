"""A submission as JSON, for a machine that has the course but not the course folder.

A parcel holds the rebuilt notebook, the secret seeds of its exercises and the limits. The grading
key, the gradebook, the store and the other submissions stay where they are.
"""

import nbformat

from autograder.confine import tiers
from autograder.errors import CourseError
from autograder.grading.execute import Limits
from autograder.grading.folder import CourseFolder
from autograder.grading.notebook import Graded, grade_notebook
from autograder.grading.rebuild import Note
from autograder.grading.store import environment, fingerprint
from autograder.grading.submission import keep, prepare, result_name, stored
from autograder.grading.worker import read, reply_of
from autograder.kernels.shared import attach


class Parcel:
    """One submission on its way to another machine and back.

    Args:
        task: dict. From `autograder.grading.worker.task_of`.

    Attributes:
        task: dict. As given.
        reply: dict. Known without sending: a stored result, or why there is none; else None.
        content: dict. What to send; None where the reply is known.
    """

    def __init__(self, task):
        self.task, self.reply, self.content = task, None, None
        try:
            self._pack()
        except Exception as error:  # noqa: BLE001  one submission must not cost another
            self.reply = {"error": _sentence(error)}

    def _pack(self):
        task, self._folder = self.task, CourseFolder(self.task["folder"])
        learner, limits, tier = task["learner"], Limits(**task["limits"]), task["tier"]
        path = self._folder.submission(learner, task["assignment"])
        prepared = prepare(self._folder, path, task["assignment"])
        self._name = result_name(self._folder, prepared, learner, limits, tier)
        graded = None if task["again"] else stored(self._folder, self._name)
        if graded is not None:
            self.reply = reply_of(graded, prepared.unreadable)
            return
        self.content = {
            "course": fingerprint(), "packages": environment(), "tier": tier,
            "learner": learner, "limits": task["limits"], "skeleton": prepared.skeleton,
            "notebook": prepared.notebook,
            "notes": [[note.cell, note.sentence] for note in prepared.notes],
            "unreadable": prepared.unreadable,
            "seeds": _seeds(self._folder, prepared.notebook, learner),
            "secret_folders": [task["folder"]],
        }  # fmt: skip

    def opened(self, reply):
        """Store the result that came back, and return the reply as `grade_task` would give it."""
        if "notebook" not in reply:
            return reply
        graded = Graded(*read(reply))
        keep(self._folder, self._name, graded)
        return reply_of(graded, reply["unreadable"])


def grade_parcel(content):
    """Grade the content of a parcel on the machine that it came to.

    Args:
        content: dict. Also `worker`, this machine's name in sentences, and `zygote`, the
            inherited socket of its warm process or None.

    Returns:
        A reply as `grade_task` gives it, or `{"refused": sentence}` where this machine would not
        grade as the sender does.
    """
    refused = refusal(content)
    if refused:
        return {"refused": refused}
    if content["zygote"] is not None:
        attach(content["zygote"])
    try:
        graded = grade_notebook(
            nbformat.from_dict(content["notebook"]),
            content["learner"],
            content["seeds"].__getitem__,
            Limits(**content["limits"]),
            [Note(*note) for note in content["notes"]],
            content["unreadable"],
            content["tier"],
            content["secret_folders"],
            content["skeleton"],
        )
    except Exception as error:  # noqa: BLE001  one submission must not cost another
        return {"error": _sentence(error)}
    return reply_of(graded, content["unreadable"])


def refusal(content):
    """Return why this machine must not grade a parcel, as a sentence, or an empty string."""
    worker, tier = content["worker"], content["tier"]
    if content["course"] != fingerprint():
        return (
            f"The worker {worker} has other files of the course than this machine: bring both to "
            "the same commit, start the worker again, and run the command again."
        )
    if content["packages"] != environment():
        return (
            f"The worker {worker} has another Python or other packages than this machine: install "
            "both with the same Python, constraints and extras, and run the command again."
        )
    found = tiers.reach()
    if tiers.ORDER.index(found.tier) > tiers.ORDER.index(tier):
        return (
            f'The worker {worker} reaches only the tier "{found.tier}" where this run needs '
            f'"{tier}". {" ".join(found.reasons)} Run `course grade --tier` there, or leave this '
            "worker out."
        )
    return ""


def _seeds(folder, notebook, learner):
    """Return the secret seed of each exercise that a notebook checks."""
    checks = [cell.metadata.get("course", {}) for cell in notebook.cells]
    names = [each.get("exercise") for each in checks if each.get("role") == "check"]
    return {name: folder.seed(learner, name) for name in names if name}


def _sentence(error):
    return str(error) if isinstance(error, CourseError) else f"{type(error).__name__}: {error}"
