"""The decoder as arrays writes what the model writes."""

import numpy as np

from course import m01_sequence_models as m01
from course.m01_sequence_models.decoder_arrays import (
    decode_greedily,
    decoder_step,
    decoder_weights,
)
from tests.contract import close, fill, numpy

V, U, E, H = 11, 13, 17, 19
source = np.array([[3, 4, 5, 6, 7], [8, 9, 10, 0, 0], [5, 0, 0, 0, 0]], "int32")


def made():
    model = m01.build_seq2seq(V, E, H, target_vocabulary_size=U)
    fill(model, seed=3)
    return model, *m01.build_step_models(model)


def test_a_step_is_the_model_s_step():
    model, encoder, step = made()
    state, token = numpy(encoder(source)), np.array([1, 4, 12])
    logits, new_state = decoder_step(decoder_weights(model), token, state)
    expected, expected_state = step([token, state])
    close(numpy(logits), numpy(expected), 1e-6)
    close(numpy(new_state), numpy(expected_state), 1e-6)


def test_decoding_agrees_with_the_step_models():
    """With each id as END in turn, of which some stop a row early and some never do."""
    model, encoder, step = made()
    weights, state = decoder_weights(model), numpy(encoder(source))
    ends = set()
    for end in range(1, U):
        written = decode_greedily(weights, state, 1, end, 7)
        np.testing.assert_array_equal(written, m01.greedy_decode(encoder, step, source, 1, end, 7))
        ends.add(int((written == end).any(1).sum()))
    assert len(ends) > 1


def test_nothing_follows_the_end():
    model, encoder, _ = made()
    weights, state = decoder_weights(model), numpy(encoder(source))
    free = decode_greedily(weights, state, 1, -1, 5)
    ended = decode_greedily(weights, state, 1, int(free[0, 1]), 5)
    first = np.argmax(free[0] == free[0, 1])
    np.testing.assert_array_equal(ended[0], [*free[0, : first + 1], *[0] * (4 - first)])
