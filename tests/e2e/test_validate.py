"""nbgrader's Validate button in the notebook's toolbar answers in sentences."""

import nbformat
import pytest
from playwright.sync_api import expect

from autograder.build.assignments import SOLUTIONS
from autograder.build.notebook import BEGIN, END, instructor_notebook
from autograder.build.source import read
from autograder.exercise import load_module
from tests.e2e.notebooks import Notebook

pytestmark = pytest.mark.slow

SLUG, LAB = "m02_transformer", "lab1_self_attention"
RIGHT, WRONG = "scores / query.shape[-1] ** 0.5", "scores"


@pytest.fixture(scope="module")
def solutions():
    """Exercise cell's id to source."""
    lab = instructor_notebook(read(SOLUTIONS / SLUG / f"{LAB}.py", load_module(SLUG)))
    return {
        cell.id: "\n".join(x for x in cell.source.split("\n") if x.strip() not in (BEGIN, END))
        for cell in lab.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }


def hand_in(course, name, solutions):
    """Write a learner's notebook into the workspace: the released one with their answers."""
    notebook = nbformat.read(course.folder / SLUG / f"{LAB}.ipynb", as_version=4)
    for cell in notebook.cells:
        cell.source = solutions.get(cell.id, cell.source)
    nbformat.write(notebook, course.folder / name)
    return name


def validate(course, page, path):
    """Press the button and return the dialog that follows."""
    page.goto(course.page(f"/lab/tree/{path}"))
    Notebook(page, path)
    page.get_by_role("button", name="Validate").click()
    dialog = page.get_by_role("dialog").filter(has_text="Validation Results")
    expect(dialog).to_be_visible()
    return dialog


def test_a_wrong_and_an_unwritten_answer_are_named(course, page, solutions):
    scores, softmax = solutions["attention_scores"], solutions["masked_softmax"]
    assert scores.count(RIGHT) == 1
    answers = {"attention_scores": scores.replace(RIGHT, WRONG), "masked_softmax": softmax}
    dialog = validate(course, page, hand_in(course, "partial.ipynb", answers))
    expect(dialog).to_contain_text("The following cell failed:")
    expect(dialog).to_contain_text("attention_scores: 0 of 3 points.")
    expect(dialog).to_contain_text("You did not divide by √d.")
    expect(dialog).to_contain_text("causal_mask: 0 of 2 points. This exercise is not written yet.")
    expect(dialog).not_to_contain_text("masked_softmax")
    expect(dialog).not_to_contain_text("Traceback")


def test_a_solved_notebook_passes(course, page, solutions):
    dialog = validate(course, page, hand_in(course, "solved.ipynb", solutions))
    expect(dialog).to_contain_text("Success! Your notebook passes all the tests.")
