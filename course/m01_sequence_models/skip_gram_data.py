"""Training pairs for word vectors (Mikolov et al., 2013, section 2).

    keep(w) = min(1, sqrt(t / f(w)))        subsampling of frequent words
    noise(w) ∝ count(w)^0.75                where negative words are drawn from

Token ids lie in one long array. Id 0 stands between texts: no pair reaches over it.

Axes: N tokens, P pairs, V vocabulary size.
"""

import numpy as np

SLOTS = 2**20  # of the table from which negative words are drawn


def keep_probabilities(counts, threshold=1e-3):
    """Return with which probability an occurrence of each word is kept.

    The paper takes a threshold of 1e-5 for a billion words; a small corpus needs a
    larger one, or nearly every word is dropped.

    Args:
        counts: int array `(V,)`, occurrences of each word.
        threshold: float. t, the frequency above which words are thinned out.

    Returns:
        Float64 array `(V,)`; 1 for words that do not occur.
    """
    frequency = np.asarray(counts) / np.sum(counts)
    return np.minimum(1.0, np.sqrt(threshold / np.maximum(frequency, 1e-300)))


def noise_probabilities(counts, power=0.75):
    """Return from which distribution negative words are drawn.

    Args:
        counts: int array `(V,)`. A word that does not occur is never drawn.
        power: float. Below 1, rare words are drawn more often than they occur.

    Returns:
        Float64 array `(V,)` of sum 1.
    """
    weights = np.asarray(counts, "float64") ** power
    return weights / weights.sum()


def subsample(tokens, counts, threshold, rng):
    """Drop occurrences of frequent words at random; id 0 stays.

    Args:
        tokens: int array `(N,)`.
        counts: int array `(V,)`.
        threshold: float. See `keep_probabilities`.
        rng: `numpy.random.Generator`.

    Returns:
        Int array, at most N long.
    """
    keep = keep_probabilities(counts, threshold)
    keep[0] = 1.0
    return tokens[rng.random(len(tokens)) < keep[tokens]]


def same_text(tokens, distance):
    """Return where a word and the one `distance` after it stand in the same text.

    Args:
        tokens: int array `(N,)`. Id 0 stands between texts.
        distance: int, at least 1.

    Returns:
        Bool array `(N - distance,)`, empty where the corpus is shorter.
    """
    text = np.cumsum(tokens == 0)
    # A 0 opens a new text, so only the left one can be a 0 of the same text.
    return (text[:-distance] == text[distance:]) & (tokens[:-distance] != 0)


def skip_gram_pairs(tokens, window, rng=None):
    """Pair each word with the words around it.

    Args:
        tokens: int array `(N,)`. Id 0 stands between texts.
        window: int. Farthest distance of a pair.
        rng: optional `numpy.random.Generator`. With it, each centre draws its own
            window from 1 to `window`, so that near words count more. Without it, all
            have `window`.

    Returns:
        `centers` and `contexts`, int arrays `(P,)`, ordered by distance.
    """
    tokens = np.asarray(tokens)
    reach = np.full(len(tokens), window)
    if rng is not None:
        reach = rng.integers(1, window + 1, len(tokens))
    centers, contexts = [tokens[:0]], [tokens[:0]]
    for distance in range(1, window + 1):
        left, right = tokens[:-distance], tokens[distance:]
        together = same_text(tokens, distance)
        forward = together & (reach[:-distance] >= distance)
        backward = together & (reach[distance:] >= distance)
        centers += [left[forward], right[backward]]
        contexts += [right[forward], left[backward]]
    return np.concatenate(centers), np.concatenate(contexts)


def skip_gram_examples(tokens, counts, window, num_negatives, rng):
    """Draw shuffled training examples: a pair, and words that are no pair.

    Args:
        tokens: int array `(N,)`. Id 0 stands between texts.
        counts: int array `(V,)`; `counts[0]` is taken as 0.
        window: int. Farthest distance; each centre draws its own.
        num_negatives: int. K, negative words of a pair.
        rng: `numpy.random.Generator`.

    Returns:
        `centers` int32 `(P,)`, and `contexts` int32 `(P, 1 + K)`, the true context first.
    """
    centers, contexts = skip_gram_pairs(tokens, window, rng)
    order = rng.permutation(len(centers))
    counts = np.array(counts)
    counts[0] = 0
    drawn = np.empty((len(centers), 1 + num_negatives), "int32")  # (P, 1 + K)
    drawn[:, 0] = contexts[order]
    drawn[:, 1:] = draw_noise(noise_probabilities(counts), (len(centers), num_negatives), rng)
    return centers[order].astype("int32"), drawn


def draw_noise(noise, shape, rng):
    """Draw ids from a distribution, in less time than `rng.choice` takes.

    As in the paper's program, a long table holds each id as often as its probability asks:
    here a million times it, rounded up or down at random.

    Args:
        noise: float array `(V,)` of sum 1.
        shape: tuple of int.
        rng: `numpy.random.Generator`.

    Returns:
        Int32 array of that shape.
    """
    ends = np.cumsum(noise)
    quantiles = (np.arange(SLOTS) + rng.random()) / SLOTS
    table = np.searchsorted(ends / ends[-1], quantiles, side="right").astype("int32")
    return table.take(rng.integers(0, SLOTS, shape), mode="clip")
