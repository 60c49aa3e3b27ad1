"""The gradient by distance, against a Jacobian known on paper."""

import keras
import numpy as np
import pytest

from course import m01_sequence_models as m01

B, T, E = 4, 7, 3


class Decay(keras.layers.Layer):
    """Output Σ_d (1/2)^d x_{T-1-d}: the gradient halves at each step back."""

    def call(self, x):
        weights = 0.5 ** np.arange(T - 1, -1, -1, dtype="float32")
        return keras.ops.sum(x * weights[None, :, None], axis=1)


x = np.random.default_rng(0).normal(size=(B, T, E))


def test_the_last_step_comes_first_and_each_distance_halves():
    got = m01.gradient_by_distance(Decay(), x)
    assert got.dtype == np.float64
    np.testing.assert_allclose(got / got[0], 0.5 ** np.arange(T), rtol=1e-6)


def test_a_loss_of_ones_has_the_norm_on_paper():
    """L = Σ output: each example's gradient is (1/2)^d in E places, norm (1/2)^d √E."""
    got = m01.gradient_by_distance(Decay(), x, loss=keras.ops.sum)
    np.testing.assert_allclose(got, 0.5 ** np.arange(T) * np.sqrt(E), rtol=1e-6)


def test_random_directions_measure_the_frobenius_norm():
    """The Jacobian at distance 0 is the identity of E places: norm √E, here within 5 %."""
    many = np.zeros((4001, T, E))
    got = m01.gradient_by_distance(Decay(), many)
    np.testing.assert_allclose(got[0], np.sqrt(E), rtol=0.05)


def test_linear_recurrence_follows_the_powers_of_its_matrix():
    """At x = 0, b = 0 tanh is the identity: ∂h_T/∂x_{T-1-d} = W U^d, in one direction of 2."""
    layer = keras.layers.RNN(m01.SimpleRNNCell(2))
    layer.build((B, T, 1))
    kernel, recurrent = np.array([[1.0, 0.0]]), np.array([[0.8, 0.0], [0.0, 0.3]])
    layer.cell.set_weights([kernel, recurrent, np.zeros(2)])
    got = m01.gradient_by_distance(layer, np.zeros((B, T, 1)), loss=keras.ops.sum)
    np.testing.assert_allclose(got, 0.8 ** np.arange(T), rtol=1e-5)


def test_a_remembering_gate_carries_the_gradient_further():
    """An untrained LSTM with its forget gate open, against one with it half closed."""
    length = 31
    far = {}
    for bias in (0.0, 5.0):
        keras.utils.set_random_seed(0)
        layer = keras.layers.RNN(m01.LSTMCell(11, forget_bias=bias))
        data = np.random.default_rng(0).normal(size=(5, length, E))
        gradient = m01.gradient_by_distance(layer, data)
        far[bias] = gradient[-1] / gradient[0]
    assert far[5.0] > 1e4 * far[0.0]


def test_groups_are_measured_one_by_one():
    """Two groups in one call give what two calls give."""
    layer = keras.layers.RNN(m01.LSTMCell(11))
    both = np.stack([x, 3 * x])  # (2, B, T, E)
    got = m01.gradient_by_distance(layer, both.reshape(2 * B, T, E), groups=2)
    expected = [m01.gradient_by_distance(layer, group) for group in both]
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    assert np.abs(got[0] / got[1] - 1).max() > 0.01


def test_another_backend_is_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match="TensorFlow"):
        m01.gradient_by_distance(Decay(), x)
