"""Greedy decoding with a recurrent decoder: write the likeliest token, carry the state on.

Axes: B batch, S source length.
"""

import numpy as np


def greedy_decode(encoder, step, source_ids, start_id, end_id, max_length):
    """Write a target for each source, one token at a time.

    The source is read once. Each step costs the same, however long the target
    already is: the state stands for all that was written.

    Args:
        encoder: `keras.Model` from source ids `(B, S)` to a list of states.
        step: `keras.Model` from `[token_ids, *states]` to `[logits, *states]`, as
            `build_step_models` makes them.
        source_ids: int array `(B, S)`. Id 0 is padding.
        start_id: int. The token before the first one.
        end_id: int. Token that ends a target.
        max_length: int. Number of tokens to write at most.

    Returns:
        Int32 array `(B, max_length)` without the start token. After the first
        `end_id` of a row, every id is 0.
    """
    source_ids = np.asarray(source_ids)
    states = encoder.predict_on_batch(source_ids)
    states = states if isinstance(states, list) else [states]

    def read_on(token_ids, states):
        logits, *states = step.predict_on_batch([token_ids, *states])
        return logits, states

    return write_greedily(read_on, states, len(source_ids), start_id, end_id, max_length)


def write_greedily(step, state, rows, start_id, end_id, max_length):
    """Take the likeliest token of each step, and let the next step read it.

    Args:
        step: callable from the last tokens `(B,)` and a state, of whatever form, to logits
            `(B, V)` and the state after them.
        state: the state before the first step.
        rows: int. B.
        start_id: int. What the first step reads.
        end_id: int. Token that ends a row.
        max_length: int. Number of steps at most.

    Returns:
        Int32 array `(B, max_length)`; 0 after a row's first `end_id`.
    """
    output = np.zeros((rows, max_length), "int32")
    token = np.full(rows, start_id, "int32")
    finished = np.zeros(rows, bool)
    for t in range(max_length):
        logits, state = step(token, state)
        token = np.where(finished, 0, np.asarray(logits).argmax(-1)).astype("int32")
        output[:, t] = token
        finished |= token == end_id
        if finished.all():
            break
    return output


def exact_match(predicted, targets):
    """Return the fraction of rows in which every token is right, padding included.

    Args:
        predicted: int array `(B, T)`.
        targets: int array `(B, T)`. Id 0 is padding.
    """
    return float(np.mean((np.asarray(predicted) == np.asarray(targets)).all(axis=-1)))
