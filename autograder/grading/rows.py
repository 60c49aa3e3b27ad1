"""The rows of one submission in nbgrader's gradebook, and the transaction that writes them."""

import logging
from contextlib import contextmanager
from pathlib import Path

from autograder.grading.outputs import literal


def save_scores(notebook, submitted):
    """Write the scores and comments of a graded notebook into its row of the gradebook.

    Args:
        notebook: the graded notebook.
        submitted: nbgrader's `SubmittedNotebook`. What a person has scored is kept.
    """
    from nbgrader import utils

    grades = {grade.name: grade for grade in submitted.grades}
    comments = {comment.name: comment for comment in submitted.comments}
    notes = {}
    for cell, sentence in notebook.metadata.get("course", {}).get("notes", []):
        notes.setdefault(cell, []).append(sentence)
    for cell in notebook.cells:
        if "nbgrader" not in cell.metadata:
            continue
        name = cell.metadata["nbgrader"].get("grade_id")
        if utils.is_grade(cell) and name in grades:
            ungraded = cell.metadata.get("course", {}).get("ungraded")
            grade = grades[name]
            grade.auto_score = None if ungraded else utils.determine_grade(cell, logging.root)[0]
            grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
        if (utils.is_solution(cell) or utils.is_task(cell)) and name in comments:
            same = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
            sentences = ["No response."] if same and not utils.is_task(cell) else []
            sentences += notes.get(name, []) + notes.pop("", [])
            comments[name].auto_comment = " ".join(map(literal, sentences)) or None


def scores_of(submitted):
    """Return the scores of one submission, by grade id."""
    return {
        grade.name: (grade.auto_score, grade.manual_score, grade.extra_credit)
        for grade in submitted.grades
    }


def timestamp(folder):
    """Return the time in a submission's `timestamp.txt`; None where there is none to read."""
    from nbgrader.utils import parse_utc

    try:
        text = (Path(folder) / "timestamp.txt").read_text().strip()
        parse_utc(text)
    except (OSError, ValueError, TypeError, ArithmeticError):
        return None
    return text or None


@contextmanager
def waiting(session):
    """Let the commits in a `with` block, many of them nbgrader's, wait for one at its end."""

    def commit():
        session.flush()
        session.expire_all()

    session.commit = commit
    try:
        yield
    finally:
        del session.commit
