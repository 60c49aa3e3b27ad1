# ---
# title: Positions
# build: four ways to tell attention where a token stands; a test on longer inputs
# minutes: 50
# memory: 1 GB
# data: none, the lab makes its own
# seconds: 25
# ---

# %% [markdown]
# Attention adds up values by weight. Shuffle the keys together with their values and the output
# stays the same, so attention alone cannot tell "dog bites man" from "man bites dog". Position has
# to be put in by hand. You write four schemes that do it: sinusoids and a learned table are added
# to the input, rotary positions turn queries and keys, ALiBi adds a penalty to the scores. Then
# you train a small model with each and run it on sequences four times as long as it saw.
#
# Axes: `B` batch, `T` length, `D` hidden size, `N` heads, `H` head size.
# Write every exercise with `keras.ops`, `tf` or NumPy, as you like; in the layer use `keras.ops`
# or `tf`, because gradients have to pass. The course's own version of what an exercise asks for is
# blocked in it, and so is KerasHub's: `SinePositionEncoding`, `PositionEmbedding` and
# `TokenAndPositionEmbedding`, `RotaryEmbedding`, `AlibiBias`.

# %% setup
from autograder import check, lend
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import ops

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"]  # Okabe and Ito

# %% [markdown]
# ## 1. Sinusoids
# Vaswani et al. (2017, section 3.5) give every position $t$ a vector of waves. Two neighbouring
# features share one frequency:
#
# $$PE[t, 2i] = \sin\left(t / 10000^{2i/D}\right) \qquad
# PE[t, 2i+1] = \cos\left(t / 10000^{2i/D}\right) \qquad i = 0, \ldots, D/2 - 1$$
#
# **Write** `sinusoidal_encoding(length, hidden_dim)`. It returns floats of shape
# `(length, hidden_dim)`.
# - Positions count from 0.
# - Sine stands at the even features 0, 2, 4 …, cosine at the odd ones.
# - `hidden_dim` is even.
#
# **Example.** `hidden_dim` = 4 has two frequencies, $1/10000^{0} = 1$ and
# $1/10000^{2/4} = 1/100$.
#
# | position | feature 0 | feature 1 | feature 2 | feature 3 |
# |---|---|---|---|---|
# | 0 | sin 0 = 0 | cos 0 = 1 | sin 0 = 0 | cos 0 = 1 |
# | 1 | sin 1 = 0.8415 | cos 1 = 0.5403 | sin 0.01 = 0.01000 | cos 0.01 = 0.99995 |
# | 2 | sin 2 = 0.9093 | cos 2 = -0.4161 | sin 0.02 = 0.02000 | cos 0.02 = 0.99980 |


# %% exercise="sinusoidal_encoding" difficulty=1 minutes=8
def sinusoidal_encoding(length, hidden_dim):
    """Return the sinusoidal encoding of positions 0 to `length` - 1.

    Args:
        length: int. Number of positions T.
        hidden_dim: int. Width D, even.

    Returns:
        Floats `(T, D)`, sine at even features and cosine at odd ones.
    """
    ### BEGIN SOLUTION
    frequencies = 10000.0 ** (-np.arange(0, hidden_dim, 2) / hidden_dim)  # (D/2,)
    angles = np.arange(length)[:, None] * frequencies  # (T, D/2)
    waves = np.stack([np.sin(angles), np.cos(angles)], axis=-1)  # (T, D/2, 2)
    return ops.convert_to_tensor(waves.reshape(length, hidden_dim).astype("float32"))
    ### END SOLUTION


# %% check="sinusoidal_encoding" points=5
check("m02_transformer.sinusoidal_encoding")

# %% [markdown]
# ### A shift is a rotation
# The pair of features $(\sin \omega t, \cos \omega t)$ is a point on a circle. Moving on by $k$
# positions turns it by $\omega k$, wherever it started. So one fixed matrix $R_k$ takes $PE[t]$ to
# $PE[t + k]$ for all $t$, and a linear layer can learn it. The next cell fits the best matrix on
# positions 0 to 63 by least squares and tests it on positions 64 to 119, with D = 8. A table of
# random numbers is the baseline: it too has one vector per position, but no structure.

# %% demo
small = ops.convert_to_numpy(sinusoidal_encoding(128, 8)).astype("float64")
random_table = np.random.default_rng(0).normal(scale=small.std(), size=small.shape)
print("Fit a matrix from PE[t] to PE[t + k]: root mean squared error on new positions")
print(f"{'k':>4} {'sinusoids':>12} {'random table':>14}")
for k in (1, 3, 8):
    errors = []
    for encoding in (small, random_table):
        shift = np.linalg.lstsq(encoding[:64], encoding[k : 64 + k], rcond=None)[0]
        difference = encoding[64:120] @ shift - encoding[64 + k : 120 + k]
        errors.append(np.sqrt(np.mean(difference**2)))
    print(f"{k:>4} {errors[0]:>12.1e} {errors[1]:>14.2f}")

table = ops.convert_to_numpy(sinusoidal_encoding(128, 32))
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
image = left.imshow(table, aspect="auto", cmap="cividis", interpolation="nearest")
left.set(xlabel="feature", ylabel="position t", title="The encoding, D = 32")
figure.colorbar(image, ax=left, label="value")
for colour, start, style in zip(COLOURS, (0, 20, 60), ("-", "--", ":"), strict=False):
    right.plot(table[start : start + 60] @ table[start], style, color=colour, label=f"t = {start}")
right.set(xlabel="distance k", ylabel="PE[t] · PE[t + k]", title="The product of two rows")
right.legend()
plt.show()

# %% [markdown]
# **What you see.** Table: the matrix fitted on the first 64 positions carries sinusoids to
# positions it never saw, with hardly any error; for the random table the error is as large as the
# table's values. Left: waves that get slower from left to right; the last features hardly change
# over 128 positions. Right: the product of two rows against their distance. The three curves
# start at three positions and lie on each other. The product is 16 (= D/2) at distance 0, falls
# within a few positions, and then wobbles.

# %% [markdown]
# ## 2. A learned table
# The simplest scheme (Gehring et al., 2017; BERT and GPT-2 use it): one trainable vector per
# position, added to the input.
#
# $$\text{output}[b, t] = x[b, t] + \text{table}[t] \qquad t = 0, \ldots, T - 1$$
#
# **Write** the layer `LearnedPositionalEmbedding(max_sequence_length)`.
# - It owns one trainable table of `max_sequence_length` rows and `D` columns. You may store it as
#   you like: a weight, a transposed weight, a `keras.layers.Embedding`. `D` is the last axis of
#   the input, so it is known in `build`.
# - `layer(x)` takes `(B, T, D)`, with any T up to `max_sequence_length`, and returns **the sum**,
#   `(B, T, D)`. It does not return the positions alone.
# - The same rows serve inputs of every length: position t always takes row t.
#
# **Example.** The table has rows (1, 0), (0, 1), (5, 5), and `max_sequence_length` is 3. For
# `x = [[[10, 20], [30, 40]]]`, of shape (1, 2, 2), the output is
# `[[[10 + 1, 20 + 0], [30 + 0, 40 + 1]]]` = `[[[11, 20], [30, 41]]]`. Row 2 is not used.


# %% exercise="LearnedPositionalEmbedding" difficulty=2 minutes=10
@keras.saving.register_keras_serializable(package="mytransformer")
class LearnedPositionalEmbedding(keras.layers.Layer):
    """Add one learned vector per position.

    Args:
        max_sequence_length: int. Number of rows of the table.

    Call arguments:
        x: float tensor `(B, T, D)` with T <= max_sequence_length.

    Returns:
        `x` plus the first T rows of the table, `(B, T, D)`.
    """

    def __init__(self, max_sequence_length, **kwargs):
        super().__init__(**kwargs)
        self.max_sequence_length = max_sequence_length

    def build(self, x_shape):
        ### BEGIN SOLUTION
        self.table = self.add_weight(
            shape=(self.max_sequence_length, x_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="table",
        )
        ### END SOLUTION

    def call(self, x):
        ### BEGIN SOLUTION
        return x + self.table[: ops.shape(x)[1]]  # (T, D) broadcasts over the batch
        ### END SOLUTION

    def get_config(self):
        return super().get_config() | {"max_sequence_length": self.max_sequence_length}


# %% check="LearnedPositionalEmbedding" points=4
check("m02_transformer.LearnedPositionalEmbedding")

# %% [markdown]
# ### What the table does not have
# A sinusoid can be evaluated at any position. The table ends at its last row, and at the start of
# training its rows have nothing to do with each other.

# %% demo
layer = LearnedPositionalEmbedding(8)
layer(np.zeros((1, 8, 4), "float32"))
try:
    layer(np.zeros((1, 9, 4), "float32"))
    print("A ninth position went through: look at what it was given.")
except Exception as error:
    print(f"A ninth position: {type(error).__name__}. The table has no row for it.")

# %% [markdown]
# **What you see.** A table of 8 rows refuses an input of length 9. Everything that has to work at
# lengths beyond training needs another scheme.

# %% [markdown]
# ## 3. Rotary positions
# Sinusoids are added to the input and have to survive the projections. Su et al. (2021) put the
# rotation where the product is taken: they turn each query and each key by an angle that grows
# with its position. The product of two turned vectors depends on the difference of the angles,
# so on the distance alone. LLaMA, GPT-NeoX and most current models do this.
#
# $$\text{out}[i] = x[i] \cos a_i - x[i + H/2] \sin a_i$$
# $$\text{out}[i + H/2] = x[i] \sin a_i + x[i + H/2] \cos a_i$$
# $$a_i = \text{position} \cdot 10000^{-2i/H} \qquad i = 0, \ldots, H/2 - 1$$
#
# **Write** `rotate(x, positions)`.
# - `x` is `(B, N, T, H)` with H even, `positions` an integer vector `(T,)`. It need not start at
#   0, and it may skip positions.
# - The result has the shape of `x`.
# - Feature `i` is paired with feature `i + H/2`. (The paper pairs 2i with 2i + 1. The two differ
#   only by the order of the features, but weights trained with one do not work with the other.)
#
# **Example.** H = 4, so the frequencies are 1 and 1/100. The vector (1, 0, 0, 0) at position 2:
# its first pair is (feature 0, feature 2) = (1, 0) and turns by 2 radians to
# (cos 2, sin 2) = (-0.4161, 0.9093). The second pair, features 1 and 3, is (0, 0) and stays. The
# result is (-0.4161, 0, 0.9093, 0).


# %% exercise="rotate" difficulty=3 minutes=15
def rotate(x, positions):
    """Turn each pair of features by an angle that grows with the position.

    Args:
        x: float tensor `(B, N, T, H)`, queries or keys; H is even.
        positions: int tensor `(T,)`.

    Returns:
        Float tensor `(B, N, T, H)`.
    """
    ### BEGIN SOLUTION
    half = x.shape[-1] // 2
    frequencies = (10000.0 ** (-np.arange(half) / half)).astype("float32")  # (H/2,)
    angles = ops.cast(positions, "float32")[:, None] * frequencies  # (T, H/2)
    cos, sin = ops.cos(angles), ops.sin(angles)
    first, second = x[..., :half], x[..., half:]
    return ops.concatenate([first * cos - second * sin, first * sin + second * cos], axis=-1)
    ### END SOLUTION


# %% check="rotate" points=5
check("m02_transformer.rotate")

# %% [markdown]
# ## 4. ALiBi
# Press et al. (2022) leave queries and keys alone. They subtract from each score a penalty
# proportional to the distance, and each head has its own slope:
#
# $$\text{bias}[n, i, j] = -\,\text{slope}_n \cdot |i - j| \qquad
# \text{slope}_n = 2^{-8n/N} \qquad n = 1, \ldots, N$$
#
# A head with a steep slope reads its neighbours, one with a flat slope reads far.
#
# **Write** `alibi_bias(num_heads, length)`. It returns floats `(N, T, T)`: head, query i, key j.
# - The first head has the steepest slope, 2^(-8/N); the last one has 2^-8.
# - `num_heads` is a power of two here. For other counts the paper takes the slopes of the next
#   lower power of two and adds every other slope of twice that power; the package's `alibi_slopes`
#   does so, and you need not.
# - The bias holds distances only, on both sides. It hides nothing: a causal mask does that.
#
# **Example.** N = 2: the slopes are 2^-4 = 1/16 and 2^-8 = 1/256. For T = 3 head 0 is
# `[[0, -1/16, -2/16], [-1/16, 0, -1/16], [-2/16, -1/16, 0]]`; head 1 has /256 in place of /16.


# %% exercise="alibi_bias" difficulty=2 minutes=8
def alibi_bias(num_heads, length):
    """Return the ALiBi bias -slope·|i - j|.

    Args:
        num_heads: int. Number of heads N, a power of two.
        length: int. Number of positions T.

    Returns:
        Floats `(N, T, T)`.
    """
    ### BEGIN SOLUTION
    slopes = 2.0 ** (-8.0 * np.arange(1, num_heads + 1) / num_heads)  # (N,)
    positions = np.arange(length)
    distance = np.abs(positions[:, None] - positions[None, :])  # (T, T)
    return ops.convert_to_tensor((-slopes[:, None, None] * distance).astype("float32"))
    ### END SOLUTION


# %% check="alibi_bias" points=4
check("m02_transformer.alibi_bias")

# %% [markdown]
# ## What each scheme does to attention over distance
# One head of size 64 stands at position 127 and looks back. Every key has the same content as the
# query, so that only the position can make a difference. Where the positions are added to the
# input, query and key are the content plus the position, without projections. ALiBi shows its
# heads 2 and 6 of 8.

# %% demo
H, T = 64, 128
rng = np.random.default_rng(1)
content = rng.normal(size=H)


def scores_over_distance(keys):
    """Scores of the last position with every key, nearest first."""
    return (keys[-1] @ keys.T / np.sqrt(H))[::-1]


waves = ops.convert_to_numpy(sinusoidal_encoding(T, H))
same = np.broadcast_to(content, (T, H)).astype("float32")
turned = ops.convert_to_numpy(rotate(ops.convert_to_tensor(same[None, None]), ops.arange(T)))[0, 0]
bias = ops.convert_to_numpy(alibi_bias(8, T))
schemes = {
    "none": scores_over_distance(same),
    "learned, untrained (sd 0.5)": scores_over_distance(same + rng.normal(scale=0.5, size=(T, H))),
    "sinusoidal": scores_over_distance(same + waves),
    "rotary": scores_over_distance(turned),
    "ALiBi, slope 1/4": scores_over_distance(same) + bias[1, -1, ::-1],
    "ALiBi, slope 1/64": scores_over_distance(same) + bias[5, -1, ::-1],
}

figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4), layout="constrained")
styles = ["-", ":", "--", "-", "-.", "-."]
for (name, scores), colour, style in zip(schemes.items(), COLOURS, styles, strict=True):
    weights = np.exp(scores - scores.max())
    left.plot(scores - scores[0], style, color=colour, label=name)
    right.plot(weights / weights.sum(), style, color=colour, label=name)
left.set(xlabel="distance", ylabel="score, 0 at distance 0", ylim=(-14, 2), title="Scores")
right.set(
    xlabel="distance", ylabel="attention weight", yscale="log", ylim=(1e-6, 1), title="Weights"
)
left.legend(fontsize=8)
plt.show()

# %% [markdown]
# **What you see.** Without positions all distances weigh the same. The untrained table makes
# noise: apart from the query's own place, near is no different from far. Sinusoids and rotary
# positions favour the query's own place by about 2 and then wobble: they give a model something
# to tell distances by, but no steady fall. ALiBi falls on a straight line, which the softmax
# turns into an exponential: at slope 1/4 a key 40 positions away has a weight of about 1 in
# 100,000, at slope 1/64 distance hardly matters over these 128 positions.

# %% [markdown]
# ## Longer than in training
# Train on sequences of 32 tokens, test on 128. The made-up language has a hidden topic out of
# four. From one token to the next the topic is drawn anew with probability 0.05, and a topic says
# its own four words most of the time. To predict the next token, a model has to find out the
# present topic from the recent tokens. That task is the same at position 10 and at position 100:
# a model that looks at recent tokens could do it everywhere.
#
# You know how the data is made, so you know the best possible prediction: Bayes' rule over the
# topics. The plot shows the loss above that optimum. The baseline guesses every word alike.
#
# Four models differ in their positions only: none, sinusoidal, rotary, ALiBi. Each has one causal
# layer of 4 heads with D = 32, made of the package's layers. They see the same batches, and are
# trained together, as four branches of one Keras model that share nothing. There are three seeds.
# The cell takes about half a minute.

# %% demo
from course.m02_transformer import (
    ALiBi,
    LayerNormalization,
    RotaryEmbedding,
    SinusoidalPositionalEncoding,
    TransformerEncoderLayer,
)

VOCABULARY, TOPICS, STAY, OWN = 16, 4, 0.95, 0.8
TRAINED, TESTED, STEPS, BATCH = 32, 128, 150, 32
SCHEMES = {"none": None, "sinusoidal": None, "rotary": RotaryEmbedding, "ALiBi": ALiBi}


def make_sequences(rng, count, length):
    """Draw token ids `(count, length)`; topic k owns words 4k to 4k + 3."""
    topic = rng.integers(TOPICS, size=count)
    tokens = np.zeros((count, length), "int32")
    for t in range(length):
        topic = np.where(rng.random(count) < STAY, topic, rng.integers(TOPICS, size=count))
        word = 4 * topic + rng.integers(4, size=count)
        tokens[:, t] = np.where(rng.random(count) < OWN, word, rng.integers(16, size=count))
    return tokens


def best_losses(tokens):
    """Loss of the best possible prediction at each position, by Bayes' rule."""
    words = np.full((TOPICS, VOCABULARY), (1 - OWN) / VOCABULARY)
    for k in range(TOPICS):
        words[k, 4 * k : 4 * k + 4] += OWN / 4
    moves = STAY * np.eye(TOPICS) + (1 - STAY) / TOPICS
    belief, losses = np.full((len(tokens), TOPICS), 1 / TOPICS), []
    for token in tokens.T:
        losses.append(-np.log((belief @ words)[np.arange(len(tokens)), token]))
        belief = belief * words[:, token].T
        belief = belief / belief.sum(axis=1, keepdims=True) @ moves
    return np.stack(losses, axis=1)


def build_branches():
    """Return a model with one output per scheme."""
    token_ids = keras.Input((None,), dtype="int32")
    outputs = {}
    for name, position in SCHEMES.items():
        x = keras.layers.Embedding(VOCABULARY, 32)(token_ids)
        if name == "sinusoidal":
            x = SinusoidalPositionalEncoding()(keras.layers.Rescaling(32**0.5)(x))
        x = TransformerEncoderLayer(64, 4, pre_norm=True, position=position and position())(
            x, use_causal_mask=True
        )
        outputs[name] = keras.layers.Dense(VOCABULARY, name=name)(LayerNormalization()(x))
    return keras.Model(token_ids, outputs)


def losses_by_position(logits, targets):
    """Cross-entropy at each position, the mean over the examples."""
    loss = ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    return ops.convert_to_numpy(ops.mean(loss, axis=0))


tests = make_sequences(np.random.default_rng(99), 256, TESTED + 1)
best = best_losses(tests)[:, 1:].mean(axis=0)
model = build_branches()
model.compile(
    keras.optimizers.Adam(5e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
)
model.optimizer.build(model.trainable_variables)
fresh = [ops.convert_to_numpy(v) for v in model.optimizer.variables]
above = {name: [] for name in SCHEMES}
for seed in range(3):
    keras.utils.set_random_seed(seed)
    tokens = make_sequences(np.random.default_rng(seed), STEPS * BATCH, TRAINED + 1)
    model.set_weights(build_branches().get_weights())
    for variable, value in zip(model.optimizer.variables, fresh, strict=True):
        variable.assign(value)
    model.fit(tokens[:, :-1], dict.fromkeys(SCHEMES, tokens[:, 1:]), batch_size=BATCH, verbose=0)
    for name, logits in model(tests[:, :-1]).items():
        above[name].append(losses_by_position(logits, tests[:, 1:]) - best)

# %% demo
blind = np.log(VOCABULARY) - best
print("Loss above the best possible, nats per token (mean ± sd over 3 seeds)")
print(f"{'':12} {'positions 0-31':>18} {'positions 64-127':>18}")
print(f"{'no context':12} {blind[:32].mean():>18.3f} {blind[64:].mean():>18.3f}")
figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
styles = ["-", "--", ":", "-."]
for (name, curves), colour, style in zip(above.items(), COLOURS, styles, strict=False):
    near, far = (np.array([c[part].mean() for c in curves]) for part in (slice(32), slice(64, 128)))
    print(
        f"{name:12} {f'{near.mean():.3f} ± {near.std():.3f}':>18}"
        f" {f'{far.mean():.3f} ± {far.std():.3f}':>18}"
    )
    smooth = np.mean(curves, axis=0).reshape(-1, 4).mean(axis=1)
    axes.plot(np.arange(2, TESTED, 4), smooth, style, color=colour, label=name, linewidth=2)
axes.axvline(TRAINED, color="grey", linewidth=1)
axes.text(TRAINED + 1, axes.get_ylim()[1] * 0.93, "longest length in training", color="grey")
axes.plot(
    np.arange(2, TESTED, 4),
    blind.reshape(-1, 4).mean(axis=1),
    color="grey",
    linestyle=(0, (1, 3)),
    label="no context",
)
axes.set(xlabel="position", ylabel="loss above the best possible (nats)")
axes.legend(loc="center left", fontsize=9)
plt.show()

# %% [markdown]
# **What you see.** Up to position 31, the three schemes are close to the best possible; the model
# without positions is a little worse. Past the length seen in training they part. ALiBi goes on
# as before. The model without positions loses slowly. Sinusoidal and rotary models break down:
# their loss comes near that of a guess without any context, or above it. Nothing in the data
# changed; the model met positions, and for rotary distances, that it had never seen.
# With 5 seeds the same holds in each: at positions 64 to 127 ALiBi is at most 0.04 nats above the
# best, no positions at most 0.19, sinusoidal at least 0.45, rotary at least 0.65.
#
# This is one small model on one made-up language. On WikiText-103, Press et al. (2022, table 2)
# trained on 512 tokens and report these perplexities:
#
# | tested on | 512 tokens | 1,012 tokens | 3,512 tokens |
# |---|---|---|---|
# | sinusoidal | 20.05 | 43.54 | 178.97 |
# | rotary | 20.07 | 21.37 | 35.54 |
# | ALiBi | 19.73 | 18.73 | 18.40 |
#
# There too ALiBi holds. Rotary positions break down far more slowly than sinusoidal ones, the other
# way round than here: how a scheme fails depends on model, data and length. And a penalty on
# distance is not free: what is far away becomes hard to read, even where it matters.
