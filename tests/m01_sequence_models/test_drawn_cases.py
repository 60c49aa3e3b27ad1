"""Whatever a seed draws in labs 1 and 2, the oracle earns every case and zeros earn none."""

from types import SimpleNamespace

import numpy as np
import pytest

from autograder.compare import Comparison, Mismatch
from autograder.exercise import load_labs
from autograder.referee import draws

LABS = {"lab1_word_vectors": 40, "lab2_recurrent_cells": 150}
FOUND, _ = load_labs("m01_sequence_models")
EXERCISES = [exercise for exercise in FOUND.values() if exercise.lab in LABS]


def single(value):
    """Round to float32, as what comes over the wire."""
    if isinstance(value, tuple):
        return tuple(map(single, value))
    is_float = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    return value.astype("float32") if is_float else value


def zeros(value):
    """Return zeros of the same form."""
    if isinstance(value, tuple | list):
        return type(value)(map(zeros, value))
    return np.zeros_like(value)


def lost(exercise, change, seed):
    """Return the cases that the oracle loses when its answers are changed."""
    found = []
    for case in exercise.cases:
        lab = SimpleNamespace(
            **{exercise.name: lambda *a, **k: change(exercise.oracle_function(*a, **k))}
        )
        try:
            compared = case.function(lab, draws(str(seed), exercise.id, case.name))
        except Mismatch:
            found.append(case.name)
            continue
        compared = [compared] if isinstance(compared, Comparison) else compared
        found += [] if all(c.passed for c in compared) else [case.name]
    return found


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_every_draw_can_be_answered(exercise):
    for seed in range(LABS[exercise.lab]):
        assert lost(exercise, single, seed) == [], seed


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_zeros_earn_nothing(exercise):
    names = [case.name for case in exercise.cases]
    for seed in range(10):
        assert lost(exercise, zeros, seed) == names, seed
