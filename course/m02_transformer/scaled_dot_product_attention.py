"""Scaled dot-product attention (Vaswani et al., 2017, section 3.2.1).

    Attention(Q, K, V) = softmax(Q Kᵀ / sqrt(d)) V

Axes: T target length, S source length, d size of a query and of a key. Any
axes may stand before them: batch, or batch and heads.
"""

from keras import backend, ops


def attention_scores(query, key):
    """Return how well each query matches each key: Q Kᵀ / sqrt(d).

    Args:
        query: float tensor `(..., T, d)`.
        key: float tensor `(..., S, d)`.

    Returns:
        Scores `(..., T, S)`, in the dtype of the query.
    """
    # Scaled before the product: float16 scores would overflow after it.
    query = query * query.shape[-1] ** -0.5
    return ops.matmul(query, ops.swapaxes(key, -1, -2))


def masked_softmax(scores, mask=None):
    """Turn scores into weights that are positive and add up to one over the last axis.

    The softmax runs in float32 (float64 for float64 scores), whatever the
    dtype of the scores.

    Args:
        scores: float tensor `(..., T, S)`.
        mask: optional bool tensor, broadcastable to `(..., T, S)`. True means
            "may attend". A row with no True gets equal weights, not NaN.

    Returns:
        Weights `(..., T, S)`, in the dtype of the scores.
    """
    dtype = backend.standardize_dtype(scores.dtype)
    scores = ops.cast(scores, backend.result_type(dtype, "float32"))
    if mask is not None:
        # Finite, not -inf: a fully masked row must not become NaN.
        scores = ops.where(mask, scores, -1e9)
    if scores.shape[-1] == 1:
        # One key gets all the weight. `ops.softmax` warns of such an axis.
        return ops.cast(ops.exp(scores - scores), dtype)
    return ops.cast(ops.softmax(scores, axis=-1), dtype)


def attend(scores, value, mask=None, dropout=None):
    """Mix `value` by the softmax of the scores.

    Position schemes that change the scores (rotary, ALiBi) end here too.

    Args:
        scores: float tensor `(..., T, S)`.
        value: float tensor `(..., S, d)`.
        mask: optional bool tensor, broadcastable to `(..., T, S)`. True means
            "may attend".
        dropout: optional `keras.layers.Dropout`, applied to the weights.

    Returns:
        Output `(..., T, d)` and weights `(..., T, S)`.
    """
    weights = ops.cast(masked_softmax(scores, mask), value.dtype)
    if dropout is not None:
        weights = dropout(weights)
    return ops.matmul(weights, value), weights


def scaled_dot_product_attention(query, key, value, mask=None, dropout=None):
    """Mix `value` by how well each query matches each key.

    Args:
        query: float tensor `(..., T, d)`.
        key: float tensor `(..., S, d)`.
        value: float tensor `(..., S, d)`; its last axis may have another size.
        mask: optional bool tensor, broadcastable to `(..., T, S)`. True means
            "may attend".
        dropout: optional `keras.layers.Dropout`, applied to the weights.

    Returns:
        Output `(..., T, d)` and weights `(..., T, S)`.

    Reference: [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762)
    """
    return attend(attention_scores(query, key), value, mask, dropout)
