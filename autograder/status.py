"""`course status`: what of the labs and quizzes is solved."""

from dataclasses import dataclass
from pathlib import Path

from autograder.progress import load
from course.notebooks import read_notebook, released_labs, work_in
from course.workspace import existing_workspace, labs_root


@dataclass
class Standing:
    """How far one notebook is: its exercises or quiz items, and what they earned so far."""

    lab: str
    exercises: int = 0
    solved: int = 0
    points: float = 0.0
    max_points: float = 0.0
    hints: int = 0
    lent: int = 0


def status(workspace=None, labs=None):
    """Return a `Standing` for each lab and quiz, in the order of study.

    A lab counts what the best attempt at each exercise earned. A quiz is graded only when it
    is handed in; its `solved` counts the answers given.

    Args:
        workspace: the learner's workspace.
        labs: the folder of released labs.
    """
    workspace, labs = Path(workspace or existing_workspace()), Path(labs or labs_root())
    progress = load(workspace)
    return [_standing(lab, workspace, labs, progress) for lab in released_labs(labs)]


def _standing(lab, workspace, labs, progress):
    standing = Standing(lab)
    for cell in read_notebook(labs / f"{lab}.ipynb")["cells"]:
        grading = cell.get("metadata", {}).get("nbgrader", {})
        if not grading.get("grade"):
            continue
        standing.exercises += 1
        standing.max_points += grading.get("points", 0)
        entry = progress.get(cell["metadata"].get("course", {}).get("exercise"), {})
        standing.solved += bool(entry.get("solved"))
        standing.points += entry.get("best", 0)
        standing.hints += entry.get("hints", 0)
        standing.lent += bool(entry.get("lent"))
    if lab.endswith("/quiz"):
        standing.solved = _answered(workspace / f"{lab}.ipynb")
    return standing


def _answered(path):
    """Return how many items of a quiz have an answer recorded in the notebook."""
    try:
        work = work_in(path.read_bytes())
    except OSError:
        return 0
    cells = work if isinstance(work, list) else []
    return sum(bool(answers) for *_, answers in cells)
