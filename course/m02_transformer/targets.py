"""Targets: what the decoder reads while it learns (Vaswani et al., 2017, section 3.1).

With the target moved one place to the right, the decoder predicts token t from
tokens 0 to t - 1, at every t in one pass.

Axes: B batch, T target length.
"""

from keras import ops


def shift_right(target_ids, start_id):
    """Put the start token first and drop the last token.

    Args:
        target_ids: int tensor `(B, T)`.
        start_id: int. Id of the start token.

    Returns:
        Int tensor `(B, T)`, in the dtype of `target_ids`.
    """
    start = ops.full_like(target_ids[:, :1], start_id)  # (B, 1)
    return ops.concatenate([start, target_ids[:, :-1]], axis=1)  # (B, T)
