"""A text as one vector: its states summed by the weights of additive attention.

    score_t = vᵀ tanh(W h_t + b),   pooled = Σ_t softmax(score)_t h_t

Axes: B batch, T length, H state size, U tanh units.

Source: [Yang et al., 2016](https://aclanthology.org/N16-1174/), section 2.2, without the vector u_w
of their two levels.
"""

from keras import ops

from course.m02_transformer import masked_softmax


def attention_pooling(states, mask, kernel, bias, v):
    """Sum the states of each text by the weights of additive attention.

    Args:
        states: float tensor `(B, T, H)`.
        mask: bool tensor `(B, T)`. True at tokens.
        kernel: float tensor `(H, U)`.
        bias: float tensor `(U,)`.
        v: float tensor `(U,)`.

    Returns:
        Pooled states `(B, H)` and weights `(B, T)`; both are finite where a text has no token.
    """
    hidden = ops.tanh(ops.matmul(states, kernel) + bias)  # (B, T, U)
    scores = ops.sum(hidden * v, axis=-1)  # (B, T)
    weights = masked_softmax(scores, mask)
    return ops.einsum("bt,bth->bh", weights, states), weights
