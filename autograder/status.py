"""`course status`: what of the labs and quizzes is solved."""

from dataclasses import dataclass
from pathlib import Path

from autograder.progress import load
from autograder.quiz.answers import records, written
from course.notebooks import read_notebook, released_labs
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

    A lab counts what the best attempt at each exercise earned. A quiz is graded when it is
    handed in; until then its `solved` counts the answers given.

    Args:
        workspace: the learner's workspace.
        labs: the folder of released labs.
    """
    workspace, labs = Path(workspace or existing_workspace()), Path(labs or labs_root())
    progress = load(workspace)
    return [_standing(lab, workspace, labs, progress) for lab in released_labs(labs)]


def _standing(lab, workspace, labs, progress):
    standing, answers = Standing(lab), _cells(workspace / f"{lab}.ipynb")
    for cell in _cells(labs / f"{lab}.ipynb"):
        grading, course = (cell.get("metadata", {}).get(key, {}) for key in ("nbgrader", "course"))
        if not grading.get("grade"):
            continue
        entry = progress.get(course.get("exercise"), {})
        standing.exercises += 1
        standing.max_points += grading.get("points", 0)
        standing.solved += bool(entry.get("solved")) or _answered(course.get("item"), answers)
        standing.points += entry.get("best", 0)
        standing.hints += entry.get("hints", 0)
        standing.lent += bool(entry.get("lent"))
    return standing


def _cells(path):
    return (read_notebook(path) or {"cells": []})["cells"]


def _answered(item, cells):
    """Return whether a quiz item has an answer, by widget or by a line of code."""
    return item is not None and any(
        records(cell.get("outputs"), item) or written("".join(cell.get("source", "")), item)[0]
        for cell in cells
    )
