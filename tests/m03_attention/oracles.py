"""What module 3 must compute, in float64 NumPy; imports neither keras nor course.

`weights` maps the last parts of a weight's path to its values: `{"query": …}`.
"""

import numpy as np

from tests.m02_transformer.oracles import rotate


def softmax(x):
    """Exponentials that add up to one over the last axis."""
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


def sigmoid(x):
    """The logistic function."""
    return 1 / (1 + np.exp(-x))


def pairwise(score, query, keys):
    """Call a score on every pair of a query `(B, T, Q)` and a key `(B, S, K)`."""
    shape = (*query.shape[:2], keys.shape[1])
    scores = [score(query[b, t], keys[b, s]) for b, t, s in np.ndindex(shape)]
    return np.reshape(scores, shape)


def additive(weights, query, keys):
    """The paper's alignment model, pair by pair."""
    w, u, v = weights["query"], weights["key"], weights["v"]
    return pairwise(lambda q, k: v @ np.tanh(w.T @ q + u.T @ k), query, keys)


def dot(weights, query, keys):
    """The plain product."""
    return pairwise(lambda q, k: q @ k, query, keys)


def scaled_dot(weights, query, keys):
    """The product over the root of the width."""
    return pairwise(lambda q, k: q @ k / np.sqrt(len(q)), query, keys)


def general(weights, query, keys):
    """A matrix between query and key."""
    return pairwise(lambda q, k: q @ weights["kernel"] @ k, query, keys)


def concat(weights, query, keys):
    """A tanh layer over query and key, concatenated."""
    kernel, v = weights["kernel"], weights["v"]
    return pairwise(lambda q, k: v @ np.tanh(kernel.T @ np.concatenate([q, k])), query, keys)


SCORES = {
    "additive": additive,
    "dot": dot,
    "scaled_dot": scaled_dot,
    "general": general,
    "concat": concat,
}


def attend(score, weights, query, values, keys=None, mask=None):
    """Context and weights of one layer of the family."""
    scores = score(weights, query, values if keys is None else keys)
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    p = softmax(scores)
    return np.einsum("bts,bsv->btv", p, values), p


def gru(weights, x, state):
    """One step, reset after the product, gates in the order update, reset, candidate."""
    from_x = x @ weights["kernel"] + weights["bias"][0]
    from_state = state @ weights["recurrent_kernel"] + weights["bias"][1]
    (x_z, x_r, x_g), (h_z, h_r, h_g) = np.split(from_x, 3, -1), np.split(from_state, 3, -1)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    return z * state + (1 - z) * np.tanh(x_g + r * h_g)


def decoder(weights, x, memory, state, wiring, score="additive", previous=None, mask=None):
    """A recurrent decoder, step by step; return outputs, weights, the last state."""

    def part(name):
        return {k.removeprefix(f"{name}/"): v for k, v in weights.items() if k.startswith(name)}

    attention, cell = part("attention"), part("cell")
    output = np.zeros_like(state) if previous is None else previous
    mask = None if mask is None else mask[:, None]
    outputs, alignments = [], []
    for t in range(x.shape[1]):
        if wiring == "input_feeding":
            state = gru(cell, np.concatenate([x[:, t], output], -1), state)
        elif wiring == "attend_last":
            state = gru(cell, x[:, t], state)
        context, p = attend(SCORES[score], attention, state[:, None], memory, mask=mask)
        if wiring == "attend_first":
            state = gru(cell, np.concatenate([x[:, t], context[:, 0]], -1), state)
        pair = np.concatenate([context[:, 0], state], -1)
        output = np.tanh(pair @ weights["output/kernel"])
        outputs.append(output)
        alignments.append(p[:, 0])
    return np.stack(outputs, 1), np.stack(alignments, 1), state


def grouped(weights, query, value, num_query_heads, num_key_value_heads, rotary=False):
    """Head n reads keys and values of head n // (N / G)."""

    def dense(name, x):
        return x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    def heads(x, number):
        return np.stack(np.split(x, number, axis=-1), axis=1)

    q = heads(dense("query", query), num_query_heads)
    k = heads(dense("key", value), num_key_value_heads)
    v = heads(dense("value", value), num_key_value_heads)
    if rotary:
        q, k = (rotate(x, np.arange(x.shape[2])) for x in (q, k))
    group = num_query_heads // num_key_value_heads
    mixed = []
    for n in range(num_query_heads):
        scores = q[:, n] @ k[:, n // group].swapaxes(1, 2) / np.sqrt(q.shape[-1])
        mixed.append(softmax(scores) @ v[:, n // group])
    return dense("attention_output", np.concatenate(mixed, -1))
