"""The kernels of an induction head, by the scores that they give."""

import numpy as np

from course.m03_attention import induction_head_weights
from course.m03_attention.induction_kernels import (
    induction_kernels,
    parts,
    previous_token_kernels,
)
from tests.contract import close

V, P, BETA = 5, 7, 3.0
IDS = np.array([0, 3, 1, 4, 3, 1])


def stream():
    """Positions, tokens, and previous tokens as layer 1 writes them; noise in the prediction."""
    at, one_hot = parts(V, P), np.eye(V)
    x = np.zeros((len(IDS), P + 3 * V))
    x[:, at["position"]] = np.eye(P)[: len(IDS)]
    x[:, at["token"]] = one_hot[IDS]
    x[:, at["previous"]] = one_hot[[0, *IDS[:-1]]]
    x[:, at["prediction"]] = np.random.default_rng(0).normal(size=(len(IDS), V))
    return x


def scores(kernels):
    query, key = (stream() @ kernel for kernel in kernels)
    return query @ key.T / np.sqrt(query.shape[-1])


def test_each_place_scores_with_the_place_before_it():
    close(scores(previous_token_kernels(V, P, BETA)), BETA * np.eye(len(IDS), k=-1))


def test_a_token_scores_with_what_followed_it_and_half_with_the_start():
    """Start 3 1 4 3 1: place 4 finds the first 1, place 5 the 4; others rest on the start."""
    found = np.tril(scores(induction_kernels(V, P, BETA)))
    rest = np.zeros((6, 6))
    rest[:, 0] = BETA / 2
    for place, match in ((4, 2), (5, 3)):
        rest[place, match] += BETA
    close(found[1:], rest[1:])


def test_the_head_is_made_of_them():
    first, second = induction_head_weights(V, P, BETA)
    for layer, kernels in ((first, previous_token_kernels), (second, induction_kernels)):
        for name, kernel in zip(("query", "key"), kernels(V, P, BETA), strict=True):
            np.testing.assert_array_equal(layer[name], kernel)
