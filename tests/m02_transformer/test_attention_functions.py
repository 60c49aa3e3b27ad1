"""Scores, softmax and attention as functions: values on paper, and what precision may do."""

import keras
import numpy as np
import pytest
from keras import ops

from course.m02_transformer import (
    attend,
    attention_scores,
    masked_softmax,
    scaled_dot_product_attention,
)
from tests.contract import close, numpy

B, N, T, S, H = 2, 3, 5, 7, 11
rng = np.random.default_rng(0)
query, key, value = (rng.normal(size=(B, N, n, H)) for n in (T, S, S))


def test_scores_on_paper():
    """(1, 2, 2, 0) · (3, 1, 1, 5) / sqrt(4) = 7 / 2."""
    got = attention_scores(np.array([[1.0, 2, 2, 0]]), np.array([[3.0, 1, 1, 5], [0, 0, 0, 1]]))
    close(numpy(got), [[3.5, 0.0]])


def test_scores_keep_every_leading_axis():
    """Batch and heads stay where they are."""
    expected = np.einsum("bnth,bnsh->bnts", query, key) / np.sqrt(H)
    close(numpy(attention_scores(query, key)), expected)


def test_float16_scores_do_not_overflow():
    """64 products of 40 · 40 add up to 102,400; divided first they fit float16."""
    x = ops.full((1, 1, 64), 40.0, dtype="float16")
    assert numpy(attention_scores(x, x)) == 12800.0


def test_softmax_on_paper():
    """Scores ln 1, ln 2, ln 5 give 1/8, 2/8, 5/8."""
    close(numpy(masked_softmax(np.log([[1.0, 2.0, 5.0]]))), [[0.125, 0.25, 0.625]])


def test_masked_softmax_renormalises():
    """With the 5 hidden, 1 and 2 share the weight: 1/3 and 2/3."""
    got = masked_softmax(np.log([[1.0, 2.0, 5.0]]), np.array([True, True, False]))
    close(numpy(got), [[1 / 3, 2 / 3, 0.0]], 1e-7)


def test_softmax_is_stable_at_large_scores():
    """Scores of 1e4 neither overflow nor lose a difference of 1."""
    got = numpy(masked_softmax(np.array([[1e4, 1e4 - 1], [-1e4, -1e4 - 1]])))
    close(got, [[1 / (1 + np.exp(-1)), 1 / (1 + np.e)]] * 2, 1e-6)


def test_mask_outweighs_any_score():
    """The largest float16 score behind the mask gets nothing."""
    scores = ops.cast([[65504.0, 0.0, -65504.0]], "float16")
    close(numpy(masked_softmax(scores, np.array([False, False, True]))), [[0.0, 0.0, 1.0]], 0.0)


def test_float64_stays_exact():
    """Weights to 1e-15, not to the 1e-7 of float32."""
    close(numpy(masked_softmax(np.log([[1.0, 2.0, 7.0]]))), [[0.1, 0.2, 0.7]], 1e-15)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_fully_masked_row_gets_equal_weights(dtype):
    """No key allowed: finite weights, in the dtype of the scores."""
    scores = ops.cast(rng.normal(size=(T, S)), dtype)
    weights = masked_softmax(scores, np.zeros((T, S), bool))
    assert keras.backend.standardize_dtype(weights.dtype) == dtype
    close(numpy(weights), np.full((T, S), 1 / S), 1e-2)


def test_softmax_runs_in_float32():
    """4,096 equal scores: float16 sums of exp would stop at 2,048."""
    weights = numpy(masked_softmax(ops.zeros((1, 4096), dtype="float16")))
    assert weights.sum() == 1.0


@pytest.mark.parametrize("allowed", [True, False])
def test_a_single_key_gets_all_the_weight(allowed):
    """Decoding starts with one key; no warning, whether it is allowed or not."""
    weights = masked_softmax(rng.normal(size=(T, 1)), np.full((T, 1), allowed))
    np.testing.assert_array_equal(numpy(weights), np.ones((T, 1)))


def test_mask_broadcasts():
    """A mask per example hides the same keys from every head and query."""
    mask = rng.random((B, 1, 1, S)) > 0.4
    mask[..., 0] = True
    scores = rng.normal(size=(B, N, T, S))
    everywhere = np.broadcast_to(mask, scores.shape)
    got = numpy(masked_softmax(scores, mask))
    close(got, numpy(masked_softmax(scores, everywhere)))
    assert (got[~everywhere] == 0).all()


def test_attention_mixes_values_by_weights():
    """Output and weights equal the formula in float64."""
    mask = rng.random((T, S)) > 0.3
    mask[:, 0] = True
    output, weights = scaled_dot_product_attention(query, key, value, mask)
    scores = np.einsum("bnth,bnsh->bnts", query, key) / np.sqrt(H)
    expected = np.where(mask, np.exp(scores), 0)
    expected /= expected.sum(axis=-1, keepdims=True)
    close(numpy(weights), expected)
    close(numpy(output), expected @ value)


def test_matches_keras_dot_product_attention():
    """`keras.ops.dot_product_attention` has its axes in the order (B, T, N, H)."""
    q, k, v = (np.float32(x) for x in (query, key, value))
    mask = rng.random((B, 1, T, S)) > 0.3
    mask[..., 0] = True
    theirs = ops.dot_product_attention(*(x.swapaxes(1, 2) for x in (q, k, v)), mask=mask)
    output, _ = scaled_dot_product_attention(q, k, v, mask)
    close(numpy(output), numpy(theirs).swapaxes(1, 2))


def test_dropout_acts_on_the_weights():
    """What comes back are the dropped weights that mixed the values."""
    scores = ops.convert_to_tensor(rng.normal(size=(T, S)).astype("float32"))
    half = keras.layers.Dropout(0.5)
    values = ops.convert_to_tensor(np.eye(S, dtype="float32"))
    output, weights = attend(scores, values, dropout=lambda w: half(w, training=True))
    close(numpy(output), numpy(weights))
    assert (numpy(weights) == 0).any()
