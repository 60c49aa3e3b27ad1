"""From a file in `submitted/` to a graded notebook: intake, rebuild, grade, or replay."""

from dataclasses import dataclass, field
from pathlib import Path

from autograder.grading.execute import Limits
from autograder.grading.headroom import bounded
from autograder.grading.intake import Unreadable, parse, read_bytes
from autograder.grading.notebook import Graded, grade_notebook
from autograder.grading.rebuild import Note, rebuild
from autograder.grading.store import Store


@dataclass
class Prepared:
    """A submission put back into its release.

    Attributes:
        notebook: the rebuilt notebook.
        notes: what was repaired.
        unreadable: why the file could not be read; else empty.
        skeleton: the code that the learner was given.
    """

    notebook: object
    notes: list[Note] = field(default_factory=list)
    unreadable: str = ""
    skeleton: str = ""


def prepare(folder, path, assignment):
    """Read a submitted file and rebuild it from its own release.

    Args:
        folder: the `CourseFolder`.
        path: the submitted notebook.
        assignment: the assignment's name.
    """
    present = folder.released(assignment)
    try:
        with bounded():
            return _prepared(folder, path, assignment, present)
    except Unreadable as error:
        why = str(error)
    except MemoryError:
        why = "it takes too much memory"
    sentence = f"{Path(path).name} could not be read: {why}. It earns 0 points."
    return Prepared(present, [], sentence)


def _prepared(folder, path, assignment, present):
    submission = parse(read_bytes(path))
    own = folder.released(assignment, submission.release)
    notes = []
    archived = own.metadata["course"]["release"] == submission.release
    if not archived or _graded(own) != _graded(present):
        own = present
        notes.append(Note("", "It was made from another release; it is graded by the present one."))
    rebuilt = rebuild(submission, own)
    skeleton = "\n".join(cell.source for cell in own.cells if cell.cell_type == "code")
    return Prepared(rebuilt.notebook, notes + rebuilt.notes, skeleton=skeleton)


def _graded(release):
    """Return what the gradebook knows of a release: graded cells and their points."""
    return {
        cell.metadata["nbgrader"]["grade_id"]: cell.metadata["nbgrader"].get("points")
        for cell in release.cells
        if "nbgrader" in cell.metadata
    }


def grade_prepared(folder, prepared, learner, limits=None, again=False, tier="open"):
    """Grade a prepared submission, or replay the result of an earlier run.

    Args:
        folder: the `CourseFolder`.
        prepared: a `Prepared`.
        learner: the learner's id.
        limits: the `Limits`.
        again: grade anew even when a result is stored.
        tier: how the kernel is confined: see `autograder.confine.tiers`.

    Returns:
        `Graded`; a result with a time-out or a failed check is not kept.
    """
    limits = limits or Limits()
    name = result_name(folder, prepared, learner, limits, tier)
    graded = None if again else stored(folder, name)
    if graded is None:
        graded = grade_notebook(
            prepared.notebook,
            learner,
            lambda exercise: folder.seed(learner, exercise),
            limits,
            prepared.notes,
            prepared.unreadable,
            tier,
            [folder.path],
            prepared.skeleton,
        )
        keep(folder, name, graded)
    return graded


def result_name(folder, prepared, learner, limits, tier):
    """Return the name that the result of a prepared submission has in the store."""
    return Store(folder).name(
        prepared.notebook, learner, limits, prepared.notes, prepared.unreadable, tier
    )


def stored(folder, name):
    """Return the result of an earlier run as `Graded`, or None."""
    notebook = Store(folder).load(name)
    if notebook is None:
        return None
    course = notebook.metadata["course"]
    return Graded(notebook, *([Note(*n) for n in course[key]] for key in ("notes", "failures")))


def keep(folder, name, graded):
    """Write a result's name into its notebook, and store it where it is final."""
    graded.notebook.metadata["course"]["result"] = name
    if not graded.failures and not was_stopped(graded):
        Store(folder).save(name, graded.notebook)


def was_stopped(graded):
    """Return whether a limit of time cut something off, which a calmer machine might not have."""
    return any("seconds and was stopped" in str(note) for note in graded.notes)
