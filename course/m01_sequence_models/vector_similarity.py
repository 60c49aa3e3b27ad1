"""What word vectors know: neighbours and analogies.

    cos(u, v) = u · v / (|u| |v|)
    a : b = c : ?    argmax_d cos(d, b - a + c)      (3CosAdd, vectors of length 1)

Axes: V vocabulary size, D embedding size, Q questions, k answers.
"""

import numpy as np


def normalize(vectors):
    """Scale each vector to length 1; a vector of zeros stays.

    Args:
        vectors: float array `(..., D)`.

    Returns:
        Float array `(..., D)`.
    """
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length == 0, 1, length)


def cosine_similarity(u, v):
    """Return the cosine of the angle between vectors.

    Args:
        u: float array `(..., D)`.
        v: float array `(..., D)`, broadcast against `u`.

    Returns:
        Float array `(...)`, from -1 to 1; 0 where a vector is 0.
    """
    return np.sum(normalize(u) * normalize(v), axis=-1)


def nearest_neighbors(vectors, ids, k=5, exclude=(0,)):
    """Return the words whose vectors point most nearly where a word's does.

    Args:
        vectors: float array `(V, D)`.
        ids: int array `(Q,)`, the words asked for.
        k: int. Number of neighbours.
        exclude: ids that are no answer, besides the word itself.

    Returns:
        `neighbors`, int `(Q, k)`, the nearest first, and their `similarities`, float.
    """
    unit, ids = normalize(vectors), np.asarray(ids)
    return best(unit[ids] @ unit.T, ids[:, None], k, exclude)


def analogy(vectors, a, b, c, k=1, exclude=(0,)):
    """Answer "a is to b as c is to what?" by 3CosAdd.

    The three words of the question are no answer (Mikolov et al., 2013,
    https://arxiv.org/abs/1301.3781, section 4): without this rule the answer is
    often b or c itself.

    Args:
        vectors: float array `(V, D)`.
        a: int array `(Q,)`.
        b: int array `(Q,)`.
        c: int array `(Q,)`.
        k: int. Number of answers.
        exclude: more ids that are no answer.

    Returns:
        `answers`, int `(Q, k)`, the best first, and their `similarities`, float.
    """
    unit = normalize(vectors)
    asked = np.stack([a, b, c], axis=-1)  # (Q, 3)
    target = normalize(unit[asked[:, 1]] - unit[asked[:, 0]] + unit[asked[:, 2]])  # (Q, D)
    return best(target @ unit.T, asked, k, exclude)


def best(scores, own, k, exclude):
    """Return the ids of the k largest scores of each row, and these scores.

    Args:
        scores: float array `(Q, V)`, overwritten.
        own: int array `(Q, A)`, ids that are no answer to their row.
        k: int.
        exclude: ids that are no answer to any row.
    """
    np.put_along_axis(scores, own, -np.inf, axis=1)
    scores[:, list(exclude)] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]  # (Q, k)
    return order, np.take_along_axis(scores, order, axis=1)
