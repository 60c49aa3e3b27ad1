"""Expand a lab source into an instructor notebook for nbgrader.

Cell ids and grade ids derive from the exercise's id or the cell's position, so the same source
always gives the same bytes.
"""

import hashlib
import json
import re

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
STUB = "# Write your code here.\nraise NotImplementedError"
HOW_TO = (
    "Run the cells from top to bottom. Write your code where a cell says "
    "`Write your code here`; the check below it shows which properties hold. "
    "Run a check as often as you like."
)
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


def instructor_notebook(lab):
    """Return the notebook that nbgrader calls the source: with solutions and grading metadata.

    Args:
        lab: a `LabSource`.
    """
    cells = [_titled(new_markdown_cell(header(lab)), f"{lab.lab}-title", "title")]
    setups = 0
    for position, cell in enumerate(lab.cells, 1):
        if cell.kind == "exercise":
            new = _exercise(lab, cell)
        elif cell.kind == "check":
            new = _check(lab, cell)
        elif cell.kind == "setup":
            setups += 1
            new = _setup(cell, setups)
        elif cell.kind == "markdown":
            new = _titled(new_markdown_cell(cell.source), f"{lab.lab}-{position:02d}", "text")
        else:
            new = _titled(new_code_cell(cell.source), f"{lab.lab}-{position:02d}", cell.kind)
        cells.append(new)
    return finish(cells, lab.slug, lab.lab)


def finish(cells, slug, lab):
    """Wrap cells into a notebook that names its module, lab and release."""
    notebook = new_notebook(cells=cells)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = {
        "course": {"module": slug, "lab": lab, "release": release_of(cells)},
        "kernelspec": KERNEL,
        "language_info": {"name": "python"},
    }
    return notebook


def release_of(cells):
    """Return the name of a release: a hash of what the learner gets, solutions left out."""
    seen = [
        [cell.cell_type, without_solution(cell.source), cell.metadata.get("nbgrader")]
        for cell in cells
    ]
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:12]


def without_solution(source):
    """Replace each solution region by the stub, as nbgrader does."""
    kept, inside = [], False
    for line in source.split("\n"):
        if BEGIN in line:
            indent = re.match(r"\s*", line)[0]
            kept += [indent + stub for stub in STUB.split("\n")]
            inside = True
        elif END in line:
            inside = False
        elif not inside:
            kept.append(line)
    return "\n".join(kept)


def grading_metadata(grade_id, *, grade=False, solution=False, points=None):
    """Return the `nbgrader` metadata of a cell, schema version 3."""
    metadata = {
        "grade": grade,
        "grade_id": grade_id,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    if grade:
        metadata["points"] = points
    return metadata


def header(lab):
    """Return the Markdown of the first cell: what, how long, how much, which exercises."""
    front, exercises = lab.front, lab.exercises()
    points = sum(lab.points(cell.exercise) for cell in exercises)
    number = re.match(r"lab(\d+)", lab.lab)
    title = f"Lab {number[1]}: {front['title']}" if number else front["title"]
    build = front["build"].rstrip(".")
    lines = [f"# {title}", "", f"**You will build** {build}.", ""]
    lines += ["| Minutes | Memory | Data | Points |", "|---|---|---|---|"]
    lines += [f"| {front['minutes']} | {front['memory']} | {front['data']} | {points:g} |", ""]
    if exercises:
        lines += ["| Exercise | Points | Difficulty | Minutes |", "|---|---|---|---|"]
        for cell in exercises:
            lines.append(
                f"| `{cell.exercise}` | {lab.points(cell.exercise):g} "
                f"| {cell.options['difficulty']} of 3 | {cell.options['minutes']:g} |"
            )
        lines += ["", HOW_TO]
    return "\n".join(lines)


def _titled(cell, cell_id, role):
    """Give a cell its id and its role."""
    cell.id = cell_id
    cell.metadata["course"] = {"role": role}
    return cell


def _exercise(lab, cell):
    new = _titled(new_code_cell(cell.source), cell.exercise, "exercise")
    new.metadata["course"] |= {"exercise": f"{lab.slug}.{cell.exercise}"} | cell.options
    new.metadata["nbgrader"] = grading_metadata(cell.exercise, solution=True)
    return new


def _check(lab, cell):
    grade_id = f"check-{cell.exercise}"
    new = _titled(new_code_cell(cell.source), grade_id, "check")
    new.metadata["course"] |= {"exercise": f"{lab.slug}.{cell.exercise}"}
    new.metadata["nbgrader"] = grading_metadata(grade_id, grade=True, points=cell.options["points"])
    return new


def _setup(cell, number):
    grade_id = "setup" if number == 1 else f"setup-{number}"
    new = _titled(new_code_cell(cell.source), grade_id, "setup")
    new.metadata["nbgrader"] = grading_metadata(grade_id)
    return new
