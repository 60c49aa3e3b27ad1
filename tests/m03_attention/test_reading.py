"""What the reading says in plain numbers: practice items and worked examples, in NumPy."""

from pathlib import Path

import numpy as np
import pytest

from course import m03_attention as m03
from course.m03_attention import reading
from tests.m03_attention.oracles import softmax

TEXT = (Path(m03.__file__).parent / "reading.md").read_text(encoding="utf-8")


def says(sentence):
    """Fail unless the reading has this sentence: a changed number shall come back here."""
    assert sentence in TEXT


def numbers(text):
    """Return the numbers of a computed row."""
    return [float(number) for number in text.split(", ")]


def test_practice_1_context():
    says("weights 0.2, 0.6, 0.2. Context 1.6 + 0 + 0.8 = 2.4.")
    weights = softmax(np.array([0, np.log(3), 0]))
    np.testing.assert_allclose(weights, [0.2, 0.6, 0.2])
    assert weights @ [8, 0, 4] == pytest.approx(2.4)


def test_practice_2_additive_layer():
    says("= 15,050 weights. 10 · 20 · 50 = 10,000 values of tanh.")
    layer = m03.AdditiveAttention(50)
    layer.build((1, 10, 100), (1, 20, 200))
    assert layer.count_params() == 15_050
    assert 10 * 20 * 50 == 10_000


def test_practice_3_derivatives():
    says("0.8 · (1 − 3) = −1.6 and 0.2 · (11 − 3) = 1.6")
    weights, values = np.array([0.8, 0.2]), np.array([1, 11])
    np.testing.assert_allclose(weights * (values - weights @ values), [-1.6, 1.6])


def test_practice_4_cache():
    says("= 50,331,648 bytes, 48 MiB. With G = 16 four times that, 192 MiB.")
    assert reading._cache(24, 16, 4, 64, 2048, 2) == 50_331_648 == 48 * 2**20
    assert reading._cache(24, 16, 16, 64, 2048, 2) == 192 * 2**20


def test_practice_5_online_softmax():
    says("= 1.868, o = 6 + 10 · 0.368 = 9.679, output 5.182.")
    total, mixed = 1.5 + np.exp(-1), 6 + 10 * np.exp(-1)
    assert [round(x, 3) for x in (total, mixed, mixed / total)] == [1.868, 9.679, 5.182]


def test_the_worked_step():
    """Both scores of section 2, from their formulas."""
    query, states = np.array([1, 0]), np.array([[0, 1], [1, 1], [2, 0]])
    scores = np.tanh(query + states).sum(1)
    weights = softmax(scores)
    close = {"rtol": 0, "atol": 5.1e-4}
    np.testing.assert_allclose(numbers(reading.value_additive_scores()), scores, **close)
    np.testing.assert_allclose(numbers(reading.value_additive_weights()), weights, **close)
    np.testing.assert_allclose(numbers(reading.value_additive_context()), weights @ states, **close)
    says("the scores are 0, 1, 2")
    weights = softmax(states @ query)
    np.testing.assert_allclose(numbers(reading.value_dot_weights()), weights, **close)
    np.testing.assert_allclose(numbers(reading.value_dot_context()), weights @ states, **close)


def test_the_worked_derivatives():
    says("The context is 1 + 1.5 − 1 = 1.5")
    assert numbers(reading.value_slopes()) == [0.25, 1.125, -1.375]


def test_the_worked_blocks_are_a_softmax():
    weights = softmax(np.array([1.0, 3, 2, 5]))
    assert float(reading.value_blockwise()) == pytest.approx(weights @ [4, 8, 6, 10], abs=5.1e-4)
    assert float(reading.value_correction()) == pytest.approx(np.exp(-2), abs=5.1e-4)


def test_other_weights_with_the_same_context():
    says("Take four values 2, 0, 4, 2. The weights (½, 0, 0, ½) and (0, ½, ½, 0)")
    for weights in ([0.5, 0, 0, 0.5], [0, 0.5, 0.5, 0]):
        assert np.dot(weights, [2, 0, 4, 2]) == 2


def test_the_gradient_misses_a_head_that_removal_finds():
    """Section 6: both heads are needed, and the first has an importance near zero."""
    says("Both heads are indispensable, and the gradient hardly sees the first")
    importance, without, accuracy = reading._induction()
    assert accuracy == 1
    assert without["layer_1"][0] == without["layer_2"][0] == 0
    assert importance["layer_1"][0] < 0.01 < 0.9 < importance["layer_2"][0]
