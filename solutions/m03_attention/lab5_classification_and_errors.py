# ---
# title: "Classification with attention, and what its errors say"
# build: "a sentiment classifier that pools by attention, an error analysis by slices, and two tests of whether its attention explains what it predicts"
# minutes: 60
# memory: 1.3 GB
# data: 7,500 sentences written for the course, none to download; SST-2 if you like
# seconds: 40
# ---

# %% [markdown]
# ## What you do and why
#
# A classifier of texts has a vector for each token and needs one for the whole text. Attention can
# make it: a score for each token, a softmax, a weighted sum. The weights come free with every
# prediction, and they look like an explanation: "the model says negative because it looks at *dull*".
# Are they one? That has been argued about since 2019, and in this lab you measure it:
#
# - Jain and Wallace, "Attention is not Explanation",
#   [arXiv:1902.10186](https://arxiv.org/abs/1902.10186): in their models, weights agree little with
#   other measures of importance, and other weights often give the same prediction.
# - Serrano and Smith, "Is Attention Interpretable?",
#   [arXiv:1906.03731](https://arxiv.org/abs/1906.03731): they erase the token with the highest weight
#   and look whether the prediction changes. Mostly it does not.
# - Wiegreffe and Pinter, "Attention is not not Explanation",
#   [arXiv:1908.04626](https://arxiv.org/abs/1908.04626): it depends on what you call an explanation,
#   and a test needs a baseline, such as a model whose weights are all equal.
#
# The data are the reviews of module 1, where negation and contrast decide:
#
# ```text
# I had been told that the film was good, but it was dull.     negative
# The film was anything but dull.                              positive
# My aunt said that the film was dull, and she may be right.   neutral
# ```
#
# You write the pooling, a confusion matrix for each slice of the data, the erasure test, and the
# agreement of two rankings.
#
# Letters in this lab: `B` texts in a batch, `T` length, `H` size of a state, `U` units of the score,
# `C` classes, `S` slices. You may use `keras.ops`, TensorFlow or NumPy, and add helper functions in
# an exercise's cell. The course's own version of what an exercise asks for is blocked in it. In
# exercise 1 so are `keras.layers.Attention`, `AdditiveAttention`, `MultiHeadAttention` and
# `GroupQueryAttention`, `keras.ops.dot_product_attention`, KerasHub's `CachedMultiHeadAttention`,
# and the course's `AdditiveAttention` and `additive_score`; in exercise 2 the `confusion_matrix` of
# TensorFlow and scikit-learn; in exercise 4 SciPy's `kendalltau` and `weightedtau`.

# %% setup
import re

from autograder import check, lend
import keras
from keras import ops
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from course import data, plot
from course.m01_sequence_models import Vocabulary, build_bag_of_words
from course.m02_transformer import (
    LayerNormalization,
    SinusoidalPositionalEncoding,
    TransformerEncoderLayer,
)
from course.m03_attention import AdditiveAttention

# %% [markdown]
# ## 1. One vector for a text
#
# The encoder gives a state $h_t$ for each token. Additive attention (Bahdanau et al., 2015,
# [arXiv:1409.0473](https://arxiv.org/abs/1409.0473)) scores it with a small network. There is no
# decoder here, so no query changes from step to step: the bias $b$ stands where the projected query
# stood, and with $v$ it asks one question, the same for every text. (The reading follows Yang et al.
# and calls $v$ the query.)
#
# $$\text{score}_t = v \cdot \tanh(W h_t + b), \qquad a = \text{softmax}(\text{score}), \qquad
# \text{pooled} = \sum_t a_t h_t$$
#
# Write `attention_pooling(states, mask, kernel, bias, v)`. It returns two things, in this order:
# `pooled`, `(B, H)`, and the weights $a$, `(B, T)`.
#
# - `states` is `(B, T, H)`. `mask` is boolean `(B, T)`, True at tokens, False at padding.
# - `kernel` is `(H, U)`, so that $W h$ is `states @ kernel`; `bias` and `v` are `(U,)`.
# - Padding gets the weight 0, and the weights of the tokens add up to one. What stands at the
#   padding must not matter, nor how much padding there is.
# - A text that is all padding must stay finite. Which numbers it gives does not matter.
#
# Example with B = 1, T = 3, H = U = 1: states `[[[0], [1], [5]]]`, mask `[[True, True, False]]`,
# kernel `[[1]]`, bias `[0]`, v `[2]`. The scores of the tokens are $2 \tanh 0 = 0$ and
# $2 \tanh 1 = 1.523$, the weights `[[0.179, 0.821, 0]]`, and pooled is `[[0.821]]`.


# %% exercise="attention_pooling" difficulty=2 minutes=12
def attention_pooling(states, mask, kernel, bias, v):
    """Sum the states of each text by the weights of additive attention.

    Args:
        states: float tensor `(B, T, H)`.
        mask: bool tensor `(B, T)`. True at tokens.
        kernel: float tensor `(H, U)`.
        bias: float tensor `(U,)`.
        v: float tensor `(U,)`.

    Returns:
        Pooled states `(B, H)` and weights `(B, T)`.
    """
    ### BEGIN SOLUTION
    hidden = ops.tanh(ops.matmul(states, kernel) + bias)  # (B, T, U)
    scores = ops.where(mask, ops.matmul(hidden, v), -1e9)  # (B, T)
    weights = ops.softmax(scores, axis=-1)
    return ops.einsum("bt,bth->bh", weights, states), weights
    ### END SOLUTION


# %% check="attention_pooling" points=5
check("m03_attention.attention_pooling")

# %% [markdown]
# ### The classifier
#
# Embeddings, one transformer encoder layer with four heads (module 2), attention, and one linear layer. The model uses the
# course's layer `AdditiveAttention`; with the constant 1 as its query, the layer's query kernel is
# the bias $b$.

# %%
CLASSES = ("negative", "neutral", "positive")
LENGTH, SIZE, HEADS = 36, 32, 4  # the longest text has 36 tokens
train_texts, train_labels = data.load("sentiment", "train")
test_texts, test_labels = data.load("sentiment", "test")
vocabulary = Vocabulary.from_texts(train_texts)
train_ids = vocabulary.encode_batch(train_texts, LENGTH)
test_ids = vocabulary.encode_batch(test_texts, LENGTH)
test_mask = test_ids != 0


def encoder_layers():
    """Return what stands between embeddings and states."""
    return (
        keras.layers.Rescaling(SIZE**0.5, name="scale"),
        SinusoidalPositionalEncoding(name="positions"),
        TransformerEncoderLayer(2 * SIZE, HEADS, pre_norm=True, name="encoder"),
        LayerNormalization(name="norm"),
    )


def encode(x, mask, scale, positions, encoder, norm):
    """Return the states `(B, T, H)` of embeddings `(B, T, H)`."""
    return norm(encoder(positions(scale(x)), padding_mask=mask))


def classifier(vocabulary_size, num_classes=3, pooling="attention"):
    """Return a model from ids `(B, T)` to logits `(B, C)`; `pooling` may be "mean" too."""
    ids = keras.Input((LENGTH,), dtype="int32")
    mask = ops.not_equal(ids, 0)  # (B, T)
    x = keras.layers.Embedding(vocabulary_size, SIZE, name="embedding")(ids)
    states = encode(x, mask, *encoder_layers())
    if pooling == "attention":
        one = ops.ones_like(states[:, :1, :1])  # (B, 1, 1), the query
        pooled, _ = AdditiveAttention(SIZE, name="attention")(
            one, states, mask=ops.expand_dims(mask, 1)
        )
        pooled = pooled[:, 0]  # (B, H)
    else:
        real = ops.expand_dims(ops.cast(mask, "float32"), -1)  # (B, T, 1)
        pooled = ops.sum(states * real, axis=1) / ops.maximum(ops.sum(real, axis=1), 1.0)
    return keras.Model(ids, keras.layers.Dense(num_classes, name="classes")(pooled))


def train(model, ids, labels, learning_rate, epochs, seed=0, from_logits=True):
    """Train a classifier on ids `(B, T)` and labels `(B,)`."""
    steps = epochs * (len(ids) // 64)
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, steps, alpha=0.02)
    examples = tf.data.Dataset.from_tensor_slices((ids, labels))
    examples = examples.shuffle(len(ids), seed=seed).batch(64, drop_remainder=True).prefetch(2)
    model.compile(
        keras.optimizers.Adam(rate, clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits),
        jit_compile=False,  # to compile for the processor takes longer than it saves here
        steps_per_execution=31,
    )
    model.fit(examples, epochs=epochs, verbose=0, shuffle=False)


def probabilities(model, ids):
    """Return the probability of each class, `(B, C)`, from a model that gives logits."""
    return ops.convert_to_numpy(ops.softmax(model.predict(ids, batch_size=250, verbose=0)))


def predict(model, ids):
    """Return the predicted class of each text."""
    return model.predict(ids, batch_size=250, verbose=0).argmax(-1)


RATE, EPOCHS = 0.005, 10

# %% demo
keras.utils.set_random_seed(0)
model = classifier(len(vocabulary))
train(model, train_ids, train_labels, RATE, EPOCHS)
bag = build_bag_of_words(len(vocabulary), len(CLASSES))
train(bag, train_ids, train_labels, 0.03, 10, from_logits=False)
predictions = predict(model, test_ids)
print(f"bag of words:      {np.mean(predict(bag, test_ids) == test_labels):.3f}")
print(f"encoder, attention {np.mean(predictions == test_labels):.3f}")

# %% [markdown]
# **What you see.** The texts of the test have sentence structures that the training has not. Over
# five seeds (mean ± standard deviation):
#
# | model | weights | accuracy | on 2,000 training texts |
# |---|---:|---:|---:|
# | one class for all | 0 | 0.333 | 0.333 |
# | bag of words | 672 | 0.614 ± 0.004 | 0.653 ± 0.002 |
# | mean of the embeddings, one hidden layer | 8,291 | 0.612 ± 0.015 | 0.666 ± 0.012 |
# | encoder, mean of the states | 15,843 | 0.744 ± 0.034 | 0.820 ± 0.027 |
# | encoder, attention pooling | 16,931 | 0.720 ± 0.019 | 0.847 ± 0.018 |
#
# With the encoder a model beats the bag and the mean of embeddings in 5 of 5 seeds. Attention
# pooling is no gain over the plain mean of the states: it is lower in 4 of 5 seeds. It is not a
# good classifier: the LSTM of module 1's lab 4, which reads its last state, gets 0.996 ± 0.004 of
# the same texts right. For this lab that serves you well. There are hundreds of errors, and you can
# look for what they have in common.

# %% [markdown]
# ## 2. Where the errors are
#
# One number says how often a model is wrong, not where. Cut the test into *slices*, sets of texts
# that have something in common, and look at each.
#
# Write `confusion_by_slice(labels, predictions, members, num_classes)`. It returns two things, in
# this order:
#
# - `matrices`, `(S, C, C)` with `C = num_classes`: entry `[s, i, j]` counts the texts of slice s that
#   are of class i and were called j. Rows are true, columns predicted.
# - `shares`, `(S,)`: of all errors in the test, the share that lies in slice s. All errors count
#   below the line, also those that lie in no slice. Without any error all shares are 0.
# - `labels` and `predictions` are integers `(n,)`. `members` is boolean `(S, n)`: True where the text
#   belongs to the slice. Slices may overlap, and a text may lie in none. A slice may be empty; then
#   its matrix and its share are zeros.
#
# Example with C = 2: labels `[0, 1, 1, 0]`, predictions `[1, 1, 0, 0]`; slice 0 holds the texts 0 and
# 1, slice 1 the texts 1, 2 and 3. The matrices are `[[0, 1], [0, 1]]` and `[[1, 0], [1, 1]]`. Texts 0
# and 2 are wrong, one in each slice: the shares are `[0.5, 0.5]`.


# %% exercise="confusion_by_slice" difficulty=2 minutes=12
def confusion_by_slice(labels, predictions, members, num_classes):
    """Return a confusion matrix for each slice, and the share of all errors in it.

    Args:
        labels: int array `(n,)`.
        predictions: int array `(n,)`.
        members: bool array `(S, n)`. Which texts belong to each slice.
        num_classes: int. C.

    Returns:
        Matrices `(S, C, C)`, rows true; shares `(S,)`.
    """
    ### BEGIN SOLUTION
    labels, predictions, members = (np.asarray(x) for x in (labels, predictions, members))
    matrices = np.zeros((len(members), num_classes, num_classes), "int64")
    for matrix, inside in zip(matrices, members, strict=True):
        np.add.at(matrix, (labels[inside], predictions[inside]), 1)
    wrong = labels != predictions
    return matrices, np.sum(members & wrong, axis=1) / max(np.sum(wrong), 1)
    ### END SOLUTION


# %% check="confusion_by_slice" points=4
check("m03_attention.confusion_by_slice")

# %% [markdown]
# The slices here are patterns in the text. Some turn an opinion over, some only look as if they did.

# %%
SLICES = {
    "all texts": r"",
    "not, hardly, far from, …": r"\b((?<!nothing if )(?<!whether or )not (?!only|made|true)|hardly|far from|anything but|by no means|never (?!mind)|could not)",
    "not only, nothing if not, …": r"\b(not only|nothing if not|nothing short of|more than i did)",
    "nobody": r"\bnobody\b",
    "denied as a whole": r"\b(cannot agree|not true that|wrong to say|could say that|was wrong|it is not|i did not \.)",
    "but, although, yet, …": r"\b(but (?!also)|although|even if|yet|still|all the same|never mind)\b",
    "a question": r"\?",
}
tokens = [vocabulary.decode(row) for row in test_ids]
members = np.array(
    [[bool(re.search(p, " ".join(text))) for text in tokens] for p in SLICES.values()]
)

# %% demo
matrices, shares = confusion_by_slice(test_labels, predictions, members, len(CLASSES))
matrices, shares = np.asarray(matrices), np.asarray(shares)
bag_matrices, _ = confusion_by_slice(test_labels, predict(bag, test_ids), members, len(CLASSES))
print(f"{'slice':30}{'texts':>6}{'bag':>7}{'attention':>11}{'share of errors':>17}")
for name, matrix, other, share in zip(
    SLICES, matrices, np.asarray(bag_matrices), shares, strict=True
):
    right = [np.trace(m) / max(m.sum(), 1) for m in (other, matrix)]
    print(f"{name:30}{int(matrix.sum()):6}{right[0]:7.3f}{right[1]:11.3f}{share:17.2f}")
with plot.style():
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for axis, s in zip(axes, (0, 1 + int(np.argmax(shares[1:]))), strict=True):
        plot.heat_map(
            matrices[s] / np.maximum(matrices[s].sum(-1, keepdims=True), 1),
            CLASSES, CLASSES, list(SLICES)[s], axis, high=1, numbers=True,
        )  # fmt: skip
        axis.set(xlabel="predicted", ylabel="true")
    plt.show()

# %% [markdown]
# **What you see.** The left matrix holds all texts, the right one the slice with most errors; each
# row is divided by its sum. Over five seeds 99.5 ± 0.3 % of the neutral texts are found. The errors
# are between the other two: 44.3 ± 2.9 % of the negative texts are called positive, 38.0 ± 4.6 % of
# the positive ones negative. What the model has learned is whether there is a verdict; which one it
# is, it half guesses.
#
# A share of errors says nothing until you compare it with the share of texts. The slice with `but`,
# `although` and the like holds 57.3 ± 1.7 % of all errors, and 65 % of all texts: it is no harder
# than the rest, since most texts have such a word. The slice that is denied as a whole ("I cannot
# agree that …") holds 10 % of the texts and 18.9 ± 1.6 % of the errors; its accuracy is 0.479 ±
# 0.025, that of all texts 0.720 ± 0.019.

# %% [markdown]
# ### Attention on the errors
#
# The next cell reads the model's states and weights, so that your `attention_pooling` can do what the
# model does, and draws the weights on some errors.


# %%
def from_embeddings(model, x, mask):
    """Return the states and the logits that a model makes of embeddings `(B, T, E)`."""
    layers = [model.get_layer(name) for name in ("scale", "positions", "encoder", "norm")]
    states = encode(x, mask, *layers)
    one = ops.ones_like(states[:, :1, :1])
    pooled, _ = model.get_layer("attention")(one, states, mask=ops.expand_dims(mask, 1))
    return states, model.get_layer("classes")(pooled[:, 0])


def read_out(model, ids):
    """Return the states `(B, T, H)` and the weights `(B, T)`, these by your function."""
    mask = ids != 0
    states, _ = from_embeddings(model, model.get_layer("embedding")(ids), mask)
    attention = model.get_layer("attention")
    score = [
        ops.convert_to_numpy(w) for w in (attention.key_kernel, attention.query_kernel, attention.v)
    ]
    states = ops.convert_to_numpy(states)
    _, weights = attention_pooling(states, mask, score[0], score[1][0], score[2])
    return states, ops.convert_to_numpy(weights)


# %% demo
states, weights = read_out(model, test_ids)
wrong = np.flatnonzero(predictions != test_labels)
shown = sorted(wrong, key=lambda i: len(tokens[i]))[:5]
with plot.style():
    figure, axes = plt.subplots(
        max(len(shown), 1),
        1,
        figsize=(10, 1.9 * max(len(shown), 1)),
        layout="constrained",
        squeeze=False,
    )
    for axis, i in zip(axes[:, 0], shown, strict=False):
        title = f"{CLASSES[test_labels[i]]}, called {CLASSES[predictions[i]]}"
        row = weights[i, : len(tokens[i])][None]
        plot.heat_map(row, [""], tokens[i], title, axis, high=1)
    plt.show()
for i in shown:
    top = weights[i].argmax()
    print(f"{test_texts[i]}\n   most weight: “{tokens[i][top]}”, {weights[i, top]:.2f}")

# %% [markdown]
# **What you see.** The five shortest errors, one strip each. It is easy to find a reason in every
# strip, and that is the danger: you would find one in the strips of right answers too. So count.
# Over five seeds the largest weight of a text is 0.468 ± 0.117 where the model is right and 0.483 ±
# 0.112 where it is wrong. Of the texts with a cue (`not`, `hardly`, `never`, `nobody`, `but`,
# `although`, `yet`, `wrong`, `whether` or `?`), the most weight falls on one in 14.2 ± 7.3 % of the
# right ones and in 11.4 ± 7.8 % of the wrong ones. The weights differ little between right and
# wrong.
#
# Look also at the words with the most weight. The encoder has mixed the tokens before attention
# weighs them, so the state at `that` is not the word `that`.

# %% [markdown]
# ## 3. The erasure test
#
# If a token's weight explains the prediction, then the prediction should change when the token is
# left out, and more than when any other one is.
#
# Write `erasure_effect(states, weights, places, kernel, bias)`. It returns two things, in this order:
# `distance`, `(B,)` floats, and `flipped`, `(B,)` booleans.
#
# - `states` is `(B, T, H)`, `weights` is `(B, T)`; each row of weights adds up to one. `places`,
#   integers `(B,)`, says which token of each text is erased.
# - Before: the class probabilities are softmax(pooled @ `kernel` + `bias`) with
#   pooled $= \sum_t a_t h_t$; `kernel` is `(H, C)`, `bias` is `(C,)`.
# - After: the weight at the place becomes 0, the other weights are divided by their sum, so that they
#   add up to one again, and the rest is computed as before. Where no weight is left, all weights stay
#   0, so that pooled is 0 and the bias alone decides.
# - `distance` is the *total variation distance* of the two: $\frac12 \sum_c |p_c - q_c|$, from 0 to 1.
# - `flipped` is True where the class with the largest probability is another one afterwards.
# - Logits may be a few hundred in size: no overflow.
#
# Example with B = 1, T = 2, H = 1, C = 2: states `[[[0.693], [0]]]`, weights `[[0.5, 0.5]]`, places
# `[1]`, kernel `[[2, 0]]`, bias `[0, 1]`. Before: pooled 0.347, logits `[0.693, 1]`, probabilities
# `[0.424, 0.576]`. After: weights `[[1, 0]]`, pooled 0.693, logits `[1.386, 1]`, probabilities
# `[0.595, 0.405]`. The distance is 0.171, and the prediction flips.


# %% exercise="erasure_effect" difficulty=3 minutes=15
def erasure_effect(states, weights, places, kernel, bias):
    """Return how the prediction changes when one token's weight is erased.

    Args:
        states: float tensor `(B, T, H)`.
        weights: float tensor `(B, T)`, rows that add up to one.
        places: int tensor `(B,)`. The token to erase in each text.
        kernel: float tensor `(H, C)`.
        bias: float tensor `(C,)`.

    Returns:
        `distance`, floats `(B,)`; `flipped`, bools `(B,)`.
    """
    ### BEGIN SOLUTION

    def predict(weights):
        pooled = ops.einsum("bt,bth->bh", weights, states)
        return ops.softmax(ops.matmul(pooled, kernel) + bias, axis=-1)  # (B, C)

    left = weights * (1 - ops.one_hot(places, weights.shape[1]))
    total = ops.sum(left, axis=-1, keepdims=True)
    left = left / ops.where(total > 0, total, 1.0)
    before, after = predict(weights), predict(left)
    distance = ops.sum(ops.abs(before - after), axis=-1) / 2
    return distance, ops.argmax(before, axis=-1) != ops.argmax(after, axis=-1)
    ### END SOLUTION


# %% check="erasure_effect" points=5
check("m03_attention.erasure_effect")

# %% [markdown]
# There are two ways to leave a token out. Your function takes it out of the *pooling*: but the
# encoder has read it, and the states of its neighbours still know of it. The other way takes it out
# of the *input*, so that nothing of the model sees it. The next cell does both, for the token with
# the most weight, for the token with the largest gradient (the next exercise says how it is
# measured), and for a random other token.


# %%
def gradient_importance(model, ids):
    """Return |embedding · gradient of the predicted class's probability| `(B, T)`."""
    mask = ids != 0
    x = ops.convert_to_tensor(model.get_layer("embedding")(ids))
    with tf.GradientTape() as tape:
        tape.watch(x)
        _, logits = from_embeddings(model, x, mask)
        predicted = tf.reduce_sum(tf.reduce_max(tf.nn.softmax(logits), axis=-1))
    products = ops.sum(x * tape.gradient(predicted, x), axis=-1)
    return np.abs(ops.convert_to_numpy(products)) * mask


def leave_out(ids, places):
    """Return ids without the token at each place; the later tokens move up."""
    keep = np.arange(ids.shape[1]) != np.asarray(places)[:, None]
    shorter = ids[keep].reshape(len(ids), -1)
    return np.pad(shorter, ((0, 0), (0, 1)))


def input_effect(model, ids, places):
    """Return distance and flips when tokens are left out of the input."""
    p, q = probabilities(model, ids), probabilities(model, leave_out(ids, places))
    return np.abs(p - q).sum(-1) / 2, p.argmax(-1) != q.argmax(-1)


def places_to_erase(model, ids, weights, seed=0):
    """Return which token each rule picks: the most weight, the largest gradient, a random one."""
    top = weights.argmax(-1)
    others = (ids != 0) & (np.arange(ids.shape[1]) != top[:, None])
    chance = np.random.default_rng(seed).random(ids.shape)
    return {
        "most weight": top,
        "largest gradient": gradient_importance(model, ids).argmax(-1),
        "random other": np.where(others, chance, -1).argmax(-1),
    }


def classes_of(model):
    """Return kernel and bias of the last layer."""
    return [ops.convert_to_numpy(w) for w in model.get_layer("classes").weights]


# %% demo
several = test_mask.sum(1) > 1
places = places_to_erase(model, test_ids, weights)
print(f"{'':20}{'out of the pooling':>24}{'out of the input':>24}")
print(f"{'token left out':20}" + f"{'distance':>16}{'flips':>8}" * 2)
for name, place in places.items():
    effects = (
        erasure_effect(states, weights, place, *classes_of(model)),
        input_effect(model, test_ids, place),
    )
    row = ""
    for distance, flipped in effects:
        distance, flipped = (np.asarray(x)[several] for x in (distance, flipped))
        row += f"{distance.mean():16.3f}{flipped.mean():8.1%}"
    print(f"{name:20}{row}")

# %% [markdown]
# **What you see.** Over five seeds:
#
# | token left out | pooling: distance | flips | input: distance | flips |
# |---|---:|---:|---:|---:|
# | most weight | 0.109 ± 0.057 | 14.5 ± 6.6 % | 0.211 ± 0.085 | 25.8 ± 8.3 % |
# | largest gradient | 0.057 ± 0.033 | 7.9 ± 3.9 % | 0.262 ± 0.030 | 31.7 ± 3.0 % |
# | random other | 0.004 ± 0.001 | 0.7 ± 0.3 % | 0.071 ± 0.009 | 10.5 ± 0.9 % |
#
# Out of the pooling, the token with the most weight moves the prediction more than a random one
# does in 94.5 ± 1.9 % of the texts. Part of that is arithmetic: whose weight is larger takes more
# away. And yet the prediction survives in most texts, as Serrano and Smith found.
#
# Out of the input it is a test of the word. There the lead is smaller: more than a random token in
# 73.8 ± 5.4 % of the texts. The token with the largest gradient moves the prediction further than
# the one with the most weight in 4 of 5 seeds. Neither rule is clearly the better one here.

# %% [markdown]
# ## 4. Do two rankings agree?
#
# Attention ranks the tokens of a text, and so does the gradient: the size of embedding · gradient
# says, to first order, how much the probability of the predicted class hangs on a token. *Kendall's
# tau* compares two rankings pair by pair.
#
# Write `rank_agreement(x, y, mask)`, one number for each text:
#
# $$\tau = \frac{\text{pairs in the same order} - \text{pairs in the opposite order}}{\text{all
# pairs}}$$
#
# - `x` and `y` are floats `(B, T)`, `mask` is boolean `(B, T)`: True at tokens, wherever they stand.
#   The result is `(B,)`.
# - Pairs are of two different tokens of the same text; a pair with padding counts nowhere. n tokens
#   have n (n − 1) / 2 pairs.
# - A pair is in the same order when the token with the larger x has the larger y. A pair that is
#   equal in x, or in y, adds 0 above the line and counts below it.
# - A text with fewer than two tokens has 0.
#
# 1 means the same order throughout, −1 the opposite one; unrelated rankings have 0 on average.
#
# Example: x = `[[0.7, 0.1, 0.1, 0.1]]`, y = `[[5, 3, 4, 9]]`, mask `[[True, True, True, False]]`. There
# are three pairs: (0, 1) and (0, 2) are in the same order, (1, 2) is equal in x. So
# $\tau = 2 / 3 = 0.667$.


# %% exercise="rank_agreement" difficulty=2 minutes=12
def rank_agreement(x, y, mask):
    """Return Kendall's tau of two lists, over the tokens of each text.

    Args:
        x: float tensor `(B, T)`.
        y: float tensor `(B, T)`.
        mask: bool tensor `(B, T)`. True at tokens.

    Returns:
        Float tensor `(B,)`, from -1 to 1.
    """
    ### BEGIN SOLUTION
    order_x = ops.sign(x[:, :, None] - x[:, None, :])  # (B, T, T)
    order_y = ops.sign(y[:, :, None] - y[:, None, :])
    real = ops.cast(mask, x.dtype)
    total = ops.einsum("bij,bi,bj->b", order_x * order_y, real, real)  # each pair twice
    count = ops.sum(real, axis=1)
    return total / ops.maximum(count * (count - 1), 1)
    ### END SOLUTION


# %% check="rank_agreement" points=4
check("m03_attention.rank_agreement")

# %% [markdown]
# The third measure is the most direct: leave each token out of the input in turn, and see how far the
# prediction moves. It takes one run of the model for each token, here on 150 texts. The next cell
# makes all shorter texts first, so that the model runs on them in large batches.


# %%
def leave_one_out(model, ids):
    """Return how far the prediction moves without each token, `(B, T)`."""
    effects = np.zeros(ids.shape, "float32")
    rows, places = np.nonzero(ids)  # one shorter text for each token
    before, after = probabilities(model, ids), probabilities(model, leave_out(ids[rows], places))
    effects[rows, places] = np.abs(before[rows] - after).sum(-1) / 2
    return effects


# %% demo
some = test_ids[:150]
measures = {
    "attention": weights[:150],
    "gradient": gradient_importance(model, some),
    "left out": leave_one_out(model, some),
}
print("mean agreement (tau) on 150 texts")
for a, b in (("attention", "gradient"), ("attention", "left out"), ("gradient", "left out")):
    tau = np.asarray(rank_agreement(measures[a], measures[b], some != 0))
    print(f"  {a:10}and {b:10}{tau.mean():6.3f}")
example = int(np.argmax(members[1, :150]))
with plot.style():
    figure, axis = plt.subplots(figsize=(10, 2.6), layout="constrained")
    rows = np.stack([m[example, : len(tokens[example])] for m in measures.values()])
    rows = rows / rows.sum(-1, keepdims=True)
    plot.heat_map(rows, list(measures), tokens[example], "Three measures of one text", axis)
    plt.show()

# %% [markdown]
# **What you see.** Over five seeds (150 texts each) the agreement of attention and gradient is
# 0.244 ± 0.113, of attention and tokens left out 0.115 ± 0.100, of gradient and tokens left out
# 0.241 ± 0.020. 0 would be chance, 1 the same order. The three measures know something of each
# other, and none can stand for another. Jain and Wallace found the same weak agreement for
# recurrent encoders. The plot shows one text with all three; each row is divided by its sum.

# %% [markdown]
# ## 5. What may you say?
#
# Last, the baseline that Wiegreffe and Pinter ask for: does the model need its weights at all? The
# next cell keeps the trained model and gives each text other weights: equal ones, or its own in
# random order.


# %%
def accuracy_with(model, states, weights, labels):
    """Return the accuracy when states are pooled by other weights."""
    kernel, bias = classes_of(model)
    logits = np.einsum("bt,bth->bh", weights, states) @ kernel + bias
    return np.mean(logits.argmax(-1) == labels)


def shuffled(weights, mask, seed=0):
    """Return each text's weights in random order, padding left out."""
    rng, result = np.random.default_rng(seed), np.zeros_like(weights)
    for row, old, real in zip(result, weights, mask, strict=True):
        row[real] = rng.permutation(old[real])
    return result


# %% demo
other_weights = {
    "its own weights": weights,
    "equal weights": test_mask / test_mask.sum(1, keepdims=True),
    "weights shuffled": shuffled(weights, test_mask),
}
for name, other in other_weights.items():
    print(f"{name:20}{accuracy_with(model, states, other, test_labels):.3f}")

# %% [markdown]
# **What you see.** Over five seeds the model has the accuracy 0.720 ± 0.019 with its own weights,
# 0.644 ± 0.058 with equal ones, 0.621 ± 0.042 with its own in random order. And the model that was
# trained with equal weights from the start (the table after exercise 1) has 0.744 ± 0.034. This
# model leans on its weights, and loses without them. But a model that never had any does as well.
# That is the baseline of Wiegreffe and Pinter: where equal weights suffice, the task does not need
# attention, and its weights cannot be what explains the accuracy.
#
# What this lab allows you to say, and what not:
#
# - A weight says how much of a state enters the pooled vector. It does not say which word the state
#   stands for: the encoder has mixed them.
# - A weight is no effect. An effect is measured: leave something out, see what moves, and compare
#   with a random token.
# - One map is an anecdote. Count over slices and seeds, right answers beside wrong ones, with equal
#   weights as the baseline.
# - That other weights give the same prediction does not show that the model's own mean nothing.
#   Wiegreffe and Pinter find that even where such weights exist, they do worse in a simple
#   diagnostic model. "Is attention an explanation?" has no answer before you say of what, and for
#   whom.
#
# ## Optional: real reviews
#
# SST-2 holds sentences from film reviews, negative or positive (Socher et al., 2013). Set
# `FULL = True`: the course fetches the files once, or reads them from the folder that
# `COURSE_DATA_DIR` names. Without either, it says in one sentence what is missing.

# %% demo
FULL = False
if FULL:
    sst = {split: data.load("sst2", split) for split in ("train", "test")}
    words = Vocabulary.from_texts(sst["train"][0], max_size=6000)
    ids = {split: words.encode_batch(texts, LENGTH) for split, (texts, _) in sst.items()}
    keras.utils.set_random_seed(0)
    real_model = classifier(len(words), num_classes=2)
    train(real_model, ids["train"], sst["train"][1], RATE / 5, 4)
    print(f"accuracy {np.mean(predict(real_model, ids['test']) == sst['test'][1]):.3f}")
    _, real_weights = read_out(real_model, ids["test"])
    for name, place in places_to_erase(real_model, ids["test"], real_weights).items():
        distance, flipped = input_effect(real_model, ids["test"], place)
        print(f"{name:20}{distance.mean():8.3f}{flipped.mean():8.1%}")
