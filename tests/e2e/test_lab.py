"""A learner opens the course, fails a check, is told why, and passes it."""

import os
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from autograder.progress import MIME
from tests.e2e.notebooks import Notebook, cells_on_disk
from tests.e2e.servers import wait_until

pytestmark = pytest.mark.slow

LAB = "m02_transformer/lab1_self_attention.ipynb"
MODULES = 9
UNSCALED = '''def attention_scores(query, key):
    """Return how well each query matches each key."""
    return ops.matmul(query, ops.swapaxes(key, -1, -2))'''
RIGHT = UNSCALED + " / query.shape[-1] ** 0.5"
CHECK = "check-attention_scores"


def test_a_learner_fails_a_check_and_then_passes_it(course, page):
    page.goto(course.address)
    start = page.locator(".jp-MarkdownViewer")
    table = start.locator("table", has=page.get_by_role("columnheader", name="Module")).first
    expect(table.locator("tbody tr")).to_have_count(MODULES)
    expect(table.locator("tbody tr").nth(1)).to_contain_text("The transformer")
    table.get_by_role("link", name="lab 1: Self-attention").click()

    notebook = Notebook(page, LAB)
    notebook.run("setup")
    notebook.run("attention_scores")
    unwritten = notebook.run(CHECK)
    expect(unwritten.first).to_contain_text("0 of 3 points. This exercise is not written yet.")

    notebook.write("attention_scores", UNSCALED)
    notebook.run("attention_scores")
    failed = notebook.run(CHECK).locator(".course-check")
    expect(failed).to_contain_text("attention_scores: 0 of 3 points.")
    row = failed.locator("tr", has_text="Query (3, 4, 0, 0) and key (2, 1, 5, 5)")
    expect(row.get_by_label("failed")).to_be_visible()
    expect(row.locator(".num")).to_have_text(["[[5.]]", "[[10.]]", "5"])
    expect(failed.locator(".note.wide")).to_contain_text("You did not divide by √d.")
    expect(failed.locator(".note", has_text="Hint 1 of 3")).to_be_visible()
    expect(failed.locator(".note", has_text="Hint 2 of 3")).to_have_count(0)

    notebook.write("attention_scores", RIGHT)
    notebook.run("attention_scores")
    passed = notebook.run(CHECK).locator(".course-check")
    expect(passed).to_contain_text("attention_scores: 3 of 3 points.")
    expect(passed.get_by_label("failed")).to_have_count(0)
    passed.get_by_text("Your code beside the course's").click()
    yours, ours = passed.locator("pre").all()
    expect(yours).to_contain_text("ops.matmul(query, ops.swapaxes(key, -1, -2))")
    expect(ours).to_be_visible()
    expect(ours).to_contain_text("def attention_scores(query, key)")

    page.keyboard.press("ControlOrMeta+S")
    file = course.folder / LAB
    wait_until(lambda: hints_reached(file) == [1], 20, "the hint that was reached is in the file")
    own = course.folder / "mytransformer/m02_transformer/attention_scores.py"
    assert "query.shape[-1] ** 0.5" in own.read_text()
    assert scores_of_the_learners_package(course.folder) == "[[5.0]]"


def hints_reached(path):
    """Return the hints that a saved notebook's checks record, which feedback repeats."""
    outputs = [output for cell in cells_on_disk(path) for output in cell.get("outputs", [])]
    found = [output.get("data", {}).get(MIME) for output in outputs]
    return [record["reached"] for record in found if record]


def scores_of_the_learners_package(workspace):
    """Import the learner's own package, as a script of theirs would."""
    script = (
        "import numpy as np, mytransformer as mine\n"
        "pair = np.array([[3., 4., 0., 0.]]), np.array([[2., 1., 5., 5.]])\n"
        "print(np.array(mine.attention_scores(*pair)).tolist())"
    )
    environment = os.environ | {"PYTHONPATH": str(workspace), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
