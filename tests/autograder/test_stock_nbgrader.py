"""Labs work under nbgrader as it comes: its autograder and its Validate button."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.validator import Validator

from autograder.build.assignments import SOLUTIONS, assignment_name
from autograder.build.notebook import instructor_notebook
from autograder.build.source import read
from autograder.exercise import load_module
from autograder.gradebook import create

SLUG, LAB = "m02_transformer", "lab1_self_attention"
ASSIGNMENT = assignment_name(SLUG, LAB)
RIGHT, WRONG = "scores / query.shape[-1] ** 0.5", "scores"


@pytest.fixture(scope="module")
def solved():
    """The lab with its solutions."""
    return instructor_notebook(read(SOLUTIONS / SLUG / f"{LAB}.py", load_module(SLUG)))


@pytest.fixture(scope="module")
def wrong(solved):
    """The same with unscaled scores, and a warning printed to standard error."""
    notebook = nbformat.from_dict(solved)
    cell = next(c for c in notebook.cells if RIGHT in c.source)
    assert cell.source.count(RIGHT) == 1
    noisy = f"import sys; print('noise', file=sys.stderr); return {WRONG}"
    cell.source = cell.source.replace(f"return {RIGHT}", noisy)
    return notebook


@pytest.fixture(scope="module")
def gradebook(tmp_path_factory, solved, wrong):
    """A course folder without any configuration of ours, graded by nbgrader alone."""
    root = tmp_path_factory.mktemp("stock")
    create(f"sqlite:///{root}/gradebook.db")
    write(root / "source" / ASSIGNMENT, solved)
    nbgrader(root, "generate_assignment")
    for learner, notebook in (("ada", solved), ("bob", wrong)):
        write(root / "submitted" / learner / ASSIGNMENT, notebook)
    nbgrader(root, "autograde")
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        yield book


def nbgrader(root, command):
    """Run one of nbgrader's commands in a process of its own."""
    arguments = [sys.executable, "-m", "nbgrader", command, ASSIGNMENT]
    done = subprocess.run(arguments, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def write(folder: Path, notebook):
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{LAB}.ipynb")


def scores(gradebook, learner):
    submission = gradebook.find_submission(ASSIGNMENT, learner)
    return {g.name: (g.score, g.max_score) for g in submission.notebooks[0].grades}


def test_the_solution_earns_full_marks(gradebook):
    earned = scores(gradebook, "ada")
    assert len(earned) == 4
    assert all(score == best for score, best in earned.values())


def test_a_wrong_answer_loses_its_own_points_only(gradebook):
    earned, points = scores(gradebook, "bob"), load_module(SLUG)
    lost = [name for name, (score, best) in earned.items() if score < best]
    assert len(lost) == 1
    assert "attention_scores" in lost[0]
    best = points[f"{SLUG}.scaled_dot_product_attention"].points
    follow = [s for name, (s, _) in earned.items() if "scaled_dot_product" in name]
    assert follow == [best]  # it is right, given the learner's own scores


def test_the_validate_button_says_what_is_wrong(tmp_path, wrong):
    write(tmp_path / "lab", wrong)
    results = Validator().validate(str(tmp_path / "lab" / f"{LAB}.ipynb"))
    (failed,) = results["failed"]
    assert "attention_scores: 0 of 3 points" in failed["error"]
    assert "You did not divide by √d" in failed["error"]
    assert "Traceback" not in failed["error"]
