"""Read what learners hand in, whatever it is: plain files of sane size, JSON or not."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from autograder.grading.rescue import open_notebook
from autograder.grading.text import MAX_BYTES, Undecided, Unreadable

__all__ = ["MAX_BYTES", "Submission", "SubmittedCell", "Undecided", "Unreadable", "notebooks_in",
           "parse", "read_bytes", "understood"]  # fmt: skip
MAX_CELLS = 2000
MARKS = ("grade_id", "grade", "points", "locked", "solution", "task")
SUFFIXES = (".json", ".txt", ".zip")  # what browsers and people put behind a notebook's name


@dataclass
class SubmittedCell:
    """One cell of a submission, as far as it can be trusted: all text, nothing else.

    Attributes:
        kind: "code" or "markdown" (raw cells count as Markdown).
        source: its text.
        cell_id: the notebook format's id, or an empty string.
        grade_id: nbgrader's id, or an empty string.
        outputs: list of dictionaries.
        marks: what nbgrader's metadata say of it: lock, points and the like.
    """

    kind: str
    source: str
    cell_id: str
    grade_id: str
    outputs: list
    marks: dict = field(default_factory=dict)


@dataclass
class Submission:
    """A parsed submission: what it says it is, its cells, and what its file went through."""

    module: str
    lab: str
    release: str
    kernel: str
    cells: list[SubmittedCell]
    flaws: list[str] = field(default_factory=list)


def read_bytes(path, limit=MAX_BYTES):
    """Return the bytes of a plain file; links and special files are not followed.

    Args:
        path: the file.
        limit: how many bytes it may have.

    Raises:
        Unreadable: it is a link, no plain file, or too large.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        if stat.S_ISLNK(os.lstat(path).st_mode):
            raise Unreadable("it is a link, and links are not followed")
        handle = os.open(path, flags)
    except OSError as error:
        raise Unreadable(f"it cannot be opened ({error.strerror})") from None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable("it is not a plain file")
        if status.st_size > limit:
            raise Unreadable(f"it is larger than {limit // 2**20} MB")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(limit + 1)
    except OSError as error:
        raise Unreadable(f"it cannot be read ({error.strerror})") from None
    finally:
        os.close(handle)


def notebooks_in(folder):
    """Return the files of a folder that may be a notebook, those named so first.

    Raises:
        OSError: the folder cannot be listed.
    """
    with os.scandir(folder) as entries:
        paths = sorted(Path(entry.path) for entry in entries)
    named = [path for path in paths if path.suffix.lower() == ".ipynb"]
    others = [path for path in paths if path.suffix.lower() in SUFFIXES]
    return named + [path for path in others if _is_notebook(path)]


def _is_notebook(path):
    """Say whether a file that is not named like a notebook holds cells of this course."""
    if path.name in ("timestamp.txt", "quiz_answers.json"):
        return False
    try:
        submission = parse(read_bytes(path))
    except Unreadable:
        return False
    return bool(submission.lab) or any(cell.grade_id for cell in submission.cells)


def parse(data):
    """Return the `Submission` in the bytes of a notebook file.

    Raises:
        Unreadable: it is no notebook, or nobody can say what in it counts.
    """
    return understood(*open_notebook(data))


def understood(content, flaws=()):
    """Return the `Submission` in the JSON of a notebook.

    Args:
        content: what `open_notebook` returned.
        flaws: sentences on what the file went through.

    Raises:
        Undecided: it has more cells than anybody wrote.
    """
    cells = content["cells"]
    if len(cells) > MAX_CELLS:
        raise Undecided(f"it has more than {MAX_CELLS} cells")
    metadata = _dict(content.get("metadata"))
    course = _dict(metadata.get("course"))
    return Submission(
        module=_text(course.get("module")),
        lab=_text(course.get("lab")),
        release=_text(course.get("release")),
        kernel=_text(_dict(metadata.get("kernelspec")).get("name")),
        cells=[_cell(cell) for cell in cells if isinstance(cell, dict)],
        flaws=list(flaws),
    )


def _cell(cell):
    grading = _dict(_dict(cell.get("metadata")).get("nbgrader"))
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    outputs = cell.get("outputs")
    return SubmittedCell(
        kind="code" if cell.get("cell_type") == "code" else "markdown",
        source=_text(source),
        cell_id=_text(cell.get("id")),
        grade_id=_text(grading.get("grade_id")),
        outputs=[o for o in outputs if isinstance(o, dict)] if isinstance(outputs, list) else [],
        marks={name: grading[name] for name in MARKS if name in grading},
    )


def _dict(value):
    return value if isinstance(value, dict) else {}


def _text(value):
    """Return text without what no file can hold (lone surrogates, NUL)."""
    if not isinstance(value, str):
        return ""
    return value.encode("utf-8", "replace").decode().replace("\0", "")
