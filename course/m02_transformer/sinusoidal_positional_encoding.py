"""Sinusoidal positional encoding (Vaswani et al., 2017, section 3.5).

    PE[t, 2i]     = sin(t / 10000^(2i / D))
    PE[t, 2i + 1] = cos(t / 10000^(2i / D))

Axes: B batch, T length, D hidden size.
"""

import keras
import numpy as np
from keras import ops


def encode_positions(positions, hidden_dim):
    """Return the sinusoidal encoding of any positions.

    Args:
        positions: int or float tensor `(..., T)`.
        hidden_dim: int. Width D, even or odd.

    Returns:
        Float32 tensor `(..., T, D)`.
    """
    feature = np.arange(hidden_dim)
    # Features 2i and 2i + 1 share one frequency, in radians per position.
    frequency = 10000.0 ** (-2 * (feature // 2) / hidden_dim)  # (D,)
    angles = ops.expand_dims(ops.cast(positions, "float32"), -1)  # (..., T, 1)
    angles = ops.multiply(angles, frequency.astype("float32"))  # (..., T, D)
    return ops.where(feature % 2 == 0, ops.sin(angles), ops.cos(angles))


def sinusoidal_encoding(length, hidden_dim):
    """Return the encoding of positions 0 to `length` - 1.

    Args:
        length: int. Number of positions T.
        hidden_dim: int. Width D, even or odd.

    Returns:
        Float32 tensor `(T, D)`, sine at even features, cosine at odd ones.
    """
    return encode_positions(ops.arange(length), hidden_dim)


@keras.saving.register_keras_serializable(package="course.m02_transformer")
class SinusoidalPositionalEncoding(keras.layers.Layer):
    """Add a fixed wave pattern that differs at every position.

    The layer has no weights and knows no longest length. It returns the sum,
    not the encoding alone.

    Call arguments:
        x: float tensor `(B, T, D)`, usually scaled embeddings.
        positions: optional int tensor `(T,)` or `(B, T)`. Defaults to 0 to T - 1.

    Returns:
        `x` plus the encoding, `(B, T, D)`, in the dtype of `x`. A Keras mask on
        `x` passes through.

    Reference: [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762)
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, x, positions=None):
        if positions is None:
            positions = ops.arange(ops.shape(x)[1])
        return x + ops.cast(encode_positions(positions, x.shape[-1]), x.dtype)
