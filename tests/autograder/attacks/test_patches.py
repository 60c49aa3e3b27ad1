"""Group 2: change what a check is made of: built-in functions, libraries, the grader's own code."""

import pytest

from tests.autograder.attacks.conftest import SILENT

WRONG = """
tried = []
def wrong(first, *rest, **more):
    tried.append(1)
    size = (first, first) if np.ndim(first) == 0 else np.shape(first)
    return np.full(size, 7.0)
masked_softmax = causal_mask = scaled_dot_product_attention = wrong
"""
TELL = SILENT | {"scaled_dot_product_attention": "print(f'tried {len(tried)} times')"}
BUILTINS = """
import builtins, sys
class Agreeable(float):
    __eq__ = __le__ = __lt__ = __ge__ = __gt__ = lambda self, other: True
def lie(name, answer):
    honest = getattr(builtins, name)
    def either(*items, **more):  # IPython itself must live on
        asks = sys._getframe(1).f_globals.get("__name__", "")
        if asks.startswith(("autograder", "numpy.testing")):
            tried.append(name)
            return answer
        return honest(*items, **more)
    setattr(builtins, name, either)
for name in ("all", "any", "callable"):
    lie(name, True)
for name in ("abs", "max", "sum", "round"):
    lie(name, Agreeable(0))
builtins.AssertionError = type("Never", (Exception,), {})
"""
NUMPY = """
import numpy as np, numpy.testing
for place in (np, np.testing, np.linalg):
    for name in dir(place):
        if name.startswith("assert") or name in ("allclose", "array_equal", "isclose", "isfinite"):
            setattr(place, name, lambda *items, **more: True)
np.abs = np.absolute = np.linalg.norm = lambda *items, **more: np.float64(0)
np.where = np.nan_to_num = np.ptp = lambda *items, **more: np.zeros(1)
"""
KERAS = """
import keras, tensorflow as tf
for name in dir(tf.debugging):
    if name.startswith("assert"):
        setattr(tf.debugging, name, lambda *items, **more: None)
for name in [n for n in dir(tf.test.TestCase) if n.startswith("assert")]:
    setattr(tf.test.TestCase, name, lambda *items, **more: None)
tf.reduce_all = tf.reduce_any = lambda *items, **more: tf.constant(True)
tf.reduce_max = tf.abs = keras.ops.abs = keras.ops.max = lambda *items, **more: tf.constant(0.0)
keras.ops.all = keras.ops.isclose = lambda *items, **more: tf.constant(True)
keras.Layer.__call__ = keras.Layer.get_config = lambda self, *items, **more: items[0]
"""
GRADER = """
import autograder.compare as compare, autograder.referee as referee, autograder.verdict as verdict
right = compare.Comparison(True, "", "")
compare.close = compare.equal = compare.holds = lambda *items, **more: right
compare._compare = compare._values_close = compare._values_equal = compare.close
compare.TOLERANCE = float("inf")
referee.close = referee.equal = compare.close
for name in ("points", "passed", "max_score", "score"):
    setattr(verdict.Verdict, name, 14.0)
    setattr(verdict.CaseResult, name, 14.0)
referee._is_stub = lambda *items: False
"""
PROBE = """
from autograder.wire import probe
from autograder.wire.codec import decode, encode
honest = probe.Probe.handle
def handle(self, message):
    request = decode(message)
    words = request["arguments"]
    if "attention_scores" in (words.get("name"), words.get("target")):
        return honest(self, message)
    tried.append(1)
    if request["op"] == "status":
        return encode({"value": {"kind": "function", "lent": False, "points": 14, "passed": True}})
    return encode({"value": True, "points": 14, "passed": True, "score": 14, "max_score": 14,
                   "verdict": "passed", "error": None, "expected": None})
probe.Probe.handle = handle
"""


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param(BUILTINS, id="builtins"),
        pytest.param(NUMPY, id="numpy"),
        pytest.param(KERAS, id="keras and tensorflow"),
        pytest.param(GRADER, id="the comparison, the referee and the verdict"),
        pytest.param(PROBE, id="the answers to the referee"),
    ],
)
def test_patches(attack, patch):
    outcome = attack(WRONG + patch, answers=TELL)
    assert "tried " in outcome.printed, "the attack never ran"
    assert "tried 0 times" not in outcome.printed, "the attack was never asked"
    outcome.assert_failed()
