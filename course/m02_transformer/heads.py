"""Heads: the same features, cut into N parts that attend on their own.

Axes: B batch, T length, N heads, H head size, D = N·H hidden size.
"""

from keras import ops


def split_heads(x, num_heads):
    """Cut the features into heads: head n takes features n·H to (n+1)·H.

    Args:
        x: float tensor `(B, T, D)`. D must be static and a multiple of `num_heads`.
        num_heads: int. Number of heads N.

    Returns:
        Float tensor `(B, N, T, H)`.
    """
    batch, length = ops.shape(x)[:2]
    x = ops.reshape(x, (batch, length, num_heads, x.shape[-1] // num_heads))
    return ops.transpose(x, (0, 2, 1, 3))  # (B, N, T, H)


def merge_heads(x):
    """Put the heads' features side by side again: the inverse of `split_heads`.

    Args:
        x: float tensor `(B, N, T, H)`. N and H must be static.

    Returns:
        Float tensor `(B, T, D)`.
    """
    batch, length = ops.shape(x)[0], ops.shape(x)[2]
    num_heads, head_dim = x.shape[1], x.shape[3]
    x = ops.transpose(x, (0, 2, 1, 3))  # (B, T, N, H)
    return ops.reshape(x, (batch, length, num_heads * head_dim))  # (B, T, D)
