"""Look-up and induction with weights set by hand: exact on random sequences."""

import numpy as np
import pytest

from course import m03_attention as m03
from tests.contract import close, numpy

B, K, V, S, T = 53, 13, 17, 7, 5
rng = np.random.default_rng(0)


def questions():
    """Keys that differ within a row, values that need not, and questions."""
    keys = np.stack([rng.permutation(K)[:S] for _ in range(B)])
    values = rng.integers(0, V, (B, S))
    asked = rng.integers(0, S, (B, T))
    return keys, values, asked


def test_look_up_is_exact():
    """53 × 5 questions, all answered, and at least 1 - 7 e^-20 of the weight on the pair."""
    keys, values, asked = questions()
    output, weights = m03.lookup(np.take_along_axis(keys, asked, 1), keys, values, K, V)
    right = np.take_along_axis(values, asked, 1)
    assert (numpy(output).argmax(-1) == right).all()
    np.testing.assert_array_equal(numpy(weights).argmax(-1), asked)
    assert numpy(weights).max(-1).min() > 1 - 7 * np.exp(-20) - 1e-6


def test_scores_of_the_look_up_are_the_sharpness_or_nothing():
    """q · k / sqrt(d) is 3 where the keys agree: weight e³ / (e³ + 6)."""
    keys, values, asked = questions()
    question = np.take_along_axis(keys, asked, 1)
    _, weights = m03.lookup(question, keys, values, K, V, sharpness=3.0)
    close(numpy(weights).max(-1), np.full((B, T), np.exp(3) / (np.exp(3) + 6)))


def test_look_up_weights_read_their_own_half():
    """The key's kernel ignores values and the value's kernel ignores keys."""
    query_kernel, key_kernel, value_kernel = m03.lookup_weights(K, V)
    assert query_kernel.shape == (K, K)
    assert (key_kernel[K:] == 0).all()
    assert (value_kernel[:K] == 0).all()
    np.testing.assert_array_equal(key_kernel[:K], np.eye(K))
    np.testing.assert_array_equal(value_kernel[K:], np.eye(V))


def repeated(length, vocabulary_size=23):
    """Start, a random row of different tokens, and the row again."""
    rows = [rng.permutation(np.arange(1, vocabulary_size))[:length] for _ in range(B)]
    return np.array([[0, *row, *row] for row in rows])


@pytest.fixture(scope="module")
def heads():
    return m03.build_induction_heads(23, max_length=23)


def test_induction_is_exact(heads):
    """53 rows of 11 tokens, twice: each token of the second half but the last is followed right."""
    ids = repeated(11)
    output = numpy(heads(ids))
    assert (output[:, 12:-1].argmax(-1) == ids[:, 13:]).all()
    assert output[:, 12:-1].max(-1).min() > 0.999


def test_each_layer_does_its_part(heads):
    """Layer 1 looks one place back; layer 2 at what followed the token, else at the start."""
    ids = repeated(11)
    first, second = (x[:, 0] for x in m03.attention_maps(heads, ids).values())  # (B, T, T)
    places = np.arange(23)
    np.testing.assert_array_equal(first.argmax(-1), np.tile([0, *places[:-1]], (B, 1)))
    expected = np.where(places < 12, 0, places - 10)
    np.testing.assert_array_equal(second.argmax(-1), np.tile(expected, (B, 1)))
    assert first.max(-1).min() > 0.999
    assert second.max(-1).min() > 0.999


def test_one_layer_alone_cannot_do_it(heads):
    """Without layer 1 nothing is written to read: every row rests on the start."""
    ids = repeated(11)
    with m03.head_masks(heads, {"layer_1": np.zeros(1)}):
        output = numpy(heads(ids))
    assert (output[:, 12:-1].argmax(-1) == 0).all()


def test_the_second_layer_reads_only_what_the_first_wrote():
    """Query and key of layer 2 use the parts `token` and `previous`, plus the resting place."""
    first, second = m03.induction_head_weights(5, max_length=7)
    used = {name: np.flatnonzero(second[name].any(1)) for name in second}
    np.testing.assert_array_equal(used["query"], np.arange(7, 12))
    np.testing.assert_array_equal(used["key"], [7, *range(12, 17)])
    np.testing.assert_array_equal(used["value"], np.arange(7, 12))
    np.testing.assert_array_equal(np.flatnonzero(first["attention_output"].any(0)), range(12, 17))
    np.testing.assert_array_equal(np.flatnonzero(second["attention_output"].any(0)), range(17, 22))
