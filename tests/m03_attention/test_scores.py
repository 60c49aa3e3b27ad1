"""Score functions and their layers: values on paper, parity with Keras, masks, errors."""

import inspect

import keras
import numpy as np
import pytest

from course import m03_attention as m03
from tests.contract import close, fill, numpy
from tests.m03_attention import oracles

B, T, S, Q, K, U = 2, 5, 7, 11, 13, 17
rng = np.random.default_rng(0)


def normal(*shape):
    return rng.normal(size=shape).astype("float32")


query, keys, values = normal(B, T, Q), normal(B, S, K), normal(B, S, 3)
padding = np.arange(S) < np.array([[4], [7]])  # (B, S)


def test_additive_score_on_paper():
    """W q = 1, U k = -1 and 1: 2 tanh(0) = 0 and 2 tanh(2)."""
    one = np.array([[1.0]])
    got = m03.additive_score(one, np.array([[-0.5], [0.5]]), one, 2 * one, np.array([2.0]))
    close(numpy(got), [[0.0, 2 * np.tanh(2)]])


def test_products_on_paper():
    """(1, 2, 2, 0) · (3, 1, 1, 5) = 7, over sqrt(4) = 3.5; with W = 3 I it is 21."""
    q, k = np.array([[1.0, 2, 2, 0]]), np.array([[3.0, 1, 1, 5]])
    close(numpy(m03.dot_score(q, k)), [[7.0]])
    close(numpy(m03.scaled_dot_score(q, k)), [[3.5]])
    close(numpy(m03.general_score(q, k, 3 * np.eye(4))), [[21.0]])


def test_general_score_takes_the_query_from_the_left():
    """q W k with W = [[0, 1], [0, 0]] is q_1 k_2, not q_2 k_1."""
    kernel = np.array([[0.0, 1], [0, 0]])
    close(numpy(m03.general_score(np.array([[2.0, 5]]), np.array([[7.0, 3]]), kernel)), [[6.0]])


def test_concat_score_equals_a_real_concatenation():
    """Each pair concatenated, in float64."""
    kernel, v = normal(Q + K, U), normal(U)
    got = m03.concat_score(query, keys, kernel, v)
    close(numpy(got), oracles.concat({"kernel": kernel, "v": v}, query, keys))


def test_scores_keep_every_leading_axis():
    """Batch and heads stay where they are."""
    w, u, v = normal(Q, U), normal(K, U), normal(U)
    got = m03.additive_score(query[:, None], keys[:, None], w, u, v)  # (B, 1, T, S)
    close(numpy(got)[:, 0], oracles.additive({"query": w, "key": u, "v": v}, query, keys))


def test_the_family_has_one_signature():
    """Any layer fits where another does."""
    calls = {str(inspect.signature(x.call)) for x in (m03.AdditiveAttention, m03.LuongAttention)}
    assert calls == {"(self, query, values, keys=None, mask=None)"}


LAYERS = {
    "additive": lambda: m03.AdditiveAttention(U),
    "dot": lambda: m03.LuongAttention(),
    "scaled_dot": lambda: m03.LuongAttention("scaled_dot"),
    "general": lambda: m03.LuongAttention("general"),
    "concat": lambda: m03.LuongAttention("concat"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_context_and_weights(name):
    """Both outputs equal the formula, with keys that are not the values, and padding."""
    layer = LAYERS[name]()
    own = keys if name in ("additive", "general", "concat") else normal(B, S, Q)
    layer(query, values, own)
    fill(layer)
    got = layer(query, values, own, mask=padding[:, None])
    weights = {w.name: np.float64(numpy(w.value)) for w in layer.weights}
    expected = oracles.attend(oracles.SCORES[name], weights, query, values, own, padding[:, None])
    for a, b in zip(got, expected, strict=True):
        close(numpy(a), b)
    assert (numpy(got[1])[0, :, 4:] == 0).all()


@pytest.mark.parametrize("name", LAYERS)
def test_a_fully_masked_row_averages_the_values(name):
    """Finite, and no key preferred."""
    layer, own = LAYERS[name](), normal(B, S, Q)
    context, weights = layer(query, values, own, mask=np.zeros((B, 1, S), bool))
    close(numpy(weights), np.full((B, T, S), 1 / S))
    close(numpy(context), np.repeat(values.mean(1, keepdims=True), T, 1))


def test_keys_default_to_the_values():
    layer = m03.AdditiveAttention(U)
    close(numpy(layer(query, keys)[0]), numpy(layer(query, keys, keys)[0]), 0.0)


def test_matches_keras_additive_attention():
    """Keras has no W and no U: ours with the identity."""
    theirs = keras.layers.AdditiveAttention()
    own, mask = normal(B, S, Q), padding
    expected = theirs([query, values, own], mask=[None, mask], return_attention_scores=True)
    ours = m03.AdditiveAttention(Q)
    ours(query, values, own)
    ours.set_weights([np.eye(Q), np.eye(Q), numpy(theirs.scale.value)])
    for a, b in zip(ours(query, values, own, mask[:, None]), expected, strict=True):
        close(numpy(a), numpy(b))


def test_matches_keras_dot_attention():
    theirs, ours = keras.layers.Attention(), m03.LuongAttention("dot")
    own, mask = normal(B, S, Q), padding
    expected = theirs([query, values, own], mask=[None, mask], return_attention_scores=True)
    for a, b in zip(ours(query, values, own, mask[:, None]), expected, strict=True):
        close(numpy(a), numpy(b))


def test_keras_concat_is_our_concat_of_two_identities():
    """Keras adds query and key: W = [I; I], v = 1."""
    theirs, ours = keras.layers.Attention(score_mode="concat"), m03.LuongAttention("concat")
    own = normal(B, S, Q)
    ours(query, values, own)
    theirs([query, values, own])
    theirs.concat_score_weight.assign(1.0)
    ours.set_weights([np.concatenate([np.eye(Q), np.eye(Q)]), np.ones(Q)])
    close(numpy(ours(query, values, own)[0]), numpy(theirs([query, values, own])))


def test_an_unknown_score_is_named():
    with pytest.raises(ValueError, match="`score` must be one of: dot, .*score='product'"):
        m03.LuongAttention("product")


@pytest.mark.parametrize("score", ["dot", "scaled_dot"])
def test_products_need_equal_widths(score):
    with pytest.raises(ValueError, match="query width=11, key width=13"):
        m03.LuongAttention(score)(query, keys)
