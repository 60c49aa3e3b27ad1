"""The course lends its version of an exercise: it works for others, and earns nothing itself."""

import importlib

import numpy as np
import pytest

from autograder.check import CheckFailed
from autograder.exercise import find, load_labs, modules
from autograder.lend import course_version, lend
from autograder.wire.forbid import Forbidden, guard

FUNCTION, CLASS = "m02_transformer.causal_mask", "m02_transformer.FeedForward"


def named(path):
    owner, _, name = path.rpartition(".")
    return getattr(importlib.import_module(owner), name)


@pytest.mark.parametrize("slug", modules())
def test_what_is_lent_is_what_the_checks_name(slug):
    """`lend` has no checks to look into where a hand-in is graded."""
    for exercise in load_labs(slug)[0].values():
        if exercise.package:
            assert named(course_version(exercise.id)) is named(exercise.package), exercise.id


def test_a_lent_function_works():
    ours = named(find(FUNCTION).package)
    np.testing.assert_array_equal(lend(FUNCTION)(5), ours(5))
    assert lend(FUNCTION).__course_lent__


def test_a_lent_class_works():
    layer = lend(CLASS)(6)
    assert layer(np.ones((2, 3, 4), "float32")).shape == (2, 3, 4)
    assert type(layer).__course_lent__


@pytest.mark.parametrize(("which", "arguments"), [(FUNCTION, (5,)), (CLASS, (6,))])
def test_it_refuses_to_be_part_of_an_answer_to_its_own_exercise(which, arguments):
    lent = lend(which)
    with guard([], {}, which), pytest.raises(Forbidden, match="lent for 0 points"):
        lent(*arguments)
    with guard([], {}, "m02_transformer.attention_scores"):
        lent(*arguments)


@pytest.mark.parametrize(
    "name", ["m02_transformer.nothing", "m99_x.causal_mask", "causal_mask", "", None]
)
def test_what_is_not_there_cannot_be_lent(name):
    with pytest.raises(CheckFailed, match="no version of .* to lend"):
        lend(name)
