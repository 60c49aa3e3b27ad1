"""ALiBi: attention with linear biases (Press et al., 2022, section 3).

    scores[n, i, j] = q_i · k_j / sqrt(H) - slope_n · |i - j|

Each head forgets at its own speed. The bias stands in for position vectors,
and models trained with it run on longer sequences than they saw.

Axes: B batch, N heads, T target length, S source length, H head size.
"""

import keras
import numpy as np
from keras import ops

from course.m02_transformer.scaled_dot_product_attention import attention_scores


def alibi_slopes(num_heads):
    """Return one slope per head: 2^(-8/N), 2^(-16/N), ..., 2^-8.

    For N that is not a power of two, the paper takes the slopes of the largest
    power of two below N and fills up with every other slope of twice that.

    Args:
        num_heads: int. Number of heads N.

    Returns:
        Float32 array `(N,)`, score units per position.
    """

    def geometric(n):
        return 2.0 ** (-8.0 / n * np.arange(1, n + 1))

    power = 2 ** (num_heads.bit_length() - 1)
    extra = geometric(2 * power)[::2][: num_heads - power]
    return np.concatenate([geometric(power), extra]).astype("float32")


def alibi_bias(num_heads, length, query_length=None):
    """Return the bias -slope·|i - j| of query i and key j.

    Args:
        num_heads: int. Number of heads N.
        length: int. Number of keys T.
        query_length: optional int. Only the rows of the last `query_length`
            queries, as decoding with cached keys needs. Defaults to all T.

    Returns:
        Float32 tensor `(N, T, T)`, or `(N, query_length, T)`.
    """
    key = ops.arange(length)
    query = key if query_length is None else key[length - query_length :]
    distance = ops.cast(ops.abs(query[:, None] - key[None, :]), "float32")  # (T, T)
    slopes = alibi_slopes(num_heads)[:, None, None]  # (N, 1, 1)
    return ops.multiply(-slopes, distance)


@keras.saving.register_keras_serializable(package="course.m02_transformer")
class ALiBi(keras.layers.Layer):
    """Add a penalty to attention scores that grows with distance; no weights.

    Give it to attention as `MultiHeadAttention(..., position=ALiBi())`. The
    last query stands at the last key, so T < S means that the first S - T
    queries are not asked.

    Call arguments:
        scores: float tensor `(B, N, T, S)` with T <= S and static N.

    Returns:
        Float32 tensor `(B, N, T, S)`: low precision cannot hold large distances.

    Reference: [Press et al., 2022](https://arxiv.org/abs/2108.12409)
    """

    def call(self, scores):
        target, source = ops.shape(scores)[2:]
        bias = alibi_bias(scores.shape[1], source, target)  # (N, T, S)
        return ops.cast(scores, "float32") + bias

    def scores(self, query, key):
        """Return biased attention scores `(B, N, T, S)` of query and key."""
        return self(attention_scores(query, key))
