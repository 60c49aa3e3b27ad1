"""Figures, tables and numbers of the reading, computed by the package itself.

`autograder/build/reading.py` calls these functions by name when the reading is built.
"""

from functools import cache

import keras
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from course import plot
from course.data import english_corpus
from course.m01_sequence_models import (
    GRUCell,
    LSTMCell,
    NGramModel,
    SimpleRNNCell,
    Vocabulary,
    character_ngrams,
    cooccurrences,
    cosine_similarity,
    glove_weight,
    gradient_by_distance,
    lstm_step,
    masked_cross_entropy,
    skip_gram_loss,
    standardize,
    teacher_forcing,
    tokenize,
)

ORDERS = (1, 2, 3, 4, 5)
SIZES = {100_000: "100 kB", 500_000: "500 kB"}


def value_bigram():
    """Probability of "book" after "a" in the four texts of the example."""
    texts = ("we read a book", "we read a map", "they wrote a book", "we wrote a letter")
    model = NGramModel(order=2, k=0.5).fit(text.split() for text in texts)
    return f"{model.probability('book', ['a']):.3f}"


@cache
def _vocabulary():
    """The words of the largest text: models are compared on one vocabulary."""
    texts, _ = english_corpus.load("train", size=max(SIZES), prose=False)
    return {word for text in texts for word in tokenize(text)}


@cache
def _perplexities(size):
    """Perplexity of each order on 150 passages that were counted and on 150 new ones."""
    sizes = {"train": size, "test": 20_000}
    splits = [english_corpus.load(name, size=n, prose=False)[0] for name, n in sizes.items()]
    known, new = ([tokenize(text) for text in passages] for passages in splits)
    models = [NGramModel(order, k=0.01).fit(known) for order in ORDERS]
    for model in models:
        model.vocabulary.update(_vocabulary())
    return [[model.perplexity(texts[:150]) for model in models] for texts in (known, new)]


def figure_ngrams():
    """Perplexity against the order of the model, on counted and on new text."""
    with plot.style():
        figure = Figure(figsize=(5.8, 3.4), layout="constrained")
        axis = figure.subplots()
        for size, label in SIZES.items():
            known, new = _perplexities(size)
            (line,) = axis.plot(ORDERS, new, label=f"new text, {label} counted")
            axis.plot(ORDERS, known, "--", color=line.get_color(), label=f"the {label} itself")
        axis.set(yscale="log", xlabel="order n of the model", ylabel="perplexity")
        axis.set_xticks(ORDERS)
        axis.legend(frameon=False, fontsize=8)
    return figure


def value_best_order():
    """The order that is best on new text, and its perplexity, for each size."""
    told = []
    for size, label in SIZES.items():
        new = _perplexities(size)[1]
        told.append(f"{min(new):.0f} at n = {ORDERS[int(np.argmin(new))]} after {label}")
    return " and ".join(told)


def value_fifth_order():
    """Perplexity of n = 5 after 500 kB, on the counted text and on new text."""
    known, new = _perplexities(500_000)
    return f"{known[-1]:.0f} on the text that was counted and {new[-1]:,.0f} on new text"


def value_standardized():
    """A standardised text."""
    return f"`{standardize('The “Grand Hotel” isn’t grand: 3.5 of 10 points!')}`"


@cache
def _approximation(units=40):
    """Return x, sin x, and what a fitted network with one hidden layer makes of x."""

    def hidden(x):
        return np.column_stack([np.maximum(0, x[:, None] - kinks), np.ones_like(x)])

    kinks = np.linspace(-np.pi, np.pi, units, endpoint=False)
    inside = np.linspace(-np.pi, np.pi, 2000)
    weights = np.linalg.lstsq(hidden(inside), np.sin(inside), rcond=None)[0]
    x = np.linspace(-2 * np.pi, 2 * np.pi, 801)
    return x, np.sin(x), hidden(x) @ weights


def figure_approximation():
    """A sine and its approximation, inside and outside the region of the examples."""
    x, sine, network = _approximation()
    with plot.style():
        figure = Figure(figsize=(6, 3), layout="constrained")
        axis = figure.subplots()
        axis.axvspan(-np.pi, np.pi, color="#dddddd", linewidth=0, label="region of the examples")
        axis.plot(x, sine, markevery=50, label="sin x")
        axis.plot(x, network, "--", markevery=50, label="network with 40 hidden units")
        axis.set(xlabel="x", ylim=(-3.6, 1.6))
        axis.legend(frameon=False, fontsize=8, loc="lower left")
    return figure


def value_error_inside():
    """Bound on the largest error inside the region."""
    x, sine, network = _approximation()
    error = np.abs(sine - network)[np.abs(x) <= np.pi].max()
    return next(text for text in ("0.001", "0.01", "0.1") if error < float(text))


def value_error_outside():
    """The largest error outside, as far again as the region is wide."""
    x, sine, network = _approximation()
    return f"{np.abs(sine - network).max():.1f}"


def value_skip_gram():
    """The loss of the example: one pair, two negative words."""
    return f"{float(skip_gram_loss(np.array([1.0]), np.array([[-0.5, 0.2]]))):.3f}"


def table_glove():
    """GloVe's weights for some counts."""
    counts = np.array([1.0, 10, 50, 100, 10_000])
    lines = ["| count | 1 | 10 | 50 | 100 | 10,000 |", "|---|---:|---:|---:|---:|---:|"]
    for x_max in (100.0, 10.0):
        weights = " | ".join(f"{w:.3f}" for w in ops.convert_to_numpy(glove_weight(counts, x_max)))
        lines.append(f"| weight, x_max = {x_max:.0f} | {weights} |")
    return "\n".join(lines)


def value_ngrams_of_where():
    """The character 3-grams of "where"."""
    return ", ".join(f"`{ngram}`" for ngram in character_ngrams("where", 3, 3))


KINDS = ("animals", "countries", "colours")


@cache
def _similarities(each=5):
    """Return words, their categories' names, and the cosines of their rows of PPMI."""
    texts, _ = english_corpus.load("train", size=500_000)
    vocabulary = Vocabulary.from_texts(texts, min_count=5)
    size = len(vocabulary)
    rows, columns, counts = cooccurrences(vocabulary.encode_corpus(texts), window=5)
    table = np.zeros((size, size))
    table[rows, columns] = counts
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    ppmi = np.log(np.maximum(table, 1e-9) / np.maximum(expected, 1e-9)).clip(0)
    groups = english_corpus.categories()
    chosen = [
        sorted((w for w in groups[kind] if w in vocabulary.ids), key=vocabulary.ids.get)[:each]
        for kind in KINDS
    ]
    words = [word for group in chosen for word in group]
    vectors = ppmi[[vocabulary.ids[word] for word in words]]
    return words, cosine_similarity(vectors[:, None], vectors[None])


def figure_similarity():
    """Cosines between words of three categories, from counts alone."""
    words, cosines = _similarities()
    return plot.heat_map(cosines, words, words, "Cosine of PPMI rows", high=0.8)


def _mean_cosine(same):
    """Return the mean cosine of two different words of the same category, or of different ones."""
    words, cosines = _similarities()
    kind = np.arange(len(words)) // (len(words) // len(KINDS))
    pairs = (kind[:, None] == kind) == same
    return f"{cosines[pairs & ~np.eye(len(words), dtype=bool)].mean():.2f}"


def value_within():
    """The mean cosine of two words of one category."""
    return _mean_cosine(same=True)


def value_between():
    """The mean cosine of two words of two categories."""
    return _mean_cosine(same=False)


CELLS = {
    "simple": lambda: SimpleRNNCell(64),
    "GRU": lambda: GRUCell(64),
    "LSTM, forget bias 0": lambda: LSTMCell(64, forget_bias=0.0),
    "LSTM, forget bias 1": lambda: LSTMCell(64),
    "LSTM, forget bias 3": lambda: LSTMCell(64, forget_bias=3.0),
}
STEPS = 40


@cache
def _gradient(name):
    """Gradient of the last output by the input at each distance, untrained."""
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(16, STEPS, 32))
    return gradient_by_distance(keras.layers.RNN(CELLS[name]()), x)


def figure_gradients():
    """Gradient norm against distance for each cell."""
    with plot.style():
        figure = Figure(figsize=(6, 3.6), layout="constrained")
        axis = figure.subplots()
        for name in CELLS:
            axis.plot(range(STEPS), _gradient(name), markevery=6, label=name)
        axis.set(yscale="log", xlabel="steps back", ylabel="gradient norm")
        axis.legend(frameon=False, fontsize=8)
    return figure


def _left(name):
    """Return what is left of the gradient over all distances, as a power of ten."""
    found = _gradient(name)
    return f"10^{np.log10(found[-1] / found[0]):.0f}".replace("-", "−")


def value_left_at_0():
    """What is left with forget bias 0."""
    return _left("LSTM, forget bias 0")


def value_left_at_3():
    """What is left with forget bias 3."""
    found = _gradient("LSTM, forget bias 3")
    return f"{found[-1] / found[0]:.1f}"


def table_cells():
    """States, blocks and weights of the cells, counted on built layers."""
    rows = (("simple", SimpleRNNCell, 1, 1), ("GRU", GRUCell, 1, 3), ("LSTM", LSTMCell, 2, 4))
    lines = ["| cell | state vectors | blocks of weights | weights |", "|---|---:|---:|---:|"]
    for name, cell, states, blocks in rows:
        layer = keras.layers.RNN(cell(512))
        layer.build((None, None, 512))
        lines.append(f"| {name} | {states} | {blocks} | {layer.count_params():,} |")
    return "\n".join(lines)


def _lstm_example():
    """State and carry after the step of the example: all weights 0, the biases are the gates."""
    gates = np.array([0.25, 0.8, 0.7, 0.5])  # input, forget, (1 + tanh) / 2, output
    bias = np.log(gates / (1 - gates))
    bias[2] = np.arctanh(0.4)
    one, zero = np.ones((1, 1)), np.zeros((1, 4))
    return lstm_step(0 * one, 0 * one, one, zero, zero, bias)


def value_carry():
    """The carry of the example."""
    return f"{float(_lstm_example()[1][0, 0]):.3f}"


def value_state():
    """The state of the example."""
    return f"{float(_lstm_example()[0][0, 0]):.3f}"


def _loss(mask):
    logits = np.log([[[p, 1 - p] for p in (0.5, 0.8, 0.1, 0.99, 0.99)]])
    mask = np.array([mask], bool)
    return f"{float(masked_cross_entropy(logits, np.zeros((1, 5), 'int32'), mask)):.3f}"


def value_masked_loss():
    """Cross-entropy of the three real tokens."""
    return _loss([1, 1, 1, 0, 0])


def value_unmasked_loss():
    """Cross-entropy with the padding counted."""
    return _loss([1, 1, 1, 1, 1])


def _box(axis, x, y, text, color="white", width=1.0):
    from matplotlib.patches import Rectangle

    axis.add_patch(Rectangle((x, y), width, 0.7, facecolor=color, edgecolor="black"))
    ink = plot.text_color(color)
    axis.text(x + width / 2, y + 0.35, text, ha="center", va="center", fontsize=9, color=ink)


def _arrow(axis, start, end):
    axis.annotate("", end, start, arrowprops={"arrowstyle": "->"})


def figure_encoder_decoder():
    """Which token goes where: source, one vector, inputs and labels of the decoder."""
    names = ["<pad>", "<start>", "<end>", "dog", "a", "un", "chien"]
    inputs, labels = teacher_forcing(np.array([[1, 5, 6, 2, 0]]))
    figure = Figure(figsize=(8.6, 2.7), layout="constrained")
    axis = figure.subplots()
    for place, word in enumerate(["a", "dog", "<pad>"]):
        x = 1.4 * place
        _box(axis, x, 0, word, "#dddddd" if word == "<pad>" else "white")
        _box(axis, x, 1.2, f"state {min(place + 1, 2)}", "#56B4E9")
        _arrow(axis, (x + 0.5, 0.7), (x + 0.5, 1.2))
        _arrow(axis, (x + 1, 1.55), (x + 1.4, 1.55))
    _box(axis, 4.2, 1.2, "context", "#E69F00", 1.1)
    for place in range(4):
        x = 5.7 + 1.4 * place
        read, said = int(inputs[0, place]), int(labels[0, place])
        _box(axis, x, 0, names[read])
        _box(axis, x, 1.2, "decoder", "#009E73")
        _box(axis, x, 2.4, names[said], "#dddddd" if said == 0 else "white")
        _arrow(axis, (x - 0.4, 1.55), (x, 1.55))
        _arrow(axis, (x + 0.5, 0.7), (x + 0.5, 1.2))
        _arrow(axis, (x + 0.5, 1.9), (x + 0.5, 2.4))
    for y, text in ((0.35, "reads"), (2.75, "must say")):
        axis.text(11.1, y, text, va="center", fontsize=9)
    axis.set(xlim=(-0.1, 12.2), ylim=(-0.1, 3.2), aspect="equal")
    axis.axis("off")
    return figure
