"""`course prove` is perfect for every module, and finds a grader that is not."""

import copy

import numpy as np
import pytest

from autograder import exercise as exercises
from autograder import prove
from tests.autograder.toy import half


@pytest.mark.parametrize("module", exercises.modules())
def test_every_exercise_is_proved(module):
    rows = prove.prove(module)
    assert [f"{row.exercise}: {fault}" for row in rows for fault in row.faults] == []
    assert all(row.misconceptions >= prove.LEAST_MISCONCEPTIONS for row in rows)
    assert all(row.alternatives >= prove.LEAST_ALTERNATIVES for row in rows)


def test_module_2_has_at_least_18_exercises():
    assert len(exercises.load_module("m02_transformer")) >= 18


def faults(declared, reference, alternatives=None, monkeypatch=None):
    if alternatives:
        monkeypatch.setitem(exercises.ALTERNATIVES, declared.id, alternatives)
    namespace = {"half": reference, "__name__": "__main__"}
    return " ".join(prove._prove_exercise(declared, namespace).faults)


@pytest.fixture
def declared():
    return copy.deepcopy(half)


def test_a_wrong_reference_is_found(declared):
    assert "the reference earns 0" in faults(declared, lambda x: x * 3)


def test_a_rejected_alternative_is_found(declared, monkeypatch):
    wrong = {"thirds": lambda x: x / 3}
    found = faults(declared, lambda x: x / 2, wrong, monkeypatch)
    assert "the alternative thirds loses points" in found


def test_an_accepted_misconception_is_found(declared):
    @declared.misconception("You halved.")
    def halved(x):
        return x / 2

    assert "the misconception halved passes" in faults(declared, lambda x: x / 2)


def test_two_misconceptions_that_look_alike_are_found(declared):
    @declared.misconception("You multiplied by two.")
    def again(x):
        return 2 * x

    assert "the misconception doubled is not named" in faults(declared, lambda x: x / 2)


def test_a_case_that_constants_pass_is_found(declared):
    from autograder.compare import holds

    @declared.case()
    def is_finite(lab, rng):
        """The result is finite."""
        return holds(np.isfinite(lab.half(np.ones(3))).all(), "finite", "not finite")

    assert "returning zeros earns 1" in faults(declared, lambda x: x / 2)


def test_too_few_wrong_and_right_answers_are_found(declared):
    found = faults(declared, lambda x: x / 2)
    assert "fewer than 5 misconceptions" in found
    assert "0 alternatives, fewer than 3" in found
