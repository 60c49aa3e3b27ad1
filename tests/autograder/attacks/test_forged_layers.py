"""Group 12: layers and models that do not exist, on labs 2 to 5.

A cell puts inventions (`tests.autograder.forgers`) in the place of the probe that answers the
referee. They say what weights there are, what these hold, what their gradients are, and what comes
out. None of it is evidence: the referee computes with the weights that it sent.
"""

import copy
import shutil
from functools import cache
from pathlib import Path

import nbformat
import pytest

from autograder.build.assignments import SOLUTIONS, assignment_name
from autograder.build.source import read
from autograder.exercise import load_module
from autograder.grading.folder import CourseFolder
from autograder.grading.init import init
from autograder.grading.release import release
from tests.autograder import forgers

SLUG = "m02_transformer"
OWN = {  # what mallory has really solved, and the last cell before whose check the attack says so
    "lab2_multi_head_attention": ("split_heads", "attention_cost"),
    "lab3_positions": ("alibi_bias", "rotate"),
    "lab4_block": ("layer_norm", "decoder_block"),
    "lab5_transformer": ("padding_mask", "greedy_decode"),
}
FORGERS = Path(forgers.__file__).read_text()


@pytest.fixture(scope="module")
def solutions(tmp_path_factory):
    """The sources of labs 2 to 5 alone."""
    folder = tmp_path_factory.mktemp("solutions")
    (folder / SLUG).mkdir()
    for lab in OWN:
        shutil.copy(SOLUTIONS / SLUG / f"{lab}.py", folder / SLUG)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory, solutions):
    """A course folder with labs 2 to 5 released, to be copied."""

    def registry(slug):
        return {name: e for name, e in load_module(slug).items() if e.lab in OWN}

    folder = tmp_path_factory.mktemp("course") / "course"
    init(folder, solutions, registry)
    release(folder, solutions=solutions, registry=registry)
    return folder


@pytest.fixture
def course(made, tmp_path):
    """A course folder of the test's own."""
    shutil.copytree(made, tmp_path / "course")
    return CourseFolder(tmp_path / "course")


@pytest.fixture
def lab(request):
    """The lab that is handed in."""
    return request.param


@pytest.fixture
def released(course, lab):
    """The notebook that learners get."""
    return course.released(assignment_name(SLUG, lab))


@pytest.fixture
def hand_in(course, lab):
    """Return the function that puts a submission where collection puts it."""

    def put(learner, notebook):
        path = course.submission(learner, assignment_name(SLUG, lab))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(nbformat.writes(notebook))
        path.with_name("timestamp.txt").write_text("2026-01-10 10:00:00.000000 UTC\n")
        return path

    return put


@cache
def right(lab):
    """Return the lab's own answers: exercise to source."""
    source = read(SOLUTIONS / SLUG / f"{lab}.py", load_module(SLUG))
    return {cell.exercise.rpartition(".")[2]: cell.source for cell in source.exercises()}


@pytest.fixture
def answer(lab):
    """Return the function that writes answers into exercise cells; all right ones by default."""

    def write(notebook, **answers):
        notebook = copy.deepcopy(notebook)
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if name in right(lab):
                cell.source = (answers or right(lab)).get(name, cell.source)
        return notebook

    return write


@pytest.fixture
def forged(attack, lab, monkeypatch):
    """Return the function that hands in inventions and asserts that they earn nothing."""
    own, last = OWN[lab]
    names = {"LAB": lab, "ASSIGNMENT": assignment_name(SLUG, lab), "OWN": own}
    for name, value in (names | {"ANSWERS": right(lab)}).items():
        monkeypatch.setitem(attack.__globals__, name, value)

    def run(installed):
        tell = "print(f'asked {Invention.asked // 10} tens of times')"
        outcome = attack(f"{FORGERS}\n{installed}", answers={last: tell})
        outcome.assert_failed()
        assert "tens of times" in outcome.printed
        assert "asked 0 tens" not in outcome.printed, "the inventions were never asked"

    return run


@pytest.mark.parametrize("lab", OWN, indirect=True)
@pytest.mark.parametrize("echo", [False, True], ids=["zeros", "what was sent"])
def test_weights(forged, echo):
    """Weights and gradients are made up; the weights are said to be zeros, or what was sent."""
    forged(f"install(echo={echo})")


@pytest.mark.parametrize("lab", ["lab2_multi_head_attention"], indirect=True)
@pytest.mark.parametrize("kind", ["IntegerAttention", "TinyQueries", "LateHelpers"])
def test_attention(forged, kind):
    """Weights of another type, exported ones that suit the forger, helpers that answer late."""
    forged(f"install(MultiHeadAttention={kind})")


@pytest.mark.parametrize(
    ("lab", "kinds"),
    [
        ("lab4_block", "FeedForward=NarrowNetwork"),
        ("lab5_transformer", "build_transformer=BagBeforeAMap"),
    ],
    indirect=["lab"],
)
def test_smaller_ones(forged, kinds):
    """A network of one feature; a model whose last map alone has real weights."""
    forged(f"install({kinds})")
