"""From the bytes of a file to the JSON of a notebook, whatever happened to the file on its way.

The doctor and the grader both read notebooks here, so what one can read the other can. A step
that had to be undone is a flaw: one sentence in two halves, what was found; what was done.
"""

import json
import re

from autograder.grading.conflicts import sides
from autograder.grading.text import Undecided, Unreadable, decoded, unpacked
from course.notebooks import work_in

MAX_DEPTH = 100
TOO_DEEP = "it is not readable JSON: it is nested too deeply"
MAX_BROKEN = 20  # pieces of broken JSON that are tried: each may be as long as the file
CELL = re.compile(r'\{\s*"(?:attachments|cell_type)"\s*:')


def open_notebook(data):
    """Return the JSON of a notebook in format 4, and the flaws that its file had.

    Args:
        data: the bytes of the file.

    Returns:
        A dictionary whose `cells` is a list, and a list of sentences.

    Raises:
        Unreadable: it is no notebook.
        Undecided: it holds two versions of the learner's work.
    """
    flaws = []
    if data.startswith(b"PK\x03\x04"):
        data = unpacked(data)
        flaws.append("It was a zip archive; the notebook in it was read.")
    content = _loaded(decoded(data, flaws), flaws)
    return _in_format_4(content, flaws), flaws


def _loaded(text, flaws):
    """Return the JSON in a text, or as much of it as is whole."""
    bare = text.rstrip("\0")
    if not bare.strip():
        raise Unreadable("it is empty")
    if bare != text:
        flaws.append("It ended in empty bytes; they were left out.")
    if re.match(r"\s*<[!?A-Za-z]", bare):
        raise Unreadable("it is a web page and not JSON, so it is no notebook")
    try:
        return parsed(bare)
    except json.JSONDecodeError as error:
        broken = error
    if (both := sides(bare)) is not None:
        return _one_side(both, flaws)
    return _mended(bare, broken, flaws)


def parsed(text, **options):
    """Return the JSON in a text.

    Raises:
        json.JSONDecodeError: it is none.
        Unreadable: it is nested deeper than a notebook ever is.
    """
    try:
        content = json.loads(text, **options)
    except json.JSONDecodeError:
        raise
    except ValueError:
        raise Unreadable("it is not readable JSON: a number in it is too long") from None
    except RecursionError:
        raise Unreadable(TOO_DEEP) from None
    _check_depth(content)
    return _writable(content, text)


def _writable(content, text):
    """Return JSON whose letters a file can hold: lone halves of one become question marks."""
    if "\\ud" not in text.lower():
        return content
    whole = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
    return json.loads(whole)


def _check_depth(content):
    level = [content]
    for _ in range(MAX_DEPTH):
        level = [
            part
            for value in level
            if isinstance(value, dict | list)
            for part in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return
    raise Unreadable(TOO_DEEP)


def _one_side(both, flaws):
    """Return the side of a conflict that counts: the only whole one, or either of two alike."""
    whole = []
    for side in both:
        try:
            content = parsed(side)
        except json.JSONDecodeError:
            continue
        if isinstance(content, dict) and isinstance(content.get("cells"), list):
            whole.append(content)
    if not whole:
        raise Undecided("git's conflict marks are in it, and neither side is a notebook")
    works = [work_in(json.dumps(content).encode()) for content in whole]
    if len(works) == 2 and works[0] != works[1]:
        raise Undecided("git's conflict marks are in it, and its two sides hold different answers")
    flaws.append("Git's conflict marks were in it; the side that is whole was read.")
    return whole[0]


def _mended(text, broken, flaws):
    """Return what is whole in text that is not quite JSON.

    Raises:
        Unreadable: nothing is.
    """
    where = f"line {broken.lineno}: {broken.msg}"
    if broken.msg == "Extra data" and isinstance(first := parsed(text[: broken.pos]), dict):
        flaws.append("Something stood after its end; it was left out.")
        return first
    try:
        content = parsed(text, strict=False)
    except json.JSONDecodeError:
        content = _whole_cells(text)
        if content is None:
            raise Unreadable(f"it is not JSON ({where})") from None
        what = f"{len(content['cells'])} whole cells were read"
        flaws.append(f"It was not whole JSON ({where}); {what}.")
        return content
    flaws.append(f"It was not quite JSON ({where}); it was read all the same.")
    return content


def _whole_cells(text):
    """Return a notebook of the cells that can be read in a broken one, or None."""
    decoder = json.JSONDecoder(strict=False)
    cells, end, failed = [], 0, 0
    for match in CELL.finditer(text):
        if match.start() < end or failed > MAX_BROKEN:
            continue
        try:
            cell, end = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            failed += 1
            continue
        if isinstance(cell.get("cell_type"), str):
            cells.append(cell)
    if not cells:
        return None
    content = {"cells": cells, "metadata": _metadata_after(text, end), "nbformat": 4}
    _check_depth(content)
    return _writable(content, text)


def _metadata_after(text, end):
    """Return the notebook's own metadata, which stand after its cells, where they are whole."""
    starts = [match.end() for match in re.finditer(r'"metadata"\s*:\s*(?=\{)', text[end:])]
    try:
        return json.JSONDecoder().raw_decode(text[end:], starts[-1])[0] if starts else {}
    except (ValueError, RecursionError):
        return {}


def _in_format_4(content, flaws):
    """Return a notebook whose cells are where format 4 has them."""
    if not isinstance(content, dict):
        raise Unreadable("it is JSON but no notebook")
    if isinstance(content.get("cells"), list):
        return content
    sheets = content.get("worksheets")
    sheets = [s for s in sheets if isinstance(s, dict)] if isinstance(sheets, list) else []
    cells = [sheet["cells"] for sheet in sheets if isinstance(sheet.get("cells"), list)]
    if not cells:
        raise Unreadable("it is JSON but no notebook: it has no cells")
    flaws.append("It was saved in an old format of notebooks; it was read all the same.")
    return _upgraded(content) or content | {"cells": [cell for each in cells for cell in each]}


def _upgraded(content):
    """Return a notebook of format 3 in format 4; None where it breaks its own format."""
    from nbformat import reads

    try:
        return reads(json.dumps(content), as_version=4)
    except Exception:  # noqa: BLE001  what a damaged notebook of an old format may raise
        return None
