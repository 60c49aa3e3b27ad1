"""Co-occurrence counts for GloVe (Pennington et al., 2014, section 4.2).

    X_ij = Σ 1/d over the places where word j stands d words from word i

Axes: N tokens, P pairs of words that occur together.
"""

import numpy as np

from course.m01_sequence_models.skip_gram_data import same_text


def cooccurrences(tokens, window=10):
    """Count the words around each word, both sides, near ones more.

    Args:
        tokens: int array `(N,)`. Id 0 stands between texts: nothing is counted over it.
        window: int. Farthest distance.

    Returns:
        `rows` and `columns`, int32 `(P,)`, and `counts`, float32 `(P,)`, all above 0,
        ordered by row, then column. X is symmetric.
    """
    tokens = np.asarray(tokens, "int64")
    size = int(tokens.max(initial=0)) + 1
    keys, weights = [tokens[:0]], [np.zeros(0)]
    for distance in range(1, window + 1):
        together = same_text(tokens, distance)
        keys.append((tokens[:-distance] * size + tokens[distance:])[together])
        weights.append(np.full(len(keys[-1]), 1.0 / distance))
    keys, counts = add_up(np.concatenate(keys), np.concatenate(weights), size)
    mirrored = keys % size * size + keys // size
    keys, counts = add_up(np.concatenate([keys, mirrored]), np.tile(counts, 2), size)
    return (keys // size).astype("int32"), (keys % size).astype("int32"), counts.astype("float32")


def add_up(keys, weights, size):
    """Return each key once, in order, and the sum of its weights, all above 0.

    Keys are below `size` squared. Where that is little, a table of all pairs is quicker than
    sorting; the sums are the same to the last bit.
    """
    if size**2 <= 8 * len(keys):
        table = np.bincount(keys, weights)
        unique = np.flatnonzero(table)
        return unique, table[unique]
    unique, place = np.unique(keys, return_inverse=True)
    return unique, np.bincount(place, weights, minlength=len(unique))
