"""A forbidden shortcut explains itself, however the notebook reaches for it."""

import shlex
import sys

import pytest

from autograder.referee import judge
from autograder.wire.in_process import InProcess
from tests.autograder.toy import half

SENTENCE = "is what you are asked to write here"


@pytest.fixture
def forbidding(monkeypatch):
    """The toy exercise, with `fractions.Fraction` and `colorsys.rgb_to_hsv` forbidden."""
    monkeypatch.setattr(half, "forbids", ["fractions.Fraction", "colorsys.rgb_to_hsv"])
    return half


def judged(exercise, code):
    namespace = {"__name__": "__main__"}
    exec(code, namespace)
    return judge(exercise, InProcess(namespace))


@pytest.mark.parametrize(
    "code",
    [
        "import fractions\ndef half(x):\n    fractions.Fraction(1, 2)\n    return x / 2",
        "from fractions import Fraction\ndef half(x):\n    Fraction(1, 2)\n    return x / 2",
        "from fractions import Fraction as F\ndef half(x):\n    F(1, 2)\n    return x / 2",
        "def half(x):\n    from fractions import Fraction\n    Fraction(1, 2)\n    return x / 2",
        "from fractions import Fraction as half",
        "from fractions import Fraction\nclass half(Fraction):\n    pass",
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
