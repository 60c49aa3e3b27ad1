"""What is wrong inside answers: text that Python cannot read, saved quiz answers that are gone."""

import json
import re

from nbformat.v4 import new_output

from autograder.grading.conflicts import sides
from autograder.grading.intake import Unreadable, read_bytes
from autograder.grading.python import problem
from autograder.grading.rescue import parsed
from autograder.quiz.answers import records, saved, written
from autograder.quiz.store import NAME

HARMLESS = ("capture", "prun", "time")  # cell magics that leave what the cell defines


def not_python(notebook):
    """Yield the answer cells that would earn nothing, as `(cell, sentence)`.

    Args:
        notebook: the rebuilt notebook.
    """
    for cell in notebook.cells:
        grading = cell.metadata.get("nbgrader", {})
        if cell.cell_type != "code" or not grading.get("solution"):
            continue
        if sides(cell.source) is not None:
            sentence = "Git's conflict marks stand in this cell: keep one side, delete the marks."
            yield grading["grade_id"], sentence
        elif reason := problem(cell.source):
            yield grading["grade_id"], f"Python cannot read this cell: {reason}."
        elif name := _swallows(cell.source):
            sentence = f"%%{name} keeps what this cell defines from the notebook: delete that line."
            yield grading["grade_id"], sentence


def _swallows(source):
    """Return the magic in a cell's first line that keeps its definitions from the notebook."""
    match = re.match(r"\s*%%(\w+)", source)
    return match[1] if match and match[1] not in HARMLESS else ""


def unsaved(folder, notebook):
    """Return the ids of the cells whose answer is in `quiz_answers.json` only.

    Args:
        folder: where the notebook lies.
        notebook: the rebuilt notebook.
    """
    return [cell.id for cell, _ in _lost(folder, notebook).values()]


def add_saved(folder, notebook):
    """Write the answers that only `quiz_answers.json` has into the outputs of their cells."""
    for cell, record in _lost(folder, notebook).values():
        cell.outputs = [*cell.outputs, new_output("display_data", data=saved(record))]


def _lost(folder, notebook):
    course = notebook.metadata["course"]
    if course["lab"] != "quiz":
        return {}
    file, found = _in_file(folder, course["module"]), {}
    for cell in notebook.cells:
        item = cell.metadata.get("course", {}).get("item")
        record = file.get(item)
        if cell.metadata.get("course", {}).get("role") != "answer" or record is None:
            continue
        if not records(cell.outputs, item) and not written(cell.source, item)[0]:
            found[item] = cell, record
    return found


def _in_file(folder, module):
    """Return the records in `quiz_answers.json` that hold an answer, by item."""
    try:
        items = parsed(read_bytes(folder / NAME).decode()).get(module)
    except (Unreadable, json.JSONDecodeError, UnicodeDecodeError, AttributeError):
        return {}
    items = items if isinstance(items, dict) else {}
    return {
        item: record
        for item, record in items.items()
        if isinstance(record, dict) and record.get("answer") is not None
    }
