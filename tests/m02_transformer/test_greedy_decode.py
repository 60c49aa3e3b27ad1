"""Greedy decoding, against models whose next token is known."""

import numpy as np

from course.m02_transformer import build_transformer, greedy_decode
from tests.contract import fill, numpy

V, START, END = 11, 1, 2
source = np.array([[5, 6, 7], [3, 4, 0], [8, 9, 10]])


def counting(inputs):
    """Next token: the last one plus the source's first; the end from 9 on."""
    source, target = (np.asarray(x) for x in inputs)
    following = target + source[:, :1]
    following = np.where(following > 9, END, following)
    return np.eye(V)[following]


def test_each_token_follows_from_the_one_before():
    """Start 1: 1 + 5 = 6, then 11 ends; 1 + 3 = 4, 7, then 10 ends; 1 + 8 = 9, then 17 ends."""
    got = greedy_decode(counting, source, START, END, 5)
    np.testing.assert_array_equal(got, [[6, 2, 0, 0, 0], [4, 7, 2, 0, 0], [9, 2, 0, 0, 0]])
    assert got.dtype.kind == "i"


def test_a_row_may_never_end():
    """The first `max_length` tokens, without an end."""
    got = greedy_decode(counting, source, START, END, 2)
    np.testing.assert_array_equal(got, [[6, 2], [4, 7], [9, 2]])


def test_it_stops_when_every_row_has_ended():
    """No call after the last end."""
    calls = []
    greedy_decode(lambda x: calls.append(1) or counting(x), source, START, END, 97)
    assert len(calls) == 3


def test_transformer_equals_step_by_step_prefixes():
    """The same tokens as growing the target one by one without empty places."""
    model = build_transformer(V, 14, 13, 1, 7)
    fill(model, seed=3)
    got = greedy_decode(model, source, START, END, 5)
    for row, ids in enumerate(source):
        target = [START]
        while len(target) <= 5 and target[-1] != END:
            logits = numpy(model([ids[None], np.array([target])]))
            target.append(int(logits[0, -1].argmax()))
        written = target[1:]
        np.testing.assert_array_equal(got[row], written + [0] * (5 - len(written)))
