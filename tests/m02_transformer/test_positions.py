"""What each position scheme promises about distance."""

import numpy as np
import pytest
from keras import ops

from course.m02_transformer import (
    ALiBi,
    LearnedPositionalEmbedding,
    MultiHeadAttention,
    RotaryEmbedding,
    SinusoidalPositionalEncoding,
    alibi_bias,
    alibi_slopes,
    attention_scores,
    encode_positions,
    rotate,
    sinusoidal_encoding,
)
from course.m02_transformer.relative_self_attention import relative_positions
from tests.contract import close, fill, numpy
from tests.m02_transformer import oracles

B, N, T, H, D = 2, 3, 5, 14, 11
rng = np.random.default_rng(0)
heads = rng.normal(size=(B, N, T, H)).astype("float32")
x = rng.normal(size=(B, T, D)).astype("float32")


def test_sinusoids_on_paper():
    """Width 4: frequencies 1 and 1/100, sine before cosine."""
    got = numpy(sinusoidal_encoding(2, 4))
    close(got, [[0, 1, 0, 1], [np.sin(1), np.cos(1), np.sin(0.01), np.cos(0.01)]], 1e-6)


@pytest.mark.parametrize("hidden_dim", [11, 14])
def test_sinusoids_far_out(hidden_dim):
    """Odd widths too; at 509 positions float32 angles are exact to 5e-5."""
    close(numpy(sinusoidal_encoding(509, hidden_dim)), oracles.sinusoids(509, hidden_dim), 1e-4)


def test_sinusoid_products_depend_on_the_distance_alone():
    """PE(t) · PE(t + k) is the same for every t."""
    table = np.float64(numpy(sinusoidal_encoding(31, H)))
    products = table @ table.T
    for k in range(31):
        assert np.ptp(np.diagonal(products, k)) < 1e-5


@pytest.mark.parametrize("shape", [(T,), (B, T)])
def test_positions_may_be_given(shape):
    """Decoding starts in the middle, and packed examples start over."""
    positions = rng.integers(0, 13, shape)
    layer = SinusoidalPositionalEncoding()
    table = numpy(sinusoidal_encoding(13, D))
    close(numpy(layer(x, positions=positions)), x + table[positions])
    close(numpy(encode_positions(positions, D)), table[positions])
    learned = LearnedPositionalEmbedding(13)
    learned.build(x.shape)
    fill(learned)
    close(numpy(learned(x, positions=positions)), x + numpy(learned.table.value)[positions])


def test_rotation_on_paper():
    """At position t, (1, 0) of the first pair turns to (cos t, sin t); pairs are H/2 apart."""
    one = np.zeros((1, 1, 3, 4), "float32")
    one[..., 0] = 1
    got = numpy(rotate(one, np.arange(3)))[0, 0]
    t = np.arange(3)
    close(got, np.stack([np.cos(t), 0 * t, np.sin(t), 0 * t], axis=-1), 1e-6)


def test_rotation_keeps_lengths_and_the_first_position():
    """A turn by zero changes nothing; a turn by anything keeps the norm."""
    got = numpy(rotate(heads, np.arange(T)))
    np.testing.assert_array_equal(got[:, :, 0], heads[:, :, 0])
    close(np.linalg.norm(got, axis=-1), np.linalg.norm(heads, axis=-1))


def test_rotated_scores_depend_on_the_distance_alone():
    """Every position moved by 17: the same scores."""
    query, key = heads, rng.normal(size=heads.shape).astype("float32")
    here, there = (
        numpy(attention_scores(rotate(query, p), rotate(key, p)))
        for p in (np.arange(T), np.arange(T) + 17)
    )
    close(there, here, 1e-4)


def test_rotary_positions_may_differ_by_example():
    """Positions broadcast to (B, N, T)."""
    positions = rng.integers(0, 13, (B, 1, T))
    got = numpy(RotaryEmbedding()(heads, positions=positions))
    for b in range(B):
        close(got[b], oracles.rotate(heads[b], positions[b, 0]))


def test_rotary_angles_are_exact_in_low_precision():
    """Position 1,001 is not position 1,000, which bfloat16 cannot tell apart."""
    x = ops.ones((1, 1, 1, 2), dtype="bfloat16")
    got = numpy(rotate(x, np.array([1001])))
    close(got, oracles.rotate(np.ones((1, 1, 1, 2)), np.array([1001])), 1e-2)


def test_alibi_slopes_of_the_paper():
    """8 heads: powers of 1/2; 12 heads append every other slope of 16."""
    close(alibi_slopes(8), [2.0**-n for n in range(1, 9)], 1e-7)
    extra = [0.70710678, 0.35355339, 0.17677670, 0.08838835]
    close(alibi_slopes(12), [*alibi_slopes(8), *extra], 1e-7)
    close(alibi_slopes(1), [2.0**-8], 1e-7)


def test_alibi_bias_falls_with_distance_on_both_sides():
    """Zero on the diagonal, minus one slope per step."""
    got = numpy(alibi_bias(N, T))
    close(got, oracles.alibi(N, T, T))
    assert got.shape == (N, T, T)


def test_alibi_with_cached_keys_gives_the_last_rows():
    """The one new query stands at the last key."""
    np.testing.assert_array_equal(numpy(alibi_bias(N, T, 1)), numpy(alibi_bias(N, T))[:, -1:])


def test_alibi_keeps_large_distances_apart_in_low_precision():
    """Distance 1,001 is not 1,000, which bfloat16 cannot tell apart."""
    got = numpy(ALiBi(dtype="bfloat16")(ops.zeros((1, 1, 1, 1002), dtype="bfloat16")))
    close(got[0, 0, 0, :2] * 256, [-1001, -1000])


def test_relative_distances_are_clipped():
    """Rows 0 to 2k: far left is 0, own position is k, far right is 2k."""
    expected = [[2, 3, 4, 4], [1, 2, 3, 4], [0, 1, 2, 3], [0, 0, 1, 2]]
    np.testing.assert_array_equal(numpy(relative_positions(4, 2)), expected)


@pytest.mark.parametrize("position", [None, RotaryEmbedding(), ALiBi()])
def test_attention_knows_order_only_through_positions(position):
    """Without a scheme, shuffled keys give the same output."""
    layer = MultiHeadAttention(N * H, N, position=position)
    query, value = rng.normal(size=(2, B, T, N * H)).astype("float32")
    layer(query, value)
    fill(layer)
    same = np.allclose(layer(query, value), layer(query, value[:, ::-1]), atol=1e-4)
    assert same == (position is None)
