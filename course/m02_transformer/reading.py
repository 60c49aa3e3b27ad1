"""Figures, tables and numbers of the reading, computed by the package itself.

`autograder/build/reading.py` calls these functions by name when the reading is built.
"""

from functools import cache

import keras
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from course import plot
from course.m02_transformer import (
    CONFIGURATIONS,
    TransformerEncoder,
    alibi_bias,
    attention_scores,
    build_transformer,
    decoder_mask,
    masked_softmax,
    padding_mask,
    rotate,
    scaled_dot_product_attention,
    sinusoidal_encoding,
)

BASE = CONFIGURATIONS["base"]
VOCABULARY = 37_000  # the size that the paper states for English-German
WORDS = ["the", "animal", "was", "tired"]
QUERY = np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 1.0], [1.0, 2.0]], "float32")
KEY = np.array([[0.0, 0.5], [2.0, 0.0], [0.5, 0.5], [1.0, 2.0]], "float32")
VALUE = np.array([[0.0, 1.0], [4.0, 0.0], [1.0, 1.0], [0.0, 3.0]], "float32")


def _numpy(tensor):
    return ops.convert_to_numpy(tensor)


def _row(vector):
    return ", ".join(f"{number:.2f}" for number in vector)


def value_worked_scores():
    """Scores of the query of "animal" with the four keys."""
    return _row(_numpy(attention_scores(QUERY, KEY))[1])


def value_worked_weights():
    """Weights of the same query."""
    return _row(_numpy(scaled_dot_product_attention(QUERY, KEY, VALUE)[1])[1])


def value_worked_output():
    """Output at "animal"."""
    return _row(_numpy(scaled_dot_product_attention(QUERY, KEY, VALUE)[0])[1])


def figure_worked_example():
    """Weights of the worked example, without a mask and with a causal one."""
    figure = Figure(figsize=(8.4, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    causal = np.tri(4, dtype=bool)
    for axis, mask, title in ((left, None, "every token"), (right, causal, "causal")):
        weights = _numpy(scaled_dot_product_attention(QUERY, KEY, VALUE, mask)[1])
        plot.heat_map(weights, WORDS, WORDS, f"May attend: {title}", axis, high=1)
    return figure


def _largest_weight(size, scaled):
    """Mean over 2,000 queries of the largest of 16 weights, unit-variance inputs."""
    rng = np.random.default_rng(size)
    query = rng.normal(size=(2000, 1, size)).astype("float32")
    key = rng.normal(size=(2000, 16, size)).astype("float32")
    scores = attention_scores(query, key) * (1.0 if scaled else size**0.5)
    return float(_numpy(masked_softmax(scores)).max(-1).mean())


def value_unscaled_512():
    """Largest weight without the scaling at d = 512."""
    return f"{_largest_weight(512, scaled=False):.2f}"


def value_scaled_512():
    """Largest weight with the scaling at d = 512."""
    return f"{_largest_weight(512, scaled=True):.2f}"


def figure_saturation():
    """How the largest weight grows with d, with and without the scaling."""
    sizes = [2**i for i in range(1, 11)]
    with plot.style():
        figure = Figure(figsize=(5.4, 3.2), layout="constrained")
        axis = figure.subplots()
        for scaled, label in ((False, "unscaled"), (True, "divided by √d")):
            axis.plot(sizes, [_largest_weight(d, scaled) for d in sizes], label=label)
        axis.axhline(1 / 16, color="grey", linewidth=1, linestyle=":", label="uniform, 1/16")
        axis.set(xscale="log", xlabel="size d of query and key", ylabel="largest of 16 weights")
        axis.set_ylim(0, 1)
        axis.legend(frameon=False)
    return figure


def figure_masks():
    """The three masks of an encoder-decoder, for one padded sentence."""
    source = np.array([[5, 7, 4, 3, 0, 0]])
    target = np.array([[1, 8, 6, 2, 0]])
    hides_source = np.asarray(padding_mask(source))[:, None]
    masks = {
        "encoder: padding": np.broadcast_to(hides_source, (1, 6, 6))[0],
        "decoder: causal, padding": _numpy(decoder_mask(target))[0],
        "cross: padding of the source": np.broadcast_to(hides_source, (1, 5, 6))[0],
    }
    figure = Figure(figsize=(8.6, 2.9), layout="constrained")
    for axis, (title, mask) in zip(figure.subplots(1, 3), masks.items(), strict=True):
        axis.pcolormesh(mask, cmap="cividis", vmin=0, vmax=1, edgecolors="white", linewidth=1)
        axis.invert_yaxis()
        axis.set(title=title, xlabel="key", ylabel="query", aspect="equal")
        axis.set_xticks(np.arange(mask.shape[1]) + 0.5, range(mask.shape[1]))
        axis.set_yticks(np.arange(mask.shape[0]) + 0.5, range(mask.shape[0]))
        axis.title.set_size(10)
    return figure


def figure_sinusoids():
    """The sinusoidal table, and the product of two encodings by their distance."""
    table = _numpy(sinusoidal_encoding(128, 64))
    with plot.style():
        figure = Figure(figsize=(8.4, 3.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        mesh = left.pcolormesh(table.T, cmap="cividis", rasterized=True)
        left.set(title="sinusoidal_encoding(128, 64)", xlabel="position", ylabel="feature")
        figure.colorbar(mesh, ax=left)
        for start in (20, 60):
            products = table[start:] @ table[start]
            dashes = "-" if start == 20 else "--"
            right.plot(range(0, 60, 3), products[:60:3], dashes, label=f"from position {start}")
        right.set(title="Product of two encodings", xlabel="distance", ylabel="dot product")
        right.legend(frameon=False)
    return figure


def _rotary_curve(size, distances):
    """Score of one vector with itself, `distances` apart, averaged over 256 random vectors."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, 256, 1, size)).astype("float32")
    query = _numpy(rotate(x, np.array([0])))
    keys = [_numpy(rotate(x, np.array([d]))) for d in distances]
    return [float((query * key).sum(-1).mean()) / size for key in keys]


def figure_distance():
    """What rotary and ALiBi do to a score as the distance grows."""
    distances = np.arange(0, 65, 4)
    bias = _numpy(alibi_bias(8, 65))
    with plot.style():
        figure = Figure(figsize=(8.4, 3.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        for size in (16, 64):
            left.plot(distances, _rotary_curve(size, distances), label=f"H = {size}")
        left.set(title="Rotary: a vector with itself", xlabel="distance", ylabel="product / H")
        for head in (0, 2, 4, 7):
            right.plot(distances, bias[head, 0, distances], label=f"head {head + 1} of 8")
        right.set(title="ALiBi: added to the score", xlabel="distance", ylabel="bias")
        for axis in (left, right):
            axis.legend(frameon=False)
    return figure


def value_rotary_gap():
    """A bound on how much a rotated score changes when both positions move by 100."""
    rng = np.random.default_rng(1)
    query, key = rng.normal(size=(2, 1, 1, 1, 64)).astype("float32")
    scores = [
        float(_numpy(attention_scores(rotate(query, [t + 7]), rotate(key, [t]))).item())
        for t in (0, 100)
    ]
    return next(text for text in ("1e-5", "1e-4") if abs(scores[0] - scores[1]) < float(text))


@cache
def _last_gradient(pre_norm, depth, width=64, seeds=2):
    """Norm of the loss's gradient in the last feed-forward network, untrained, mean over seeds."""
    import tensorflow as tf

    x = np.random.default_rng(0).normal(size=(8, 12, width)).astype("float32")
    labels = np.random.default_rng(1).integers(0, 10, size=(8, 12))
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    norms = []
    for seed in range(seeds):
        keras.utils.set_random_seed(seed)
        stack = TransformerEncoder(depth, 4 * width, 4, pre_norm=pre_norm)
        head = keras.layers.Dense(10)
        stack(x)
        with tf.GradientTape() as tape:
            loss = cross_entropy(labels, head(stack(x)))
        kernel = stack.layers[-1].feed_forward.trainable_weights[0]
        norms.append(float(tf.norm(tape.gradient(loss, kernel.value))))
    return float(np.mean(norms))


DEPTHS = (2, 4, 8, 16)


def figure_gradients():
    """Gradient norm of the last layer against the depth of the stack."""
    with plot.style():
        figure = Figure(figsize=(5.4, 3.2), layout="constrained")
        axis = figure.subplots()
        for pre_norm, label in ((False, "post-norm"), (True, "pre-norm")):
            axis.plot(DEPTHS, [_last_gradient(pre_norm, depth) for depth in DEPTHS], label=label)
        axis.set(xscale="log", xlabel="layers in the stack", ylabel="gradient norm, last layer")
        axis.set_xticks(DEPTHS, DEPTHS)
        axis.minorticks_off()
        axis.set_ylim(bottom=0)
        axis.legend(frameon=False)
    return figure


def value_post_norm_ratio():
    """Gradient of the last layer at 16 layers over that at 2, post-norm."""
    return f"{_last_gradient(False, 16) / _last_gradient(False, 2):.1f}"


def value_pre_norm_ratio():
    """Gradient of the last layer at 16 layers over that at 2, pre-norm."""
    return f"{_last_gradient(True, 16) / _last_gradient(True, 2):.1f}"


def _count(module):
    return sum(int(np.prod(weight.shape)) for weight in module.trainable_weights)


def _base_model():
    """Return the base transformer of the paper; its weights are made but never used."""
    return build_transformer(VOCABULARY, **BASE)


def table_parameters():
    """Parameters of the base model, part by part, counted on the built model."""
    model = _base_model()
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    embedding = _count(model.get_layer("embedding"))
    rows = [
        ("encoder, 6 layers", _count(encoder)),
        ("decoder, 6 layers", _count(decoder)),
        ("one embedding matrix, shared three ways", embedding),
        ("sum", _count(model)),
    ]
    lines = ["| part | parameters |", "|---|---:|"]
    return "\n".join(lines + [f"| {name} | {count:,} |" for name, count in rows])


def table_costs():
    """Operations of one layer, forward, for one sequence, by the formulas of the text."""
    width = BASE["hidden_dim"]
    lines = [
        "| length T | recurrent layer, steps in a row | self-attention, steps in a row | "
        "projections, GFLOP | scores and mixing, GFLOP |",
        "|---:|---:|---:|---:|---:|",
    ]
    for length in (128, 512, 2048, 8192):
        projections = 2 * 4 * length * width**2 / 1e9
        mixing = 2 * 2 * length**2 * width / 1e9
        lines.append(f"| {length:,} | {length:,} | 1 | {projections:.2f} | {mixing:.2f} |")
    return "\n".join(lines)
