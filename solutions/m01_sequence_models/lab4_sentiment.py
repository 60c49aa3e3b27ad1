# ---
# title: "Sentiment: where negation decides"
# build: all that lies between raw sentences and a score, and with it a fair test of an LSTM against a bag of words
# minutes: 60
# memory: 1.3 GB
# data: 7,500 sentences written for the course, none to download; SST-2 if you like
# seconds: 40
# ---

# %% [markdown]
# ## What you do and why
#
# Is a review positive, negative or neutral? The oldest way counts words: "superb" speaks for it,
# "dull" against it. Such a *bag of words* has no order, and yet it is hard to beat on long reviews.
# This lab takes sentences where words alone say nothing:
#
# ```text
# I had been told that the film was good, but it was dull.     negative
# The film was anything but dull.                              positive
# My aunt said that the film was dull, and she may be right.   neutral
# ```
#
# Every opinion word stands in all three classes about equally often; negation and contrast decide.
# The test has other sentence structures than the training: it combines frames ("although …, …") and
# clauses ("… was hardly …") that never came together there. An LSTM reads the words in order. How
# much does that buy?
#
# You write what every text classifier needs: standardised text, a vocabulary and padded batches,
# word counts, the state to read from a recurrent network, and a score by class. Then you train
# both models and look at their errors.
#
# Letters in this lab: `B` texts in a batch, `T` length in tokens, `V` vocabulary size, `H` size of
# a state, `C` classes. You may use Python's standard library, NumPy, `keras.ops` or TensorFlow, and
# add helper functions in an exercise's cell. The course's own versions are blocked in it (and `tokenize`
# in exercise 1, `Vocabulary` in exercise 2), and so are `keras.layers.TextVectorization`,
# `StringLookup`, `IntegerLookup` and `CategoryEncoding`, `tf.math.confusion_matrix`,
# `keras.metrics.F1Score` and `FBetaScore`, and scikit-learn's `confusion_matrix` and `f1_score`.

# %% setup
import collections
import re
import tempfile
import unicodedata
from pathlib import Path

from autograder import check, lend
import keras
from keras import ops
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from course import data, plot
from course.m01_sequence_models import build_bag_of_words, build_text_classifier

# %% [markdown]
# ## 1. One way to write each word
#
# `Film`, `film` and `film,` are one word to you and three different strings to Python. Text is
# *standardised* before it is cut into tokens.
#
# Write `standardize(text)`. It takes a str and returns a str:
#
# - Lower case, `text.lower()`.
# - Unicode form NFC, `unicodedata.normalize("NFC", text)`: é is one character, whether it was typed
#   as one or as e and an accent. Accents stay.
# - Every punctuation mark and every symbol becomes a token of its own, with spaces around it. These
#   are the characters whose `unicodedata.category(c)` begins with P or S: `.` `?` `-` `"` `…` `“`,
#   and also `$` `€` `+` and the underscore `_`. Several in a row are several tokens.
# - One exception: an apostrophe with a letter or digit on both sides stays in its word, and is
#   written `'`, whether it was the straight `'` or the curly `’`. Any other apostrophe is a mark
#   like the rest, and stays straight or curly.
# - Tokens are separated by one space; none stands at the ends. Other white space (tabs, line ends)
#   counts as space.
#
# | text | result |
# |---|---|
# | `DON’T panic: it's 5€!` | `don't panic : it's 5 € !` |
# | `It's the 'best' rock'n'roll...` | `it's the ' best ' rock'n'roll . . .` |


# %% exercise="standardize" difficulty=2 minutes=12
def standardize(text):
    """Return the text in lower case, its tokens apart by one space.

    Args:
        text: str.

    Returns:
        str.
    """
    ### BEGIN SOLUTION
    text = unicodedata.normalize("NFC", text.lower())
    text = re.sub(r"(?<=[^\W_])['’](?=[^\W_])", "\x00", text)  # a placeholder: no mark, no letter
    apart = [f" {c} " if unicodedata.category(c)[0] in "PS" else c for c in text]
    return " ".join("".join(apart).replace("\x00", "'").split())
    ### END SOLUTION


# %% check="standardize" points=5
check("m01_sequence_models.standardize")

# %%
CLASSES = ("negative", "neutral", "positive")
raw_train, train_labels = data.load("sentiment", "train")
raw_test, test_labels = data.load("sentiment", "test")

# %% demo
train_texts = [standardize(text) for text in raw_train]
test_texts = [standardize(text) for text in raw_test]
for raw, text, label in list(zip(raw_test, test_texts, test_labels, strict=True))[:3]:
    print(f"{CLASSES[label]}: {raw}\n{' ' * len(CLASSES[label])}  {text}")
before = {word for text in raw_train for word in text.split()}
after = {word for text in train_texts for word in text.split()}
print(f"\n{len(raw_train):,} training texts, {len(raw_test):,} test texts")
print(f"Different strings between spaces: {len(before)}; different tokens: {len(after)}")
print("film:", ", ".join(sorted(word for word in before if "film" in word)))

# %% [markdown]
# **What you see.** The same texts hold 552 different strings, and 221 different tokens once they
# are standardised. `film` alone came in four forms. What you lose is the difference between `US`
# and `us`; whether that matters depends on the task.

# %% [markdown]
# ## 2. From texts to a batch
#
# A network reads integers in a rectangle. Write `vectorize(train_texts, texts, max_size, length)`:
# it makes a vocabulary from `train_texts` and encodes `texts` with it. This is what
# `keras.layers.TextVectorization` does by `adapt` and call. Return three things, in this order:
#
# - `vocabulary`, a list of str: the token of each id. Id 0 is `""`, padding; id 1 is `"[UNK]"`,
#   any unknown token. Then come the tokens of `train_texts`, the most frequent first; equally
#   frequent ones in alphabetical order, as `sorted` puts them. Every occurrence counts, also
#   several in one text. The list has at most `max_size` entries, the first two counted.
# - `ids`, integers `(B, T)` with `T = length`: a row for each of `texts`. A token that is not in
#   the vocabulary has the id 1. A longer text loses its end, a shorter one gets zeros at its end.
# - `mask`, boolean `(B, T)`: `True` for every real token, unknown ones too, `False` for padding.
#
# All texts are standardised already: `text.split()` gives their tokens. Tokens that occur only in
# `texts` do not enter the vocabulary. Those texts stand for what the model will meet later.
#
# Example with `max_size` 8 and `length` 5:
#
# ```text
# train_texts = ["the film was good .", "the film was not good .", "the plot was dull ."]
# texts       = ["the film was not bad .", "good ."]
#
# vocabulary  = ["", "[UNK]", ".", "the", "was", "film", "good", "dull"]
# ids         = [[3, 5, 4, 1, 1],
#                [6, 2, 0, 0, 0]]
# mask        = [[True, True, True, True, True],
#                [True, True, False, False, False]]
# ```
#
# Three tokens occur three times, two twice, and of `dull`, `not` and `plot` only the first has
# room. So `not` is unknown, like `bad`.


# %% exercise="vectorize" difficulty=2 minutes=14
def vectorize(train_texts, texts, max_size, length):
    """Make a vocabulary from some texts and encode others with it.

    Args:
        train_texts: list of standardised str.
        texts: list of standardised str, B in all.
        max_size: int. Most entries that the vocabulary may have.
        length: int. T.

    Returns:
        `vocabulary`, a list of str; `ids`, int `(B, T)`; `mask`, bool `(B, T)`.
    """
    ### BEGIN SOLUTION
    counts = collections.Counter(token for text in train_texts for token in text.split())
    ranked = sorted(counts, key=lambda token: (-counts[token], token))
    vocabulary = ["", "[UNK]", *ranked][:max_size]
    id_of = {token: i for i, token in enumerate(vocabulary)}
    ids = np.zeros((len(texts), length), "int32")
    for row, text in zip(ids, texts, strict=True):
        found = [id_of.get(token, 1) for token in text.split()][:length]
        row[: len(found)] = found
    return vocabulary, ids, ids != 0
    ### END SOLUTION


# %% check="vectorize" points=6
check("m01_sequence_models.vectorize")

# %%
LENGTH = 36  # the longest text has 36 tokens


def encode(known_texts, texts, max_size=300):
    """Return what your `vectorize` does, ids and mask as NumPy arrays."""
    vocabulary, ids, mask = vectorize(known_texts, texts, max_size, LENGTH)
    return vocabulary, np.asarray(ids, "int32"), np.asarray(mask)


# %% demo
vocabulary, train_ids, _ = encode(train_texts, train_texts)
_, test_ids, test_mask = encode(train_texts, test_texts)
print(f"{len(vocabulary)} entries, the first: {vocabulary[:12]}")
print(f"Padding: {1 - np.mean(test_mask):.0%} of the test's places")
print(f"Unknown tokens in the test: {np.sum(test_ids == 1)}")

# %% [markdown]
# **What you see.** The most frequent tokens carry no opinion. Half of all places are padding: what
# a model does there matters. The test has no unknown token, since its words are those of the
# training; only their order is new.

# %% [markdown]
# ## 3. The bag
#
# A bag of words knows how often each token occurs and nothing else. Write
# `word_counts(ids, vocabulary_size)`:
#
# - `ids` is an integer array `(B, T)`, padded with 0 at the end.
# - The result is `(B, V)` with `V = vocabulary_size`: entry `[b, v]` says how often id v stands in
#   text b. Integers or floats, both are fine.
# - Padding is no word: column 0 is all zero. Unknown tokens count, in column 1.
# - There are V columns, whatever ids occur in this batch.
#
# Example with the two texts from above and V = 8: `ids = [[3, 5, 4, 1, 1], [6, 2, 0, 0, 0]]` gives
# `[[0, 2, 0, 1, 1, 1, 0, 0], [0, 0, 1, 0, 0, 0, 1, 0]]`.


# %% exercise="word_counts" difficulty=1 minutes=7
def word_counts(ids, vocabulary_size):
    """Return how often each id stands in each text.

    Args:
        ids: int array `(B, T)`, 0 is padding.
        vocabulary_size: int. V.

    Returns:
        Counts `(B, V)`; column 0 is zero.
    """
    ### BEGIN SOLUTION
    one_hot = ops.one_hot(ids, vocabulary_size)  # (B, T, V)
    counts = ops.sum(one_hot, axis=1)
    return counts * ops.cast(ops.arange(vocabulary_size) != 0, counts.dtype)
    ### END SOLUTION


# %% check="word_counts" points=3
check("m01_sequence_models.word_counts")

# %% demo
opposites = [
    "I had been told that the film was good, but it was dull.",
    "I had been told that the film was dull, but it was good.",
]
_, pair, _ = encode(train_texts, [standardize(text) for text in opposites])
counts = ops.convert_to_numpy(word_counts(pair, len(vocabulary)))
print("ids differ at places", np.flatnonzero(pair[0] != pair[1]).tolist())
print("largest difference of the counts:", int(np.abs(counts[0] - counts[1]).max()))

# %% [markdown]
# **What you see.** The two sentences say opposite things and have the same counts. Whatever a model
# computes from the counts, be it linear or a deep network, it gives both the same answer. At
# least one of the two is wrong.

# %% [markdown]
# ## 4. Where to read a recurrent network
#
# An LSTM reads token after token and has a state after each. To classify a text you read the state
# after its last token. In a padded batch that is not the last place: after a short text the network
# goes on over the padding, and its state goes on changing.
#
# Write `last_real_state(states, mask)`:
#
# - `states` is `(B, T, H)`, the state after each place. `mask` is boolean `(B, T)`, `True` for real
#   tokens; they stand at the start of each row.
# - The result is `(B, H)`: for each text its state at the last real token.
# - The mask decides, not the values: a real state may be zero, and one at the padding may not be.
# - A text without any real token gives zeros, which is the state of a network that has read nothing.
#
# Example with H = 1: `states = [[[0.1], [0.5], [0.9]], [[0.2], [0.7], [0.7]]]` and
# `mask = [[True, True, False], [True, False, False]]` give `[[0.5], [0.2]]`.


# %% exercise="last_real_state" difficulty=2 minutes=9
def last_real_state(states, mask):
    """Return the state at the last real token of each text.

    Args:
        states: float tensor `(B, T, H)`.
        mask: bool tensor `(B, T)`. True for real tokens, which come first.

    Returns:
        States `(B, H)`; zeros where a text has no token.
    """
    ### BEGIN SOLUTION
    places = ops.sum(ops.cast(mask, "int32"), axis=1) - 1  # (B,), -1 for an empty text
    chosen = ops.one_hot(places, states.shape[1], dtype=states.dtype)  # (B, T), no 1 for -1
    return ops.einsum("bt,bth->bh", chosen, states)
    ### END SOLUTION


# %% check="last_real_state" points=4
check("m01_sequence_models.last_real_state")

# %% [markdown]
# ## 5. A score that shows where it fails
#
# One number hides which class is confused with which. Write
# `confusion_and_f1(labels, predictions, num_classes)`. It returns two things, in this order:
#
# - `matrix`, `(C, C)` with `C = num_classes`: entry `[i, j]` counts the texts of class i that were
#   called j. Rows are true, columns are predicted; the diagonal is right.
# - `macro_f1`, one number. F1 of class c is
#
# $$\text{F1}_c = \frac{2\,\text{TP}_c}{2\,\text{TP}_c + \text{FP}_c + \text{FN}_c}$$
#
# the harmonic mean of precision and recall: $\text{TP}_c$ texts of class c were found,
# $\text{FN}_c$ texts of it were missed (the rest of row c), $\text{FP}_c$ texts were called c and
# are not (the rest of column c). Macro-F1 is the plain mean over all C classes, so that a rare class
# weighs as much as a frequent one.
#
# A class that is neither true nor predicted anywhere has $\text{F1}_c = 0$ and still counts in the
# mean.
#
# Example with C = 3: `labels = [0, 0, 0, 0, 1, 2]`, `predictions = [0, 0, 0, 1, 1, 0]`. The matrix
# is `[[3, 1, 0], [0, 1, 0], [1, 0, 0]]`. F1 is $6/8 = 0.75$, $2/3 = 0.667$ and $0/1 = 0$, macro-F1
# their mean, 0.472. The accuracy is $4/6 = 0.667$: it hardly notices that class 2 is never found.


# %% exercise="confusion_and_f1" difficulty=2 minutes=10
def confusion_and_f1(labels, predictions, num_classes):
    """Return the confusion matrix and macro-F1.

    Args:
        labels: int array `(N,)`, the true classes 0 to C - 1.
        predictions: int array `(N,)`, the predicted classes.
        num_classes: int. C.

    Returns:
        `matrix`, counts `(C, C)`, rows true; `macro_f1`, a number.
    """
    ### BEGIN SOLUTION
    matrix = np.zeros((num_classes, num_classes), "int64")
    np.add.at(matrix, (np.asarray(labels), np.asarray(predictions)), 1)
    right = np.diag(matrix)
    found = matrix.sum(0) + matrix.sum(1)  # 2 TP + FP + FN
    return matrix, float(np.mean(2 * right / np.maximum(found, 1)))
    ### END SOLUTION


# %% check="confusion_and_f1" points=4
check("m01_sequence_models.confusion_and_f1")

# %% [markdown]
# ## 6. Train both
#
# Both models come from the course's package. The bag is logistic regression on word counts: one
# weight for each token and class. The LSTM has embeddings and a state of 32 numbers each, and reads
# the last real state as you wrote it. Both see the same 6,000 texts in batches of 64, with Adam, a
# learning rate that falls to nearly 0, and gradients clipped to the norm 1.

# %%
SEEDS = [0]  # range(5) repeats the table below; the time is five times as long


def train(model, ids, labels, learning_rate, epochs, seed):
    """Train a classifier on ids `(B, T)` and labels `(B,)`."""
    steps = epochs * (len(ids) // 64)
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, steps, alpha=0.02)
    examples = tf.data.Dataset.from_tensor_slices((ids, labels))
    examples = examples.shuffle(len(ids), seed=seed).batch(64, drop_remainder=True).prefetch(2)
    optimizer = keras.optimizers.Adam(rate, clipnorm=1.0)
    loss = "sparse_categorical_crossentropy"
    model.compile(optimizer, loss, jit_compile=True, steps_per_execution=3)
    model.fit(examples, epochs=epochs, verbose=0, shuffle=False)


def predict(model, ids):
    """Return the class with the largest probability for each text."""
    return ops.convert_to_numpy(model(ids)).argmax(-1)


def make_models(vocabulary_size, num_classes):
    """Return both models, each with its learning rate and epochs."""
    lstm = build_text_classifier(vocabulary_size, num_classes, embedding_dim=32, hidden_dim=32)
    bag = build_bag_of_words(vocabulary_size, num_classes)
    return {"bag of words": (bag, 0.03, 10), "LSTM": (lstm, 0.01, 15)}


# %% demo
models, predictions = {}, {}
for seed in SEEDS:
    keras.utils.set_random_seed(seed)
    for name, (model, rate, epochs) in make_models(len(vocabulary), len(CLASSES)).items():
        train(model, train_ids, train_labels, rate, epochs, seed)
        models[name], predictions[name] = model, predict(model, test_ids)
        matrix, macro_f1 = confusion_and_f1(test_labels, predictions[name], len(CLASSES))
        accuracy = np.mean(predictions[name] == test_labels)
        print(f"seed {seed} {name:14}{accuracy:.3f} accuracy {float(macro_f1):.3f} macro-F1")

# %% demo
with plot.style():
    figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.8), layout="constrained")
    for axis, (name, predicted) in zip(axes, predictions.items(), strict=True):
        matrix, _ = confusion_and_f1(test_labels, predicted, len(CLASSES))
        matrix = np.asarray(matrix)
        share = matrix / matrix.sum(1, keepdims=True)
        plot.heat_map(share, CLASSES, CLASSES, name, axis, high=1)
        for row, column in np.ndindex(matrix.shape):
            colour = "black" if share[row, column] > 0.55 else "white"
            place = {"ha": "center", "va": "center", "color": colour}
            axis.text(column + 0.5, row + 0.5, int(matrix[row, column]), **place)
        axis.set(xlabel="predicted", ylabel="true")
    plt.show()

# %% [markdown]
# **What you see.** One square for each true class (row) and predicted class (column); brighter is
# more of the row, the number counts texts. The bag finds most neutral texts: words such as `whether`
# and `may` hint at them (54 % and 48 % of the training texts with these words are neutral). Of the
# texts that are positive or negative, and that it calls one of the two, it gets 55 % right, hardly
# more than a coin would. The LSTM has nearly everything on its diagonal. Over five seeds (mean ±
# standard deviation, 1,500 texts whose structures are new):
#
# | model | weights | accuracy | macro-F1 | accuracy on the training texts |
# |---|---:|---:|---:|---:|
# | one class for all | 0 | 0.333 | 0.167 | 0.333 |
# | bag of words | 672 | 0.614 ± 0.004 | 0.604 ± 0.005 | 0.655 ± 0.002 |
# | LSTM | 15,555 | 0.996 ± 0.004 | 0.996 ± 0.004 | 1.000 ± 0.000 |
#
# The lowest of five LSTMs has 0.991, the highest of five bags 0.619. The bag does not learn its
# training texts either: it is not overfitting, it cannot say what it would have to say. Pairs of
# neighbouring words, the usual remedy, hardly help: with 1,454 pairs beside the words the bag has
# 0.620 and 0.619 (seeds 0 and 1). A pair holds `not bad`, but `I cannot agree that … was not only …
# but also …` is longer than a pair.
#
# Macro-F1 of the bag is below its accuracy, since it is much better at one class than at the others.

# %% [markdown]
# ### Where the bag fails

# %% demo
cues = ["not", "hardly", "by no means", "anything but", "nobody", "but", "although", "whether"]
right = {name: predicted == test_labels for name, predicted in predictions.items()}
print(f"{'texts with':14}{'texts':>6}" + "".join(f"{name:>15}" for name in right))
for cue in cues:
    has_cue = np.array([f" {cue} " in f" {text} " for text in test_texts])
    row = "".join(f"{np.mean(found[has_cue]):15.3f}" for found in right.values())
    print(f"{cue:14}{np.sum(has_cue):6}{row}")

print("\nThe bag is wrong and the LSTM is right:")
for cue in ("not", "hardly", "but"):
    cases = (f" {cue} " in text for text in test_texts)
    wrong = right["LSTM"] & ~right["bag of words"] & np.fromiter(cases, bool)
    shortest = sorted(np.flatnonzero(wrong), key=lambda i: len(raw_test[i]))[:3]
    for i in shortest:
        said = CLASSES[predictions["bag of words"][i]]
        print(f"  {CLASSES[test_labels[i]]:9} (bag: {said:8}) {raw_test[i]}")

# %% [markdown]
# **What you see.** With every cue but `although` the bag is right in 55 % to 65 % of the texts, mean
# over five seeds, and the LSTM in 99.6 % or more. `although` is easier for the bag (79 %): a third
# of these texts say `whether` as well, and those are all neutral. The examples below the table hold
# opinion words, and words that turn them over.

# %% [markdown]
# ### Where the LSTM fails

# %% demo
errors = np.flatnonzero(~right["LSTM"])
print(f"{len(errors)} errors in {len(test_labels):,} texts")
for i in errors[:8]:
    said = CLASSES[predictions["LSTM"][i]]
    print(f"  {CLASSES[test_labels[i]]:9} (LSTM: {said:8}) {raw_test[i]}")

# %% [markdown]
# **What you see.** A handful of errors: 12, 1, 1, 4 and 14 in five seeds. Many are sentences that
# are confirmed or denied by their last words, such as `Is it true that …? It is not.` or `…, and she
# was wrong.` Such texts are 154 of 1,500. There the LSTM must carry the opinion to the very end and
# then turn it over or not. Of the 32 errors 29 swap positive and negative.
#
# Be careful with a score near 1. The sentences come from templates with 221 tokens, and the test
# holds new combinations of frames and clauses that training has shown one by one. It measures whether
# a model composes what it knows. It does not measure whether it knows English.

# %% [markdown]
# ### Where you read it
#
# Now take the trained LSTM without its mask: let it read on over the padding, and read its state d
# places after the last real token. `last_real_state` does that with a mask that is d places longer.

# %% demo
lstm = models["LSTM"]
reader = keras.layers.RNN(lstm.get_layer("reader").cell, return_sequences=True)
states = ops.convert_to_numpy(reader(lstm.get_layer("embedding")(test_ids)))  # (B, T, H), no mask
classify = lstm.get_layer("classes")


def accuracy_of(state):
    """Return the accuracy when the classifier reads this state `(B, H)`."""
    return np.mean(ops.convert_to_numpy(classify(state)).argmax(-1) == test_labels)


lengths = np.sum(test_mask, axis=1, keepdims=True)
distances = np.arange(17)
curve = [accuracy_of(last_real_state(states, np.arange(LENGTH) < lengths + d)) for d in distances]
mean = np.sum(states * test_mask[..., None], axis=1) / lengths

print(f"the model with its mask   {np.mean(right['LSTM']):.3f}")
print(f"last real state           {curve[0]:.3f}")
print(f"last place                {accuracy_of(states[:, -1]):.3f}")
print(f"mean of the real states   {accuracy_of(mean):.3f}")
with plot.style():
    figure, axis = plt.subplots(figsize=(7, 3.4), layout="constrained")
    axis.plot(distances, curve)
    axis.set(xlabel="places of padding read before the state is taken", ylabel="accuracy")
    axis.set(ylim=(0.5, 1.02), title="The same trained LSTM, read later")
    plt.show()

# %% [markdown]
# **What you see.** Read at the last real state, the network is exactly the model that the package
# trained with a mask. One place of padding later it is worse, two places later much worse. Over five
# seeds (mean ± standard deviation):
#
# | state that the classifier reads | accuracy |
# |---|---:|
# | last real state | 0.996 ± 0.004 |
# | 1 place of padding later | 0.944 ± 0.072 |
# | 2 places later | 0.880 ± 0.097 |
# | last place of the batch | 0.842 ± 0.062 |
# | mean of the real states | 0.649 ± 0.023 |
#
# Nothing warns you: the shapes are right, the numbers look like probabilities, and 84 % looks like a
# fair result. A classifier must read the state that it was trained to read; the last place and the
# mean of the states are inputs that this one has never met.

# %% [markdown]
# ## 7. Optional: your own texts
#
# `data.load("text_files", split, path=…, layout=…)` reads what you have: a folder with a subfolder
# for each class, a `.txt` file with a text a line, or a table with the columns `text` and `label`.
# It splits the texts into training and test, equal ones together. The next cell writes such a table,
# twelve reviews as you might write them, reads it, and asks the trained LSTM. Put your own file's
# path in its place.

# %% demo
REVIEWS = """text,label
The hotel was not bad at all.,positive
I could not enjoy the concert.,negative
Nobody could say that the novel was dull.,positive
"Although the soup was superb, the meal was a disaster.",negative
"My brother said that the film was great, but I cannot judge.",neutral
Is it true that the exhibition was a success?,neutral
The book kept me awake all night.,positive
What a waste of an evening!,negative
"The actors mumble, and the jokes fall flat.",negative
We laughed from the first scene to the last.,positive
The museum is closed on Mondays.,neutral
You can rent a bicycle at the desk.,neutral
"""
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "reviews.csv"
    path.write_text(REVIEWS, encoding="utf-8")
    splits = [data.load("text_files", split, path=path, layout="table") for split in data.SPLITS]
own_texts = np.concatenate([texts for texts, _, _ in splits])
own_labels = np.concatenate([labels for _, labels, _ in splits])
own_classes = splits[0][2]  # in alphabetical order, here those of CLASSES
print("texts to train and to test:", [len(texts) for texts, _, _ in splits])

_, own_ids, own_mask = encode(train_texts, [standardize(text) for text in own_texts])
own_predictions = predict(lstm, own_ids)
unknown = np.sum(own_ids == 1, axis=1) / np.sum(own_mask, axis=1)
for i in np.argsort(unknown, kind="stable"):
    mark = "right" if own_predictions[i] == own_labels[i] else "WRONG"
    print(f"{unknown[i]:4.0%} unknown  {own_classes[own_labels[i]]:9}{mark}  {own_texts[i]}")

# %% [markdown]
# **What you see.** The upper six reviews hold only words that the training has; in the lower six
# 44 % to 71 % of the tokens are unknown, and these are the words that carry the opinion. Compare
# the two halves. In the lower one a right answer is luck, and the model never says that it does not
# know: it was trained without a single unknown token.
#
# To train on your own file, change three things: texts and labels come from
# `data.load("text_files", …)`, `CLASSES` from its third result, and `LENGTH` from your longest
# text. A smaller `max_size` turns rare words into `[UNK]`, so that the model learns what to do with
# them.

# %% [markdown]
# ## 8. Optional: real reviews
#
# SST-2 holds 8,741 sentences from film reviews for training and test, negative or positive (Socher
# et al., 2013). Set `FULL = True`: the course fetches the files once, or reads them from the folder
# that `COURSE_DATA_DIR` names. Without either, it says in one sentence what is missing.

# %% demo
FULL = False
if FULL:
    sst = {split: data.load("sst2", split) for split in ("train", "test")}
    texts = {split: [standardize(text) for text in raw] for split, (raw, _) in sst.items()}
    tokens, ids, _ = encode(texts["train"], texts["train"], 6000)
    _, new_ids, _ = encode(texts["train"], texts["test"], 6000)
    keras.utils.set_random_seed(0)
    for name, (model, rate, epochs) in make_models(len(tokens), num_classes=2).items():
        rate = 0.003 if name == "bag of words" else rate  # a slower rate for 6,000 words
        train(model, ids, sst["train"][1], rate, epochs, seed=0)
        print(f"{name:14}{np.mean(predict(model, new_ids) == sst['test'][1]):.3f}")

# %% [markdown]
# With seed 0 the bag of words gets 0.807 of the 1,821 test sentences right, the LSTM 0.786. The
# order is the other way round than above, and both numbers are honest. Here single words such as
# "dull" do decide most sentences, and 6,920 examples with 6,000 words are few for an LSTM: it knows
# its training texts by heart (1.000 there; the bag 0.927). In 10 % of the places stands `[UNK]`.
# Dropout and fewer steps help it. With dropout 0.5, the learning rate 0.005 and 4 epochs it gets
# 0.817 (seed 0): no clear lead. So measure the simple model first. Where it fails, as on the
# sentences of this lab, you know what the other one is for.
#
# An LSTM reads from left to right and carries all that it has read in one state. Module 2 lets every
# word look at every other one directly.
