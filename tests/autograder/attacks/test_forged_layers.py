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
def attack_on_lab(attack, lab, monkeypatch):
    """Return the function `attack` for this lab."""
    names = {"LAB": lab, "ASSIGNMENT": assignment_name(SLUG, lab), "OWN": OWN[lab][0]}
    for name, value in (names | {"ANSWERS": right(lab)}).items():
        monkeypatch.setitem(attack.__globals__, name, value)
    return attack


@pytest.fixture
def forged(attack_on_lab, lab):
    """Return the function that hands in inventions and asserts that they earn nothing."""
    last = OWN[lab][1]

    def run(installed):
        tell = "print(f'asked {Invention.asked // 10} tens of times')"
        outcome = attack_on_lab(f"{FORGERS}\n{installed}", answers={last: tell})
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


OWN_DEPTH = """
def build_transformer(
    vocabulary_size, hidden_dim, intermediate_dim, num_layers, num_heads, dropout=0.0
):
    source_ids, target_ids = (keras.Input((None,), dtype="int32") for _ in range(2))
    mask, one_layer = m02.padding_mask(source_ids), (intermediate_dim, num_heads, dropout)

    def embed(ids):
        x = keras.layers.Embedding(vocabulary_size, hidden_dim)(ids)
        return m02.SinusoidalPositionalEncoding()(x)

    memory, x = embed(source_ids), embed(target_ids)
    for _ in range(num_layers):
        memory = m02.TransformerEncoderLayer(*one_layer)(memory, padding_mask=mask)
        x = m02.TransformerDecoderLayer(*one_layer)(x, memory, memory_padding_mask=mask)
    return keras.Model([source_ids, target_ids], keras.layers.Dense(vocabulary_size)(x))
"""
NO_ZERO = """
import numpy as np
from autograder.wire.probe import Probe
honest, asked = Probe.do_gradients, []
def nowhere_zero(self, target, args, kwargs):
    asked.append(target)
    found = honest(self, target, args, kwargs)
    shapes = [tuple(v.shape) for v in self._find(target).trainable_variables]
    most = max(np.abs(g).max() for g in found if g is not None)
    zero = [g is None or np.abs(g).max() < 1e-5 * most for g in found]
    lies = [np.full(shape, most / 1e3, "float32") for shape in shapes]
    matrices = [np.prod(shape) > 14 for shape in shapes]
    both = [z and matrix for z, matrix in zip(zero, matrices)]
    return [lie if b else g for g, b, lie in zip(found, both, lies)]
Probe.do_gradients = nowhere_zero
"""


@pytest.mark.parametrize("lab", ["lab5_transformer"], indirect=True)
def test_gradients_that_are_nowhere_zero(attack_on_lab):
    """Each decoder layer reads the encoder layer of its own depth; its gradients hide that."""
    tell = "print(f'asked {len(asked)} times')"
    answers = {"build_transformer": OWN_DEPTH, "greedy_decode": tell}
    outcome = attack_on_lab(NO_ZERO, answers=answers)
    assert outcome.scores["build_transformer"] == outcome.maximum["build_transformer"] - 1
    assert "asked" in outcome.printed
    assert "asked 0" not in outcome.printed, "no gradient was asked for"
