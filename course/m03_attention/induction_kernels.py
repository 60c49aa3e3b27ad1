"""Queries and keys of an induction head, set by hand: who looks at whom.

Both layers read a stream of four parts, D = P + 3V features:

    position (P)   token (V)   previous (V)   prediction (V)

    layer 1    query: position p looks for position p - 1
    layer 2    query: token x looks for places whose previous token is x

`induction_head` adds what the layers write, and makes a model of them.

Axes: P longest length, V tokens, D width of the stream.
"""

import numpy as np

START = 0


def parts(vocabulary_size, max_length):
    """Return where each part of the stream lies, as slices of its D features."""
    ends = max_length + vocabulary_size * np.arange(4)  # P, P + V, P + 2V, P + 3V
    names = ("position", "token", "previous", "prediction")
    return dict(zip(names, map(slice, [0, *ends[:-1]], ends), strict=True))


def previous_token_kernels(vocabulary_size, max_length, sharpness=20.0):
    """Return projections with which each place looks at the place before it.

    Args:
        vocabulary_size: int. Tokens V, the start token included.
        max_length: int. Longest length P.
        sharpness: float. The score q · k / sqrt(D) of places p and p - 1; others score 0.

    Returns:
        Float32 `query_kernel` and `key_kernel`, `(D, D)` each.
    """
    at = parts(vocabulary_size, max_length)["position"]
    width = max_length + 3 * vocabulary_size
    query_kernel, key_kernel = np.zeros((2, width, width), "float32")
    before = np.eye(max_length, k=-1)  # row p has its 1 in column p - 1
    query_kernel[at, :max_length] = sharpness * width**0.5 * before
    key_kernel[at, :max_length] = np.eye(max_length)
    return query_kernel, key_kernel


def induction_kernels(vocabulary_size, max_length, sharpness=20.0):
    """Return projections with which a token looks at what followed it before.

    A token that never came before rests on the start token, id 0, at place 0.

    Args:
        vocabulary_size: int. Tokens V, the start token included.
        max_length: int. Longest length P.
        sharpness: float. The score q · k / sqrt(D) of a token and a place whose previous
            token it is; the start token scores half of it, with every query.

    Returns:
        Float32 `query_kernel` and `key_kernel`, `(D, D)` each.
    """
    at = parts(vocabulary_size, max_length)
    width = max_length + 3 * vocabulary_size
    query_kernel, key_kernel = np.zeros((2, width, width), "float32")
    token = np.eye(vocabulary_size)
    query_kernel[at["token"], :vocabulary_size] = sharpness * width**0.5 * token
    key_kernel[at["previous"], :vocabulary_size] = token
    key_kernel[at["token"].start + START, :vocabulary_size] = 0.5  # where nothing matches
    return query_kernel, key_kernel
