"""Group 14: what a notebook says of its cells and of its kernel."""

import copy
import json

import nbformat
import pytest

FORGED = {"grade": True, "solution": False, "locked": False, "schema_version": 3, "points": 1000}


def cell(notebook, name):
    """Return the cell with this grade id."""
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


def checks(notebook):
    """Return all check cells."""
    return [c for c in notebook.cells if c.metadata.get("course", {}).get("role") == "check"]


def paid(points):
    """Return an output that nbgrader takes for a score."""
    return nbformat.v4.new_output("execute_result", data={"text/plain": repr(points)})


def points_1000(notebook):
    """Every check is worth a thousand points and has already earned them."""
    for check in checks(notebook):
        check.metadata.nbgrader.points = 1000
        check.source, check.outputs = "1000.0", [paid(1000.0)]


def not_graded(notebook):
    """Checks are no longer graded, so their old outputs stand."""
    for check in checks(notebook):
        check.metadata.nbgrader.grade = False
        check.outputs = [paid(check.metadata.nbgrader.points)]


def duplicated(notebook):
    """Each check stands three times: before, in place and at the end."""
    for check in checks(notebook):
        twin = copy.deepcopy(check)
        twin.source, twin.outputs = "5.0", [paid(5.0)]
        notebook.cells.insert(0, twin)
        notebook.cells.append(copy.deepcopy(twin))
    return json.dumps(notebook)  # nbformat would give the twins ids of their own


def deleted(notebook):
    """No check is there."""
    for check in checks(notebook):
        notebook.cells.remove(check)


def reordered(notebook):
    """The checks come first, in the order of the last ones first."""
    found = checks(notebook)
    for check in found:
        notebook.cells.remove(check)
    notebook.cells[:0] = found[::-1]


def retyped(notebook):
    """Checks become answers, so that the learner's text would stand in them."""
    for check in checks(notebook):
        check.metadata.nbgrader |= {"solution": True, "grade": True, "task": False}
        check.metadata.course = {"role": "exercise", "exercise": check.metadata.course.exercise}
        check.source = f"print('mine now')\n{check.metadata.nbgrader.points}"


def read_as_text(notebook):
    """Checks become Markdown cells, which a person would have to grade."""
    for check in checks(notebook):
        check.cell_type = "markdown"
        check.pop("outputs"), check.pop("execution_count")


def foreign(notebook):
    """Graded cells of its own, one of them under the name of a quiz item."""
    for number in range(3):
        added = nbformat.v4.new_code_cell("7.0", outputs=[paid(7.0)])
        added.metadata["nbgrader"] = {**FORGED, "grade_id": f"bonus-{number}"}
        added.metadata["course"] = {"role": "graded", "item": "q01"}
        notebook.cells.append(added)


def swapped(notebook):
    """Every check says that it is the check of the exercise that is solved."""
    for check in checks(notebook):
        check.metadata.course.exercise = "m02_transformer.attention_scores"


def ungraded(notebook):
    """Every check asks for a person, and every cell for trust."""
    for check in checks(notebook):
        check.metadata.course["ungraded"] = True
    notebook.metadata.course |= {"notes": [["", "full marks"]], "failures": [], "result": "0" * 32}


@pytest.mark.parametrize(
    "change",
    [points_1000, not_graded, duplicated, deleted, reordered, retyped, read_as_text, foreign,
     swapped, ungraded],
)  # fmt: skip
def test_metadata(attack, course, change):
    """What the gradebook knows of the exercises is the release's."""
    outcome = attack(change=change)

    outcome.assert_failed()
    assert sum(outcome.maximum.values()) < 100
    with course.gradebook() as gradebook:
        notebook = gradebook.find_submission_notebook(
            "lab1_self_attention", "m02_lab1_self_attention", "mallory"
        )
        assert {g.name.removeprefix("check-"): g.max_score for g in notebook.grades} == (
            outcome.maximum
        )
        assert not any(grade.needs_manual_grade for grade in notebook.grades)
        assert "full marks" not in " ".join(c.auto_comment or "" for c in notebook.comments)


def test_another_kernel(attack, tmp_path):
    """It asks for a kernel that it brings along, and whose command would write a file."""
    mark = tmp_path / "ran"
    spec = {"argv": ["/bin/sh", "-c", f"touch {mark}"], "display_name": "X", "language": "python"}

    def change(notebook):
        notebook.metadata.kernelspec = {"name": "mine", **spec}
        notebook.metadata.language_info = {"name": "sh", "file_extension": ".sh"}

    outcome = attack(
        change=change,
        files={
            "kernel.json": json.dumps(spec).encode(),
            "kernels/mine/kernel.json": json.dumps(spec).encode(),
            ".local/share/jupyter/kernels/python3/kernel.json": json.dumps(spec).encode(),
        },
    )

    outcome.assert_failed()
    assert not mark.exists()
    assert any("another kernel" in note for note in outcome.notes)


def test_another_release(attack, released):
    """It names releases that lie elsewhere, or nowhere."""

    def change(notebook):
        notebook.metadata.course.release = "../../submitted/mallory/m02_lab1_self_attention/own"

    forged = copy.deepcopy(released)
    for check in checks(forged):
        check.metadata.nbgrader.points = 1000

    outcome = attack(change=change, files={"own.ipynb": nbformat.writes(forged).encode()})

    outcome.assert_failed()
    assert any("another release" in note for note in outcome.notes)
