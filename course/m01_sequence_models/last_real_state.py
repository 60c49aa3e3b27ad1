"""Where a recurrent network over padded texts is read: at the last real token.

    state_b = states_{b, n_b - 1}, n_b = Σ_t mask_{bt}

After a short text the network goes on over the padding and its state goes on changing, so
the last place of a batch is the wrong one for all but the longest text.

Axes: B batch, T length, H hidden size.
"""

from keras import ops


def last_real_state(states, mask):
    """Return the state at each text's last real token.

    Args:
        states: float tensor `(B, T, H)`, the state after each place.
        mask: bool tensor `(B, T)`, True for real tokens, which come first.

    Returns:
        Float tensor `(B, H)`; zeros where a text has no token, the state of a network that
        has read nothing.
    """
    lengths = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)  # (B, 1)
    is_last = ops.equal(ops.arange(states.shape[1])[None, :], lengths - 1)  # (B, T)
    return ops.sum(ops.where(is_last[..., None], states, 0), axis=1)  # (B, H)
