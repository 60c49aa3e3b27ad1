"""Cutting features into heads and putting them back."""

import keras
import numpy as np

from course.m02_transformer import merge_heads, split_heads
from tests.contract import numpy

B, T, N, H = 2, 5, 3, 7
x = np.arange(B * T * N * H).reshape(B, T, N * H).astype("float32")


def test_head_n_takes_neighbouring_features():
    """Head n holds features n·H to (n+1)·H of every position."""
    got = numpy(split_heads(x, N))
    assert got.shape == (B, N, T, H)
    for n in range(N):
        np.testing.assert_array_equal(got[:, n], x[..., n * H : (n + 1) * H])


def test_merging_undoes_splitting():
    """Bit for bit."""
    np.testing.assert_array_equal(numpy(merge_heads(split_heads(x, N))), x)


def test_features_stay_static_with_unknown_lengths():
    """`-1` in a reshape would lose the last axis, and `Dense` could not be built."""
    heads = keras.layers.Lambda(lambda x: split_heads(x, N))(keras.Input((None, N * H)))
    assert heads.shape == (None, N, None, H)
    assert keras.layers.Lambda(merge_heads)(heads).shape == (None, None, N * H)
