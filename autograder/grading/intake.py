"""Read what learners hand in, whatever it is: plain files of sane size, JSON or not."""

import json
import os
import stat
from dataclasses import dataclass

from autograder.errors import CourseError

MAX_BYTES = 20 * 2**20
MAX_CELLS = 2000


class Unreadable(CourseError):
    """A file that is no notebook; the sentence says why, without the file's name."""


@dataclass
class SubmittedCell:
    """One cell of a submission, as far as it can be trusted: all text, nothing else.

    Attributes:
        kind: "code" or "markdown" (raw cells count as Markdown).
        source: its text.
        cell_id: the notebook format's id, or an empty string.
        grade_id: nbgrader's id, or an empty string.
        outputs: list of dictionaries.
    """

    kind: str
    source: str
    cell_id: str
    grade_id: str
    outputs: list


@dataclass
class Submission:
    """A parsed submission: what it says it is, and its cells."""

    module: str
    lab: str
    release: str
    kernel: str
    cells: list[SubmittedCell]


def read_bytes(path):
    """Return the bytes of a plain file; links and special files are not followed.

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
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable("it is not a plain file")
        if status.st_size > MAX_BYTES:
            raise Unreadable(f"it is larger than {MAX_BYTES // 2**20} MB")
        return file.read(MAX_BYTES + 1)


def parse(data):
    """Return the `Submission` in the bytes of a notebook file.

    Raises:
        Unreadable: it is not JSON, or no notebook.
    """
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Unreadable("it is not text, so it is no notebook") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"it is not JSON (line {error.lineno}: {error.msg})") from None
    except (ValueError, RecursionError):
        raise Unreadable("it is not readable JSON") from None
    if not isinstance(content, dict):
        raise Unreadable("it is JSON but no notebook")
    cells = content.get("cells")
    if not isinstance(cells, list):
        worksheets = content.get("worksheets")
        first = worksheets[0] if isinstance(worksheets, list) and worksheets else {}
        cells = first.get("cells") if isinstance(first, dict) else None
    if not isinstance(cells, list):
        raise Unreadable("it is JSON but no notebook: it has no cells")
    if len(cells) > MAX_CELLS:
        raise Unreadable(f"it has more than {MAX_CELLS} cells")
    metadata = _dict(content.get("metadata"))
    course = _dict(metadata.get("course"))
    return Submission(
        module=_text(course.get("module")),
        lab=_text(course.get("lab")),
        release=_text(course.get("release")),
        kernel=_text(_dict(metadata.get("kernelspec")).get("name")),
        cells=[_cell(cell) for cell in cells if isinstance(cell, dict)],
    )


def _cell(cell):
    metadata = _dict(cell.get("metadata"))
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    outputs = cell.get("outputs")
    return SubmittedCell(
        kind="code" if cell.get("cell_type") == "code" else "markdown",
        source=_text(source),
        cell_id=_text(cell.get("id")),
        grade_id=_text(_dict(metadata.get("nbgrader")).get("grade_id")),
        outputs=[o for o in outputs if isinstance(o, dict)] if isinstance(outputs, list) else [],
    )


def _dict(value):
    return value if isinstance(value, dict) else {}


def _text(value):
    """Return text without what no file can hold (lone surrogates, NUL)."""
    if not isinstance(value, str):
        return ""
    return value.encode("utf-8", "replace").decode().replace("\0", "")
