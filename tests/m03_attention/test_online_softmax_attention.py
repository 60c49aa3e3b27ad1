"""Blockwise attention equals dense attention, whatever the blocks and the masks."""

import keras
import numpy as np
import pytest
from keras import ops

from course.m02_transformer import causal_mask, scaled_dot_product_attention
from course.m03_attention import online_softmax_attention, online_softmax_step
from tests.contract import close, numpy

B, N, T, S, H, V = 2, 3, 5, 17, 11, 7
rng = np.random.default_rng(0)


def normal(*shape):
    return rng.normal(size=shape).astype("float32")


query, key, value = 3 * normal(B, N, T, H), normal(B, N, S, H), normal(B, N, S, V)
mask = rng.random((B, 1, T, S)) > 0.5
mask[0, :, 1] = False  # a row with no True


@pytest.mark.parametrize("block_size", [1, 4, 16, 17, 128])
@pytest.mark.parametrize("given", [None, mask, mask[:, :, :1], mask[..., :1]])
def test_equals_dense_attention(block_size, given):
    """Blocks that divide 17 and blocks that do not; masks of the full shape and broadcast."""
    got = online_softmax_attention(query, key, value, given, block_size=block_size)
    close(numpy(got), numpy(scaled_dot_product_attention(query, key, value, given)[0]))


@pytest.mark.parametrize("block_size", [3, 17])
def test_equals_dense_causal_attention(block_size):
    own = normal(B, N, S, H)
    got = online_softmax_attention(own, key, value, causal=True, block_size=block_size)
    close(numpy(got), numpy(scaled_dot_product_attention(own, key, value, causal_mask(S))[0]))


def test_the_last_query_stands_at_the_last_key():
    """Fewer queries than keys: the rows of the whole causal attention that end it."""
    own = normal(B, N, S, H)
    whole = online_softmax_attention(own, key, value, causal=True, block_size=4)
    got = online_softmax_attention(own[:, :, -T:], key, value, causal=True, block_size=4)
    close(numpy(got), numpy(whole)[:, :, -T:])


def test_causal_and_padding_masks_combine():
    own, given = normal(B, N, S, H), rng.random((B, 1, 1, S)) > 0.3
    got = online_softmax_attention(own, key, value, given, causal=True, block_size=5)
    both = given & numpy(causal_mask(S))
    close(numpy(got), numpy(scaled_dot_product_attention(own, key, value, both)[0]))


def test_a_fully_masked_row_averages_the_values():
    got = online_softmax_attention(query, key, value, np.zeros((T, S), bool), block_size=4)
    close(numpy(got), np.broadcast_to(value.mean(2, keepdims=True), (B, N, T, V)))


def test_a_step_on_paper():
    """Scores ln 1, ln 2 | ln 5 and values 8, 16 | 24: (8 + 32 + 120) / 8 = 20."""
    carry = np.array([-1e30]), np.array([0.0]), np.array([[0.0]])
    for scores, values in (([1.0, 2.0], [[8.0], [16.0]]), ([5.0], [[24.0]])):
        carry = online_softmax_step(*carry, np.log([scores]), np.array([values])[0])
    maximum, total, mixed = map(numpy, carry)
    close(maximum, np.log([5.0]))
    close(total, [8 / 5])
    close(mixed / total[:, None], [[20.0]])


def test_large_scores_neither_overflow_nor_vanish():
    """A score of 1e4 in the last block wipes out what came before; in the first, what comes."""
    big = np.zeros((1, 1, 6, 1), "float32")
    big[..., [0, 5], :] = 1e4
    values = np.arange(6, dtype="float32").reshape(1, 1, 6, 1)
    one = np.ones((1, 1, 1, 1), "float32")
    close(numpy(online_softmax_attention(one, big, values, block_size=2)), [[[[2.5]]]])


@pytest.mark.parametrize(("dtype", "tolerance"), [("float16", 1e-2), ("float64", 1e-12)])
def test_sums_keep_the_precision(dtype, tolerance):
    """float16 in, float16 out, float32 between; float64 stays exact."""
    inputs = [ops.cast(x, dtype) for x in (query, key, value)]
    got = online_softmax_attention(*inputs, block_size=4)
    assert keras.backend.standardize_dtype(got.dtype) == dtype
    exact = [np.float64(x) for x in (query, key, value)]
    close(numpy(got), numpy(scaled_dot_product_attention(*exact)[0]), tolerance)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="GradientTape")
def test_gradients_equal_dense_ones():
    import tensorflow as tf

    def gradients(attention):
        inputs = [tf.constant(x) for x in (query, key, value)]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(attention(*inputs) * normal_noise)
        return tape.gradient(loss, inputs)

    normal_noise = normal(B, N, T, V)
    ours = gradients(lambda *x: online_softmax_attention(*x, mask, block_size=4))
    theirs = gradients(lambda *x: scaled_dot_product_attention(*x, mask)[0])
    for a, b in zip(ours, theirs, strict=True):
        close(a.numpy(), b.numpy())


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="block_size=0"):
        online_softmax_attention(query, key, value, block_size=0)
    with pytest.raises(ValueError, match="`key` must have a static length"):
        online_softmax_attention(query, keras.KerasTensor((B, N, None, H)), value)
