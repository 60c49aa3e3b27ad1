"""Notebooks as plain JSON: which lab one is, and what work is in it."""

import json
import re
from pathlib import Path

from course.errors import UsageError

ANSWER = "application/vnd.course.answer+json"


def read_notebook(notebook):
    """Return the JSON of a notebook (a path, or its bytes) as a dictionary.

    None when it is no notebook: unreadable, not JSON, or without cells.
    """
    try:
        data = notebook if isinstance(notebook, bytes) else Path(notebook).read_bytes()
        content = json.loads(data)
    except (OSError, ValueError, RecursionError):
        return None
    cells = content.get("cells") if isinstance(content, dict) else None
    sound = isinstance(cells, list) and all(isinstance(cell, dict) for cell in cells)
    return content if sound else None


def identity(notebook):
    """Return `(module, lab)` that a notebook (a path, or its bytes) names, else None.

    A notebook is known by its metadata, whatever its file is called.
    """
    metadata = (read_notebook(notebook) or {}).get("metadata")
    course = metadata.get("course") if isinstance(metadata, dict) else None
    if not isinstance(course, dict) or not {"module", "lab"} <= course.keys():
        return None
    return str(course["module"]), str(course["lab"])


def work_in(data):
    """Return what a learner put into a file: the bytes, or for a notebook its cells.

    Opening and running a notebook changes the file, not the work in it. A quiz keeps its
    answers in the outputs, so those count.
    """
    notebook = read_notebook(data)
    return data if notebook is None else [_work_in_cell(cell) for cell in notebook["cells"]]


def _work_in_cell(cell):
    """Return a cell's kind, text, place and quiz answers; a damaged part counts as it is."""
    source, metadata, outputs = (cell.get(key) for key in ("source", "metadata", "outputs"))
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    grading = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    place = grading.get("grade_id") if isinstance(grading, dict) else None
    outputs = outputs if isinstance(outputs, list) else []
    displayed = [output.get("data") for output in outputs if isinstance(output, dict)]
    answers = [data[ANSWER] for data in displayed if isinstance(data, dict) and ANSWER in data]
    return [cell.get("cell_type"), source, place, answers]


def lab_order(stem):
    """Return what sorts notebooks as they are studied: labs by number, then the quiz."""
    number = re.match(r"lab(\d+)", stem)
    return (0, int(number[1]), stem) if number else (1, 0, stem)


def released_labs(labs):
    """Return the names of the released notebooks, in the order of study.

    Args:
        labs: the folder of released labs.

    Returns:
        List of `m02_transformer/lab1_self_attention`, without the file's ending.
    """
    paths = [path.relative_to(labs).with_suffix("") for path in Path(labs).glob("m*/*.ipynb")]
    ordered = sorted(paths, key=lambda path: (path.parent.name, lab_order(path.name)))
    return [path.as_posix() for path in ordered]


def find_lab(name, labs):
    """Return the released notebook that a person means.

    Args:
        name: `lab1`, `lab1_self_attention`, `m02_lab1`, `m02_transformer/quiz`, or a path.
        labs: the folder of released labs.

    Raises:
        UsageError: no notebook has this name, or several have.
    """
    known = released_labs(labs)
    asked = "/".join(Path(name).with_suffix("").parts[-2:]).lower()
    found = [lab for lab in known if asked in _names_of(lab)]
    if not found:
        raise UsageError(f"There is no lab {name!r}. There are {', '.join(known) or 'none'}.")
    if len(found) > 1:
        raise UsageError(f"{name!r} is the name of several labs: write {' or '.join(found)}.")
    return found[0]


def _names_of(lab):
    """Return the names under which a person may ask for a lab."""
    slug, stem = lab.split("/")
    number = slug.split("_")[0]
    names = {stem, stem.split("_")[0]}
    return names | {f"{before}{name}" for name in names for before in _prefixes(slug, number)}


def _prefixes(slug, number):
    return f"{number}_", f"{number}/", f"{slug}/"
