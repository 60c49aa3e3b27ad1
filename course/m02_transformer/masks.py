"""Masks: which positions a query may attend to. True means "may attend".

Three masks cover the transformer: the padding mask hides empty positions, the
causal mask hides the future, and the decoder's mask is both at once. They are
plain boolean tensors; combine them with `&`.

Axes: B batch, T target length, S source length.
"""

from keras import ops


def padding_mask(token_ids):
    """Return where a token stands; id 0 is padding.

    Args:
        token_ids: int tensor `(B, S)`.

    Returns:
        Bool tensor `(B, S)`, True where the id is not 0.
    """
    return ops.not_equal(token_ids, 0)


def causal_mask(length):
    """Return the mask that lets position i attend to positions 0 to i.

    Args:
        length: int. Number of positions T.

    Returns:
        Bool tensor `(T, T)`, True on and below the diagonal.
    """
    positions = ops.arange(length)
    return positions[:, None] >= positions[None, :]


def decoder_mask(token_ids):
    """Return the mask of decoder self-attention: causal, and not padding.

    Args:
        token_ids: int tensor `(B, T)`. Id 0 is padding.

    Returns:
        Bool tensor `(B, T, T)`. Entry `[b, i, j]` is True where j <= i and
        token j of example b is not padding.
    """
    causal = causal_mask(ops.shape(token_ids)[1])  # (T, T)
    return causal & padding_mask(token_ids)[:, None, :]  # (B, T, T)


def cross_mask(source_ids):
    """Return the mask of encoder self-attention and of cross-attention.

    Every query may attend to every token of the source, so the query axis has
    length 1 and broadcasts.

    Args:
        source_ids: int tensor `(B, S)`. Id 0 is padding.

    Returns:
        Bool tensor `(B, 1, S)`.
    """
    return padding_mask(source_ids)[:, None, :]


def combine_masks(*masks):
    """Return the mask that allows what every given mask allows.

    Args:
        *masks: bool tensors that broadcast against each other, or None.

    Returns:
        Their logical "and"; None if every one is None.
    """
    combined = None
    for mask in masks:
        if mask is not None:
            mask = ops.cast(mask, "bool")
            combined = mask if combined is None else ops.logical_and(combined, mask)
    return combined
