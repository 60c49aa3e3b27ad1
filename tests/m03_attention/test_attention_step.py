"""The step as arrays, against the layer and by hand."""

import keras
import numpy as np
import pytest

from course import m03_attention as m03
from course.m03_attention import attention_step as steps
from tests.contract import close, fill, numpy

B, T, S, E, M, D, V = 2, 3, 7, 5, 11, 13, 17
rng = np.random.default_rng(0)


def test_padding_gets_no_weight():
    scores, mask = rng.normal(size=(B, T, S)), np.arange(S) < [[4], [7]]
    weights = numpy(steps.alignment_weights(scores.astype("float32"), mask))
    exponential = np.exp(scores) * mask[:, None]
    close(weights, exponential / exponential.sum(-1, keepdims=True), 1e-6)
    assert (weights[0, :, 4:] == 0).all()


def test_contexts_are_weighted_sums():
    weights, memory = rng.random((B, T, S)), rng.normal(size=(B, S, M))
    expected = (weights[:, :, :, None] * memory[:, None]).sum(2)
    close(numpy(steps.context_vectors(weights, memory)), expected, 1e-6)


def test_steps_are_the_layer_s():
    """Logits, states and alignment of three steps, on the weights of an `AttentionDecoder`."""
    token_ids = keras.Input((None,), dtype="int32")
    memory_in, state_in = keras.Input((None, M)), keras.Input((D,))
    mask_in = keras.Input((None,), dtype="bool")
    x = keras.layers.Embedding(V, E, name="target_embedding")(token_ids)
    decoder = m03.AttentionDecoder(
        D, m03.LuongAttention("general"), wiring="attend_last", name="decoder"
    )
    outputs, alignment, last = decoder(x, memory_in, state_in, memory_padding_mask=mask_in)
    logits = keras.layers.Dense(V, name="logits")(outputs)
    inputs = [token_ids, memory_in, state_in, mask_in]
    model = keras.Model(inputs, [logits, alignment, last])
    fill(model)
    ids, mask = rng.integers(0, V, (B, T)), np.arange(S) < [[4], [7]]
    memory = rng.normal(size=(B, S, M)).astype("float32")
    state = rng.normal(size=(B, D)).astype("float32")
    expected = [numpy(part) for part in model([ids, memory, state, mask])]
    weights = steps.attention_weights_of(model)
    for t in range(T):
        *got, aligned = steps.attention_decoder_step(weights, ids[:, t], state, memory, mask)
        state = got[1]
        close(numpy(got[0]), expected[0][:, t], 1e-5)
        close(numpy(aligned), expected[1][:, t], 1e-5)
    close(numpy(state), expected[2], 1e-5)


@pytest.mark.parametrize(("shift", "expected"), [(0, 2 / 5), (1, 2 / 3), (-1, 1 / 3)])
def test_reversed_alignment_by_hand(shift, expected):
    """Sources of 3 and 2 letters: steps 0, 1, 2 and 0, 1 count, without those off the source."""
    looks = np.array([[2, 0, 1, 0], [1, 1, 0, 0]])
    mask = np.array([[True, True, True], [True, True, False]])
    # Shift 0 wants 2 1 0 and 1 0, shift 1 wants - 2 1 and - 1, shift -1 wants 1 0 - and 0 -.
    assert float(steps.reversed_alignment(np.eye(3)[looks], mask, shift)) == pytest.approx(expected)
