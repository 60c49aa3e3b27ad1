"""A forbidden shortcut explains itself, however the notebook reaches for it."""

import importlib
import importlib.util
import re
import shlex
import sys
from pathlib import Path

import pytest

from autograder.exercise import find, load_module, modules
from autograder.referee import judge
from autograder.wire.in_process import InProcess
from tests.autograder.toy import half

SENTENCE = "is what you are asked to write here"
SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions"
EXERCISES = [exercise for slug in modules() for exercise in load_module(slug).values()]


@pytest.fixture
def forbidding(monkeypatch):
    """The toy exercise, with `json.JSONDecoder` and `colorsys.rgb_to_hsv` forbidden."""
    monkeypatch.setattr(half, "forbids", ["json.JSONDecoder", "colorsys.rgb_to_hsv"])
    return half


def judged(exercise, code):
    namespace = {"__name__": "__main__"}
    exec(code, namespace)
    return judge(exercise, InProcess(namespace))


@pytest.mark.parametrize(
    "code",
    [
        "import json\ndef half(x):\n    json.JSONDecoder()\n    return x / 2",
        "from json import JSONDecoder\ndef half(x):\n    JSONDecoder()\n    return x / 2",
        "from json import JSONDecoder as F\ndef half(x):\n    F()\n    return x / 2",
        "def half(x):\n    from json import JSONDecoder\n    JSONDecoder()\n    return x / 2",
        "from json import JSONDecoder as half",
        "from json import JSONDecoder\nclass half(JSONDecoder):\n    pass",
    ],
)
def test_the_shortcut_is_refused(forbidding, code):
    verdict = judged(forbidding, code)
    assert verdict.points == 0
    assert SENTENCE in verdict.cases[0].problem


def test_a_package_first_imported_by_the_answer_is_refused_too(forbidding, monkeypatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    code = "def half(x):\n    import colorsys\n    colorsys.rgb_to_hsv(0, 0, 0)\n    return x / 2"
    verdict = judged(forbidding, code)
    assert verdict.points == 0


def test_other_code_may_use_it_and_it_is_restored(monkeypatch):
    monkeypatch.setattr(half, "forbids", ["shlex.quote"])
    before = shlex.quote
    code = "import shlex\ndef half(x):\n    shlex.join(['a b'])\n    return x / 2"
    assert judged(half, code).passed
    assert shlex.quote is before


@pytest.mark.parametrize(
    "path", ["keras.layers.Dense", "tensorflow.keras.layers.Dense", "tf.keras.layers.Dense"]
)
def test_every_name_of_a_keras_class_is_refused(monkeypatch, path):
    monkeypatch.setattr(half, "forbids", ["keras.layers.Dense"])
    imports = "import keras, tensorflow, tensorflow as tf\n"
    verdict = judged(half, f"{imports}def half(x):\n    {path}(3)\n    return x / 2")
    assert SENTENCE in verdict.cases[0].problem


def test_a_partial_of_the_shortcut_is_refused(monkeypatch):
    monkeypatch.setattr(half, "forbids", ["keras.ops.multiply"])
    code = "import functools, keras\nhalf = functools.partial(keras.ops.multiply, 0.5)"
    assert SENTENCE in judged(half, code).cases[0].problem


def test_inside_a_layer_it_is_one_sentence():
    code = """
import keras
class MultiHeadAttention(keras.layers.Layer):
    def __init__(self, hidden_dim, num_heads):
        super().__init__()
    def call(self, query, value):
        return keras.ops.dot_product_attention(query, value, value)
"""
    verdict = judged(find("m02_transformer.MultiHeadAttention"), code)
    assert verdict.points == 0
    for case in verdict.cases:
        assert case.problem.startswith("`keras.ops.dot_product_attention` " + SENTENCE)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_what_is_forbidden_exists_and_the_lab_names_it(exercise):
    source = (SOLUTIONS / exercise.module / f"{exercise.lab}.py").read_text(encoding="utf-8")
    text = "\n".join(line for line in source.splitlines() if line.startswith("#"))
    for path in exercise.forbids:
        owner, _, name = path.rpartition(".")
        if importlib.util.find_spec(path.partition(".")[0]):  # scikit-learn is a learner's own
            assert hasattr(importlib.import_module(owner), name), path
        if not path.startswith("course."):
            assert re.search(rf"`([\w.]*\.)?{name}`", text), f"{exercise.lab} does not name {path}"
