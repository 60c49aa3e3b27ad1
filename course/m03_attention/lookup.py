"""Queries, keys and values by hand: a dictionary as one attention head.

    output = softmax(Q Kᵀ / sqrt(d)) V,   Q = query W^Q,  K = pairs W^K,  V = pairs W^V

A pair is a one-hot key beside a one-hot value. W^K keeps the first, W^V the second, and W^Q is a
large multiple of the identity: the score is β where the keys agree and 0 elsewhere, so the softmax
puts all but S·e^(-β) of its weight on the right pair.

Axes: B batch, T questions, S pairs, K different keys, V different values.
"""

import numpy as np
from keras import ops

from course.m02_transformer import scaled_dot_product_attention


def lookup_weights(num_keys, num_values, sharpness=20.0):
    """Return projections with which attention looks values up by their keys.

    Args:
        num_keys: int. Different keys K.
        num_values: int. Different values V.
        sharpness: float. The score β of a match; a mismatch scores 0.

    Returns:
        Float32 `query_kernel` `(K, K)`, `key_kernel` `(K + V, K)` and `value_kernel`
        `(K + V, V)`.
    """
    keys, values = np.eye(num_keys), np.eye(num_values)
    query_kernel = sharpness * num_keys**0.5 * keys  # undoes the division by sqrt(d), d = K
    key_kernel = np.concatenate([keys, np.zeros((num_values, num_keys))])  # reads the key
    value_kernel = np.concatenate([np.zeros((num_keys, num_values)), values])  # reads the value
    return tuple(np.float32(kernel) for kernel in (query_kernel, key_kernel, value_kernel))


def lookup(questions, keys, values, num_keys, num_values, sharpness=20.0):
    """Answer questions from a list of pairs, by attention with weights set by hand.

    Args:
        questions: int `(B, T)`. Keys to look up, each one of its row's `keys`.
        keys: int `(B, S)`, different within a row.
        values: int `(B, S)`. Value s belongs to key s.
        num_keys: int. Different keys K.
        num_values: int. Different values V.
        sharpness: float. See `lookup_weights`.

    Returns:
        The distribution over values `(B, T, V)` and the attention weights `(B, T, S)`.
    """
    kernels = lookup_weights(num_keys, num_values, sharpness)
    query_kernel, key_kernel, value_kernel = map(ops.convert_to_tensor, kernels)
    query = ops.one_hot(questions, num_keys)  # (B, T, K)
    pairs = ops.concatenate(
        [ops.one_hot(keys, num_keys), ops.one_hot(values, num_values)], axis=-1
    )  # (B, S, K + V)
    return scaled_dot_product_attention(
        ops.matmul(query, query_kernel),
        ops.matmul(pairs, key_kernel),
        ops.matmul(pairs, value_kernel),
    )
