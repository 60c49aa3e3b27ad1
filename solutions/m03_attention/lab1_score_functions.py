# ---
# title: Score functions
# build: the scores of Bahdanau and Luong, weights and context; their cost, measured side by side; an alignment that a dictionary explains
# minutes: 55
# memory: 1 GB
# data: none, the lab makes its own
# seconds: 15
# ---

# %% [markdown]
# ## What you do and why
#
# A decoder writes a translation. At each step it asks: which of the source words do I need now? Its
# state is the *query*. The encoder's states are the *keys*, and here the *values* too. A *score*
# says how well a query fits a key. A softmax over the keys turns scores into *weights*, and the
# weighted sum of the values is the *context* that the decoder reads. Where the weights lie is the
# *alignment*.
#
# How to score is a choice. Five scores are in use:
#
# | name | score of query q and key k | weights | source |
# |---|---|---|---|
# | additive | vᵀ tanh(W q + U k) | W, U, v | Bahdanau et al., 2015, [arXiv:1409.0473](https://arxiv.org/abs/1409.0473) |
# | dot | q · k | none | Luong et al., 2015, [arXiv:1508.04025](https://arxiv.org/abs/1508.04025) |
# | general | qᵀ W k | W | Luong et al., 2015 |
# | concat | vᵀ tanh(W [q; k]) | W, v | Luong et al., 2015 |
# | scaled dot | q · k / √d | none | Vaswani et al., 2017, [arXiv:1706.03762](https://arxiv.org/abs/1706.03762) |
#
# Dot, general and scaled dot are *multiplicative*: matrix products do all of them. Additive and
# concat put a tanh on every pair of a query and a key. You write the three that have weights, then
# weights and context. Then you measure what a tanh per pair costs, and look at alignments.
#
# Axes in this lab: `T` queries, `S` keys, `Q` width of a query, `K` width of a key, `V` width of a
# value, `U` number of tanh units. The sign `…` stands for any leading axes: none, batch, or batch
# and heads. Vectors are rows: where a paper writes W q, the code multiplies a row by W transposed.
#
# You may use `keras.ops`, TensorFlow or NumPy, and add helper functions in an exercise's cell. The
# course's own version of what an exercise asks for is blocked in it, and so is ready-made
# attention: `keras.layers.Attention`, `AdditiveAttention`, `MultiHeadAttention` and
# `GroupQueryAttention`, `keras.ops.dot_product_attention`, KerasHub's `CachedMultiHeadAttention`,
# and this module's own layers. In exercise 4 module 2's `masked_softmax` and
# `scaled_dot_product_attention` are blocked too, and the layer `keras.layers.Softmax`, which takes a
# mask; the function `ops.softmax` is not.

# %% setup
import time
import zlib

from autograder import check, lend
import keras
from keras import ops
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from course import plot
from course import m03_attention as m03

# %% [markdown]
# Two scores are one line each. They are given, and show the shape that all five return: one row per
# query, one column per key.


# %%
def dot_score(query, keys):
    """Return q · k for queries `(..., T, Q)` and keys `(..., S, Q)`: scores `(..., T, S)`."""
    return ops.matmul(query, ops.swapaxes(keys, -1, -2))


def scaled_dot_score(query, keys):
    """Return q · k / sqrt(Q)."""
    return dot_score(query, keys) / query.shape[-1] ** 0.5


# %% [markdown]
# ## 1. The general score
#
# The dot product compares feature i of the query with feature i of the key. That needs equal widths,
# and features that mean the same on both sides. The *general* score puts a matrix between them,
# which says how much feature i of the query has to do with feature j of the key:
#
# $$\text{score}(q, k) = q^\top W k = \sum_{i, j} q_i \, W_{ij} \, k_j$$
#
# Write `general_score(query, keys, kernel)`.
#
# - `query` is `(…, T, Q)`, `keys` is `(…, S, K)`, `kernel` is W, `(Q, K)`; the result is
#   `(…, T, S)`. Q and K may differ.
# - Leading axes stay as they are. The kernel has none: it is the same for all.
# - Nothing is scaled, and there is no softmax yet.
#
# Example with Q = 2 and K = 3: `query = [[1, 2]]`, `kernel = [[1, 0, 3], [0, 2, 0]]`,
# `keys = [[1, 1, 1], [0, 5, 0]]`. Query times kernel is $(1, 4, 3)$. With the two keys that gives
# $1 + 4 + 3 = 8$ and $4 \cdot 5 = 20$: the scores are `[[8, 20]]`. With the identity as the kernel,
# the general score is the dot score; with the identity over √d, it is the scaled one.


# %% exercise="general_score" difficulty=1 minutes=8
def general_score(query, keys, kernel):
    """Return qᵀ W k for each pair of a query and a key.

    Args:
        query: float tensor `(..., T, Q)`.
        keys: float tensor `(..., S, K)`.
        kernel: float tensor `(Q, K)`.

    Returns:
        Scores `(..., T, S)`.
    """
    ### BEGIN SOLUTION
    return ops.matmul(ops.matmul(query, kernel), ops.swapaxes(keys, -1, -2))  # (..., T, S)
    ### END SOLUTION


# %% check="general_score" points=4
check("m03_attention.general_score")

# %% [markdown]
# ## 2. The additive score
#
# Bahdanau's score is a small network with U hidden units. It projects query and key, adds the two,
# takes the tanh, and weighs the units by v:
#
# $$\text{score}(q, k) = v^\top \tanh(W q + U k)$$
#
# Write `additive_score(query, keys, query_kernel, key_kernel, v)`.
#
# - `query` is `(…, T, Q)`, `keys` is `(…, S, K)`, `query_kernel` is `(Q, U)`, `key_kernel` is
#   `(K, U)`, `v` is `(U,)`; the result is `(…, T, S)`.
# - Every query meets every key: inside the tanh stand T · S vectors of width U.
# - There are no biases, as in the paper, and nothing is scaled. T may be 1, as in a decoder that
#   writes one word at a time; the axis stays.
#
# Example with Q = 1, K = 2, U = 2: `query = [[1]]`, `query_kernel = [[1, -1]]`,
# `keys = [[0, 1], [1, 0]]`, `key_kernel = [[0, 1], [1, 1]]`, `v = [2, 3]`. The projected query is
# $(1, -1)$, the projected keys are $(1, 1)$ and $(0, 1)$. The sums are $(2, 0)$ and $(1, 0)$, their
# tanh $(0.964, 0)$ and $(0.762, 0)$. The scores are `[[1.928, 1.523]]`.


# %% exercise="additive_score" difficulty=2 minutes=12
def additive_score(query, keys, query_kernel, key_kernel, v):
    """Return vᵀ tanh(W q + U k) for each pair of a query and a key.

    Args:
        query: float tensor `(..., T, Q)`.
        keys: float tensor `(..., S, K)`.
        query_kernel: float tensor `(Q, U)`.
        key_kernel: float tensor `(K, U)`.
        v: float tensor `(U,)`.

    Returns:
        Scores `(..., T, S)`.
    """
    ### BEGIN SOLUTION
    query = ops.expand_dims(ops.matmul(query, query_kernel), -2)  # (..., T, 1, U)
    keys = ops.expand_dims(ops.matmul(keys, key_kernel), -3)  # (..., 1, S, U)
    return ops.sum(ops.tanh(query + keys) * v, axis=-1)  # (..., T, S)
    ### END SOLUTION


# %% check="additive_score" points=5
check("m03_attention.additive_score")

# %% [markdown]
# ## 3. The concat score
#
# Luong's *concat* score writes query and key one after the other and gives the pair to one matrix:
#
# $$\text{score}(q, k) = v^\top \tanh(W \, [q; k])$$
#
# A matrix times a concatenation is a sum of two products, $W [q; k] = W_q q + W_k k$. So this is the
# additive score with its two matrices in one, and you need not concatenate T · S pairs.
#
# Write `concat_score(query, keys, kernel, v)`.
#
# - `query` is `(…, T, Q)`, `keys` is `(…, S, K)`, `kernel` is `(Q + K, U)`, `v` is `(U,)`; the
#   result is `(…, T, S)`.
# - The first Q rows of the kernel belong to the query, the last K rows to the key. Q and K may
#   differ.
# - You may call your `additive_score`. If it is still wrong, this exercise counts what you do here,
#   given what it returns.
#
# Example: the one of exercise 2, with `kernel = [[1, -1], [0, 1], [1, 1]]`. Its first row is the
# query's, its other two are the key's. The scores are again `[[1.928, 1.523]]`.


# %% exercise="concat_score" difficulty=1 minutes=6
def concat_score(query, keys, kernel, v):
    """Return vᵀ tanh(W [q; k]) for each pair of a query and a key.

    Args:
        query: float tensor `(..., T, Q)`.
        keys: float tensor `(..., S, K)`.
        kernel: float tensor `(Q + K, U)`, the query's rows first.
        v: float tensor `(U,)`.

    Returns:
        Scores `(..., T, S)`.
    """
    ### BEGIN SOLUTION
    width = query.shape[-1]
    return additive_score(query, keys, kernel[:width], kernel[width:], v)
    ### END SOLUTION


# %% check="concat_score" points=4
check("m03_attention.concat_score")

# %% [markdown]
# ## 4. Weights and context
#
# Whatever the score, what follows is the same. A softmax over the keys gives the weights, and the
# context is the sum of the values times these weights:
#
# $$\alpha_{ts} = \frac{e^{\text{score}_{ts}}}{\sum_{s'} e^{\text{score}_{ts'}}} \qquad
# c_t = \sum_s \alpha_{ts} \, v_s$$
#
# Sentences of one batch differ in length, so short ones end with padding. A mask hides it.
#
# Write `attend(scores, value, mask=None)`. It returns two things, in this order: the context and the
# weights.
#
# - `scores` is `(…, T, S)`, `value` is `(…, S, V)`; the context is `(…, T, V)`, the weights are
#   `(…, T, S)`.
# - `mask` is boolean and may attend where it is `True`. It broadcasts to the shape of the scores; a
#   mask of padding is `(…, 1, S)`. `None` means that all keys are visible.
# - Hidden keys get the weight 0, and the weights of the visible ones add up to one in each row.
# - It stays right for scores up to 20,000 in size, visible or hidden: no overflow.
# - Where all keys of an example are hidden, context and weights must stay finite. Which numbers
#   stand there does not matter.
#
# Example: `scores = [[0, 0.693, 3]]`, `value = [[3, 0], [0, 6], [9, 9]]`,
# `mask = [[True, True, False]]`. The exponentials of the visible scores are 1 and 2: the weights are
# `[[0.333, 0.667, 0]]`, the context is $0.333 \cdot (3, 0) + 0.667 \cdot (0, 6)$ = `[[1, 4]]`.


# %% exercise="attend" difficulty=2 minutes=9
def attend(scores, value, mask=None):
    """Mix `value` by the softmax of the scores.

    Args:
        scores: float tensor `(..., T, S)`.
        value: float tensor `(..., S, V)`.
        mask: optional bool tensor, broadcastable to `(..., T, S)`. True means "may attend".

    Returns:
        Context `(..., T, V)` and weights `(..., T, S)`.
    """
    ### BEGIN SOLUTION
    if mask is not None:
        scores = ops.where(mask, scores, -1e9)
    weights = ops.softmax(scores, axis=-1)
    return ops.matmul(weights, value), weights
    ### END SOLUTION


# %% check="attend" points=5
check("m03_attention.attend")

# %% [markdown]
# ## An alignment, and what a score can know
#
# An English decoder reads a German source. Every word has a random vector of width 32, drawn for
# each language by itself, so no feature of the one means anything in the other. The weights are set
# by hand from a dictionary of eight entries, without training:
#
# - general: W gives the score 6 to each pair in the dictionary and 0 to the others;
# - additive: one tanh unit per entry. A query switches on its entry's unit, and so does a key. A
#   pair that agrees switches on one unit, a pair that does not switches on two; v is negative, so
#   two cost more than one.
#
# The German sentence ends with two words of padding. Their vectors are 0.

# %% demo
dictionary = {
    "today": ["heute"],
    "the": ["der", "die"],
    "dog": ["hund"],
    "has": ["hat"],
    "not": ["nicht"],
    "seen": ["gesehen"],
    "black": ["schwarze"],
    "cat": ["katze"],
}
target = "today the dog has not seen the black cat".split()
source = "der hund hat heute die schwarze katze nicht gesehen <pad> <pad>".split()
entries = list(dictionary)
translations = [(entry, german) for entry in entries for german in dictionary[entry]]


def word_vectors(rng, width=32):
    """Return random vectors of the English and of the German words, by word."""
    english = {word: rng.normal(size=width) for word in entries}
    german = {word: rng.normal(size=width) for _, word in translations}
    return english, german | {"<pad>": np.zeros(width)}


def solved_for(vectors, wanted):
    """Return the matrix `(width, columns)` that turns each word's vector into its wanted row."""
    return np.linalg.pinv(np.array(vectors)) @ np.array(wanted)


def alignments(rng):
    """Return for each score the weights `(T, S)` with and without the mask of padding."""
    english, german = word_vectors(rng)
    one_hot = np.eye(len(entries))  # one unit per entry
    from_english = solved_for([english[entry] for entry in entries], one_hot)
    german_rows = [one_hot[entries.index(entry)] for entry, _ in translations]
    from_german = solved_for([german[word] for _, word in translations], german_rows)
    query = np.float32([english[word] for word in target])
    keys = np.float32([german[word] for word in source])
    kernel = np.float32(6 * from_english @ from_german.T)
    kernels = [np.float32(3 * matrix) for matrix in (from_english, from_german)]
    scores = {
        "dot": dot_score(query, keys),
        "general": general_score(query, keys, kernel),
        "additive": additive_score(query, keys, *kernels, np.float32([-6] * len(entries))),
    }
    mask = np.array([word != "<pad>" for word in source])
    found = {}
    for name, score in scores.items():
        found[name] = [ops.convert_to_numpy(attend(score, keys, m)[1]) for m in (mask, None)]
    return found


def weight_on_translations(weights):
    """Return the mean weight that the rows give to words in the dictionary's entry."""
    right = [[german in dictionary[word] for german in source] for word in target]
    return float((weights * np.array(right)).sum(-1).mean())


maps = alignments(np.random.default_rng(0))
figure, axes = plt.subplots(1, 3, figsize=(13, 4.3), layout="constrained")
for axis, (name, (masked, _)) in zip(axes, maps.items(), strict=True):
    plot.alignment(masked, source, target, f"{name}, padding hidden", axis)
plt.show()

draws = [alignments(np.random.default_rng(seed)) for seed in range(5)]
print("Weight on the right translation, mean ± sd over 5 draws of the vectors")
print(f"{'':22}{'padding hidden':>16}{'not hidden':>16}")
for name in maps:
    cells = []
    for which in (0, 1):
        values = [weight_on_translations(draw[name][which]) for draw in draws]
        cells.append(f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}")
    print(f"{name:22}{cells[0]:>16}{cells[1]:>16}")
visible = np.array([word != "<pad>" for word in source])
equal = np.where(visible, 1 / visible.sum(), 0) * np.ones((len(target), 1))
print(f"{'equal weights':22}{weight_on_translations(equal):>16.3f}")
diagonal = np.eye(len(target), len(source))
print(f"{'place t reads place t':22}{weight_on_translations(diagonal):>16.3f}")

# %% [markdown]
# **What you see.** Left: dot products of features that have nothing to do with each other. They are
# large, because 32 random products add up to a number of size √32 = 5.7, so the weights are sharp, and
# wrong: the right translations get 0.115 ± 0.050 of the weight. Equal weights give 0.136. Middle and
# right: the dictionary puts 0.98 on the right words, in an order that no rule of places gives ("place
# t reads place t" gets 0). Both forms can hold the dictionary. What a score knows stands in its
# weights, and the dot score has none: query and key must be brought into one space before it.
#
# Both rows of "the" split their weight between "der" and "die": a word's vector does not say which
# "the" it is. The state of a decoder, which knows what it has written, can.
#
# The mask matters, and not equally. Without it the general score loses little (0.979): a vector of
# zeros scores 0, a match 6. The additive score falls to 0.361: a word and a pad together switch on
# one unit, as a match does. Zeros are not a mask.

# %% [markdown]
# ## What a score costs
#
# The next cell times your five scores, first against the length (T = S, width 128), then against the
# width (T = S = 128; Q = K = U). Each number is the shortest of five calls after one to warm up. On
# the right stands the largest tensor that a score makes. It is found, like the number of
# multiplications in the table, by tracing the course's own functions: TensorFlow notes every operation
# between input and output.


# %% demo
def milliseconds(function, arguments, repeats=5):
    """Return the shortest time of a call."""
    found = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        ops.convert_to_numpy(function(*arguments))
        found.append(1000 * (time.perf_counter() - start))
    return min(found[1:])


def traced(function, arguments):
    """Return a function's number of multiplications, and its largest tensor in MiB."""
    graph = tf.function(function, autograph=False).get_concrete_function(*arguments).graph
    multiplications, largest = 0, 0
    for operation in graph.get_operations():
        for output in operation.outputs if operation.type != "Placeholder" else ():
            count = output.shape.num_elements()
            largest = max(largest, count * output.dtype.size)
            if "MatMul" in operation.type:
                multiplications += count * operation.inputs[0].shape[-1]
            elif operation.type == "Mul":
                multiplications += count
    return multiplications, largest / 2**20


def all_scores(targets, sources, width):
    """Return for each score your function, the course's, and arguments for both."""
    rng = np.random.default_rng(0)

    def normal(*shape):
        return ops.convert_to_tensor(rng.normal(size=shape).astype("float32"))

    pair = normal(1, targets, width), normal(1, sources, width)
    one, other, v = normal(width, width), normal(width, width), normal(width)
    return {
        "dot": (dot_score, m03.dot_score, pair),
        "scaled dot": (scaled_dot_score, m03.scaled_dot_score, pair),
        "general": (general_score, m03.general_score, (*pair, one)),
        "additive": (additive_score, m03.additive_score, (*pair, one, other, v)),
        "concat": (concat_score, m03.concat_score, (*pair, normal(2 * width, width), v)),
    }


lengths, widths = (16, 32, 64, 128, 256), (16, 32, 64, 128, 256)
by_length, by_width, products, memory = {}, {}, {}, {}
for length in lengths:
    for name, (yours, ours, arguments) in all_scores(length, length, 128).items():
        by_length.setdefault(name, []).append(milliseconds(yours, arguments))
        count, size = traced(ours, arguments)
        products.setdefault(name, []).append(count)
        memory.setdefault(name, []).append(size)
for width in widths:
    for name, (yours, _, arguments) in all_scores(128, 128, width).items():
        by_width.setdefault(name, []).append(milliseconds(yours, arguments))

with plot.style():
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    for name in by_length:
        axes[0].plot(lengths, by_length[name], label=name)
        axes[1].plot(widths, by_width[name], label=name)
        axes[2].plot(lengths, memory[name], label=name)
    axes[0].set(xlabel="length T = S", ylabel="milliseconds a call", title="Time, width 128")
    axes[1].set(xlabel="width Q = K = U", ylabel="milliseconds a call", title="Time, length 128")
    axes[2].set(xlabel="length T = S", ylabel="MiB", title="Largest tensor, width 128")
    for axis, ticks in zip(axes, (lengths, widths, lengths), strict=True):
        axis.set(xscale="log", yscale="log")
        axis.set_xticks(ticks, ticks)
        axis.minorticks_off()
    axes[0].legend()
    plt.show()

print("How many times the dot score, width 128")
print(f"{'':25}" + "".join(f"{f'T = S = {n}':>13}" for n in lengths))
for name in ("general", "additive", "concat"):
    for what, found in (
        ("multiplications", products),
        ("largest tensor", memory),
        ("time", by_length),
    ):
        ratios = [a / b for a, b in zip(found[name], found["dot"], strict=True)]
        print(f"{name:10}{what:>15}" + "".join(f"{ratio:13.1f}" for ratio in ratios))
step = {name: milliseconds(f, x) for name, (f, _, x) in all_scores(1, 256, 128).items()}
print(f"One step of a decoder, T = 1, S = 256: additive {step['additive'] / step['dot']:.1f} dots")

# %% [markdown]
# **What you see.** Read the table from the right, T = S = 256. The additive score needs only 2.0 times the
# multiplications of the dot score, but its largest tensor is 128 times as large: one number for each
# pair and each unit, T · S · U, against one for each pair, T · S. The ratio is the width. (On the right,
# the lines of additive and concat lie on each other, and so do those of dot and scaled dot.) And it takes
# far more than twice the time: two runs on one core gave 176 and 216 dots at 256, and 40 and 26 at 128.
# Your times will differ, the order will not. A matrix product multiplies and adds in one pass over
# numbers that stay in the processor's cache. The additive score writes 32 MiB of pairs into memory,
# reads them back for the tanh, and once more for v; and a tanh costs more than a product. For short
# inputs all lines are flat: there you time the call, not the work.
#
# Concat costs what additive costs: it is the same computation. General costs a few dots (2.3 and 3.0
# at 256): it adds one product that does not grow with T · S. Scaled dot costs one division more.
#
# In a decoder that asks with one query at a time, the gap is smaller: additive took 14 dots in one run.
# A real decoder also projects the keys once for the whole target, not at each step, as Bahdanau et al.
# note (appendix A.1.2): the layer `AdditiveAttention` of this module does so in `prepare`.
#
# So why additive at all? Vaswani et al. write that it does better than unscaled dot products when d is
# large, and scale the dot product for that reason (section 3.2.1). Luong et al. found dot best for
# attention over all places, general for attention over a window, and concat worse (section 5.3).

# %% [markdown]
# ## Explore
#
# The next cell opens the attention explorer on your own functions: type a sentence, choose a score
# under "Head", click a word. A word's vector counts its pairs of letters, so words that are spelled
# alike have similar vectors, and any sentence works. Where no widget runs, the cell shows the four
# maps as a figure.
#
# - dot: how many pairs of letters two words share (a repeated pair counts more);
# - scaled dot: the same, divided by √64 = 8;
# - general with W = −identity: the least similar word wins;
# - additive with identities for W and U, and v = −1 for each unit.


# %% demo
def letter_pairs(word, width=64):
    """Return how often each pair of letters occurs, in `width` hashed bins."""
    counts = np.zeros(width, "float32")
    letters = f"<{word.lower()}>"
    for place in range(len(letters) - 1):
        counts[zlib.crc32(letters[place : place + 2].encode()) % width] += 1
    return counts


def by_spelling(sentence):
    """Return the words of a sentence and the weights of four scores, `(1, 4, T, T)`."""
    words = sentence.split()
    x = np.stack([letter_pairs(word) for word in words])
    identity = np.eye(x.shape[-1], dtype="float32")
    scores = [
        dot_score(x, x),
        scaled_dot_score(x, x),
        general_score(x, x, -identity),
        additive_score(x, x, identity, identity, -np.ones(x.shape[-1], "float32")),
    ]
    return words, np.stack([ops.convert_to_numpy(attend(score, x)[1]) for score in scores])[None]


m03.AttentionExplorer(
    by_spelling,
    "the cats watched another cat while the dog was watching",
    [["dot", "scaled dot", "general, W = -identity", "additive"]],
)

# %% [markdown]
# **What you see.** Dot: every word finds itself, with a weight from 0.43 ("the", which stands there
# twice) to 0.99, and "cat" gives 0.22 to "cats". Scaled dot: the same order, but flat, 0.14 to 0.21 on
# the word itself. Words share few pairs of letters, and divided by 8 the counts hardly differ: the
# division is right for scores that grow with the width, and too much for others. General with −identity:
# the weight lies where no letters are shared; "watched" reads "dog" most (0.33). Additive: words with
# few letters cost few units, whoever asks, so "watched" reads "was" (0.34) more than itself (0.23). This
# score has a part that depends on the key alone. Only training would tell whether that helps.
#
# Next: lab 2 puts these scores into a decoder that learns where to look.
