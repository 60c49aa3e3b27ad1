"""Exact attention without the T × S matrix (Rabe and Staats, 2021; Dao et al., 2022).

    m' = max(m, max of the block's scores)
    l' = l · exp(m - m') + Σ exp(scores - m')
    o' = o · exp(m - m') + Σ exp(scores - m') · values
    attention = o / l after the last block

The keys come in blocks. m is the largest score so far, l the softmax's denominator and o its
numerator, both relative to m, so nothing overflows. The largest buffer is T × block.

Axes: T target length, S source length, C keys in a block, d size of a query and of a key, v size
of a value. Any axes may stand before them: batch, or batch and heads.
"""

from keras import backend, ops

from course.m02_transformer import attention_scores

HIDDEN = -1e9  # as in module 2's `masked_softmax`, so that a fully masked row agrees too
NOTHING = -1e30  # below every score, hidden ones included


def online_softmax_step(maximum, total, mixed, scores, value):
    """Add a block of keys to a running softmax.

    Args:
        maximum: float tensor `(..., T)`, the largest score so far.
        total: float tensor `(..., T)`, Σ exp(score - maximum) so far.
        mixed: float tensor `(..., T, v)`, Σ exp(score - maximum) · value so far.
        scores: float tensor `(..., T, C)`, the block's scores.
        value: float tensor `(..., C, v)`, the block's values.

    Returns:
        The new `maximum`, `total` and `mixed`.
    """
    highest = ops.maximum(maximum, ops.max(scores, axis=-1))
    correction = ops.exp(maximum - highest)  # (..., T): moves the old sums to the new maximum
    weights = ops.exp(scores - ops.expand_dims(highest, -1))  # (..., T, C)
    total = total * correction + ops.sum(weights, axis=-1)
    mixed = mixed * ops.expand_dims(correction, -1) + ops.matmul(weights, value)
    return highest, total, mixed


def block_mask(mask, causal, start, stop, target_length, source_length):
    """Return the part of the masks that concerns keys `start` to `stop`, or None."""
    part = None
    if mask is not None:
        part = mask if mask.shape[-1] == 1 else mask[..., start:stop]
    if causal:
        # As in `ALiBi`, the last query stands at the last key.
        rows = ops.arange(target_length)[:, None] + (source_length - target_length)
        early = rows >= ops.arange(start, stop)[None, :]  # (T, C)
        part = early if part is None else ops.logical_and(part, early)
    return part


def online_softmax_attention(query, key, value, mask=None, causal=False, block_size=128):
    """Return scaled dot-product attention, computed block by block.

    The result is that of `scaled_dot_product_attention`, rounding apart; the weights never
    exist as a whole, so there are none to return. Sums run in float32 (float64 for float64).

    Args:
        query: float tensor `(..., T, d)`.
        key: float tensor `(..., S, d)`. S must be static.
        value: float tensor `(..., S, v)`.
        mask: optional bool tensor, broadcastable to `(..., T, S)`. True means "may attend". A
            row with no True gets the mean of the values.
        causal: bool. Also hide the future. With T < S, the last query stands at the last key.
        block_size: int. Keys C in a block; need not divide S.

    Returns:
        Output `(..., T, v)`, in the dtype of the value.

    Raises:
        ValueError: if S is unknown or `block_size` is below 1.

    References:
        - [Rabe and Staats, 2021](https://arxiv.org/abs/2112.05682)
        - [Dao et al., 2022](https://arxiv.org/abs/2205.14135)
    """
    source = key.shape[-2]
    if not isinstance(source, int) or block_size < 1:
        raise ValueError(
            "`key` must have a static length and `block_size` must be at least 1. Received: "
            f"key.shape={tuple(key.shape)}, block_size={block_size}."
        )
    dtype = backend.result_type(backend.standardize_dtype(query.dtype), "float32")
    nothing = ops.cast(ops.zeros_like(query[..., :1]), dtype)  # (..., T, 1), broadcasts over v
    carry = nothing[..., 0] + NOTHING, nothing[..., 0], nothing
    for start in range(0, source, block_size):
        stop = min(start + block_size, source)
        scores = ops.cast(attention_scores(query, key[..., start:stop, :]), dtype)  # (..., T, C)
        part = block_mask(mask, causal, start, stop, ops.shape(query)[-2], source)
        if part is not None:
            scores = ops.where(part, scores, HIDDEN)
        block = ops.cast(value[..., start:stop, :], dtype)  # (..., C, v)
        carry = online_softmax_step(*carry, scores, block)
    _, total, mixed = carry
    return ops.cast(mixed / ops.expand_dims(total, -1), value.dtype)
