"""Greedy decoding: take the most likely next token, again and again.

Axes: B batch, S source length.
"""

import keras
import numpy as np


def greedy_decode(model, source_ids, start_id, end_id, max_length):
    """Write a target for each source, one token at a time.

    The target always has `max_length` places, so the model compiles once; the
    causal mask hides the places that are still empty. Every step runs the whole
    model: no cache.

    Args:
        model: `keras.Model`, or any callable, from `[source_ids, target_ids]`
            to logits `(B, max_length, V)`.
        source_ids: int array `(B, S)`. Id 0 is padding.
        start_id: int. First token of the decoder's input.
        end_id: int. Token that ends a target.
        max_length: int. Number of tokens to write at most.

    Returns:
        Int32 array `(B, max_length)` without the start token. After the first
        `end_id` of a row, every id is 0.
    """
    source_ids = np.asarray(source_ids)
    step = getattr(model, "predict_on_batch", model)
    output = np.zeros((len(source_ids), max_length), "int32")
    finished = np.zeros(len(source_ids), bool)
    decoder_input = np.zeros_like(output)
    decoder_input[:, :1] = start_id
    for t in range(max_length):
        logits = keras.ops.convert_to_numpy(step([source_ids, decoder_input]))
        token = np.where(finished, 0, logits[:, t].argmax(-1))
        output[:, t] = token
        decoder_input[:, t + 1 : t + 2] = token[:, None]
        finished |= token == end_id
        if finished.all():
            break
    return output
