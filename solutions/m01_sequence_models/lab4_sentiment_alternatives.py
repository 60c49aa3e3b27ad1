"""Independent right answers to lab 4, in styles that learners use."""

import collections
import itertools
import re
import string
import unicodedata

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from autograder.exercise import alternative

# standardize ----------------------------------------------------------------------------------


@alternative("m01_sequence_models.standardize")
def character_by_character(text):
    """One loop that looks at both neighbours."""
    text = unicodedata.normalize("NFC", text.lower())
    found = ""
    for i, c in enumerate(text):
        inside = 0 < i < len(text) - 1 and text[i - 1].isalnum() and text[i + 1].isalnum()
        if c in ("'", "’") and inside:
            found += "'"
        elif unicodedata.category(c).startswith(("P", "S")):
            found += " " + c + " "
        else:
            found += c
    return " ".join(found.split())


@alternative("m01_sequence_models.standardize")
def with_one_pattern(text):
    """All tokens found by one regular expression."""
    text = unicodedata.normalize("NFC", text).lower()
    inside = r"(?<=[^\W_])['’](?=[^\W_])"
    tokens = re.findall(rf"(?:[^\W_]|{inside})+|[^\w\s]|_", text)
    return " ".join(t.replace("’", "'") if len(t) > 1 else t for t in tokens)


@alternative("m01_sequence_models.standardize")
def with_groupby(text):
    """Runs of letters; a run that is one apostrophe between two of them joins them."""
    text = unicodedata.normalize("NFC", text.lower())
    runs = ["".join(run) for _, run in itertools.groupby(text, str.isalnum)]
    tokens, glue = [], False
    for i, run in enumerate(runs):
        if run[0].isalnum():
            tokens = [*tokens[:-1], f"{tokens[-1]}'{run}"] if glue else [*tokens, run]
            glue = False
        else:
            glue = run in ("'", "’") and 0 < i < len(runs) - 1
            tokens += [] if glue else [c for c in run if not c.isspace()]
    return " ".join(tokens)


@alternative("m01_sequence_models.standardize")
def with_a_table(text):
    """str.translate with a table of every mark that Unicode knows."""
    text = re.sub(r"\b['’]\b", "\x00", unicodedata.normalize("NFC", text.lower()))
    marks = {ord(c): f" {c} " for c in set(text) - set(string.ascii_letters) if is_mark(c)}
    return " ".join(text.translate(marks).replace("\x00", "'").split())


def is_mark(c):
    """Whether a character is punctuation or a symbol."""
    return unicodedata.category(c)[0] in ("P", "S")


# vectorize ------------------------------------------------------------------------------------


@alternative("m01_sequence_models.vectorize")
def with_plain_dictionaries(train_texts, texts, max_size, length):
    """No library but NumPy for the result."""
    counts = {}
    for token in " ".join(train_texts).split():
        counts[token] = counts.get(token, 0) + 1
    tokens = sorted(counts)
    tokens.sort(key=counts.get, reverse=True)  # stable: the alphabet stays in ties
    vocabulary = (["", "[UNK]"] + tokens)[:max_size]
    ids, mask = [], []
    for text in texts:
        row = [vocabulary.index(t) if t in vocabulary else 1 for t in text.split()][:length]
        ids.append(row + [0] * (length - len(row)))
        mask.append([True] * len(row) + [False] * (length - len(row)))
    return vocabulary, ids, mask


@alternative("m01_sequence_models.vectorize")
def with_keras_padding(train_texts, texts, max_size, length):
    """A Counter, and Keras pads and cuts."""
    counts = collections.Counter(itertools.chain.from_iterable(map(str.split, train_texts)))
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    vocabulary = ("", "[UNK]", *(token for token, _ in ranked[: max_size - 2]))
    numbers = collections.defaultdict(lambda: 1, {t: i for i, t in enumerate(vocabulary)})
    rows = [[numbers[t] for t in text.split()] for text in texts]
    ids = keras.utils.pad_sequences(rows, maxlen=length, padding="post", truncating="post")
    return vocabulary, ops.convert_to_tensor(ids), ops.not_equal(ids, 0)


@alternative("m01_sequence_models.vectorize")
def with_numpy_unique(train_texts, texts, max_size, length):
    """np.unique sorts and counts; a table of texts."""
    tokens, counts = np.unique(" ".join(train_texts).split(), return_counts=True)
    best = tokens[np.lexsort((tokens, -counts))].tolist()
    vocabulary = ["", "[UNK]", *best][:max_size]
    table = np.full((len(texts), length), "", object)
    for row, text in zip(table, texts, strict=True):
        cut = text.split()[:length]
        row[: len(cut)] = cut
    known = {token: i for i, token in enumerate(vocabulary)}
    ids = np.vectorize(lambda token: known.get(token, 1), otypes=["int64"])(table)
    return vocabulary, ids, table != ""


@alternative("m01_sequence_models.vectorize")
def with_ragged_tensors(train_texts, texts, max_size, length):
    """TensorFlow's lookup table, ragged rows made dense."""
    counts = collections.Counter(tf.strings.split(" ".join(train_texts)).numpy().tolist())
    tokens = sorted(counts, key=lambda t: (-counts[t], t))[: max_size - 2]
    keys = tf.constant([token.decode() for token in tokens])
    values = tf.range(2, 2 + len(tokens), dtype="int64")
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), 1)
    ragged = table.lookup(tf.strings.split(tf.constant(texts)))
    ids = ragged[:, :length].to_tensor(0, shape=(len(texts), length))
    return ["", "[UNK]", *(token.decode() for token in tokens)], ids, ids > 0


# word_counts ----------------------------------------------------------------------------------


@alternative("m01_sequence_models.word_counts")
def with_add_at(ids, vocabulary_size):
    """NumPy's unbuffered addition."""
    ids = np.asarray(ids)
    counts = np.zeros((len(ids), vocabulary_size), int)
    np.add.at(counts, (np.arange(len(ids))[:, None], ids), 1)
    counts[:, 0] = 0
    return counts


@alternative("m01_sequence_models.word_counts")
def with_bincount(ids, vocabulary_size):
    """TensorFlow's bincount of each row."""
    counts = tf.math.bincount(ids, minlength=vocabulary_size, axis=-1)
    return tf.concat([tf.zeros_like(counts[:, :1]), counts[:, 1:]], axis=1)


@alternative("m01_sequence_models.word_counts")
def with_counters(ids, vocabulary_size):
    """A Counter a row, plain lists."""
    bags = [collections.Counter(row.tolist()) for row in np.asarray(ids)]
    return [[0] + [bag[v] for v in range(1, vocabulary_size)] for bag in bags]


@alternative("m01_sequence_models.word_counts")
def with_a_mask_and_einsum(ids, vocabulary_size):
    """One-hot vectors weighted by what is real."""
    real = ops.cast(ops.not_equal(ids, 0), "float32")
    return ops.einsum("bt,btv->bv", real, ops.one_hot(ids, vocabulary_size))


@alternative("m01_sequence_models.word_counts")
def column_by_column(ids, vocabulary_size):
    """One comparison for each id."""
    columns = [ops.sum(ops.cast(ids == v, "int32"), axis=1) for v in range(1, vocabulary_size)]
    return ops.stack([ops.zeros_like(columns[0]), *columns], axis=-1)


# last_real_state ------------------------------------------------------------------------------


@alternative("m01_sequence_models.last_real_state")
def with_take_along_axis(states, mask):
    """The place as an index along time."""
    counts = ops.sum(ops.cast(mask, "int32"), axis=1)
    places = ops.reshape(ops.maximum(counts - 1, 0), (-1, 1, 1))
    found = ops.take_along_axis(states, places, axis=1)[:, 0]
    return ops.where(ops.expand_dims(counts > 0, -1), found, 0.0)


@alternative("m01_sequence_models.last_real_state")
def with_one_hot(states, mask):
    """One-hot of the last place; of place -1 it is all zeros."""
    places = ops.sum(ops.cast(mask, "int32"), axis=1) - 1
    return ops.einsum("bt,bth->bh", ops.one_hot(places, states.shape[1]), states)


@alternative("m01_sequence_models.last_real_state")
def with_the_edge_of_the_mask(states, mask):
    """The last real place is real, and the next is not."""
    mask = tf.cast(mask, states.dtype)
    edge = mask * (1 - tf.pad(mask[:, 1:], [[0, 0], [0, 1]]))
    return tf.reduce_sum(states * edge[..., None], axis=1)


@alternative("m01_sequence_models.last_real_state")
def with_gather(states, mask):
    """TensorFlow's gather, a row of zeros in front for empty texts."""
    padded = tf.pad(states, [[0, 0], [1, 0], [0, 0]])
    return tf.gather(padded, tf.reduce_sum(tf.cast(mask, "int32"), 1), axis=1, batch_dims=1)


@alternative("m01_sequence_models.last_real_state")
def with_a_loop_over_time(states, mask):
    """Carry the state along, as a recurrent network does."""
    states, mask = np.asarray(states), np.asarray(mask)
    carried = np.zeros_like(states[:, 0])
    for t in range(states.shape[1]):
        carried = np.where(mask[:, t, None], states[:, t], carried)
    return carried


# confusion_and_f1 -----------------------------------------------------------------------------


@alternative("m01_sequence_models.confusion_and_f1")
def with_numpy(labels, predictions, num_classes):
    """One number for each pair, counted; precision and recall guarded."""
    pairs = np.asarray(labels) * num_classes + np.asarray(predictions)
    matrix = np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)
    right = np.diag(matrix).astype("float64")
    precision = right / np.maximum(matrix.sum(0), 1)
    recall = right / np.maximum(matrix.sum(1), 1)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return matrix, float(f1.mean())


@alternative("m01_sequence_models.confusion_and_f1")
def with_a_matrix_product(labels, predictions, num_classes):
    """Keras: one-hot labels transposed times one-hot predictions."""
    matrix = ops.matmul(
        ops.transpose(ops.one_hot(labels, num_classes)), ops.one_hot(predictions, num_classes)
    )
    total = ops.sum(matrix, axis=0) + ops.sum(matrix, axis=1)
    f1 = 2 * ops.diagonal(matrix) / ops.maximum(total, 1.0)
    return ops.cast(matrix, "int32"), ops.mean(f1)


@alternative("m01_sequence_models.confusion_and_f1")
def with_plain_python(labels, predictions, num_classes):
    """Lists, and true and false positives by name."""
    matrix = [[0] * num_classes for _ in range(num_classes)]
    for label, prediction in zip(list(labels), list(predictions), strict=True):
        matrix[int(label)][int(prediction)] += 1
    scores = []
    for c in range(num_classes):
        right = matrix[c][c]
        missed = sum(matrix[c]) - right
        alarms = sum(row[c] for row in matrix) - right
        scores.append(2 * right / (2 * right + missed + alarms) if right else 0.0)
    return matrix, sum(scores) / num_classes


@alternative("m01_sequence_models.confusion_and_f1")
def with_scatter(labels, predictions, num_classes):
    """TensorFlow's scatter_nd and a division that gives 0 for 0 / 0."""
    places = tf.stack([labels, predictions], axis=-1)
    matrix = tf.scatter_nd(places, tf.ones_like(labels), (num_classes, num_classes))
    counts = tf.cast(matrix, "float32")
    both = tf.reduce_sum(counts, 0) + tf.reduce_sum(counts, 1)
    return matrix, tf.reduce_mean(tf.math.divide_no_nan(2 * tf.linalg.diag_part(counts), both))
