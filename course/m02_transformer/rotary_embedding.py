"""Rotary position embedding (Su et al., 2021, section 3.2).

    rotate(x, t)[i]       = x[i] cos(t θ_i) - x[i + H/2] sin(t θ_i)
    rotate(x, t)[i + H/2] = x[i] sin(t θ_i) + x[i + H/2] cos(t θ_i)
    θ_i = base^(-2i / H),  i = 0 ... H/2 - 1

The product of a rotated query and a rotated key depends on their distance
alone. The paper pairs features 2i and 2i + 1; GPT-NeoX, LLaMA and this file
pair i with i + H/2. That is the same up to a permutation of the features.

Axes: B batch, N heads, T length, H head size.
"""

import keras
import numpy as np
from keras import ops

from course.m02_transformer.scaled_dot_product_attention import attention_scores


def rotate(x, positions, base=10000.0):
    """Turn each pair of features by an angle that grows with the position.

    Args:
        x: float tensor `(B, N, T, H)`; H must be even.
        positions: int or float tensor that broadcasts to `(B, N, T)`, usually
            `(T,)`.
        base: float. The longest wavelength is about 2π·base positions.

    Returns:
        Float tensor `(B, N, T, H)`, in the dtype of `x`.

    Raises:
        ValueError: if H is odd.
    """
    head_dim = x.shape[-1]
    if head_dim % 2:
        raise ValueError(f"The last axis of `x` must be even. Received: x.shape={x.shape}.")
    half = head_dim // 2
    frequency = base ** (-np.arange(half) / half)  # (H/2,), radians per position
    # float32: bfloat16 cannot count past 256 positions.
    angles = ops.expand_dims(ops.cast(positions, "float32"), -1)  # (..., T, 1)
    angles = ops.multiply(angles, frequency.astype("float32"))  # (..., T, H/2)
    cos, sin = ops.cast(ops.cos(angles), x.dtype), ops.cast(ops.sin(angles), x.dtype)
    first, second = x[..., :half], x[..., half:]
    turned = (first * cos - second * sin, first * sin + second * cos)
    return ops.concatenate(turned, axis=-1)  # (B, N, T, H)


@keras.saving.register_keras_serializable(package="course.m02_transformer")
class RotaryEmbedding(keras.layers.Layer):
    """Rotate queries and keys by their position; the layer has no weights.

    Give it to attention as `MultiHeadAttention(..., position=RotaryEmbedding())`.

    Args:
        base: float. Sets the wavelengths. Defaults to `10000.0`.

    Call arguments:
        x: float tensor `(B, N, T, H)`, queries or keys; H must be even.
        positions: optional tensor that broadcasts to `(B, N, T)`. Defaults to
            0 to T - 1.

    Returns:
        `(B, N, T, H)`.

    Raises:
        ValueError: if H is odd.

    Reference: [Su et al., 2021](https://arxiv.org/abs/2104.09864)
    """

    def __init__(self, base=10000.0, **kwargs):
        super().__init__(**kwargs)
        self.base = base

    def call(self, x, positions=None):
        if positions is None:
            positions = ops.arange(ops.shape(x)[2])
        return rotate(x, positions, self.base)

    def scores(self, query, key):
        """Return attention scores `(B, N, T, S)` of the rotated query and key."""
        return attention_scores(self(query), self(key))

    def get_config(self):
        return super().get_config() | {"base": self.base}
