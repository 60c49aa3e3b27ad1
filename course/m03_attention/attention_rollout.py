"""Attention rollout: what a layer can have heard of which input (Abnar and Zuidema, 2020).

    A'_l = (1 - r) mean over heads of A_l + r I,   r = 1/2
    R_l  = A'_l R_{l-1},   R_0 = I

A layer adds its attention to its input, so half of each token comes from the token itself. The
product follows that mixture down to the first layer. It ignores what values, feed-forward
networks and norms do: it is a picture of the wiring, not an explanation of an output.

Axes: L layers, N heads, T length.
"""

import numpy as np


def attention_rollout(weights, residual=0.5):
    """Multiply the attention of layers, each mixed with its residual connection.

    Args:
        weights: float `(L, ..., N, T, T)`, or a list of L arrays `(..., N, T, T)`, first layer
            first: self-attention whose rows add up to one.
        residual: float. Share r of the residual connection, from 0 to 1.

    Returns:
        Float64 `(L, ..., T, T)`. Row i of entry l is how much token i after layer l + 1 owes
        to each input token; rows add up to one.

    Raises:
        ValueError: if the maps are not square, or `residual` is not a share.

    Reference: [Abnar and Zuidema, 2020](https://arxiv.org/abs/2005.00928)
    """
    weights = np.asarray([np.asarray(layer, "float64") for layer in weights])
    if weights.ndim < 4 or weights.shape[-1] != weights.shape[-2]:
        raise ValueError(
            "`weights` must be (L, ..., N, T, T): self-attention. "
            f"Received: weights.shape={weights.shape}."
        )
    if not 0 <= residual <= 1:
        raise ValueError(f"`residual` must be from 0 to 1. Received: residual={residual}.")
    identity = np.eye(weights.shape[-1])
    mixed = (1 - residual) * weights.mean(axis=-3) + residual * identity  # (L, ..., T, T)
    rollout = np.empty_like(mixed)
    heard = identity
    for layer, step in enumerate(mixed):
        heard = step @ heard  # (..., T, T)
        rollout[layer] = heard
    return rollout
