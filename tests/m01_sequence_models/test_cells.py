"""The cells against Keras's, on the same weights, to 1e-6; and steps by hand."""

import keras
import numpy as np
import pytest

from course import m01_sequence_models as m01
from tests.contract import fill, numpy

B, T, E, H = 3, 5, 7, 11
PAIRS = {
    "simple_rnn": (m01.SimpleRNNCell, keras.layers.SimpleRNNCell),
    "lstm": (m01.LSTMCell, keras.layers.LSTMCell),
    "gru": (m01.GRUCell, keras.layers.GRUCell),
}
rng = np.random.default_rng(0)
x = rng.normal(size=(B, T, E)).astype("float32")
mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [0, 1, 0, 1, 0]], bool)

every_pair = pytest.mark.parametrize(("ours", "theirs"), PAIRS.values(), ids=PAIRS)


def equal(got, expected):
    np.testing.assert_allclose(numpy(got), numpy(expected), rtol=0, atol=1e-6)


def same_weights(ours, theirs):
    """Give two layers of the same layout the same seeded weights."""
    fill(ours)
    theirs.set_weights(ours.get_weights())


@every_pair
def test_one_step_equals_keras(ours, theirs):
    a, b = ours(H), theirs(H)
    states = [rng.normal(size=(B, H)).astype("float32") for _ in a.get_initial_state(B)]
    a(x[:, 0], states), b(x[:, 0], states)
    assert [w.name for w in a.weights] == [w.name for w in b.weights]
    same_weights(a, b)
    (output, new), (expected, expected_new) = a(x[:, 0], states), b(x[:, 0], states)
    equal(output, expected)
    assert len(new) == len(expected_new) == len(states)
    for state, expected_state in zip(new, expected_new, strict=True):
        equal(state, expected_state)


@pytest.mark.parametrize(
    "options",
    [
        {"return_sequences": True},
        {"return_sequences": True, "go_backwards": True},
        {"return_sequences": True, "zero_output_for_mask": True},
        {"unroll": True},
        {"unroll": True, "go_backwards": True},
    ],
    ids=str,
)
@every_pair
def test_sequence_equals_keras(ours, theirs, options):
    """Outputs and last states inside `keras.layers.RNN`, with and without a mask."""
    a = keras.layers.RNN(ours(H), return_state=True, **options)
    b = keras.layers.RNN(theirs(H), return_state=True, **options)
    a(x), b(x)
    same_weights(a, b)
    for call in ({}, {"mask": mask}):
        got, expected = a(x, **call), b(x, **call)
        assert len(got) == len(expected)
        for one, other in zip(got, expected, strict=True):
            equal(one, other)


@every_pair
def test_both_directions_and_stacks_equal_keras(ours, theirs):
    """`Bidirectional` clones the cell from its config; a list of cells is stacked."""

    def both(cell):
        layer = keras.layers.RNN([cell(H), cell(5)], return_sequences=True)
        return keras.layers.Bidirectional(layer)

    a, b = both(ours), both(theirs)
    a(x), b(x)
    same_weights(a, b)
    equal(a(x, mask=mask), b(x, mask=mask))


def test_a_stateful_layer_goes_on_where_it_stopped():
    """Two halves in turn give what the whole gives at once."""
    whole = keras.layers.RNN(m01.LSTMCell(H))
    expected = whole(x)
    part = keras.layers.RNN(m01.LSTMCell(H), stateful=True)
    part(x[:, :2])
    part.cell.set_weights(whole.cell.get_weights())
    part.reset_state()
    part(x[:, :2])
    equal(part(x[:, 2:]), expected)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@every_pair
def test_the_first_state_has_the_compute_dtype(ours, theirs, policy):
    cell = ours(H, dtype=policy)
    for state in cell.get_initial_state(B):
        assert state.shape == (B, H)
        assert keras.backend.standardize_dtype(state.dtype) == cell.compute_dtype
        assert not numpy(state).any()


def test_first_biases():
    """Keras's `unit_forget_bias` is a forget bias of 1; other gates begin at 0."""
    for ours, unit in ((1.0, True), (0.0, False)):
        a, b = m01.LSTMCell(H, forget_bias=ours), keras.layers.LSTMCell(H, unit_forget_bias=unit)
        a.build((B, E)), b.build((B, E))
        np.testing.assert_array_equal(a.bias.numpy(), b.bias.numpy())
    gru = m01.GRUCell(H, update_bias=2.5)
    gru.build((B, E))
    expected = np.zeros((2, 3 * H))
    expected[0, :H] = 2.5
    np.testing.assert_array_equal(gru.bias.numpy(), expected)


def test_simple_step_by_hand():
    """tanh(0.5·2 + 0.25·(-4) + 0.1) = tanh(0.1)."""
    step = m01.simple_rnn_step([[0.5]], [[0.25]], [[2.0]], [[-4.0]], [0.1])
    np.testing.assert_allclose(numpy(step), [[np.tanh(0.1)]], atol=1e-7)


def test_lstm_step_by_hand():
    """Weights 0, so that the biases are the gates.

    i = σ(ln 3) = 3/4, f = σ(-ln 3) = 1/4, g = tanh(ln 2) = 3/5, o = σ(0) = 1/2:
    c = 1/4·2 + 3/4·3/5 = 0.95, h = tanh(0.95)/2.
    """
    bias = np.log([3.0, 1 / 3, 2.0, 1.0]).astype("float32")
    h, c = m01.lstm_step(
        np.ones((1, 1), "f4"), np.ones((1, 1), "f4"), np.full((1, 1), 2.0, "f4"),
        np.zeros((1, 4), "f4"), np.zeros((1, 4), "f4"), bias,
    )  # fmt: skip
    np.testing.assert_allclose(numpy(c), [[0.95]], atol=1e-6)
    np.testing.assert_allclose(numpy(h), [[np.tanh(0.95) / 2]], atol=1e-6)


def test_gru_step_by_hand():
    """Weights 0: z = σ(ln 3) = 3/4, r = σ(-ln 3) = 1/4.

    g = tanh(0.5 + 1/4·0.4) = tanh(0.6), h = 3/4·2 + 1/4·tanh(0.6).
    """
    bias = np.array([[np.log(3), 0, 0.5], [0, -np.log(3), 0.4]], "float32")
    zeros = np.zeros((1, 3), "float32")
    h = m01.gru_step(np.ones((1, 1), "f4"), np.full((1, 1), 2.0, "f4"), zeros, zeros, bias)
    np.testing.assert_allclose(numpy(h), [[1.5 + np.tanh(0.6) / 4]], atol=1e-6)


@every_pair
def test_gradients_equal_keras(ours, theirs):
    """By every weight, through time and a mask."""
    import tensorflow as tf

    a, b = keras.layers.RNN(ours(H)), keras.layers.RNN(theirs(H))
    a(x), b(x)
    same_weights(a, b)
    gradients = []
    for layer in (a, b):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x, mask=mask) ** 2)
        gradients.append(tape.gradient(loss, [w.value for w in layer.trainable_weights]))
    for got, expected in zip(*gradients, strict=True):
        np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=1e-5, atol=1e-5)
