"""An instructor grades a submission and sees its score in nbgrader's formgrader."""

import json
import os
import subprocess
import threading
import time
import urllib.request

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
    with (folder / "nbgrader_config.py").open("a") as file:  # for machines that confine nothing
        file.write("\nc.Judge.trust = True\n")
    (folder / "roster.csv").write_text(
        "learner,first_name,last_name,email\nada,Ada,Okafor,\nbea,Bea,Larsen,\n"
    )
    course("release", folder, "--assignment", ASSIGNMENT)
    notebook = nbformat.read(folder / "release" / ASSIGNMENT / f"{LAB}.ipynb", as_version=4)
    answers = {"attention_scores": UNSCALED, "causal_mask": CAUSAL}
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
    hand_in(folder, notebook, "ada")
    course("grade", folder)
    return folder


def hand_in(folder, notebook, learner):
    """Put a notebook into the inbox, under a name that a browser gave it, and collect it."""
    (folder / "inbox" / learner).mkdir()
    nbformat.write(notebook, folder / "inbox" / learner / "my lab (1).ipynb")
    course("collect", folder)


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
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(jupyter.address)
    page.get_by_role("menuitem", name="Nbgrader").click()
    page.get_by_role("menuitem", name="Formgrader").click()
    formgrader = page.frame_locator("iframe")
    expect(formgrader.get_by_role("link", name=ASSIGNMENT)).to_be_visible()
    expect(formgrader.locator("#warning-exchange")).to_have_count(0)
    assert "not serializable" not in jupyter.log.read_text()
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
    expect(formgrader.locator("math").first).to_be_visible()
    expect(formgrader.locator("body")).not_to_contain_text("$$")
    expect(formgrader.locator(".tabbable:focus")).to_have_count(1)  # it has taken the keyboard
    assert not errors


def ask(jupyter, path, data=None):
    """Send a request to the server; return its answer and the seconds that it took."""
    address = f"{jupyter.base}/{path}"
    headers = {"Authorization": f"token {jupyter.token}"}
    request = urllib.request.Request(address, data=data, headers=headers)
    begun = time.monotonic()
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.loads(answer.read()), time.monotonic() - begun


def test_the_server_answers_while_the_button_grades(folder, jupyter):
    """A notebook that sleeps is graded; nobody else waits for it."""
    notebook = nbformat.read(folder / "release" / ASSIGNMENT / f"{LAB}.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.id == "causal_mask":
            cell.source = f"import time; time.sleep(6)\n{CAUSAL}"
    hand_in(folder, notebook, "bea")
    graded, waits = [], []
    path = f"formgrader/api/submission/{ASSIGNMENT}/bea/autograde"
    button = threading.Thread(target=lambda: graded.append(ask(jupyter, path, b"")))
    button.start()
    while button.is_alive():
        waits.append(ask(jupyter, "api/status")[1])
        time.sleep(0.1)
    button.join()
    (result, seconds), *_ = graded
    assert result["success"], result
    assert "bea: 2 of 14 points" in result["log"]
    assert seconds > 6
    assert max(waits) < seconds / 3  # inside the loop, the longest wait would be all of it
    submission, _ = ask(jupyter, f"formgrader/api/submission/{ASSIGNMENT}/bea")
    assert submission["score"] == EARNED
