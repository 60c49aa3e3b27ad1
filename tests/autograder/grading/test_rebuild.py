"""A rebuilt notebook has the release's cells and the learner's answers, whatever happened."""

import copy
import json

import nbformat
import pytest

from autograder.grading.intake import Unreadable, parse
from autograder.grading.rebuild import rebuild
from autograder.progress import MIME
from autograder.quiz.answers import MIME as ANSWER


def rebuilt(notebook, released):
    """Rebuild a notebook as it lies in a file."""
    text = json.dumps(notebook) if isinstance(notebook, dict) else nbformat.writes(notebook)
    return rebuild(parse(text.encode()), released)


def cell(notebook, name):
    """Return the cell with this grade id."""
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


def sources(notebook):
    """Return the text of every cell that is not the learner's own."""
    return [(c.id, c.source) for c in notebook.cells if c.metadata.course.role != "added"]


@pytest.fixture
def perfect(released, answer):
    """A perfect submission."""
    return answer(released)


def test_an_intact_notebook_comes_back_as_it_is(perfect, released):
    """Nothing is repaired where nothing broke."""
    result = rebuilt(perfect, released)

    assert result.notes == []
    assert sources(result.notebook) == [(c.id, c.source) for c in perfect.cells]


def delete_check(notebook):
    """Delete the check cell of the causal mask."""
    notebook.cells.remove(cell(notebook, "check-causal_mask"))


def edit_check(notebook):
    """Make a check cell print a score, and worth more."""
    check = cell(notebook, "check-causal_mask")
    check.source = "2.0"
    check.metadata.nbgrader.points = 1000
    check.metadata.nbgrader.grade = False


def duplicate_check(notebook):
    """Copy a check cell."""
    notebook.cells.append(copy.deepcopy(cell(notebook, "check-causal_mask")))


def retype_answer(notebook):
    """Turn an answer into Markdown."""
    answered = cell(notebook, "causal_mask")
    answered.cell_type = "markdown"
    answered.pop("outputs")
    answered.pop("execution_count")


def duplicate_answer(notebook):
    """Copy an answer and empty the copy."""
    twin = copy.deepcopy(cell(notebook, "causal_mask"))
    twin.source = ""
    notebook.cells.append(twin)


def lose_marks(notebook):
    """Drop ids and metadata of the answer, as a converter may."""
    answered = cell(notebook, "causal_mask")
    answered.metadata, answered.id = {}, "x1"


def reorder(notebook):
    """Turn the notebook around."""
    notebook.cells.reverse()


def change_kernel(notebook):
    """Ask for an R kernel."""
    notebook.metadata.kernelspec = {"name": "ir", "display_name": "R", "language": "R"}


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (delete_check, "cell check-causal_mask: This cell was deleted; it is back."),
        (edit_check, "cell check-causal_mask: This locked cell was changed"),
        (duplicate_check, "cell check-causal_mask: This cell stood 2 times"),
        (retype_answer, "cell causal_mask: This cell was turned into text"),
        (duplicate_answer, "cell causal_mask: This cell stood 2 times; the last one with an"),
        (lose_marks, "cell causal_mask: This cell had lost its mark"),
        (reorder, "Cells were out of order"),
        (change_kernel, "It asked for another kernel; it was run with python3."),
    ],
)
def test_each_damage_is_repaired_with_one_note(perfect, released, damage, says):
    """The notebook is as before, and the learner reads what was done."""
    whole = sources(perfect)
    damage(perfect)
    result = rebuilt(perfect, released)

    assert sources(result.notebook) == whole
    assert len(result.notes) == 1
    assert str(result.notes[0]).startswith(says)
    assert cell(result.notebook, "check-causal_mask").metadata.nbgrader.points < 1000


def test_a_missing_answer_is_an_empty_one(perfect, released):
    """A deleted exercise costs its own points only."""
    perfect.cells.remove(cell(perfect, "causal_mask"))
    result = rebuilt(perfect, released)

    assert "raise NotImplementedError" in cell(result.notebook, "causal_mask").source
    assert "answer cell was missing" in str(result.notes[0])


def test_added_cells_stay_where_they_are(perfect, released):
    """A helper above an exercise is still above it, and a cell below the setup below it."""
    helper = nbformat.v4.new_code_cell("def helper(): return 1")
    place = perfect.cells.index(cell(perfect, "causal_mask"))
    perfect.cells.insert(place, helper)
    result = rebuilt(perfect, released).notebook

    texts = [c.source for c in result.cells]
    assert texts.index(helper.source) == texts.index(cell(result, "causal_mask").source) - 1
    assert [c.id for c in result.cells if c.metadata.course.role == "added"] == ["added-01"]


def test_an_import_in_the_locked_setup_cell_is_not_lost(perfect, released):
    """The locked text runs, and then what the learner made of it."""
    setup = cell(perfect, "setup")
    setup.source += "\nimport math"
    result = rebuilt(perfect, released).notebook

    place = result.cells.index(cell(result, "setup"))
    assert "import math" not in result.cells[place].source
    assert "import math" in result.cells[place + 1].source


def test_an_earlier_version_of_an_answer_runs_before_the_last(perfect, released):
    """Two versions of an answer: the last one counts, and names of the first stay known."""
    first = copy.deepcopy(cell(perfect, "causal_mask"))
    first.source = "LIMIT = 3\n" + first.source
    perfect.cells.insert(perfect.cells.index(cell(perfect, "causal_mask")), first)
    result = rebuilt(perfect, released).notebook

    place = result.cells.index(cell(result, "causal_mask"))
    assert "LIMIT" in result.cells[place - 1].source
    assert "LIMIT" not in result.cells[place].source


@pytest.mark.parametrize(
    "cells",
    [
        [None, 3, "text", []],
        [{"cell_type": 5, "source": 7, "metadata": [], "outputs": "no"}],
        [{"cell_type": "code", "source": ["a\n", 3, "b"], "metadata": {"nbgrader": 4}}],
        [{"cell_type": "code", "metadata": {"nbgrader": {"grade_id": {"a": 1}}}, "id": []}],
    ],
)
def test_cells_of_any_shape_do_no_harm(released, cells):
    """What is no cell is passed over; the skeleton is whole."""
    result = rebuilt({"cells": cells, "metadata": {"course": [1]}}, released)

    assert sources(result.notebook) == [(c.id, c.source) for c in released.cells]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "it is empty"),
        (b"\0" * 300, "it is empty"),
        (b"<!DOCTYPE html><p>Log in", "it is a web page"),
        (b"not a notebook", "it is not JSON"),
        (b"\xff\xfe\x00", "it is not text"),
        (b"[1, 2]", "it is JSON but no notebook"),
        (b'{"metadata": {}}', "it has no cells"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b"[" * 500 + b"]" * 500, "it is nested too deeply"),
        (b"x" * 10 + b"\n{", "it is not JSON"),
    ],
)
def test_a_file_that_is_no_notebook_says_why(data, says):
    """One sentence, without a traceback."""
    with pytest.raises(Unreadable, match=says):
        parse(data)


@pytest.mark.parametrize(("recorded", "reached"), [(2, 2), ("2", None), (-1, None), (True, None)])
def test_the_hints_that_a_learner_reached_are_kept(perfect, released, recorded, reached):
    """The number stands in the output of the check; whatever else stands there is no number."""
    data = {"text/plain": "no", MIME: {"reached": recorded}}
    cell(perfect, "check-causal_mask").outputs = [nbformat.v4.new_output("display_data", data=data)]
    result = rebuilt(perfect, released)
    assert cell(result.notebook, "check-causal_mask").metadata.course.get("hints") == reached
    assert "hints" not in cell(result.notebook, "check-masked_softmax").metadata.course


def test_half_a_letter_in_an_answer_can_be_written(released):
    """JSON can say what no file can hold; it becomes a question mark."""
    for record in ({"item": "q01", "answer": "\ud800"}, '{"item": "q01", "answer": "\\ud800"}'):
        output = {"output_type": "display_data", "data": {ANSWER: record}}
        own = {"cell_type": "code", "source": "1", "metadata": {}, "outputs": [output]}
        result = rebuilt({"cells": [own]}, released).notebook
        (extra,) = [c for c in result.cells if c.metadata.course.role == "added"]
        assert extra.outputs[0].data[ANSWER]["answer"] == "?"
