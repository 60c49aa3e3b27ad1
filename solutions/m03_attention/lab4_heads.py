# ---
# title: "Heads: what each one adds, and which you can remove"
# build: "a measure of what each head is worth, and a curve that shows how many heads a trained model can lose; rollout, and heads that share keys and values"
# minutes: 55
# memory: 1.2 GB
# data: none, the lab makes its own
# seconds: 35
# ---

# %% [markdown]
# ## What you do and why
#
# A layer has several heads, but does it need them all? Michel et al. (2019,
# [arXiv:1905.10650](https://arxiv.org/abs/1905.10650)) took a trained translation model and BERT,
# removed heads one by one, and found that many could go without a loss that anybody would notice,
# while a few could not. Two things follow. A map of one head's attention explains little while you
# don't know whether the model would miss the head. And a model can be made cheaper after training,
# if you can tell which heads to remove.
#
# You take a small model apart: what each head adds to the layer's output, what it is worth to the
# loss, how much accuracy is left as heads go, what a token can have heard through two layers
# (rollout), and how heads share keys and values in today's large models.
#
# Axes in this lab: `L` layers, `B` examples, `N` heads, `G` heads of keys and values, `T` target
# length (queries), `S` source length (keys and values), `H` size of a head, `E` width of a layer's
# output.
#
# You may use `keras.ops`, TensorFlow or NumPy, and add helper functions in an exercise's cell. The
# course's own version of what an exercise asks for is blocked in it, in exercise 2 `head_importance`
# too. In exercise 4 ready-made layers are blocked: `keras.layers.Attention`, `AdditiveAttention`,
# `MultiHeadAttention` and `GroupQueryAttention`, `keras.ops.dot_product_attention`, KerasHub's
# `CachedMultiHeadAttention` and the course's layers; its `scaled_dot_product_attention` is not.

# %% setup
from autograder import check, lend
import keras
from keras import ops
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from course import data, plot
from course.data.associative_recall import recall_accuracy
from course.m02_transformer import (
    LayerNormalization,
    MultiHeadAttention,
    SinusoidalPositionalEncoding,
    scaled_dot_product_attention,
)
from course.m03_attention import (
    ablation,
    around_attention,
    prune_heads_one_by_one,
    score_without,
)

# %% [markdown]
# ## The model
#
# The task is associative recall, as in module 2: four pairs of a key and a value, then the keys
# again in some order, and the model must give their values. The sequences have 16 places here, and
# not 32: fewer blanks between the questions.
#
# ```text
# place     0   1   2   3   4   5   6   7
# input     5  12   3   9   3   0   5   0
# target    .   .   .   .   9   .  12   .
# ```
#
# The model has two attention layers with four heads each, eight heads in all, and nothing else that
# mixes places. It trains while you read exercise 1.

# %%
K, T, V, D, N = 4, 16, 128, 64, 4


def recall_model():
    """Return a model from ids `(B, T)` to logits `(B, T, V)`."""
    ids = keras.Input((T,), dtype="int32")
    x = keras.layers.Embedding(V, D)(ids)
    x = keras.layers.Rescaling(D**0.5)(x)
    x = SinusoidalPositionalEncoding()(x)
    for layer in (1, 2):
        h = LayerNormalization()(x)
        x = x + MultiHeadAttention(D, N, name=f"layer_{layer}")(h, h, use_causal_mask=True)
    return keras.Model(ids, keras.layers.Dense(V)(LayerNormalization()(x)))


def train(model, seed=0, epochs=8):
    """Train on 8,192 examples; the loss counts the questions only."""
    inputs, targets = data.load("associative_recall", "train", length=T, seed=seed)
    asked = (targets != 0).astype("float32")
    examples = tf.data.Dataset.from_tensor_slices((inputs, targets, asked))
    examples = examples.shuffle(len(inputs), seed=seed).batch(64, drop_remainder=True).prefetch(2)
    model.compile(
        keras.optimizers.AdamW(0.002),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,  # to compile for the processor takes longer than it saves here
        steps_per_execution=16,
    )
    model.fit(examples, epochs=epochs, verbose=0, shuffle=False)


# %% demo
keras.utils.set_random_seed(0)
model = recall_model()
train(model)
new_inputs, new_targets = data.load("associative_recall", "test", num_examples=250, length=T)
accuracy = recall_accuracy(model(new_inputs), new_targets)
print(f"{model.count_params():,} weights, accuracy on new examples {accuracy:.3f}")

# %% [markdown]
# ## 1. What each head adds
#
# A layer merges its heads, side by side, and multiplies by the output kernel $W^O$. Written block by
# block, this product is a sum over the heads:
#
# $$[\text{head}_0; \dots; \text{head}_{N-1}]\, W^O = \sum_n \text{head}_n W^O_n$$
#
# where $W^O_n$ holds the rows $nH$ to $(n+1)H$ of $W^O$. So each head *adds* something of its own to
# the layer's output, and removing a head means leaving out its term.
#
# Write `head_contributions(heads, kernel)`:
#
# - `heads` is `(B, N, T, H)`: what each head gives before they are merged.
# - `kernel` is $W^O$, `(N·H, E)`. E may differ from N·H. There is no bias: it belongs to no head.
# - The result is `(B, N, T, E)`: entry `[b, n]` is what head n adds at each place. Summed over n it
#   is the layer's output.
#
# Example with B = 1, N = 2, T = 1, H = 2, E = 1: head 0 gives `[1, 2]`, head 1 gives `[3, 4]`, and
# the kernel is `[[10], [1], [2], [5]]`. Head 0 adds $1 \cdot 10 + 2 \cdot 1 = 12$, head 1 adds
# $3 \cdot 2 + 4 \cdot 5 = 26$: the result is `[[[[12]], [[26]]]]`, and the layer's output 38.


# %% exercise="head_contributions" difficulty=1 minutes=10
def head_contributions(heads, kernel):
    """Return what each head adds to the layer's output.

    Args:
        heads: float tensor `(B, N, T, H)`.
        kernel: float tensor `(N·H, E)`, the rows of head 0 first.

    Returns:
        Float tensor `(B, N, T, E)`.
    """
    ### BEGIN SOLUTION
    num_heads, size = heads.shape[1], heads.shape[3]
    kernel = ops.reshape(kernel, (num_heads, size, kernel.shape[-1]))  # (N, H, E)
    return ops.einsum("bnth,nhe->bnte", heads, kernel)
    ### END SOLUTION


# %% check="head_contributions" points=3
check("m03_attention.head_contributions")

# %% [markdown]
# To see a layer's heads at work, the next cell hooks into the model's layers by the course's
# `around_attention`. It returns three arrays with an axis for the layers in front: what each head
# gives, the gradient of the loss towards it, and the attention weights.


# %%
def example_losses(targets, logits):
    """Return the cross-entropy of each place, 0 where nothing is asked."""
    losses = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    return losses * ops.cast(ops.not_equal(targets, 0), losses.dtype)


def look_inside(model, inputs, targets):
    """Return heads and gradients `(L, B, N, T, H)` and weights `(L, B, N, T, T)`."""
    heads, weights = [], []

    def record(path, output, attention):
        heads.append(output)
        weights.append(attention)
        return output, attention

    with around_attention(model, record), tf.GradientTape() as tape:
        loss = ops.sum(example_losses(targets, model(inputs, training=False)))
    gradients = tape.gradient(loss, heads)
    return tuple(
        np.stack([ops.convert_to_numpy(x) for x in y]) for y in (heads, gradients, weights)
    )


# %% demo
inputs, targets = data.load("associative_recall", "train", num_examples=256, length=T)
heads, gradients, weights = look_inside(model, inputs, targets)
lengths = []
for layer in (0, 1):
    kernel = model.get_layer(f"layer_{layer + 1}").output_dense.kernel
    added = ops.convert_to_numpy(head_contributions(heads[layer], kernel))  # (B, N, T, E)
    places = targets != 0 if layer == 1 else np.arange(T) < 2 * K  # questions; pairs
    size = np.linalg.norm(added, axis=-1).swapaxes(0, 1)  # (N, B, T)
    lengths.append([np.mean(s[np.broadcast_to(places, s.shape)]) for s in size])
    print(f"layer {layer + 1}, length of what each head adds:", np.round(lengths[-1], 1))

# %% [markdown]
# **What you see.** The mean length of the vector that each head adds: in layer 1 at the pairs, in
# layer 2 at the questions. With seed 0 one head of layer 1 adds 5.7, the others at most 2.6; in
# layer 2 they add 4.4 to 5.1. A long vector may matter, or be ignored by all that follows. The
# length does not say which. The next exercise asks the loss.

# %% [markdown]
# ## 2. What each head is worth
#
# Put a number $\xi_n$ in front of each head's output. With $\xi_n = 1$ the model is whole, with
# $\xi_n = 0$ the head is gone. How much the loss hangs on it is, to first order, the gradient
# towards $\xi_n$. No model needs to be changed for it: by the chain rule
#
# $$\frac{\partial\, \text{loss}_b}{\partial\, \xi_{bn}} =
#   \sum_{t, h} \text{head}_{bnth}\, \frac{\partial\, \text{loss}_b}{\partial\, \text{head}_{bnth}},
#   \qquad I_n = \frac{1}{B} \sum_b \left| \frac{\partial\, \text{loss}_b}{\partial\, \xi_{bn}} \right|$$
#
# This is the importance of Michel et al., section 4.1. One backward pass gives it for all heads.
#
# Write `importance_per_head(heads, gradients)`:
#
# - Both are `(L, B, N, T, H)`: what each head gives, and the gradient of the example's loss towards
#   each of these numbers.
# - For each layer, example and head add up the products over places and numbers. Take the absolute
#   value, then the mean over the examples: $I$, `(L, N)`.
# - Gradients of different layers differ in size. So divide each layer's N importances by their
#   Euclidean norm, the root of the sum of their squares.
# - A layer whose importances are all 0 stays at 0.
#
# Example with L = 1, B = 2, N = 2, T = 1, H = 1. Head 0 gives 3 and 1, with gradients 2 and −2.
# The products are 6 and −2, so $I_0 = (6 + 2) / 2 = 4$. Head 1 gives 1 and 1 with gradients 2 and 4:
# $I_1 = (2 + 4) / 2 = 3$. The norm is $\sqrt{16 + 9} = 5$, and the result `[[0.8, 0.6]]`.


# %% exercise="importance_per_head" difficulty=2 minutes=15
def importance_per_head(heads, gradients):
    """Return how much the loss hangs on each head, to first order.

    Args:
        heads: float tensor `(L, B, N, T, H)`.
        gradients: float tensor `(L, B, N, T, H)`, of each example's own loss.

    Returns:
        Float tensor `(L, N)`; each layer has the Euclidean norm 1, or 0.
    """
    ### BEGIN SOLUTION
    slopes = ops.sum(heads * gradients, axis=(-2, -1))  # (L, B, N)
    importance = ops.mean(ops.abs(slopes), axis=1)  # (L, N)
    norm = ops.sqrt(ops.sum(importance**2, axis=-1, keepdims=True))
    return importance / ops.where(norm > 0, norm, 1.0)
    ### END SOLUTION


# %% check="importance_per_head" points=5
check("m03_attention.importance_per_head")

# %% [markdown]
# The measured counterpart is slower: remove one head, look at the accuracy, put it back. The course's
# `score_without` returns a function that gives the accuracy without some heads: the masks are inputs
# of one compiled function. `ablation` calls it for every head alone.


# %%
def score(logits):
    """Return the accuracy on the new examples."""
    return recall_accuracy(logits, new_targets)


PATHS = ["layer_1", "layer_2"]

# %% demo
importance = ops.convert_to_numpy(importance_per_head(heads, gradients))
without = score_without(model, new_inputs, score)
alone = ablation(model, without)
with plot.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.4), layout="constrained")
    names = [f"{layer + 1}.{n}" for layer in (0, 1) for n in range(N)]
    colours = [plot.COLORS[0]] * N + [plot.COLORS[1]] * N
    left.bar(names, importance.ravel(), color=colours, hatch=[""] * N + ["//"] * N)
    left.set(title="importance", xlabel="layer.head")
    lost = [accuracy - rest for path in PATHS for rest in alone[path]]
    right.bar(names, lost, color=colours, hatch=[""] * N + ["//"] * N)
    right.set(title="accuracy lost without this head", xlabel="layer.head")
    plt.show()
for name, estimate, loss in zip(names, importance.ravel(), lost, strict=True):
    print(f"head {name}: importance {estimate:.2f}, accuracy lost {loss:+.3f}")

# %% [markdown]
# **What you see.** Left the estimate from one backward pass, right the accuracy on new questions
# that is lost when this head alone is gone. With seed 0 the same head of layer 1 is first in both:
# its importance is 0.63, and without it the accuracy falls by 0.30. It looks from a value to the
# place before it, that is to the value's key. Each of the other seven heads costs less than 0.01
# when it goes alone.
#
# Over five seeds the work is spread in different ways: the head that costs most costs 0.30 and 0.43
# with seeds 0 and 2, 0.14 and 0.10 with seeds 1 and 3, 0.05 with seed 4. The other seven cost less
# than 0.01 each. The estimate is rough: the rank correlation of importance and accuracy lost is 0.64
# ± 0.27 (mean ± standard deviation over the seeds, lowest 0.21). Importance goes with the length of
# what a head adds just as loosely: 0.67 ± 0.17.

# %% [markdown]
# ## Remove heads one by one
#
# Now remove the least important head, then the next, until none is left. The strong simple baseline
# is to remove them in random order, ten orders here. The third curve removes the most important
# head first.

# %% demo
ORDERS = 10
rng = np.random.default_rng(0)


def curve(values):
    """Return the accuracy after 0, 1, … heads have gone, those of the lowest value first."""
    _, scores = prune_heads_one_by_one(without, dict(zip(PATHS, values, strict=True)))
    return scores


curves = {
    "least important first": curve(importance),
    "most important first": curve(-importance),
}
chance = np.stack([curve(rng.random(importance.shape)) for _ in range(ORDERS)])
with plot.style():
    figure, axis = plt.subplots(figsize=(7.5, 4), layout="constrained")
    removed = np.arange(2 * N + 1)
    for name, values in curves.items():
        axis.plot(removed, values, label=name)
    axis.plot(
        removed, chance.mean(0), color="black", marker="^", label=f"mean of {ORDERS} random orders"
    )
    axis.fill_between(removed, chance.min(0), chance.max(0), color="black", alpha=0.12)
    axis.axhline(1 / K, color="black", linestyle=":", linewidth=1)
    axis.text(0, 1 / K + 0.02, "a value of the example, 1/4")
    axis.set(xlabel="heads removed", ylabel="accuracy on new examples", ylim=(0, 1.03))
    axis.set_title("How many heads can go?")
    axis.legend()
    plt.show()
for name, values in {**curves, "random, mean": chance.mean(0)}.items():
    print(f"{name:22}", " ".join(f"{value:.2f}" for value in values), f" mean {values.mean():.3f}")

# %% [markdown]
# **What you see.** The upper curve keeps its height while the first heads go. Over five seeds,
# accuracy on new questions (mean ± standard deviation; whole model 1.000 in all five):
#
# | of 8 heads removed | 1 | 2 | 3 | 4 | 5 |
# |---|---:|---:|---:|---:|---:|
# | least important first | 0.999 ± 0.001 | 0.988 ± 0.005 | 0.948 ± 0.013 | 0.79 ± 0.05 | 0.56 ± 0.11 |
# | random, mean of ten orders | 0.94 ± 0.06 | 0.86 ± 0.10 | 0.73 ± 0.15 | 0.53 ± 0.16 | 0.32 ± 0.09 |
# | most important first | 0.80 ± 0.16 | 0.75 ± 0.16 | 0.61 ± 0.14 | 0.42 ± 0.12 | 0.22 ± 0.11 |
#
# From one to six heads, the order by importance is better than the mean of the random orders in 5 of
# 5 seeds. Two heads of eight can go nearly free. Michel et al. removed 20 % of the heads of their
# translation model and 40 % of BERT's before they noticed it.
#
# From the fourth head on it is no longer free, and nothing that was measured on the whole model says
# so. The four heads that cost least when each goes alone cost 0.003 ± 0.002 together, when you add up
# what each costs. Remove all four, and 0.241 ± 0.020 is lost. Two heads that do the same work each
# look unimportant, since the other one stands in; once one is gone, the other is needed, and the list
# does not know it. You can compute the importance anew after each removal. Try it: `head_masks` of
# the course removes heads while you look inside.

# %% [markdown]
# ## 3. Rollout
#
# Which input can a token have heard of after two layers? Layer 1 mixes tokens, and layer 2 mixes the
# mixtures. *Attention rollout* (Abnar and Zuidema, 2020,
# [arXiv:2005.00928](https://arxiv.org/abs/2005.00928)) follows that: a layer hands on a share $r$ of
# the token itself, by the residual connection, and shares of the others by attention.
#
# $$A'_l = (1 - r)\, \overline{A}_l + r I, \qquad R_1 = A'_1, \quad R_l = A'_l\, R_{l-1}$$
#
# $\overline{A}_l$ is the mean of the layer's heads.
#
# Write `attention_rollout(weights, residual=0.5)`:
#
# - `weights` is `(L, …, N, T, T)`: the layers in order, the first layer first. The sign `…` stands
#   for a batch axis or nothing. Rows add up to one.
# - `residual` is the share $r$, from 0 to 1.
# - The result is `(L, …, T, T)`: entry l is the rollout after layer l + 1. Rows add up to one.
#
# Example with L = 2, N = 1, T = 2 and $r = 0.5$: layer 1 is `[[1, 0], [1, 0]]`, layer 2 is
# `[[0, 1], [0, 1]]`. Mixed with the identity they are `[[1, 0], [0.5, 0.5]]` and
# `[[0.5, 0.5], [0, 1]]`. The rollouts are `[[1, 0], [0.5, 0.5]]` and
# `[[0.75, 0.25], [0.5, 0.5]]`: token 0 reads token 1 in layer 2, and half of that is token 0 again.


# %% exercise="attention_rollout" difficulty=2 minutes=12
def attention_rollout(weights, residual=0.5):
    """Multiply the attention of layers, each mixed with its residual connection.

    Args:
        weights: float tensor `(L, ..., N, T, T)`, rows that add up to one.
        residual: float. Share of the token itself.

    Returns:
        Float tensor `(L, ..., T, T)`.
    """
    ### BEGIN SOLUTION
    mixed = (1 - residual) * ops.mean(weights, axis=-3)  # (L, ..., T, T)
    mixed = mixed + residual * ops.eye(weights.shape[-1])
    rollouts = [mixed[0]]
    for layer in range(1, len(weights)):
        rollouts.append(ops.matmul(mixed[layer], rollouts[-1]))
    return ops.stack(rollouts)
    ### END SOLUTION


# %% check="attention_rollout" points=4
check("m03_attention.attention_rollout")


# %%
def weight_on_the_pair(rows):
    """Return the mean weight from a question to the key, and to the value, of its own pair.

    Args:
        rows: array `(B, T, T)`, for the new examples.
    """
    found = []
    for row, target, ids in zip(rows, new_targets, new_inputs, strict=True):
        for place in np.flatnonzero(target):
            key = np.flatnonzero(ids[: 2 * K] == ids[place])[0]
            found.append(row[place, key : key + 2])
    return np.mean(found, axis=0)


# %% demo
_, _, weights = look_inside(model, new_inputs, new_targets)
rollouts = ops.convert_to_numpy(attention_rollout(weights))  # (L, B, T, T)
example = 0
asked = np.flatnonzero(new_targets[example])
ids = new_inputs[example]
questions = [f"asks {ids[i]}" for i in asked]
pairs = [f"{'key' if i % 2 == 0 else 'value'} {ids[i]}" for i in range(2 * K)]
with plot.style():
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.2), layout="constrained")
    shown = {
        "layer 2, mean of its heads": weights[1, example].mean(0),
        "rollout after layer 2": rollouts[1, example],
    }
    for axis, (title, rows) in zip(axes, shown.items(), strict=True):
        plot.heat_map(rows[asked][:, : 2 * K], questions, pairs, title, axis)
    plt.show()

for name, rows in {"layer 2 alone": weights[1].mean(1), "rollout": rollouts[1]}.items():
    on_key, on_value = weight_on_the_pair(rows)
    print(f"{name:14} weight on the right key {on_key:.3f}, on the right value {on_value:.3f}")

# %% [markdown]
# **What you see.** One row for each question, one column for each place of the pairs. In layer 2 a
# question looks at the value of its own pair, with 0.941 ± 0.006 of its weight (five seeds), and
# hardly at the key, 0.014 ± 0.003. The rollout gives the value 0.351 ± 0.014 and the key 0.151 ±
# 0.015, eleven times as much: in layer 1 the value's place had heard of its key, and that is how the
# question found it. The map of layer 2 alone does not show it.
#
# Rollout is a picture of the wiring. It takes every head for equally important, the residual share
# for one half, and knows nothing of values, $W^O$ or norms. What a token *can* have heard is not
# what the output hangs on.

# %% [markdown]
# ## 4. Heads that share keys and values
#
# When a language model writes, it keeps the keys and values of all earlier tokens, and that cache
# fills the memory. *Multi-query attention* (Shazeer, 2019,
# [arXiv:1911.02150](https://arxiv.org/abs/1911.02150)) keeps one head of keys and values for all
# query heads; *grouped-query attention* (Ainslie et al., 2023,
# [arXiv:2305.13245](https://arxiv.org/abs/2305.13245)) keeps one for each group of query heads.
#
# Write `group_query_attention(query, key, value, mask=None)`:
#
# - `query` is `(B, N, T, H)`; `key` and `value` are `(B, G, S, H)`. N is a multiple of G, and each
#   key and value head serves $r = N / G$ query heads.
# - Neighbours share: query head n reads key and value head $\lfloor n / r \rfloor$. With N = 4 and
#   G = 2, query heads 0 and 1 read head 0, query heads 2 and 3 read head 1.
# - Each query head does scaled dot-product attention: scores over √H, softmax over the keys, mean of
#   the values.
# - `mask` is boolean, `(B, 1, T, S)` or `(T, S)`, the same for all heads; True means "may attend",
#   `None` that all keys are visible. Every query sees at least one key.
# - The result is `(B, N, T, H)`: the output alone, no weights.
#
# Example with B = 1, T = S = 1, N = 4, G = 2, H = 1: with a single key every weight is 1, so each
# query head gives the value that it reads. With values 10 in head 0 and 20 in head 1 the four
# outputs are 10, 10, 20, 20, whatever queries and keys are.


# %% exercise="group_query_attention" difficulty=2 minutes=12
def group_query_attention(query, key, value, mask=None):
    """Attend with N query heads to G heads of keys and values.

    Args:
        query: float tensor `(B, N, T, H)`.
        key: float tensor `(B, G, S, H)`.
        value: float tensor `(B, G, S, H)`.
        mask: optional bool tensor, `(B, 1, T, S)` or `(T, S)`. True means "may attend".

    Returns:
        Float tensor `(B, N, T, H)`.
    """
    ### BEGIN SOLUTION
    shares = query.shape[1] // key.shape[1]
    key = ops.repeat(key, shares, axis=1)  # (B, N, S, H)
    value = ops.repeat(value, shares, axis=1)  # (B, N, S, H)
    output, _ = scaled_dot_product_attention(query, key, value, mask)
    return output
    ### END SOLUTION


# %% check="group_query_attention" points=5
check("m03_attention.group_query_attention")

# %% [markdown]
# Can you turn a trained model into a grouped one? Ainslie et al. average the keys and values of the
# heads of a group, and then train on. The next cell averages, without further training, and
# evaluates your function inside the model. Beside it stands what the cache of a language model would
# take that keeps the same share of its key and value heads: 32 layers, 32 query heads of size 128,
# 4,096 tokens, two bytes a number (4, 2 and 1 of 4 here are 32, 16 and 8 of 32 there).


# %%
def pooled(x, groups):
    """Average neighbouring heads: `(B, N, S, H)` to `(B, G, S, H)`."""
    batch, count, length, size = x.shape
    return ops.mean(ops.reshape(x, (batch, groups, count // groups, length, size)), axis=2)


def accuracy_with_groups(model, groups):
    """Return the accuracy when both layers share keys and values in groups."""
    layers = [model.get_layer(path) for path in PATHS]

    def attend(query, key, value, mask):
        shared = pooled(key, groups), pooled(value, groups)
        return group_query_attention(query, *shared, mask), None

    for layer in layers:
        layer.attend = attend
    try:
        return score(model(new_inputs, training=False))
    finally:
        for layer in layers:
            del layer.attend


# %% demo
print(f"{'groups G':>8}{'accuracy, not retrained':>26}{'cache, same share':>22}")
for groups in (4, 2, 1):
    cache = 2 * 32 * (32 * groups // N) * 128 * 4096 * 2  # keys and values
    print(f"{groups:8}{accuracy_with_groups(model, groups):26.3f}{cache / 2**20:18,.0f} MiB")

# %% [markdown]
# **What you see.** Half of the key and value heads halve the cache. But averaged, without further
# training, they leave an accuracy of 0.535 ± 0.023 with two groups and of 0.067 ± 0.015 with one
# (five seeds): the heads had learned different things, and their mean is none of them. Ainslie et
# al. average in the same way and then train on, with 5 % of the original steps. A model that has
# groups from its first step on needs no such repair.
#
# Next: lab 5 asks what attention says about the errors of a classifier.
