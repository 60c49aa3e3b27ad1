import itertools

import numpy as np

from course.m03_attention import (
    attention_pooling,
    confusion_by_slice,
    erasure_effect,
    rank_agreement,
)

rng = np.random.default_rng(0)
B, T, H, U, C = 2, 7, 5, 3, 4


def test_pooling_on_paper():
    states = np.float32([[[0], [1], [5]]])
    pooled, weights = attention_pooling(
        states, [[True, True, False]], np.float32([[1]]), np.float32([0]), np.float32([2])
    )
    np.testing.assert_allclose(weights, [[0.179, 0.821, 0]], atol=5e-4)
    np.testing.assert_allclose(pooled, [[0.821]], atol=5e-4)


def test_padding_is_not_pooled_and_no_token_at_all_is_finite():
    states = rng.normal(size=(B, T, H)).astype("float32")
    mask = np.arange(T) < np.array([[4], [0]])
    rest = [rng.normal(size=s).astype("float32") for s in ((H, U), (U,), (U,))]
    pooled, weights = (np.asarray(x) for x in attention_pooling(states, mask, *rest))
    other = np.where(mask[..., None], states, 9).astype("float32")
    np.testing.assert_array_equal(attention_pooling(other, mask, *rest)[0][0], pooled[0])
    np.testing.assert_array_equal(weights[0, 4:], 0)
    assert np.isfinite(pooled).all()


def test_confusion_on_paper():
    members = np.array([[1, 1, 0, 0], [0, 1, 1, 1], [0, 0, 0, 0]], bool)
    matrices, shares = confusion_by_slice([0, 1, 1, 0], [1, 1, 0, 0], members, 2)
    np.testing.assert_array_equal(matrices, [[[0, 1], [0, 1]], [[1, 0], [1, 1]], [[0, 0], [0, 0]]])
    np.testing.assert_array_equal(shares, [0.5, 0.5, 0])
    np.testing.assert_array_equal(confusion_by_slice([1], [1], members[:, :1], 2)[1], 0)


def test_erasure_on_paper():
    states, weights = np.float32([[[np.log(2)], [0]]]), np.float32([[0.5, 0.5]])
    distance, flipped = erasure_effect(
        states, weights, np.array([1]), np.float32([[2, 0]]), np.float32([0, 1])
    )
    np.testing.assert_allclose(distance, [0.171], atol=1e-3)
    assert np.asarray(flipped).tolist() == [True]


def test_a_token_without_weight_changes_nothing_and_one_with_all_leaves_zeros():
    states = rng.normal(size=(B, T, H)).astype("float32")
    weights = np.zeros((B, T), "float32")
    weights[:, 2] = 1
    kernel, bias = rng.normal(size=(H, C)).astype("float32"), np.zeros(C, "float32")
    distance, flipped = erasure_effect(states, weights, np.array([1, 2]), kernel, bias)
    logits = states[1, 2] @ kernel
    p = np.exp(logits - logits.max())
    np.testing.assert_allclose(distance, [0, np.abs(p / p.sum() - 1 / C).sum() / 2], atol=1e-6)
    assert not np.asarray(flipped)[0]


def test_rank_agreement_counts_pairs():
    x, y = rng.integers(0, 4, (2, B, T)).astype("float32")
    mask = np.arange(T) < np.array([[6], [1]])
    pairs = list(itertools.combinations(range(6), 2))
    signs = [np.sign(x[0, i] - x[0, j]) * np.sign(y[0, i] - y[0, j]) for i, j in pairs]
    np.testing.assert_allclose(rank_agreement(x, y, mask), [np.mean(signs), 0], atol=1e-6)
