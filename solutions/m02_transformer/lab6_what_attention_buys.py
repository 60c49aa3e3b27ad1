# ---
# title: What attention buys
# build: "a benchmark for looking things up, an LSTM of equal size and a fair clock; with them you see what two attention layers learn that the LSTM does not, where it is the other way round, and what a step costs at each length"
# minutes: 55
# memory: 1.3 GB
# data: none, the lab makes its own
# seconds: 60
# ---

# %% [markdown]
# ## What you do and why
#
# "Attention is better than recurrence" is no claim. Better at what, at which size, after how much
# training? This lab takes a task where attention should win, makes the comparison fair, and
# measures how wide the gap is. At the end stands a task where the same LSTM wins.
#
# The task is *associative recall*. The model reads a few pairs of a key and a value. Then it
# meets a key again and must give its value:
#
# ```text
# place     0   1   2   3   4   5   6   7
# input     5  12   3   9   3   0   5   0
# target    .   .   .   .   9   .  12   .
# ```
#
# Key 5 has the value 12, key 3 the value 9. At place 4 the model reads 3 and must answer 9. The
# pairs are new in every example, so the weights cannot hold them. The model has to look back.
# Language is full of it: a name, a variable or a defined term comes back later, and what was said
# about it then decides the next word. The benchmark is known as MQAR, multi-query associative
# recall (Arora et al., 2023, [arXiv:2312.04927](https://arxiv.org/abs/2312.04927)).
#
# You build the data, the score, a rival of equal size, and a measure of step time. Then you train
# both models.
#
# Letters in this lab: `B` examples, `T` length, `K` pairs in an example, `V` vocabulary size, `E`
# size of an embedding, `U` units of an LSTM. You may use NumPy, `keras.ops` or TensorFlow.

# %% setup
import time

from autograder import check, lend
import keras
from keras import ops
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from course import plot
from course.m02_transformer import (
    LayerNormalization,
    MultiHeadAttention,
    SinusoidalPositionalEncoding,
)

# %% [markdown]
# ## 1. From pairs to sequences
#
# Write `recall_batch(keys, values, positions, length)`. It returns two integer arrays of shape
# `(B, T)` with `T = length`: the inputs and the targets.
#
# - `keys`, `values` and `positions` are integers `(B, K)`. In each row, value i belongs to key i,
#   and key i is asked for at place `positions[i]`.
# - The pairs stand at the start: key i at place 2i, value i at place 2i + 1. They take 2K places.
# - The questions come later: the input at place `positions[i]` is key i, the target there is value
#   i. All positions are 2K or more; they are in no particular order.
# - Everywhere else inputs and targets are 0. Id 0 is the blank: it is no key and no value.
#
# Example with B = 1, K = 2, T = 8: `keys = [[5, 3]]`, `values = [[12, 9]]`,
# `positions = [[6, 4]]`. The inputs are `[[5, 12, 3, 9, 3, 0, 5, 0]]`, the targets
# `[[0, 0, 0, 0, 9, 0, 12, 0]]`. Key 5 comes first among the pairs and last among the questions.


# %% exercise="recall_batch" difficulty=2 minutes=10
def recall_batch(keys, values, positions, length):
    """Write pairs and questions into sequences.

    Args:
        keys: int array `(B, K)`.
        values: int array `(B, K)`. Value i belongs to key i.
        positions: int array `(B, K)`. The place where key i is asked for.
        length: int. T.

    Returns:
        `inputs` and `targets`, int arrays `(B, T)`.
    """
    ### BEGIN SOLUTION
    keys, values, positions = (np.asarray(x) for x in (keys, values, positions))
    num_examples, num_pairs = keys.shape
    rows = np.arange(num_examples)[:, None]  # (B, 1), pairs up with positions (B, K)
    inputs = np.zeros((num_examples, length), "int32")
    targets = np.zeros((num_examples, length), "int32")
    inputs[:, 0 : 2 * num_pairs : 2] = keys
    inputs[:, 1 : 2 * num_pairs : 2] = values
    inputs[rows, positions] = keys
    targets[rows, positions] = values
    return inputs, targets
    ### END SOLUTION


# %% check="recall_batch" points=4
check("m02_transformer.recall_batch")

# %% [markdown]
# ## 2. Drawing the examples
#
# A benchmark is only as good as its draw: any pattern in it is a way to score without looking
# anything up.
#
# Write `sample_recall(seed, num_examples, num_pairs, length, vocabulary_size)`. It returns three
# integer arrays of shape `(B, K)`: keys, values and positions.
#
# - Keys are ids 1 to V/2 − 1, values V/2 to V − 1. V is even.
# - Positions are the places 2K to T − 1.
# - Within an example no key, no value and no position comes twice.
# - Keys, values and positions are drawn independently of each other, anew for every example, all
#   choices being equally likely. The positions stay as drawn: sorted ones would make the questions
#   come in the order of the pairs.
# - The same `seed` gives the same arrays, another seed others, with other examples in them: the lab
#   trains with one seed and measures with the next.
#
# Example with K = 3, T = 12, V = 16: keys come from 1 to 7, values from 8 to 15, positions from 6
# to 11. One possible example is keys `[4, 7, 2]`, values `[15, 8, 11]`, positions `[9, 11, 6]`.


# %% exercise="sample_recall" difficulty=2 minutes=12
def sample_recall(seed, num_examples, num_pairs, length, vocabulary_size):
    """Draw the keys, the values and the question positions of each example.

    Args:
        seed: int. Decides the draw.
        num_examples: int. B.
        num_pairs: int. K.
        length: int. T, at least 3K.
        vocabulary_size: int. V, even.

    Returns:
        `keys`, `values` and `positions`, int arrays `(B, K)`.
    """
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)

    def distinct(low, high):
        table = np.tile(np.arange(low, high), (num_examples, 1))
        return rng.permuted(table, axis=1)[:, :num_pairs]

    half = vocabulary_size // 2
    keys = distinct(1, half)
    values = distinct(half, vocabulary_size)
    positions = distinct(2 * num_pairs, length)
    return keys, values, positions
    ### END SOLUTION


# %% check="sample_recall" points=7
check("m02_transformer.sample_recall")

# %% [markdown]
# The benchmark of this lab has 4 pairs, sequences of 32 ids, and 128 ids in all: 63 keys and 64
# values.

# %%
K, T, V = 4, 32, 128


def associative_recall(seed, num_examples):
    """Draw inputs and targets `(B, T)` with your two functions."""
    keys, values, positions = sample_recall(seed, num_examples, K, T, V)
    return recall_batch(keys, values, positions, T)


# %% demo
inputs, targets = associative_recall(seed=0, num_examples=2)
for example in range(2):
    print("input ", " ".join(f"{i:3d}" if i else "  ." for i in inputs[example]))
    print("target", " ".join(f"{i:3d}" if i else "  ." for i in targets[example]), "\n")

# %% [markdown]
# ## 3. The score
#
# Most places ask nothing. They must not count, or a model that always answers "blank" would get
# 28 of 32 places right.
#
# Write `recall_accuracy(logits, targets)`: of all questions in the batch, the fraction that is
# answered right.
#
# - `logits` is `(B, T, V)`. The answer at a place is the id with the largest logit, out of all V.
# - `targets` is `(B, T)`. A question is where the target is not 0.
# - Every question counts the same, in whatever example it stands.
# - The result is one number from 0 to 1.
#
# Example: targets `[[0, 0, 4, 0, 5]]`, and the largest logits are at `[[0, 3, 4, 0, 3]]`. There are
# two questions. One is answered right, so the accuracy is 0.5. That the second place says 3
# instead of 0 does not matter.


# %% exercise="recall_accuracy" difficulty=1 minutes=7
def recall_accuracy(logits, targets):
    """Return the fraction of the questions that are answered right.

    Args:
        logits: float array `(B, T, V)`.
        targets: int array `(B, T)`, 0 where nothing is asked.
    """
    ### BEGIN SOLUTION
    logits, targets = np.asarray(logits), np.asarray(targets)
    asked = targets != 0
    answers = logits.argmax(-1)  # (B, T)
    return float(np.mean(answers[asked] == targets[asked]))
    ### END SOLUTION


# %% check="recall_accuracy" points=4
check("m02_transformer.recall_accuracy")

# %% [markdown]
# ### What can you score without looking anything up?
#
# On paper, before you train anything:
#
# - Guess any value: 1 of 64 is right, 0.016.
# - Remember which values occurred, but not which key each belongs to: 1 of 4, 0.250. Each key is
#   asked for exactly once, so a rule such as "always the latest value" scores exactly one quarter,
#   and so does any other rule that treats the four values alike.
# - A Python dictionary scores 1. The task is easy to program. The question is which layers can
#   *learn* it from examples.
#
# So 0.25 is the line to look at: above it, a model has begun to connect keys with values.

# %% demo
inputs, targets = associative_recall(seed=1, num_examples=1000)
rng = np.random.default_rng(0)
asked_ids = np.arange(V) >= V // 2
rules = {
    "any value": np.where(asked_ids, rng.random((1000, T, V)), 0),
    "a value of the example": np.stack([np.isin(np.arange(V), row) for row in inputs])[:, None]
    * np.where(asked_ids, rng.random((1000, T, V)), 0),
    "the latest value": np.broadcast_to(np.eye(V)[inputs[:, 2 * K - 1]][:, None], (1000, T, V)),
}
for name, logits in rules.items():
    print(f"{name:24s}{recall_accuracy(logits, targets):.3f}")

# %% [markdown]
# ## 4. Two models of equal size
#
# The attention model has two attention layers, one head each, and nothing else that mixes places:
# no feed-forward network. Each layer adds its output to its input and normalises first, as in
# lab 4. The causal mask lets a place see only what came before, as the LSTM does.

# %%
D = 64


def attention_model(num_layers=2, hidden_dim=D, length=T):
    """Return a model from ids `(B, T)` to logits `(B, T, V)`."""
    ids = keras.Input((length,), dtype="int32")
    x = keras.layers.Embedding(V, hidden_dim)(ids)
    x = keras.layers.Rescaling(hidden_dim**0.5)(x)  # section 3.4 of the paper
    x = SinusoidalPositionalEncoding()(x)
    for _ in range(num_layers):
        h = LayerNormalization()(x)
        x = x + MultiHeadAttention(hidden_dim, num_heads=1)(h, h, use_causal_mask=True)
    return keras.Model(ids, keras.layers.Dense(V)(LayerNormalization()(x)))


def lstm_model(units, num_layers=1, length=T):
    """Return the rival: embedding, LSTM layers, logits."""
    ids = keras.Input((length,), dtype="int32")
    x = keras.layers.Embedding(V, D)(ids)
    for _ in range(num_layers):
        x = keras.layers.LSTM(units, return_sequences=True)(x)
    return keras.Model(ids, keras.layers.Dense(V)(x))


# %% [markdown]
# Its rival gets the same embedding size and as many weights in all. How many units is that?
#
# Write `lstm_units_for_budget(budget, vocabulary_size, embedding_dim, num_layers=1)`. It returns
# two integers: the number of units U whose model has a number of weights nearest to `budget`, and
# that number of weights. Both are of an integer type: 65, not 65.0.
#
# The model is `lstm_model` above, with every weight counted:
#
# - the embedding, $V \cdot E$;
# - the LSTM layers. A Keras LSTM of $U$ units that reads $I$ numbers has $4(I + U + 1)U$ weights:
#   three gates and a candidate, each with input weights, recurrent weights and one bias per unit.
#   The first layer reads the embedding, $I = E$; each later one reads the layer below, $I = U$;
# - the dense layer to the logits, $(U + 1) \cdot V$.
#
# Nearest means that the difference between weights and budget, up or down, is the least. Where two
# widths are equally near, the smaller one wins. U is at least 1, however small the budget.
#
# Example with V = 16, E = 4, one layer: for U = 3 the parts are $64 + 96 + 64 = 224$, for U = 4
# they are $64 + 144 + 80 = 288$.
#
# | Budget | U = 3 is off by | U = 4 is off by | Result |
# |---:|---:|---:|---|
# | 250 | 26 | 38 | `(3, 224)` |
# | 256 | 32 | 32 | `(3, 224)` |
# | 257 | 33 | 31 | `(4, 288)` |
#
# A budget of 1 gives `(1, 120)`. With two layers of 3 units the second adds
# $4 \cdot (3 + 3 + 1) \cdot 3 = 84$ weights: a budget of 308 gives `(3, 308)`.


# %% exercise="lstm_units_for_budget" difficulty=2 minutes=12
def lstm_units_for_budget(budget, vocabulary_size, embedding_dim, num_layers=1):
    """Return the width whose LSTM model comes nearest to a number of weights.

    Args:
        budget: int. Weights to aim at.
        vocabulary_size: int. V.
        embedding_dim: int. E.
        num_layers: int. LSTM layers, each of the same width.

    Returns:
        `units` and the `weights` of the model with these units, both int.
    """
    ### BEGIN SOLUTION

    def weights(units):
        first = 4 * (embedding_dim + units + 1) * units
        later = (num_layers - 1) * 4 * (units + units + 1) * units
        return vocabulary_size * embedding_dim + first + later + (units + 1) * vocabulary_size

    units = 1
    while abs(weights(units + 1) - budget) < abs(weights(units) - budget):
        units += 1
    return units, weights(units)
    ### END SOLUTION


# %% check="lstm_units_for_budget" points=4
check("m02_transformer.lstm_units_for_budget")

# %% demo
budget = attention_model().count_params()
units, weights = lstm_units_for_budget(budget, V, D)
print(f"attention: {budget:,} weights")
print(f"LSTM:      {weights:,} weights with {units} units, {weights / budget - 1:+.1%}")
print(f"Keras counts {lstm_model(units).count_params():,} weights in the LSTM model.")

# %% [markdown]
# ## 5. Train both
#
# Equal terms: the same 8,192 examples, 1,024 steps of 64 examples, AdamW, accuracy on 1,000 new
# examples after each epoch. The loss counts only the questions. Attention gets the learning rate
# 0.002, the LSTM 0.005; with 0.002 and 0.01 the LSTM gets no further than one quarter either.

# %%
LEARNING_RATES = {"attention": 0.002, "LSTM": 0.005}


def train(model, learning_rate, seed=0, epochs=8, draw=associative_recall):
    """Train a model; return its accuracy on new examples after each epoch."""
    inputs, targets = draw(2 * seed, 8192)
    new_inputs, new_targets = draw(2 * seed + 1, 1000)
    asked = (targets != 0).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((inputs, targets, asked))
    data = data.shuffle(len(inputs), seed=seed).batch(64, drop_remainder=True).prefetch(2)
    model.compile(
        keras.optimizers.AdamW(learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=True,
        steps_per_execution=16,
    )
    accuracy = []

    def measure(epoch, logs):
        logits = ops.convert_to_numpy(model(new_inputs))
        accuracy.append(recall_accuracy(logits, new_targets))

    watch = keras.callbacks.LambdaCallback(on_epoch_end=measure)
    model.fit(data, epochs=epochs, verbose=0, shuffle=False, callbacks=[watch])
    return accuracy


# %% demo
keras.utils.set_random_seed(0)
models = {"attention": attention_model(), "LSTM": lstm_model(units)}
curves = {}
for name, model in models.items():
    start = time.perf_counter()
    curves[name] = train(model, LEARNING_RATES[name])
    seconds = time.perf_counter() - start
    print(f"{name:10s} accuracy {curves[name][-1]:.4f} after 8 epochs, {seconds:.0f} s")

# %% demo
with plot.style():
    figure, axis = plt.subplots(figsize=(7, 3.8), layout="constrained")
    for name, curve in curves.items():
        axis.plot(range(1, len(curve) + 1), curve, label=name)
    axis.axhline(1 / K, color="black", linestyle="--", linewidth=1)
    axis.text(8, 1 / K + 0.02, "a value of the example, 1/4", ha="right")
    axis.axhline(2 / V, color="black", linestyle=":", linewidth=1)
    axis.text(8, 2 / V + 0.02, "any value, 1/64", ha="right")
    axis.set(xlabel="epoch", ylabel="accuracy on new examples", ylim=(0, 1.03))
    axis.set_title("Associative recall, models of equal size")
    axis.legend(loc="center right")
    plt.show()

# %% [markdown]
# **What you see.** Attention climbs to nearly 1 in the second epoch. The LSTM needs five or
# six epochs to come near one quarter and stays there.
#
# Is that luck? Over seeds (mean ± standard deviation of the accuracy after 8 epochs):
#
# | model | weights | accuracy |
# |---|---:|---:|
# | two attention layers | 50,176 | 0.9994 ± 0.0007 |
# | one attention layer, 84 wide | 50,528 | 0.249 ± 0.005 |
# | one LSTM layer, 65 units | 50,440 | 0.248 ± 0.003 |
# | two LSTM layers, 45 units | 50,260 | 0.149 ± 0.043 |
# | rule: a value of the example | 0 | 0.25 |
#
# Five seeds each; the lowest run of two attention layers is 0.9982, the highest of any other model
# 0.255. Two LSTM layers are still on their way, but it is a long one: after five times as many steps
# (40 epochs, 3 seeds) they reach 0.318 ± 0.076, one layer 0.267 ± 0.007. With the learning rate 0.01,
# two layers reach 0.162 ± 0.027 after 8 epochs (3 seeds), no clear difference.
# `python -m tests.benchmarks.associative_recall recall rates long` repeats it in a clone of the
# course.
#
# ### How attention does it
#
# Why do two attention layers succeed where one fails? Look at what they attend to.


# %%
def attention_maps(model, ids):
    """Return the attention weights `(B, T, T)` of each layer."""
    layers = [layer for layer in model.layers if isinstance(layer, MultiHeadAttention)]
    seen = keras.Model(model.input, [layer.input[0] for layer in layers])(ids)
    maps = []
    for layer, h in zip(layers, seen, strict=True):
        _, weights = layer(h, h, use_causal_mask=True, return_attention_scores=True)
        maps.append(ops.convert_to_numpy(weights)[:, 0])  # (B, T, T), the only head
    return maps


# %% demo
inputs, targets = associative_recall(seed=99, num_examples=500)
first, second = attention_maps(models["attention"], inputs)
example = 0
pairs = [f"{'key' if i % 2 == 0 else 'value'} {inputs[example, i]}" for i in range(2 * K)]
at_values = np.arange(1, 2 * K, 2)
asked = np.flatnonzero(targets[example])
with plot.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    values = [pairs[i] for i in at_values]
    plot.heat_map(first[example, at_values, : 2 * K], values, pairs, "layer 1, the values", left)
    questions = [f"asks {inputs[example, i]}" for i in asked]
    plot.heat_map(
        second[example, asked, : 2 * K], questions, pairs, "layer 2, the questions", right
    )
    plt.show()

previous = np.mean(first[:, at_values].argmax(-1) == at_values - 1)
rows, places = np.nonzero(targets)
looked_at = second[rows, places].argmax(-1)
found = np.mean(inputs[rows, looked_at] == targets[rows, places])
print(f"Layer 1: a value looks most at its own key in {previous:.1%} of the pairs.")
print(f"Layer 2: a question looks most at the right value in {found:.1%} of the questions.")

answers = ops.convert_to_numpy(models["LSTM"](inputs)).argmax(-1)[rows, places]
seen = np.mean([a in inputs[row, at_values] for row, a in zip(rows, answers, strict=True)])
print(f"LSTM: {seen:.1%} of its answers are values of the example, right or wrong.")

# %% [markdown]
# **What you see.** Rows look, columns are looked at; brighter is more. Left: in layer 1 each value
# looks at the place before it, its own key. From then on the value's place holds both. Right: in
# layer 2 each question finds the place that holds its key, and reads the value there. Over 5 seeds
# the first look is right for at least 99.8 % of the values, the second for at least 99.7 % of the
# questions.
#
# So a look-up takes two layers. With one, a question can find its key, but the value stands one
# place later, and the causal mask kept the key's place from seeing it. Positions (lab 3) make "the
# place before me" possible, scores (lab 1) make "the place with my key" possible.
#
# The last line says what the LSTM has learned: nearly all its answers are among the four values of
# the example. It knows what it has read, but not what belongs to what. That is the score of 1/4.
#
# ### What this does not show
#
# Attention is not better at everything. Here is a task for a state: bits come one by one, and after
# each the model says whether it has seen an odd number of ones so far. One LSTM layer, trained as
# above, gets every answer right in 5 of 5 seeds (1.000 ± 0.000). The two attention layers stay near
# a coin's flip: 0.583 ± 0.021, and 0.559 ± 0.002 with the LSTM's learning rate. An LSTM carries one
# bit along; attention would have to count all the ones again at each place. Theory agrees: parity is
# hard for self-attention of fixed depth (Hahn, 2020,
# [arXiv:1906.06755](https://arxiv.org/abs/1906.06755)).
#
# Nor does it show that no LSTM can learn to look things up: more units, more data or another recipe
# may do it.
#
# The next cell defines the task, so that you can train both models on it yourself:
# `train(attention_model(), 0.002, draw=running_parity)`.


# %%
def running_parity(seed, num_examples, num_bits=16):
    """Draw bits, ids 1 and 2, and after each the parity of the ones so far, ids 64 and 65."""
    bits = np.random.default_rng(seed).integers(0, 2, (num_examples, num_bits))
    inputs, targets = np.zeros((2, num_examples, T), "int32")
    inputs[:, :num_bits] = 1 + bits
    targets[:, :num_bits] = V // 2 + bits.cumsum(1) % 2
    return inputs, targets


# %% [markdown]
# ## 6. What a step costs as sequences grow
#
# The second thing attention buys is time. An LSTM has to finish place t before it can begin place
# t + 1. Attention computes all places at once, but compares every place with every other.
#
# Timing has two traps. The first steps are slow, since they compile the model and fill caches. And
# another program can slow down any single step.
#
# Write `median_step_time(readings, warmup)`:
#
# - `readings` are N + 1 readings of a clock in seconds: one before the first step, then one after
#   each of N steps.
# - Leave out the first `warmup` steps, whether they were slow or not. `warmup` can be 0.
# - The result is the median duration of the other steps, in seconds. For an even number of steps it
#   is the mean of the middle two.
#
# Example: `readings = [0, 6, 6.02, 6.05, 6.06, 6.17]` and `warmup = 1`. The durations are 6, 0.02,
# 0.03, 0.01 and 0.11. Without the first, the middle two of 0.01, 0.02, 0.03, 0.11 are 0.02 and
# 0.03, so the result is 0.025. The mean would be 0.0425.


# %% exercise="median_step_time" difficulty=1 minutes=5
def median_step_time(readings, warmup):
    """Return the median time of a step, leaving out the first ones.

    Args:
        readings: float array `(N + 1,)`. A clock read before the first of N steps and after
            each step, in seconds.
        warmup: int. Number of first steps to leave out.
    """
    ### BEGIN SOLUTION
    return float(np.median(np.diff(readings)[warmup:]))
    ### END SOLUTION


# %% check="median_step_time" points=2
check("m02_transformer.median_step_time")

# %% [markdown]
# Now measure training steps of both models. Every step has 2,048 ids, so a step does the same
# number of places at every length: 128 sequences of 16, or 4 of 512. Neither model is compiled with
# XLA here.

# %%
WARMUP = 3


def clock_steps(model, length, steps=20):
    """Train on random ids, 2,048 a step; return the clock before and after each step."""
    ids = np.random.default_rng(0).integers(0, V, (2048 // length, length))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(), loss, jit_compile=False)
    readings = [time.perf_counter()]
    for _ in range(WARMUP + steps):
        model.train_on_batch(ids, ids)
        readings.append(time.perf_counter())
    return np.array(readings)


# %% demo
lengths = [16, 64, 256, 512]
times = {"attention": [], "LSTM": []}
for length in lengths:
    pair = {"attention": attention_model(length=length), "LSTM": lstm_model(units, length=length)}
    for name, model in pair.items():
        times[name].append(1000 * median_step_time(clock_steps(model, length), WARMUP))
    print(f"T = {length:3d}: " + ", ".join(f"{n} {t[-1]:.0f} ms" for n, t in times.items()))

with plot.style():
    figure, axis = plt.subplots(figsize=(7, 3.8), layout="constrained")
    for name, milliseconds in times.items():
        axis.plot(lengths, milliseconds, label=name)
    axis.set_xscale("log", base=2)
    axis.set_xticks(lengths, lengths)
    axis.set(xlabel="length T, with 2,048 ids a step", ylabel="training step, ms")
    axis.set_ylim(bottom=0)
    axis.set_title("Step time, models of equal size")
    axis.legend()
    plt.show()

# %% [markdown]
# **What you see.** At length 16 the LSTM is a little faster. From length 64 on its line rises more
# steeply: the places of a sequence wait for each other. Attention's line rises too, since each
# place compares itself with more others. On two cores, with nothing else running:
#
# | Length | 16 | 64 | 256 | 512 | 2,048 |
# |---|---:|---:|---:|---:|---:|
# | attention, ms | 11 | 12 | 15 | 21 | 58 |
# | LSTM, ms | 9 | 12 | 21 | 40 | 245 |
#
# Your times differ with your machine and with what else runs on it; compare the two lines. In a
# clone of the course, `python -m tests.benchmarks.associative_recall time` measures all lengths.
#
# So attention buys two things here: a look-up that an LSTM of its size did not learn, and a step
# without a chain of places. It does not buy counting, and its scores take memory that grows with
# the square of the length.
