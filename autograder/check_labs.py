"""`course check`: grade the learner's own notebooks as they are, with the grader's own core.

Each notebook is put back into its release and run from the top in a fresh kernel, as it will be
when it is handed in. The notebooks stay as they are; what was solved counts in `course status`.
"""

from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from autograder.errors import CourseError
from autograder.grading.intake import Unreadable, parse, read_bytes
from autograder.grading.notebook import grade_notebook
from autograder.grading.rebuild import rebuild
from autograder.progress import load, update
from autograder.quiz.variants import learner_id
from autograder.referee import PRACTICE_SEED
from course.notebooks import find_lab, released_labs
from course.workspace import existing_workspace, handed_out, has_work, labs_root


@dataclass
class Checked:
    """One graded cell of a notebook: what it earned, and the feedback as text."""

    lab: str
    exercise: str
    points: float
    max_points: float
    feedback: str


@dataclass
class LabCheck:
    """One notebook: its graded cells, and sentences on what was repaired or stopped."""

    lab: str
    rows: list[Checked] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def complete(self):
        """Whether everything in it earned full points."""
        return bool(self.rows) and all(row.points == row.max_points for row in self.rows)


def chosen_labs(name=None, workspace=None, labs=None):
    """Return the labs to check: the one that is asked for, else all that the learner worked in.

    A quiz is graded after it was handed in, because its feedback explains the answers.

    Raises:
        CourseError: there is no workspace, nothing in it was changed, or it is a quiz.
        UsageError: there is no such lab.
    """
    workspace, labs = Path(workspace or existing_workspace()), Path(labs or labs_root())
    if name:
        lab = find_lab(name, labs)
        if lab.endswith("/quiz"):
            raise CourseError(
                "A quiz is graded after it was handed in: `course status` counts your answers."
            )
        return [lab]
    names = [lab for lab in released_labs(labs) if not lab.endswith("/quiz")]
    found = [lab for lab in names if has_work(workspace, labs, lab)]
    if not found:
        raise CourseError(f"There is nothing to check: no lab in {workspace} was changed.")
    return found


def check_lab(lab, workspace=None, labs=None, limits=None):
    """Grade one notebook of the workspace.

    Args:
        lab: `m02_transformer/lab1_self_attention`.
        workspace: the learner's workspace.
        labs: the folder of released labs.
        limits: `autograder.grading.execute.Limits`.

    Raises:
        CourseError: the notebook is missing or cannot be read.
    """
    workspace, labs = Path(workspace or existing_workspace()), Path(labs or labs_root())
    path = workspace / f"{lab}.ipynb"
    try:
        submission = parse(read_bytes(path))
    except Unreadable as error:
        raise CourseError(f"{path} cannot be read: {error}. Run `course doctor`.") from None
    rebuilt = rebuild(submission, nbformat.read(handed_out(workspace, labs, lab), as_version=4))
    graded = grade_notebook(
        rebuilt.notebook, learner_id(), lambda exercise: PRACTICE_SEED, limits, rebuilt.notes
    )
    notes = [str(note) for note in (*graded.notes, *graded.failures)]
    rows = [_row(lab, cell) for cell in graded.notebook.cells if _is_graded(cell)]
    _record(workspace, rows)
    return LabCheck(lab, rows, notes)


def _record(workspace, rows):
    """Let what was solved count as progress."""
    progress = load(workspace)
    for row in rows:
        name = f"{row.lab.split('/')[0]}.{row.exercise}"
        known = progress.get(name, {})
        if row.points > known.get("best", 0):
            solved = bool(known.get("solved")) or row.points == row.max_points
            update(workspace, name, best=row.points, solved=solved)


def _is_graded(cell):
    return cell.metadata.get("nbgrader", {}).get("grade", False)


def _row(lab, cell):
    """Read a graded cell back: its result is the score, what is displayed the feedback."""
    texts = [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    scored = any(output.output_type == "execute_result" for output in cell.outputs)
    points, feedback = (float(texts[-1]), texts[:-1]) if scored else (0.0, texts)
    grading, course = cell.metadata["nbgrader"], cell.metadata.get("course", {})
    name = course.get("exercise", grading["grade_id"]).rpartition(".")[2]
    return Checked(lab, name, points, float(grading["points"]), "\n".join(feedback).strip())
