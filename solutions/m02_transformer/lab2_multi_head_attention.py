# ---
# title: Multi-head attention
# build: the layer MultiHeadAttention, and the maps of heads that read different words
# minutes: 60
# memory: 1 GB
# data: none, the lab makes its own
# seconds: 16
# ---

# %% [markdown]
# ## What you do and why
#
# One attention gives each position one set of weights: one mixture of all values. A word often
# needs several things at once, such as the word before it and the subject of its sentence.
# Multi-head attention cuts the features into N parts, the *heads*, lets every head attend on its
# own, and mixes the results (Vaswani et al., 2017, section 3.2.2,
# [arXiv:1706.03762](https://arxiv.org/abs/1706.03762)). You write the cut, its inverse, the layer
# with its learned projections, and what it costs.
#
# Axes in this lab: `B` batch, `T` target length (queries), `S` source length (keys and values),
# `N` heads, `H` size of a head, `D = N · H` hidden size.
#
# `scaled_dot_product_attention(query, key, value, mask)` of lab 1 is imported from the course's
# package; it returns the output and the weights. The course's own version of what an exercise asks
# for is blocked in it. In exercise 3 ready-made attention is blocked too: `keras.layers.Attention`,
# `AdditiveAttention`, `MultiHeadAttention` and `GroupQueryAttention`,
# `keras.ops.dot_product_attention`, and KerasHub's `CachedMultiHeadAttention`.

# %% setup
from autograder import check, lend
import keras
from keras import ops
import matplotlib.pyplot as plt
import numpy as np

from course.m02_transformer import scaled_dot_product_attention

# %% [markdown]
# ## 1. Split
#
# Write `split_heads(x, num_heads)`: `(B, T, D)` becomes `(B, N, T, H)`. Head n takes the
# neighbouring features n·H to (n+1)·H of every position. D is a multiple of `num_heads`.
#
# Example: two positions, four features, two heads (B = 1, T = 2, D = 4, N = 2, so H = 2).
#
# ```text
# x[0] = [[1, 2, 3, 4],        head 0 = [[1, 2],      head 1 = [[3, 4],
#         [5, 6, 7, 8]]                  [5, 6]]                [7, 8]]
# ```
#
# Each head still has both positions. Two steps are needed, since a reshape alone never changes the
# order of the numbers in memory.


# %% exercise="split_heads" difficulty=1 minutes=7
def split_heads(x, num_heads):
    """Cut the features into heads: head n takes features n·H to (n+1)·H.

    Args:
        x: float tensor `(B, T, D)`.
        num_heads: int. Number of heads N; D is a multiple of it.

    Returns:
        Float tensor `(B, N, T, H)`.
    """
    ### BEGIN SOLUTION
    batch, length = ops.shape(x)[:2]
    x = ops.reshape(x, (batch, length, num_heads, x.shape[-1] // num_heads))  # (B, T, N, H)
    return ops.transpose(x, (0, 2, 1, 3))  # (B, N, T, H)
    ### END SOLUTION


# %% check="split_heads" points=2
check("m02_transformer.split_heads")

# %% [markdown]
# ## 2. Merge
#
# Write `merge_heads(x)`, the inverse of `split_heads`: `(B, N, T, H)` becomes `(B, T, D)` with
# D = N·H. Head n gives features n·H to (n+1)·H.
#
# Example: heads `[[1, 2], [5, 6]]` and `[[3, 4], [7, 8]]` become `[[1, 2, 3, 4], [5, 6, 7, 8]]`.


# %% exercise="merge_heads" difficulty=1 minutes=5
def merge_heads(x):
    """Put the heads' features side by side again.

    Args:
        x: float tensor `(B, N, T, H)`.

    Returns:
        Float tensor `(B, T, D)` with D = N·H.
    """
    ### BEGIN SOLUTION
    batch, num_heads, length, size = ops.shape(x)
    x = ops.transpose(x, (0, 2, 1, 3))  # (B, T, N, H)
    return ops.reshape(x, (batch, length, num_heads * size))  # (B, T, D)
    ### END SOLUTION


# %% check="merge_heads" points=2
check("m02_transformer.merge_heads")

# %% [markdown]
# ## 3. The layer
#
# Write the class `MultiHeadAttention(hidden_dim, num_heads)`. Called as
# `layer(query, value, attention_mask=None)` it computes
#
# $$\text{head}_n = \text{Attention}(Q W_n^Q,\; V W_n^K,\; V W_n^V), \qquad
# \text{output} = \text{Concat}(\text{head}_1, \dots, \text{head}_N)\, W^O$$
#
# where $Q$ is `query` and $V$ is `value`: keys *and* values come from `value`.
#
# - `query` is `(B, T, D)`, `value` is `(B, S, D)`, the output `(B, T, D)`. T and S may differ.
# - Four projections have weights that the layer learns: for queries, keys, values, and for the
#   merged heads. Each of the first three gives N heads of size H = D / N. A projection may have a
#   bias.
# - Scores are divided by √H.
# - `attention_mask` is boolean, `(B, T, S)`, True = may attend. It holds for every head. It has no
#   axis for the heads: you add one. `None` means that all keys are visible.
# - No dropout, no residual, no normalisation; those come in lab 4.
#
# Lay out the weights as you like: four `keras.layers.Dense`, `keras.layers.EinsumDense`, fused
# kernels, a list with small layers per head, or `self.add_weight`. The check fills your weights
# with numbers of its own, reads them back by shape and name, and compares the output with the
# formula. If your layout is so unusual that the check cannot read it, write a function
# `export_weights(layer)` that returns a dictionary of arrays: `query`, `key`, `value` `(D, N, H)`,
# `output` `(N, H, D)`, and the biases you have: `query_bias`, `key_bias`, `value_bias` `(N, H)` and
# `output_bias` `(D,)`. Give every number of your variables once, unchanged.
#
# The decorator and `get_config` let Keras save the layer; leave them as they are. You may use
# `split_heads`, `merge_heads` and `scaled_dot_product_attention`.
#
# Example for the shapes, with B = 1, T = 2, S = 3, D = 4 and N = 2: projected queries `(1, 2, 4)`,
# split `(1, 2, 2, 2)`; keys and values `(1, 3, 4)`, split `(1, 2, 3, 2)`; weights `(1, 2, 2, 3)`;
# heads `(1, 2, 2, 2)`, merged `(1, 2, 4)`; output `(1, 2, 4)`. And for the numbers: if all
# projections were the identity with bias 0 and `query` were all zeros, every head would average
# the three values, so the output at both positions would be the mean of `value` over its positions.


# %% exercise="MultiHeadAttention" difficulty=3 minutes=25
@keras.saving.register_keras_serializable(package="mytransformer")
class MultiHeadAttention(keras.layers.Layer):
    """Attention run in `num_heads` learned projections, then recombined.

    Args:
        hidden_dim: int. Width D; a multiple of `num_heads`.
        num_heads: int. Number of heads N.

    Call arguments:
        query: `(B, T, D)`.
        value: `(B, S, D)`, also the source of the keys.
        attention_mask: optional bool `(B, T, S)`. True means "may attend".

    Returns:
        `(B, T, D)`.
    """

    def __init__(self, hidden_dim, num_heads, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        ### BEGIN SOLUTION
        self.query_dense = keras.layers.Dense(hidden_dim, name="query")
        self.key_dense = keras.layers.Dense(hidden_dim, name="key")
        self.value_dense = keras.layers.Dense(hidden_dim, name="value")
        self.output_dense = keras.layers.Dense(hidden_dim, name="output")
        ### END SOLUTION

    def call(self, query, value, attention_mask=None):
        ### BEGIN SOLUTION
        q = split_heads(self.query_dense(query), self.num_heads)  # (B, N, T, H)
        k = split_heads(self.key_dense(value), self.num_heads)  # (B, N, S, H)
        v = split_heads(self.value_dense(value), self.num_heads)  # (B, N, S, H)
        if attention_mask is not None:
            attention_mask = ops.expand_dims(attention_mask, 1)  # (B, 1, T, S)
        heads, _ = scaled_dot_product_attention(q, k, v, attention_mask)
        return self.output_dense(merge_heads(heads))
        ### END SOLUTION

    def get_config(self):
        sizes = {"hidden_dim": self.hidden_dim, "num_heads": self.num_heads}
        return super().get_config() | sizes


# %% check="MultiHeadAttention" points=8
check("m02_transformer.MultiHeadAttention")

# %% [markdown]
# ## 4. What it costs
#
# Write `attention_cost(target_length, source_length, hidden_dim, num_heads)`. It returns two whole
# numbers, in this order: the parameters of the layer, and the FLOPs of one call for one example
# (B = 1).
#
# Conventions:
#
# - Each of the four projections has a kernel and a bias.
# - A multiply-add counts 2, so the product of a matrix (a × b) with a matrix (b × c) takes 2abc
#   FLOPs.
# - Count every matrix product: the four projections, and per head the scores and the product of
#   weights and values. Count nothing else: not the softmax, the scaling, the biases, the mask.
#
# Example: `attention_cost(1, 3, 2, 1)`. A kernel has 2 · 2 weights and a bias 2, so the four
# projections hold 4 · 6 = 24 parameters. Projecting a position takes 2 · 2 · 2 = 8 FLOPs: queries
# 8, keys 24, values 24, output 8. The scores take 2 · 1 · 2 · 3 = 12, and so does mixing the
# values. The result is `(24, 88)`.


# %% exercise="attention_cost" difficulty=2 minutes=10
def attention_cost(target_length, source_length, hidden_dim, num_heads):
    """Return the parameters of multi-head attention and the FLOPs of one call.

    Args:
        target_length: int. Number of queries T.
        source_length: int. Number of keys S.
        hidden_dim: int. Width D.
        num_heads: int. Number of heads N.

    Returns:
        Parameters and FLOPs, two ints.
    """
    ### BEGIN SOLUTION
    parameters = 4 * (hidden_dim * hidden_dim + hidden_dim)
    projections = 2 * 2 * (target_length + source_length) * hidden_dim * hidden_dim
    head_dim = hidden_dim // num_heads
    products = num_heads * 2 * (2 * target_length * source_length * head_dim)
    return parameters, projections + products
    ### END SOLUTION


# %% check="attention_cost" points=3
check("m02_transformer.attention_cost")

# %% [markdown]
# ## Where the FLOPs go
#
# The next cell asks your function about self-attention (T = S) in a layer of width 512, for
# lengths from 16 to 16,384. The projections grow with T, the products of queries, keys and values
# with T².

# %% demo
hidden_dim = 512
lengths = 2 ** np.arange(4, 15)
total = np.array([attention_cost(int(t), int(t), hidden_dim, 8)[1] for t in lengths])
projections = 8 * lengths * hidden_dim**2
figure, axis = plt.subplots(figsize=(6, 3.6), layout="constrained")
axis.plot(lengths, total, color="black", marker="o", label="all")
axis.plot(lengths, projections, color="#0072B2", linestyle="--", label="four projections")
axis.plot(lengths, total - projections, color="#D55E00", linestyle=":", label="scores and mixing")
axis.axvline(2 * hidden_dim, color="gray", linewidth=1)
axis.annotate("T = 2D", (2 * hidden_dim, total[0]), xytext=(6, 0), textcoords="offset points")
axis.set(xscale="log", yscale="log", xlabel="length T", ylabel="FLOPs of one call")
axis.legend()
plt.show()

# %% [markdown]
# **What you see.** Both axes are logarithmic. For short sequences nearly all FLOPs are in the four
# projections (dashed), which grow in proportion to T. Scores and mixing (dotted) grow with T² and
# take over at T = 2D = 1,024, the grey line. The number of heads changes neither curve.

# %% [markdown]
# ## What several heads buy
#
# A task that needs two look-ups at once. Each example is a row of 12 random symbols out of 8,
# closed to a ring. At every position the model names two of them: the symbol one step back *and*
# the symbol three steps back. One head has one set of weights: it can put them on one of the two, or on both, and then it
# cannot tell which came first. Two heads can take one each.
#
# The two models have the same number of weights and differ in `num_heads` only. The next cell
# trains each from three random starts, side by side in one Keras model. It uses the course's own
# `MultiHeadAttention`, which can also return the weights.

# %% demo
from course.m02_transformer import LearnedPositionalEmbedding
from course.m02_transformer import MultiHeadAttention as CourseAttention

LENGTH, SYMBOLS, WIDTH, STARTS = 12, 8, 32, 3


def look_up_data(rng, count):
    """Return symbols (count, 12), and those one and three steps back (count, 12, 2)."""
    symbols = rng.integers(0, SYMBOLS, size=(count, LENGTH))
    return symbols, np.stack([np.roll(symbols, 1, axis=1), np.roll(symbols, 3, axis=1)], axis=-1)


def look_up_model(num_heads, seed):
    """Return a model of one attention layer: symbols in, logits and attention weights out."""
    keras.utils.set_random_seed(seed)
    ids = keras.Input((LENGTH,), dtype="int32")
    x = keras.layers.Embedding(SYMBOLS, WIDTH)(ids)
    x = LearnedPositionalEmbedding(LENGTH)(x)
    mixed, weights = CourseAttention(WIDTH, num_heads)(x, x, return_attention_scores=True)
    logits = keras.layers.Dense(2 * SYMBOLS)(mixed)
    return keras.Model(ids, [keras.layers.Reshape((LENGTH, 2, SYMBOLS))(logits), weights])


rng = np.random.default_rng(0)
symbols, answers = look_up_data(rng, 4096)
unseen, unseen_answers = look_up_data(rng, 1000)
models, accuracy = {}, {}
for num_heads in (1, 2):
    models[num_heads] = [look_up_model(num_heads, seed) for seed in range(STARTS)]
    ids = keras.Input((LENGTH,), dtype="int32")
    together = keras.Model(ids, ops.stack([model(ids)[0] for model in models[num_heads]], axis=1))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    together.compile(keras.optimizers.Adam(0.01), loss)
    copies = np.repeat(answers[:, None], STARTS, axis=1)
    together.fit(symbols, copies, epochs=6, batch_size=64, verbose=0)
    named = together.predict(unseen, batch_size=1000, verbose=0).argmax(-1)
    accuracy[num_heads] = (named == unseen_answers[:, None]).mean(axis=(0, 2))  # (STARTS, 2)

print("share of symbols named rightly, mean ± sd over three starts (guessing: 0.125)")
for num_heads, found in accuracy.items():
    better, weaker = found.max(axis=1), found.min(axis=1)  # of the two look-ups
    print(
        f"{num_heads} head(s), {models[num_heads][0].count_params()} weights:"
        f"  better look-up {better.mean():.2f} ± {better.std():.2f},"
        f"  weaker look-up {weaker.mean():.2f} ± {weaker.std():.2f}"
    )

# %% demo
figure, axes = plt.subplots(1, 3, figsize=(11, 3.9), sharey=True, layout="constrained")
panels = [(1, 0, "the only head"), (2, 0, "two heads: head 0"), (2, 1, "two heads: head 1")]
for axis, (num_heads, head, title) in zip(axes, panels, strict=True):
    weights = models[num_heads][0].predict(unseen[:500], batch_size=500, verbose=0)[1]
    image = axis.imshow(weights[:, head].mean(axis=0), cmap="viridis", vmin=0, vmax=1)
    axis.set(title=title, xlabel="key position", xticks=range(0, LENGTH, 2))
axes[0].set(ylabel="query position", yticks=range(0, LENGTH, 2))
figure.colorbar(image, ax=axes, label="weight, mean of 500 examples", shrink=0.8)
plt.show()

# %% [markdown]
# **What you see.** One row per query position; bright cells are read. The only head puts about half
# its weight one step back and the other half three steps back, so its two diagonals are dim. Of two
# heads, one reads one step back and the other three steps back, each with a weight near 1 (a step
# back from position 0 leads to position 11, since the row is a ring). The table above the maps says
# what that is worth: two heads name both symbols in every unseen row; one head names one of them
# with 0.97 and the other with 0.21, little better than guessing. The number of weights is the same.
#
# Next: lab 3 looks at the positions that were added here as a learned table.
