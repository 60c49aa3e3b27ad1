import numpy as np
import pytest

from course.m02_transformer import merge_heads
from course.m03_attention import (
    GroupQueryAttention,
    group_query_attention,
    head_contributions,
    importance_per_head,
)
from tests.contract import fill

rng = np.random.default_rng(0)
B, N, T, H, E = 2, 3, 5, 7, 11


def test_contributions_on_paper_and_their_sum():
    heads = np.float32([[[[1, 2]], [[3, 4]]]])
    kernel = np.float32([[10], [1], [2], [5]])
    np.testing.assert_array_equal(head_contributions(heads, kernel), [[[[12]], [[26]]]])
    heads = rng.normal(size=(B, N, T, H)).astype("float32")
    kernel = rng.normal(size=(N * H, E)).astype("float32")
    whole = np.asarray(merge_heads(heads)) @ kernel
    np.testing.assert_allclose(
        np.asarray(head_contributions(heads, kernel)).sum(1), whole, atol=1e-5
    )


def test_importance_on_paper():
    heads = np.float32([3, 1, 1, 1]).reshape(1, 2, 2, 1, 1)
    gradients = np.float32([2, 2, -2, 4]).reshape(1, 2, 2, 1, 1)
    np.testing.assert_allclose(importance_per_head(heads, gradients), [[0.8, 0.6]], rtol=1e-6)


def test_a_layer_without_gradients_stays_at_zero():
    heads = rng.normal(size=(2, B, N, T, H)).astype("float32")
    gradients = np.stack([np.zeros_like(heads[0]), heads[1]])
    importance = np.asarray(importance_per_head(heads, gradients))
    np.testing.assert_array_equal(importance[0], 0)
    np.testing.assert_allclose(np.linalg.norm(importance[1]), 1, rtol=1e-6)


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_grouped_heads_are_those_of_the_layer(groups):
    """The layer is the formula, between projections."""
    n, h = 6, 5
    layer = GroupQueryAttention(n * h, n, groups)
    x = rng.normal(size=(B, T, n * h)).astype("float32")
    layer(x, x)
    fill(layer)
    expected = np.asarray(layer(x, x))
    query, key, value = (
        np.asarray(dense(x)).reshape(B, T, -1, h).transpose(0, 2, 1, 3)
        for dense in (layer.query_dense, layer.key_dense, layer.value_dense)
    )
    heads = np.asarray(group_query_attention(query, key, value))
    merged = heads.transpose(0, 2, 1, 3).reshape(B, T, n * h)
    np.testing.assert_allclose(layer.output_dense(merged), expected, atol=1e-4)
