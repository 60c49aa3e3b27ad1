"""Associative recall: examples by definition, and the registry that loads them."""

import importlib
import subprocess
import sys

import numpy as np
import pytest

from course.data import SETS, load
from course.data.associative_recall import (
    associative_recall,
    recall_accuracy,
    recall_batch,
    sample_recall,
)

B, K, T, V = 211, 3, 17, 22


def look_up(inputs):
    """Solve the task with a dictionary per example; return the answers `(B, T)`."""
    answers = np.zeros_like(inputs)
    for row, answer in zip(inputs, answers, strict=True):
        pairs = dict(zip(row[0 : 2 * K : 2], row[1 : 2 * K : 2], strict=True))
        answer[2 * K :] = [pairs.get(i, 0) for i in row[2 * K :]]
    return answers


def test_worked_example():
    inputs, targets = recall_batch(
        np.array([[5, 3]]), np.array([[12, 9]]), np.array([[6, 4]]), length=8
    )
    assert inputs.tolist() == [[5, 12, 3, 9, 3, 0, 5, 0]]
    assert targets.tolist() == [[0, 0, 0, 0, 9, 0, 12, 0]]
    assert inputs.dtype == targets.dtype == "int32"


def test_a_dictionary_answers_every_question():
    inputs, targets = associative_recall(7, B, K, T, V)
    np.testing.assert_array_equal(look_up(inputs), targets)
    assert ((targets > 0).sum(1) == K).all()


def test_draws_use_every_allowed_id_and_place_once():
    keys, values, positions = sample_recall(7, B, K, T, V)
    for drawn, low, high in ((keys, 1, 11), (values, 11, 22), (positions, 6, 17)):
        np.testing.assert_array_equal(np.unique(drawn), np.arange(low, high))
        assert all(len(set(row)) == K for row in drawn.tolist())


def test_questions_come_in_every_order():
    orders = np.argsort(sample_recall(7, B, K, T, V)[2], axis=1)
    assert len(np.unique(orders, axis=0)) == 6


def test_a_rule_without_binding_scores_one_in_k():
    inputs, targets = associative_recall(7, B, K, T, V)
    latest = np.eye(V)[inputs[:, 2 * K - 1]][:, None]  # (B, 1, V)
    logits = np.broadcast_to(latest, (B, T, V))
    assert recall_accuracy(logits, targets) == pytest.approx(1 / K)


def test_accuracy_counts_questions_only():
    logits = np.eye(6)[[[0, 3, 4, 0, 3]]]
    assert recall_accuracy(logits, np.array([[0, 0, 4, 0, 5]])) == 0.5


def test_load_gives_other_examples_for_the_test():
    train, test = load("associative_recall"), load("associative_recall", "test")
    assert [x.shape for x in (*train, *test)] == [(8192, 32)] * 2 + [(1000, 32)] * 2
    seen = {row.tobytes() for row in train[0]}
    assert not any(row.tobytes() in seen for row in test[0])


def test_load_passes_options_and_seed_on():
    small = {"num_examples": 5, "num_pairs": 3, "length": 11, "vocabulary_size": 14}
    first, again = (load("associative_recall", seed=3, **small)[0] for _ in range(2))
    other = load("associative_recall", seed=4, **small)[0]
    np.testing.assert_array_equal(first, again)
    assert first.shape == (5, 11)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: load("unheard_of"), "`name`.*associative_recall.*unheard_of"),
        (lambda: load("associative_recall", "dev"), "`split`.*train, test.*dev"),
        (lambda: associative_recall(0, 5, num_pairs=11, vocabulary_size=22), "`num_pairs`.*11"),
        (lambda: associative_recall(0, 5, num_pairs=6, length=17), "`length`.*17"),
    ],
)
def test_errors_name_the_argument(call, named):
    with pytest.raises(ValueError, match=named):
        call()


@pytest.mark.parametrize("name", SETS)
def test_every_set_is_there(name):
    module = importlib.import_module(SETS[name])
    assert module.__doc__
    with pytest.raises(ValueError, match="must be among: .*Received: 'unheard_of'"):
        load(name, "test", unheard_of=1)


def test_import_is_light():
    code = (
        "import sys, course.data, course.data.associative_recall;"
        "print([m for m in ('tensorflow', 'keras', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
