"""Figures, tables and numbers of the reading, computed by the package itself.

`autograder/build/reading.py` calls these functions by name when the reading is built.
"""

import math
from functools import cache

import numpy as np
from keras import ops
from matplotlib.figure import Figure

from course import plot
from course.m02_transformer import attend, sinusoidal_encoding
from course.m03_attention import (
    AdditiveAttention,
    AttentionExplorer,
    GroupQueryAttention,
    LuongAttention,
    ablation,
    additive_score,
    attention_rollout,
    build_induction_heads,
    dot_score,
    head_importance,
    lookup,
    online_softmax_step,
    scaled_dot_score,
    score_without,
)
from course.m03_attention.head_importance import gradient

STATE = np.array([[1.0, 0.0]], "float32")  # the query of the worked example
MEMORY = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 0.0]], "float32")  # its three encoder states
WEIGHTS = np.array([[0.5, 0.25, 0.25]], "float32")
VALUES = np.array([[2.0], [6.0], [-4.0]], "float32")
SENTENCE = "the cat saw the dog and the cat ran"
MIB = 2**20


def _numpy(tensor):
    return ops.convert_to_numpy(tensor)


def _row(vector, digits=3):
    return ", ".join(f"{number:.{digits}f}" for number in np.ravel(vector))


def _worked(score):
    """Return scores, weights and context of the worked example by one of two scores."""
    identity, ones = np.eye(2, dtype="float32"), np.ones(2, "float32")
    if score == "additive":
        scores = additive_score(STATE, MEMORY, identity, identity, ones)
    else:
        scores = dot_score(STATE, MEMORY)
    context, weights = attend(scores, MEMORY)
    return _numpy(scores), _numpy(weights), _numpy(context)


def value_additive_scores():
    """Additive scores of the worked example."""
    return _row(_worked("additive")[0])


def value_additive_weights():
    """Their softmax."""
    return _row(_worked("additive")[1])


def value_additive_context():
    """The context by additive attention."""
    return _row(_worked("additive")[2])


def value_dot_weights():
    """The weights of the same example by dot products."""
    return _row(_worked("dot")[1])


def value_dot_context():
    """The context of the same example by dot products."""
    return _row(_worked("dot")[2])


def table_scores():
    """Weights of each score's layer for queries of 256 and keys of 512 numbers."""
    query, keys = np.zeros((1, 2, 256), "float32"), np.zeros((1, 3, 512), "float32")
    layers = {
        "general": ("qᵀ W k", LuongAttention("general"), 0),
        "concat": ("vᵀ tanh(W [q; k])", LuongAttention("concat"), 256),
        "additive": ("vᵀ tanh(W q + U k)", AdditiveAttention(256), 256),
    }
    lines = [
        "| score | formula | parameters | tanh per pair |",
        "|---|---|---:|---:|",
        "| dot | qᵀ k | 0, needs equal widths | 0 |",
        "| scaled dot | qᵀ k / √d | 0, needs equal widths | 0 |",
    ]
    for name, (formula, layer, units) in layers.items():
        layer(query, keys)
        lines.append(f"| {name} | {formula} | {layer.count_params():,} | {units} |")
    return "\n".join(lines)


def figure_costs():
    """Multiplications and largest array of three scores against the length, T = S."""
    lengths = np.array([8, 16, 32, 64, 128, 256, 512])
    pairs, width = lengths**2, 256  # width of queries, keys and the tanh layer alike
    products = {
        "dot": pairs * width,
        "general": pairs * width + lengths * width**2,
        "additive": pairs * width + 2 * lengths * width**2,
    }
    arrays = {"dot, general": pairs, "additive": pairs * width}
    with plot.style():
        figure = Figure(figsize=(8.4, 3.3), layout="constrained")
        left, right = figure.subplots(1, 2)
        for name, numbers in products.items():
            left.plot(lengths, numbers / 1e6, label=name)
        for name, numbers in arrays.items():
            right.plot(lengths, 4 * numbers / MIB, label=name)
        left.set(title="Multiplications", ylabel="million")
        right.set(title="Largest array, float32", ylabel="MiB")
        for axis in (left, right):
            axis.set(xscale="log", yscale="log", xlabel="length of source and target")
            axis.set_xticks(lengths[::2], lengths[::2])
            axis.minorticks_off()
            axis.legend(frameon=False)
    return figure


def _slopes(scores, values):
    """Return the derivative of each row's context with respect to each of its scores."""

    def contexts(arrays):
        return ops.sum(attend(arrays[0], values)[0])

    return gradient(contexts, [scores])[0]


def value_slopes():
    """Derivatives of the worked context with respect to its three scores."""
    return _row(_slopes(np.log(WEIGHTS), VALUES))


def figure_gradient():
    """Largest weight and gradient at the scores as the scores are multiplied."""
    rng = np.random.default_rng(0)
    scores, values = rng.normal(size=(2, 400, 1, 16)).astype("float32")
    values = values.swapaxes(1, 2)  # (400, 16, 1)
    factors = 2.0 ** np.arange(-3, 9)
    weights = [_numpy(attend(np.float32(f) * scores, values)[1]).max(-1).mean() for f in factors]
    slopes = [np.abs(_slopes(np.float32(f) * scores, values)).sum(-1).mean() for f in factors]
    with plot.style():
        figure = Figure(figsize=(5.4, 3.3), layout="constrained")
        axis = figure.subplots()
        axis.plot(factors, weights, label="largest weight")
        axis.plot(factors, slopes, label="gradient at the scores")
        axis.set(xscale="log", xlabel="factor on 16 normal scores", ylabel="mean of 400 draws")
        axis.set_ylim(0, 1.02)
        axis.legend(frameon=False)
    return figure


def value_lookup_weight():
    """Weight of the right pair among 7 with sharpness 5."""
    keys = np.arange(7)[None]
    return f"{_numpy(lookup(keys[:, :1], keys, keys, 7, 7, 5.0)[1])[0, 0, 0]:.3f}"


def figure_hand_made():
    """The explorer's four heads on one sentence, as it shows them where no widget runs."""
    return AttentionExplorer(sentence=SENTENCE).figure()


@cache
def _induction():
    """Return what each layer of the induction head is worth, by gradient and by removal."""
    rng = np.random.default_rng(0)
    rows = [rng.permutation(np.arange(1, 23))[:11] for _ in range(20)]
    ids = np.array([[0, *row, *row] for row in rows])
    model, targets = build_induction_heads(23, 23), ids[:, 13:]

    def loss(targets, outputs):
        right = ops.take_along_axis(outputs[:, 12:-1], targets[..., None], axis=-1)
        return -ops.mean(ops.log(right[..., 0]), axis=-1)

    def accuracy(outputs):
        return (_numpy(outputs)[:, 12:-1].argmax(-1) == targets).mean()

    importance = head_importance(model, ids, targets, loss, normalize=False)
    alone = ablation(model, score_without(model, ids, accuracy))
    return importance, alone, accuracy(model(ids))


def value_induction_accuracy():
    """Share of right predictions with both layers."""
    return f"{_induction()[2]:.2f}"


def table_induction():
    """Importance by gradient, and accuracy without the head."""
    importance, without, _ = _induction()
    lines = ["| head | importance by gradient | accuracy without it |", "|---|---:|---:|"]
    for path, name in (("layer_1", "layer 1: the word before"), ("layer_2", "layer 2: induction")):
        estimate = f"{importance[path][0]:.3f}"
        lines.append(f"| {name} | {estimate} | {without[path][0]:.2f} |")
    return "\n".join(lines)


def _cache(num_layers, num_heads, groups, head_dim, length, size):
    """Return the bytes of a cache of keys and values, by the layer's own projections."""
    layer = GroupQueryAttention(num_heads * head_dim, num_heads, groups)
    return num_layers * (layer.key_dense.units + layer.value_dense.units) * length * size


def table_cache():
    """The cache of a model with 32 layers of 32 heads of size 128, 4,096 tokens, 16 bits."""
    lines = ["| heads of keys and values | cache, one sequence |", "|---|---:|"]
    for groups, name in ((32, "32 (multi-head)"), (8, "8 (grouped)"), (1, "1 (multi-query)")):
        mib = _cache(32, 32, groups, 128, 4096, 2) / MIB
        lines.append(f"| {name} | {mib:,.0f} MiB |")
    return "\n".join(lines)


def figure_memory():
    """Cache of a decoder, and weights of one attention, against the length."""
    lengths = 2 ** np.arange(9, 15)
    with plot.style():
        figure = Figure(figsize=(8.4, 3.3), layout="constrained")
        left, right = figure.subplots(1, 2)
        for groups in (32, 8, 1):
            sizes = [_cache(32, 32, groups, 128, int(n), 2) / MIB for n in lengths]
            left.plot(lengths, sizes, label=f"{groups} of 32 heads")
        left.set(title="Cache of keys and values", ylabel="MiB")
        right.plot(lengths, 4 * 8 * lengths**2 / MIB, label="dense, T × S")
        right.plot(lengths, 4 * 8 * lengths * 128 / MIB, label="blocks of 128 keys")
        right.set(title="Scores that exist at once", ylabel="MiB")
        for axis in (left, right):
            axis.set(xscale="log", yscale="log", xlabel="length")
            axis.set_xticks(lengths[::2], lengths[::2])
            axis.minorticks_off()
            axis.legend(frameon=False)
    return figure


def _blocks():
    """Return (m, l, o) after each of two blocks: scores 1, 3 and 2, 5, values 4, 8 and 6, 10."""
    carry = np.float32([-1e30]), np.float32([0]), np.float32([[0]])
    found = []
    for scores, values in (([1, 3], [4, 8]), ([2, 5], [6, 10])):
        carry = online_softmax_step(*carry, np.float32([scores]), np.float32([values]).T)
        found.append([float(_numpy(part).item()) for part in carry])
    return found


def value_first_block():
    """Running sums after the first block."""
    return "m = {:.0f}, l = {:.3f}, o = {:.3f}".format(*_blocks()[0])


def value_second_block():
    """Running sums after the second block."""
    return "m = {:.0f}, l = {:.3f}, o = {:.3f}".format(*_blocks()[1])


def value_correction():
    """The factor that moves the first sums to the new maximum."""
    (first, *_), (second, *_) = _blocks()
    return f"{math.exp(first - second):.3f}"


def value_blockwise():
    """The output, o / l."""
    return f"{_blocks()[1][2] / _blocks()[1][1]:.3f}"


def _reversal(factor, length, width=32):
    """Weights of a decoder that looks for the mirrored position, set by hand."""
    places = _numpy(sinusoidal_encoding(length, width))
    return _numpy(attend(factor * scaled_dot_score(places[::-1], places), places)[1])


def figure_alignment():
    """Alignments of a word and its reversal, with blunt and with sharp scores."""
    word = "stressed"
    figure = Figure(figsize=(8.4, 3.8), layout="constrained", facecolor="white")
    for axis, factor in zip(figure.subplots(1, 2), (1, 8), strict=True):
        title = "scores as they are" if factor == 1 else f"scores times {factor}"
        plot.alignment(_reversal(factor, len(word)), list(word), list(word[::-1]), title, axis)
    return figure


def figure_rollout():
    """Rollout of the explorer's heads."""
    explorer = AttentionExplorer(sentence=SENTENCE)
    return plot.rollout(attention_rollout(explorer.weights), explorer.tokens)


def value_rollout_direct():
    """Weight of the last "cat" on its earlier follower, in the induction head itself."""
    explorer = AttentionExplorer(sentence=SENTENCE)
    return f"{explorer.weights[1, 0, 8, 3]:.2f}"


def value_rollout_share():
    """What rollout gives to that token."""
    explorer = AttentionExplorer(sentence=SENTENCE)
    return f"{attention_rollout(explorer.weights)[1][8, 3]:.2f}"
