"""Training pairs, negative words and co-occurrence counts, by hand and by plain loops."""

import collections

import numpy as np
import pytest

from course import m01_sequence_models as m01
from course.m01_sequence_models.cooccurrences import add_up
from course.m01_sequence_models.skip_gram_data import draw_noise

V, N = 11, 211
rng = np.random.default_rng(0)
tokens = rng.integers(0, V, N)


def pairs_by_loop(ids, window):
    """Every pair of one text, by two loops."""
    pairs = collections.Counter()
    for i, center in enumerate(ids):
        for j in range(max(0, i - window), min(len(ids), i + window + 1)):
            if i != j and center and ids[j] and 0 not in ids[min(i, j) : max(i, j)]:
                pairs[int(center), int(ids[j])] += 1
    return pairs


def test_pairs_by_hand():
    """Texts 5 6 7 and 8 9, window 1."""
    centers, contexts = m01.skip_gram_pairs(np.array([5, 6, 7, 0, 8, 9]), 1)
    pairs = sorted(zip(centers.tolist(), contexts.tolist(), strict=True))
    assert pairs == [(5, 6), (6, 5), (6, 7), (7, 6), (8, 9), (9, 8)]


@pytest.mark.parametrize("window", [1, 3, 300])
def test_pairs_equal_the_loop(window):
    centers, contexts = m01.skip_gram_pairs(tokens, window)
    got = collections.Counter(zip(centers.tolist(), contexts.tolist(), strict=True))
    assert got == pairs_by_loop(tokens, window)


def test_drawn_windows_make_near_words_more_frequent():
    """Of window 4, distance d survives with probability (5 - d)/4."""
    line = np.arange(1, 4002)
    centers, contexts = m01.skip_gram_pairs(line, 4, np.random.default_rng(1))
    distance = np.bincount(np.abs(centers - contexts), minlength=5)[1:]
    np.testing.assert_allclose(distance / (2 * 4000), [1, 0.75, 0.5, 0.25], atol=0.02)
    drawn = collections.Counter(zip(centers.tolist(), contexts.tolist(), strict=True))
    assert not drawn - pairs_by_loop(line, 4)


def test_keep_probabilities_by_hand():
    """Frequencies 0, 0.64, 0.32, 0.04 and t = 0.04: 1, √(1/16), √(1/8), 1."""
    got = m01.keep_probabilities([0, 64, 32, 4], threshold=0.04)
    np.testing.assert_allclose(got, [1, 0.25, np.sqrt(0.125), 1], rtol=1e-12)


def test_subsample_keeps_the_share_and_every_zero():
    ids = np.tile([0, 1, 1, 1, 1, 2], 5000)
    counts = np.array([0, 20_000, 5000])
    got = np.bincount(m01.subsample(ids, counts, 0.05, rng))
    assert got[0] == 5000
    np.testing.assert_allclose(got[1:] / counts[1:], [0.25, 0.5], atol=0.02)


def test_noise_probabilities_by_hand():
    """16^0.75 = 8 and 81^0.75 = 27."""
    np.testing.assert_allclose(m01.noise_probabilities([0, 16, 81]), [0, 8 / 35, 27 / 35])
    np.testing.assert_allclose(m01.noise_probabilities([0, 16, 84], power=1), [0, 0.16, 0.84])


def test_examples_hold_pairs_and_noise():
    """Column 0 has the pairs; the rest follows the noise, without padding."""
    ids = np.array([1, 2, 0, 3, 4, 0] * 800)
    counts = np.array([999, 800, 800, 800, 8 * 800])
    centers, contexts = m01.skip_gram_examples(ids, counts, 1, 5, np.random.default_rng(2))
    assert contexts.shape == (3200, 6)
    assert centers.dtype == contexts.dtype == np.int32
    pairs = collections.Counter(zip(centers.tolist(), contexts[:, 0].tolist(), strict=True))
    assert pairs == {(1, 2): 800, (2, 1): 800, (3, 4): 800, (4, 3): 800}
    share = np.bincount(contexts[:, 1:].ravel(), minlength=5) / contexts[:, 1:].size
    np.testing.assert_allclose(share, m01.noise_probabilities([0, 1, 1, 1, 8]), atol=0.02)
    assert (np.diff(centers) != 0).mean() > 0.5  # shuffled


def test_noise_is_drawn_by_its_probabilities():
    """Within four standard deviations of 0.8 and 0.2, and never a word of probability 0."""
    drawn = draw_noise(np.array([0, 0.8, 0, 0.2, 0]), (100, 500), np.random.default_rng(3))
    assert (drawn.shape, drawn.dtype) == ((100, 500), np.int32)
    share = np.bincount(drawn.ravel(), minlength=5) / drawn.size
    np.testing.assert_array_equal(share[[0, 2, 4]], 0)
    np.testing.assert_allclose(share[1], 0.8, atol=4 * np.sqrt(0.8 * 0.2 / drawn.size))


def test_cooccurrences_by_hand():
    """Text 1 2 1, window 2: X_12 = 1 + 1, X_11 = 2 · 1/2."""
    rows, columns, counts = m01.cooccurrences(np.array([1, 2, 1, 0, 3]), window=2)
    np.testing.assert_array_equal(rows, [1, 1, 2])
    np.testing.assert_array_equal(columns, [1, 2, 1])
    np.testing.assert_allclose(counts, [1, 2, 2])


def test_cooccurrences_equal_the_loop_and_are_symmetric():
    expected = collections.defaultdict(float)
    for window in range(1, 6):  # pairs of distance d are in windows d to 5
        for pair, n in (pairs_by_loop(tokens, window) - pairs_by_loop(tokens, window - 1)).items():
            expected[pair] += n / window
    rows, columns, counts = m01.cooccurrences(tokens, window=5)
    got = dict(zip(zip(rows.tolist(), columns.tolist(), strict=True), counts, strict=True))
    assert got.keys() == expected.keys()
    for pair, count in expected.items():
        np.testing.assert_allclose(got[pair], count, rtol=1e-6)
        assert got[pair[::-1]] == got[pair]


def test_a_table_and_sorting_add_up_alike():
    """Few words go through a table of all pairs, many through sorting: equal to the last bit."""
    keys, weights = rng.integers(0, V**2, 1000), rng.random(1000)
    table, sorted_ = add_up(keys, weights, V), add_up(keys, weights, 10**6)
    for one, other in zip(table, sorted_, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(np.unique(keys)) == len(table[0]) < len(keys)


def test_cooccurrences_of_nothing():
    for ids in ([], [0, 0], [3]):
        assert [len(part) for part in m01.cooccurrences(np.array(ids, int))] == [0, 0, 0]
