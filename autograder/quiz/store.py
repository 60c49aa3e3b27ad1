"""Answers on disk: `quiz_answers.json` beside the notebook, and the notebook itself."""

import json
import os
from pathlib import Path

from autograder.quiz.answers import records
from course.files import write_atomic
from course.notebooks import identity, read_notebook

NAME = "quiz_answers.json"
MAX_BYTES = 5_000_000
MAX_NOTEBOOKS = 20


def load(folder):
    """Return `{module: {item: record}}` from a folder's file; empty when there is none.

    A damaged file is set aside as `quiz_answers.damaged.json`, so that nothing is lost.
    """
    path = Path(folder) / NAME
    try:
        answers = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        answers = None
    if not isinstance(answers, dict):
        _set_aside(path)
        return {}
    return {module: items for module, items in answers.items() if isinstance(items, dict)}


def save(folder, record):
    """Write one record; the other answers in the file stay.

    Raises:
        OSError: the folder cannot be written.
    """
    answers = load(folder)
    answers.setdefault(record["module"], {})[record["item"]] = record
    text = json.dumps(answers, indent=1, ensure_ascii=False) + "\n"
    write_atomic(Path(folder) / NAME, text)


def from_notebooks(folder, module):
    """Return `{item: record}` that the quiz notebook in a folder holds.

    So a notebook that was moved without its `quiz_answers.json` keeps its answers.
    """
    found = {}
    paths = sorted(Path(folder).glob("*.ipynb"), key=_age)[-MAX_NOTEBOOKS:]
    for path in paths:
        if path.stat().st_size > MAX_BYTES or identity(path) != (module, "quiz"):
            continue
        for cell in read_notebook(path)["cells"]:
            outputs = cell.get("outputs") if isinstance(cell, dict) else None
            found |= {str(record.get("item")): record for record in records(outputs)}
    return found


def _age(path):
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _set_aside(path):
    try:
        os.replace(path, path.with_name("quiz_answers.damaged.json"))
    except OSError:
        pass
