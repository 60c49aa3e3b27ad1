"""A small released lab and quiz, as the build writes them, for tests of the workspace."""

import json

from nbformat import writes
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

STUB = "def mean(x):\n    raise NotImplementedError"
ANSWER = "application/vnd.course.answer+json"


def cell(cell_id, source, role, grade_id=None, points=None, **course):
    """Return a code cell with the metadata that the build gives it."""
    new = new_code_cell(source, metadata={"course": {"role": role, **course}})
    new.id = cell_id
    if grade_id:
        solution = role == "exercise"
        new.metadata["nbgrader"] = {
            "grade": points is not None, "grade_id": grade_id, "locked": not solution,
            "schema_version": 3, "solution": solution, "task": False,
        }  # fmt: skip
        if points is not None:
            new.metadata["nbgrader"]["points"] = points
    return new


def notebook(cells, lab, release="r1"):
    """Return the text of a released notebook of module `m02_transformer`."""
    made = new_notebook(cells=cells)
    made.metadata = {
        "course": {"module": "m02_transformer", "lab": lab, "release": release},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return writes(made) + "\n"


def lab(release="r1", extra=""):
    """Return a lab with two exercises, a demo and a text."""
    title = new_markdown_cell("# Lab 1: Means" + extra, metadata={"course": {"role": "title"}})
    title.id = "lab1_means-title"
    cells = [
        title,
        cell("setup", "import math", "setup", "setup"),
        cell("mean", STUB, "exercise", "mean", exercise="m02_transformer.mean"),
        cell("check-mean", 'check("mean")', "check", "check-mean", 3,
             exercise="m02_transformer.mean"),
        cell("total", "def total(x):\n    raise NotImplementedError", "exercise", "total",
             exercise="m02_transformer.total"),
        cell("check-total", 'check("total")', "check", "check-total", 2,
             exercise="m02_transformer.total"),
        cell("lab1_means-07", "print(mean([1, 2]))", "demo"),
    ]  # fmt: skip
    return notebook(cells, "lab1_means", release)


def quiz():
    """Return a quiz with one item."""
    cells = [
        cell("q01-answer", 'quiz.single("q01", a="yes", b="no")', "answer", item="q01"),
        cell("q01", 'quiz.recorded("q01")', "graded", "q01", 1, item="q01"),
    ]
    return notebook(cells, "quiz")


def make_labs(folder):
    """Write the released labs into a folder and return it."""
    module = folder / "m02_transformer"
    (module / "figures").mkdir(parents=True)
    (folder / "start.md").write_text("# Start\n")
    (module / "reading.md").write_text("# Reading\n")
    (module / "figures" / "one.png").write_bytes(b"\x89PNG one")
    (module / "lab1_means.ipynb").write_text(lab())
    (module / "quiz.ipynb").write_text(quiz())
    return folder


def edit(path, change):
    """Change a notebook on disk: `change` gets its JSON."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def put(path, grade_id, source):
    """Write an answer into one cell of a notebook on disk."""

    def change(content):
        for one in content["cells"]:
            if one["id"] == grade_id:
                one["source"] = source

    edit(path, change)
