"""An instructor grades a submission and sees its score in nbgrader's formgrader."""

import os
import subprocess

import nbformat
import pytest
from playwright.sync_api import expect

from tests.e2e import servers

pytestmark = pytest.mark.slow

ASSIGNMENT, LAB = "m02_lab1_self_attention", "lab1_self_attention"
UNSCALED = """def attention_scores(query, key):
    return ops.matmul(query, ops.swapaxes(key, -1, -2))"""
CAUSAL = """def causal_mask(length):
    return np.tril(np.ones((length, length), dtype=bool))"""
EARNED = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A course folder with one graded submission: a wrong, a right and two unwritten answers."""
    folder = tmp_path_factory.mktemp("instructor") / "course"
    course("init", folder)
    (folder / "roster.csv").write_text("learner,first_name,last_name,email\nada,Ada,Okafor,\n")
    course("release", folder, "--assignment", ASSIGNMENT)
    notebook = nbformat.read(folder / "release" / ASSIGNMENT / f"{LAB}.ipynb", as_version=4)
    answers = {"attention_scores": UNSCALED, "causal_mask": CAUSAL}
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
    (folder / "inbox/ada").mkdir()
    nbformat.write(notebook, folder / "inbox/ada/my lab (1).ipynb")
    course("collect", folder)
    course("grade", folder)
    return folder


@pytest.fixture(scope="module")
def jupyter(folder, tmp_path_factory):
    """JupyterLab in the course folder."""
    server = servers.jupyter_lab(folder, tmp_path_factory.mktemp("jupyter"))
    yield server
    server.stop()


def course(*arguments):
    """Run a command of the course."""
    done = subprocess.run(
        [servers.BIN / "course", *map(str, arguments)],
        env=os.environ | {"COLUMNS": "120"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"course {arguments[0]}: {done.stdout}{done.stderr}"


def test_an_instructor_sees_the_score_in_formgrader(jupyter, page):
    page.goto(jupyter.address)
    page.get_by_role("menuitem", name="Nbgrader").click()
    page.get_by_role("menuitem", name="Formgrader").click()
    formgrader = page.frame_locator("iframe")
    formgrader.get_by_role("link", name="Manual Grading").click()
    formgrader.get_by_role("link", name=ASSIGNMENT).click()
    formgrader.get_by_role("link", name=LAB).click()
    row = formgrader.get_by_role("row", name="Submission #1")
    expect(row).to_contain_text(f"{EARNED} / 14")
    row.get_by_role("link", name="Submission #1").click()
    for exercise, points in {"attention_scores": "0", "causal_mask": str(EARNED)}.items():
        score = formgrader.locator(f"input.score#check-{exercise}")
        expect(score).to_have_attribute("placeholder", points)
    feedback = formgrader.locator(".course-check", has_text="attention_scores: 0 of 3 points.")
    expect(feedback).to_contain_text("You did not divide by √d.")
