"""Grouped-query attention: the same as multi-head with all heads, as Keras's with fewer."""

import keras
import numpy as np
import pytest

from course.m02_transformer import ALiBi, MultiHeadAttention
from course.m03_attention import GroupQueryAttention
from tests.contract import close, fill, numpy
from tests.m02_transformer.cases import weights as weights_of
from tests.m03_attention import oracles

B, T, S, N, H, K = 2, 5, 7, 6, 11, 13
D = N * H
rng = np.random.default_rng(0)
x = rng.normal(size=(B, T, D)).astype("float32")
memory = rng.normal(size=(B, S, K)).astype("float32")
mask = rng.random((B, T, S)) > 0.4
mask[..., 0] = True


@pytest.mark.parametrize("position", [None, ALiBi()])
@pytest.mark.parametrize(
    ("value", "kwargs"),
    [(memory, {}), (memory, {"attention_mask": mask}), (x, {"use_causal_mask": True})],
)
def test_all_heads_are_multi_head_attention(position, value, kwargs):
    """Output and weights, with the same list of weights, to 1e-6."""
    theirs = MultiHeadAttention(D, N, position=position)
    ours = GroupQueryAttention(D, N, N, position=position)
    theirs(x, value)
    ours(x, value)
    fill(theirs)
    ours.set_weights(theirs.get_weights())
    kwargs = kwargs | {"return_attention_scores": True}
    for a, b in zip(ours(x, value, **kwargs), theirs(x, value, **kwargs), strict=True):
        close(numpy(a), numpy(b), 1e-6)


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_matches_keras(groups):
    """Our (K, G·H) kernels cut into Keras's (K, G, H)."""
    ours = GroupQueryAttention(D, N, groups)
    ours(x, memory)
    fill(ours)
    theirs = keras.layers.GroupQueryAttention(H, N, groups)
    theirs(x, memory)
    for name, heads in (("query", N), ("key", groups), ("value", groups)):
        kernel, bias = getattr(ours, f"{name}_dense").get_weights()
        part = getattr(theirs, f"_{name}_dense")
        part.set_weights([kernel.reshape(-1, heads, H), bias.reshape(heads, H)])
    kernel, bias = ours.output_dense.get_weights()
    theirs._output_dense.set_weights([kernel.reshape(N, H, D), bias])
    kwargs = {"attention_mask": mask, "return_attention_scores": True}
    for a, b in zip(ours(x, memory, **kwargs), theirs(x, memory, **kwargs), strict=True):
        close(numpy(a), numpy(b))


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_neighbouring_heads_share(groups):
    """Head n reads group n // (N / G), in float64."""
    ours = GroupQueryAttention(D, N, groups)
    ours(x, memory)
    fill(ours)
    expected = oracles.grouped(weights_of(ours), np.float64(x), np.float64(memory), N, groups)
    close(numpy(ours(x, memory)), expected)


def test_keys_and_values_shrink_by_the_group():
    """One of six heads: key and value kernels have a sixth of the columns."""
    ours = GroupQueryAttention(D, N, 1)
    ours(x, memory)
    assert ours.count_params() == D * D + D + 2 * (K * H + H) + D * D + D


@pytest.mark.parametrize("heads", [(5, 5), (6, 4)])
def test_heads_must_divide(heads):
    with pytest.raises(ValueError, match=f"num_query_heads={heads[0]}, .*heads={heads[1]}"):
        GroupQueryAttention(D, *heads)
