# ---
# title: Self-attention
# build: scaled dot-product attention with masks, and the map of what each word attends to
# minutes: 50
# memory: 1 GB
# data: none, the lab makes its own
# seconds: 3
# ---

# %% [markdown]
# ## What you do and why
#
# A recurrent network passes what it knows from word to word, one step at a time. Attention gives
# every position a direct look at every other position. Each position asks a *query*; every
# position offers a *key*; where the two match, the position's *value* is read. One formula does
# all of it (Vaswani et al., 2017, [arXiv:1706.03762](https://arxiv.org/abs/1706.03762)):
#
# $$\text{Attention}(Q, K, V) = \text{softmax}\left(\frac{Q K^\top}{\sqrt{d}}\right) V$$
#
# You write it in four steps: the scores, the softmax with a mask, the mask of a decoder, and the
# whole. Then you look at its weights.
#
# Axes in this lab: `B` batch, `T` target length (queries), `S` source length (keys and values),
# `d` size of a query and of a key. The sign `…` stands for any leading axes: none, batch, or batch
# and heads.
#
# You may use `keras.ops`, TensorFlow or NumPy, and add helper functions in an exercise's cell. The
# course's own version of what an exercise asks for is blocked in it, and so is ready-made attention
# in exercises 1, 2 and 4: `keras.layers.Attention`, `AdditiveAttention`, `MultiHeadAttention` and
# `GroupQueryAttention`, `keras.ops.dot_product_attention`, and KerasHub's
# `CachedMultiHeadAttention`. In exercise 2 the layer `keras.layers.Softmax` is blocked, which takes
# a mask; the function `ops.softmax` is not.

# %% setup
from autograder import check, lend
import keras
from keras import ops
import matplotlib.pyplot as plt
import numpy as np

# %% [markdown]
# ## 1. Scores
#
# Write `attention_scores(query, key)`. The score of query $t$ and key $s$ is their dot product,
# divided by $\sqrt{d}$:
#
# $$\text{scores}_{ts} = \frac{q_t \cdot k_s}{\sqrt{d}}$$
#
# - `query` is `(…, T, d)`, `key` is `(…, S, d)`; the result is `(…, T, S)`: one row per query, one
#   column per key.
# - $d$ is the size of the last axis. Leading axes stay as they are.
#
# Example with $d = 4$: `query = [[2, 0, 1, 1]]` and `key = [[1, 2, 3, 3], [0, 5, 0, 2]]`. The dot
# products are $2 + 0 + 3 + 3 = 8$ and $0 + 0 + 0 + 2 = 2$. Divided by $\sqrt{4} = 2$, the scores
# are `[[4, 1]]`.


# %% exercise="attention_scores" difficulty=1 minutes=8
def attention_scores(query, key):
    """Return how well each query matches each key.

    Args:
        query: float tensor `(..., T, d)`.
        key: float tensor `(..., S, d)`.

    Returns:
        Scores `(..., T, S)`.
    """
    ### BEGIN SOLUTION
    scores = ops.matmul(query, ops.swapaxes(key, -1, -2))  # (..., T, S)
    return scores / query.shape[-1] ** 0.5
    ### END SOLUTION


# %% check="attention_scores" points=3
check("m02_transformer.attention_scores")

# %% [markdown]
# ## 2. Softmax with a mask
#
# Scores become weights by a softmax over the keys. Some keys must get no weight: padding, or words
# that come later. A boolean mask says which keys a query may attend to.
#
# Write `masked_softmax(scores, mask)`:
#
# - `scores` is `(…, T, S)`; so is the result. The softmax runs over the last axis.
# - `mask` is boolean and may attend where it is `True`. It broadcasts to the shape of the scores:
#   `(T, S)`, `(B, 1, 1, S)` and so on. `None` means that all keys are visible.
# - Hidden keys get the weight 0; the weights of the visible keys add up to one in each row.
# - It stays stable for scores up to 10,000 in size, of either sign, visible or hidden: no overflow.
# - A row with no visible key must stay finite. Which numbers stand there does not matter.
#
# Example: the scores are `[0.0, 0.693, 3.0]` and the mask is `[True, True, False]`. The
# exponentials of the visible scores are 1 and 2, so the weights are `[0.333, 0.667, 0.0]`. Without
# the mask they are 1, 2 and 20.1 over 23.1, that is `[0.043, 0.087, 0.870]`.


# %% exercise="masked_softmax" difficulty=2 minutes=12
def masked_softmax(scores, mask=None):
    """Turn scores into weights that add up to one over the last axis.

    Args:
        scores: float tensor `(..., T, S)`.
        mask: optional bool tensor, broadcastable to `(..., T, S)`. True means "may attend".

    Returns:
        Weights `(..., T, S)`.
    """
    ### BEGIN SOLUTION
    if mask is not None:
        scores = ops.where(mask, scores, -1e9)
    return ops.softmax(scores, axis=-1)
    ### END SOLUTION


# %% check="masked_softmax" points=5
check("m02_transformer.masked_softmax")

# %% [markdown]
# ### Why divide by √d?
#
# Take random queries and keys whose numbers have the standard deviation 1. A dot product adds up
# $d$ products, so its standard deviation is $\sqrt{d}$: scores grow with the size of the vectors,
# although nothing about the words has changed. The next cell measures it with your two functions,
# for 16 keys per query.

# %% demo
sizes = [4, 16, 64, 256, 1024]
spread, largest = {"with 1/√d": [], "without": []}, {"with 1/√d": [], "without": []}
rng = np.random.default_rng(0)
for d in sizes:
    query = rng.normal(size=(500, 1, d)).astype("float32")
    key = rng.normal(size=(500, 16, d)).astype("float32")
    scaled = ops.convert_to_numpy(attention_scores(query, key))
    for name, scores in (("with 1/√d", scaled), ("without", scaled * d**0.5)):
        weights = ops.convert_to_numpy(masked_softmax(scores))
        spread[name].append(scores.std())
        largest[name].append(weights.max(-1).mean())

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
styles = {"with 1/√d": ("#0072B2", "o"), "without": ("#D55E00", "s")}
for name, (colour, marker) in styles.items():
    left.plot(sizes, spread[name], color=colour, marker=marker, label=name)
    right.plot(sizes, largest[name], color=colour, marker=marker, label=name)
left.plot(sizes, np.sqrt(sizes), color="black", linestyle=":", label="√d")
left.set(xscale="log", yscale="log", xlabel="size d", ylabel="standard deviation of the scores")
right.axhline(1 / 16, color="black", linestyle=":", label="equal weights, 1/16")
right.set(xscale="log", xlabel="size d", ylabel="largest of 16 weights (mean)", ylim=(0, 1))
left.legend()
right.legend()
plt.show()

# %% [markdown]
# **What you see.** Left: without the division the spread of the scores follows √d (dotted); with it
# the spread stays at 1 for every size. Right: without the division the largest of 16 weights climbs
# to 0.97, so the softmax picks one key and ignores the rest; with it the largest weight stays at
# 0.25, four times that of equal weights. Where one weight is nearly 1, the gradient of the softmax
# is nearly 0, so a layer without the division hardly learns at the start.

# %% [markdown]
# ## 3. The causal mask
#
# A decoder writes from left to right. While it trains, all positions are computed at once, so a
# mask must hide the words that are not written yet.
#
# Write `causal_mask(length)`: a boolean array `(length, length)`. Entry `[i, j]` is `True` where
# position $i$ may attend to position $j$, that is where $j \le i$. A position may attend to itself.
#
# Example: `causal_mask(4)` is
#
# ```text
# [[ True, False, False, False],
#  [ True,  True, False, False],
#  [ True,  True,  True, False],
#  [ True,  True,  True,  True]]
# ```


# %% exercise="causal_mask" difficulty=1 minutes=6
def causal_mask(length):
    """Return the mask that lets position i attend to positions 0 to i.

    Args:
        length: int. Number of positions.

    Returns:
        Bool array `(length, length)`. True means "may attend".
    """
    ### BEGIN SOLUTION
    positions = ops.arange(length)
    return positions[:, None] >= positions[None, :]
    ### END SOLUTION


# %% check="causal_mask" points=2
check("m02_transformer.causal_mask")

# %% [markdown]
# ## 4. The whole formula
#
# Write `scaled_dot_product_attention(query, key, value, mask=None)`. It returns two things, in this
# order: the output and the weights.
#
# - `query` is `(…, T, d)`, `key` is `(…, S, d)`, `value` is `(…, S, e)`: values may have a size $e$
#   of their own.
# - The weights `(…, T, S)` are the masked softmax of the scores. The output `(…, T, e)` is, for
#   each query, the sum of the values times these weights.
# - `mask` is the mask of exercise 2.
#
# Use your functions from above. If one of them is still wrong, this exercise counts what you do
# here, given what they return.
#
# Example with $d = 1$: `query = [[0.693]]`, `key = [[0], [1]]`, `value = [[3, 0], [0, 6]]`. The
# scores are `[0, 0.693]`, the weights `[[0.333, 0.667]]`, and the output is
# $0.333 \cdot (3, 0) + 0.667 \cdot (0, 6)$ = `[[1, 4]]`.


# %% exercise="scaled_dot_product_attention" difficulty=2 minutes=8
def scaled_dot_product_attention(query, key, value, mask=None):
    """Mix `value` by how well each query matches each key.

    Args:
        query: float tensor `(..., T, d)`.
        key: float tensor `(..., S, d)`.
        value: float tensor `(..., S, e)`.
        mask: optional bool tensor, broadcastable to `(..., T, S)`. True means "may attend".

    Returns:
        Output `(..., T, e)` and weights `(..., T, S)`.
    """
    ### BEGIN SOLUTION
    weights = masked_softmax(attention_scores(query, key), mask)
    return ops.matmul(weights, value), weights
    ### END SOLUTION


# %% check="scaled_dot_product_attention" points=4
check("m02_transformer.scaled_dot_product_attention")

# %% [markdown]
# ## The attention map of a sentence
#
# In a trained model, queries and keys come from learned matrices; that is the next lab. Here they
# are made by hand from three features, so that you can tell why each weight is what it is. A key
# says what a word *is*; a query says what a word *looks for*. The pronoun "it" looks for a thing
# that is alive.

# %% demo
words = "the animal left the street because it was tired".split()
#                thing, alive, action
is_a = {
    "animal": (1, 1, 0),
    "street": (1, 0, 0),
    "left": (0, 0, 1),
    "was": (0, 0, 1),
}
looks_for = {
    "the": (1, 0, 0),
    "animal": (0, 0, 1),
    "left": (1, 0, 0),
    "street": (0, 0, 1),
    "because": (0, 0, 1),
    "it": (1, 1, 0),
    "was": (0, 1, 0),
    "tired": (0, 1, 0),
}
key = np.array([is_a.get(word, (0, 0, 0)) for word in words], "float32")
query = 5 * np.array([looks_for.get(word, (0, 0, 0)) for word in words], "float32")
one_hot = np.eye(len(words), dtype="float32")

hide_animal = np.array([word != "animal" for word in words])
masks = {"no mask": None, "“animal” hidden": hide_animal, "causal mask": causal_mask(len(words))}
figure, axes = plt.subplots(1, 3, figsize=(12, 4.6), sharey=True, layout="constrained")
maps = {}
for axis, (title, mask) in zip(axes, masks.items(), strict=True):
    _, weights = scaled_dot_product_attention(query, key, one_hot, mask)
    maps[title] = ops.convert_to_numpy(weights)
    image = axis.imshow(maps[title], cmap="viridis", vmin=0, vmax=1)
    axis.set_xticks(range(len(words)), words, rotation=90)
    axis.set_yticks(range(len(words)), words)
    axis.set(title=title, xlabel="key: the word that is read")
axes[0].set_ylabel("query: the word that reads")
figure.colorbar(image, ax=axes, label="weight", shrink=0.8)
plt.show()

it = words.index("it")
for title, weights in maps.items():
    best = weights[it].argmax()
    print(f"{title:18} “it” attends most to “{words[best]}”: {weights[it, best]:.2f}")

# %% [markdown]
# **What you see.** Three maps, one row per query, each row adding up to one. Without a mask, "it"
# puts a weight of 0.93 on "animal", the only word that is both a thing and alive. When the mask
# hides "animal", its column is dark and "it" turns to "street" (0.72); "was" and "tired", which
# look for something alive, find nothing and spread evenly over the rest. Under the causal mask
# everything above the diagonal is dark: "it" still finds "animal", which comes earlier, while the
# first "the" can only attend to itself. In the first map the two rows of "the" are equal: attention
# alone does not know where a word stands.

# %% [markdown]
# ## Attention does not know the order
#
# Shuffle the words, and without a mask the outputs are the same, shuffled: attention is
# *permutation equivariant*. The next cell compares "shuffle, then attend" with "attend, then
# shuffle", for random vectors in self-attention (query, key and value are the same tensor).

# %% demo
rng = np.random.default_rng(1)
x = rng.normal(size=(9, 16)).astype("float32")
order = rng.permutation(9)
print(f"{'':14}largest difference")
for title, mask in {"no mask": None, "causal mask": causal_mask(9)}.items():
    before, _ = scaled_dot_product_attention(x[order], x[order], x[order], mask)
    after, _ = scaled_dot_product_attention(x, x, x, mask)
    difference = np.abs(ops.convert_to_numpy(before) - ops.convert_to_numpy(after)[order]).max()
    print(f"{title:14}{difference:.1e}")

# %% [markdown]
# **What you see.** Without a mask the difference is rounding, below one in a million. With the
# causal mask it is nearly 1, since the mask treats positions differently. A model that has to tell
# "dog bites man" from "man bites dog" needs positions; lab 3 adds them.
#
# Next: lab 2 gives attention several heads, with learned queries, keys and values.
