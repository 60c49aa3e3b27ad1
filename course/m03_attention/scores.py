"""Alignment scores: how well each query fits each key (Bahdanau et al., 2015; Luong et al., 2015).

    additive      vᵀ tanh(W q + U k)          Bahdanau et al., appendix A.1.2
    dot           q · k                       Luong et al., equation 8
    general       qᵀ W k                      Luong et al., equation 8
    concat        vᵀ tanh(W [q; k])           Luong et al., equation 8
    scaled dot    q · k / sqrt(d)             Vaswani et al., 2017, section 3.2.1

All take `(query, keys, *weights)`. The multiplicative ones are matrix products; the ones with
a tanh compute U numbers for each pair of a query and a key.

Axes: T queries, S keys, Q width of a query, K width of a key, U width inside the tanh. Any
axes may stand before T and S.
"""

from keras import ops

from course.m02_transformer import attention_scores


def tanh_score(query, keys, v):
    """Return vᵀ tanh(q + k) for queries and keys that are projected already.

    Args:
        query: float tensor `(..., T, U)`.
        keys: float tensor `(..., S, U)`.
        v: float tensor `(U,)`.

    Returns:
        Scores `(..., T, S)`.
    """
    pairs = ops.expand_dims(query, -2) + ops.expand_dims(keys, -3)  # (..., T, S, U)
    return ops.sum(ops.tanh(pairs) * v, axis=-1)


def additive_score(query, keys, query_kernel, key_kernel, v):
    """Return vᵀ tanh(W q + U k).

    Args:
        query: float tensor `(..., T, Q)`.
        keys: float tensor `(..., S, K)`.
        query_kernel: float tensor `(Q, U)`, the paper's W_a transposed.
        key_kernel: float tensor `(K, U)`, the paper's U_a transposed.
        v: float tensor `(U,)`.

    Returns:
        Scores `(..., T, S)`.

    Reference: [Bahdanau et al., 2015](https://arxiv.org/abs/1409.0473)
    """
    return tanh_score(ops.matmul(query, query_kernel), ops.matmul(keys, key_kernel), v)


def dot_score(query, keys):
    """Return q · k. In float16 it overflows past 65,504; the scaled score does so later.

    Args:
        query: float tensor `(..., T, Q)`.
        keys: float tensor `(..., S, Q)`.

    Returns:
        Scores `(..., T, S)`.

    Reference: [Luong et al., 2015](https://arxiv.org/abs/1508.04025)
    """
    return ops.matmul(query, ops.swapaxes(keys, -1, -2))  # (..., T, S)


def scaled_dot_score(query, keys):
    """Return q · k / sqrt(Q): module 2's `attention_scores`.

    Args:
        query: float tensor `(..., T, Q)`.
        keys: float tensor `(..., S, Q)`.

    Returns:
        Scores `(..., T, S)`.

    Reference: [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762)
    """
    return attention_scores(query, keys)


def general_score(query, keys, kernel):
    """Return qᵀ W k.

    Args:
        query: float tensor `(..., T, Q)`.
        keys: float tensor `(..., S, K)`.
        kernel: float tensor `(Q, K)`, the paper's W_a.

    Returns:
        Scores `(..., T, S)`.

    Reference: [Luong et al., 2015](https://arxiv.org/abs/1508.04025)
    """
    return dot_score(query, ops.matmul(keys, ops.transpose(kernel)))


def concat_score(query, keys, kernel, v):
    """Return vᵀ tanh(W [q; k]).

    W times the concatenation is the sum of two products, so this is the additive score with
    its two matrices stacked: no pair is ever concatenated.

    Args:
        query: float tensor `(..., T, Q)`.
        keys: float tensor `(..., S, K)`.
        kernel: float tensor `(Q + K, U)`, the paper's W_a transposed; the query's rows first.
        v: float tensor `(U,)`.

    Returns:
        Scores `(..., T, S)`.

    Reference: [Luong et al., 2015](https://arxiv.org/abs/1508.04025)
    """
    width = query.shape[-1]
    return additive_score(query, keys, kernel[:width], kernel[width:], v)
