"""Independent right answers to lab 1, in styles that learners use."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from autograder.exercise import alternative
from course.m01_sequence_models import fnv1a


@alternative("m01_sequence_models.skip_gram_loss")
def with_softplus(positive, negative):
    """-log σ(x) is softplus(-x)."""
    terms = ops.softplus(-positive) + ops.sum(ops.softplus(negative), axis=1)
    return ops.mean(terms)


@alternative("m01_sequence_models.skip_gram_loss")
def with_cross_entropy_of_tensorflow(positive, negative):
    """Binary cross-entropy from logits over all 1 + K scores."""
    scores = tf.concat([tf.expand_dims(positive, 1), negative], axis=1)
    labels = tf.concat([tf.ones_like(scores[:, :1]), tf.zeros_like(scores[:, 1:])], axis=1)
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels, scores)
    return tf.reduce_mean(tf.reduce_sum(losses, axis=1))


@alternative("m01_sequence_models.skip_gram_loss")
def with_numpy_logaddexp(positive, negative):
    """NumPy in float64, a float."""
    positive, negative = np.asarray(positive, "float64"), np.asarray(negative, "float64")
    return float((np.logaddexp(0, -positive) + np.logaddexp(0, negative).sum(1)).mean())


@alternative("m01_sequence_models.skip_gram_loss")
def with_a_loop_over_negatives(positive, negative):
    """One negative word after another."""
    total = keras.activations.log_sigmoid(positive)
    for k in range(negative.shape[1]):
        total = total + keras.activations.log_sigmoid(-negative[:, k])
    return -ops.sum(total) / positive.shape[0]


@alternative("m01_sequence_models.skip_gram_loss")
def with_the_keras_loss(positive, negative):
    """Keras's binary cross-entropy averages over the scores: times their number."""
    scores = ops.concatenate([positive[:, None], negative], axis=1)
    labels = ops.concatenate([ops.ones_like(positive)[:, None], ops.zeros_like(negative)], axis=1)
    losses = keras.ops.binary_crossentropy(labels, scores, from_logits=True)
    return ops.mean(losses) * scores.shape[1]


@alternative("m01_sequence_models.glove_loss")
def with_where(scores, counts, x_max=100.0, alpha=0.75):
    """The weight by cases."""
    weight = ops.where(counts < x_max, ops.power(counts / x_max, alpha), 1.0)
    return ops.sum(weight * (scores - ops.log(counts)) ** 2)


@alternative("m01_sequence_models.glove_loss")
def with_tensorflow(scores, counts, x_max=100.0, alpha=0.75):
    """TensorFlow; the ratio is cut before the power."""
    weight = tf.pow(tf.minimum(counts / x_max, 1.0), alpha)
    return tf.reduce_sum(weight * tf.math.squared_difference(scores, tf.math.log(counts)))


@alternative("m01_sequence_models.glove_loss")
def with_a_loop(scores, counts, x_max=100.0, alpha=0.75):
    """One pair after another, in Python."""
    total = 0.0
    for score, count in zip(np.asarray(scores), np.asarray(counts), strict=True):
        weight = 1.0 if count >= x_max else (float(count) / x_max) ** alpha
        total += weight * (float(score) - np.log(float(count))) ** 2
    return total


@alternative("m01_sequence_models.glove_loss")
def with_logarithms(scores, counts, x_max=100.0, alpha=0.75):
    """The weight from the logarithm of the count, the sum as a dot product."""
    log = ops.log(counts)
    weight = ops.exp(alpha * ops.minimum(log - np.log(x_max), 0.0))
    return ops.dot(weight, ops.square(log - scores))


@alternative("m01_sequence_models.ngram_buckets")
def with_two_loops(word, num_buckets, min_length=3, max_length=6):
    """Two loops and a list."""
    marked, buckets = "<" + word + ">", []
    for n in range(min_length, max_length + 1):
        for start in range(len(marked)):
            if start + n <= len(marked):
                buckets.append(fnv1a(marked[start : start + n].encode("utf-8")) % num_buckets)
    return buckets


@alternative("m01_sequence_models.ngram_buckets")
def with_zip(word, num_buckets, min_length=3, max_length=6):
    """Shifted copies side by side; an array."""
    letters = ["<", *word, ">"]
    pieces = []
    for n in range(min_length, max_length + 1):
        shifted = [letters[shift:] for shift in range(n)]
        pieces += ["".join(piece) for piece in zip(*shifted, strict=False)]
    return np.array([fnv1a(piece.encode()) % num_buckets for piece in pieces], "int64")


@alternative("m01_sequence_models.ngram_buckets")
def with_a_hash_of_my_own(word, num_buckets, min_length=3, max_length=6):
    """The hash written out, cut to 32 bits once at the end of each byte."""
    buckets = []
    for n in range(min_length, max_length + 1):
        for end in range(n, len(word) + 3):
            value = 0x811C9DC5
            for byte in bytes(f"<{word}>"[end - n : end], "utf-8"):
                value = (value ^ byte) * 0x01000193 % 0x100000000
            buckets.append(value % num_buckets)
    return tuple(buckets)


def _cosines(vectors):
    vectors = np.asarray(vectors, "float64")
    length = np.sqrt((vectors**2).sum(-1, keepdims=True))
    return vectors / np.maximum(length, 1e-12)


@alternative("m01_sequence_models.nearest_neighbors")
def with_top_k(vectors, ids, k=5, exclude=(0,)):
    """TensorFlow's top_k over masked scores."""
    unit = tf.math.l2_normalize(vectors, axis=-1, epsilon=1e-30)
    scores = tf.matmul(tf.gather(unit, ids), unit, transpose_b=True)
    hidden = tf.one_hot(ids, tf.shape(vectors)[0])
    for i in exclude:
        hidden += tf.one_hot(i, tf.shape(vectors)[0])
    best = tf.math.top_k(tf.where(hidden > 0, -2.0, scores), k)
    return best.indices, best.values


@alternative("m01_sequence_models.nearest_neighbors")
def with_a_loop_over_words(vectors, ids, k=5, exclude=(0,)):
    """Python's sorted, a word at a time; two lists."""
    unit, found, similarities = _cosines(vectors), [], []
    for word in np.asarray(ids):
        scores = unit @ unit[word]
        allowed = [i for i in range(len(unit)) if i != word and i not in exclude]
        best = sorted(allowed, key=lambda i: -scores[i])[:k]
        found.append(best)
        similarities.append([float(scores[i]) for i in best])
    return found, similarities


@alternative("m01_sequence_models.nearest_neighbors")
def with_keras_argsort(vectors, ids, k=5, exclude=(0,)):
    """Keras: argsort of the negated scores."""
    unit = keras.utils.normalize(ops.convert_to_numpy(vectors), axis=-1)
    ids = ops.convert_to_numpy(ids)
    scores = unit[ids] @ unit.T
    scores[np.arange(len(ids)), ids] = -np.inf
    scores[:, list(exclude)] = -np.inf
    order = ops.argsort(-scores, axis=-1)[:, :k]
    return order, ops.take_along_axis(ops.convert_to_tensor(scores), order, axis=-1)


@alternative("m01_sequence_models.analogy")
def one_question_at_a_time(vectors, a, b, c, k=1, exclude=(0,)):
    """A loop over questions, NumPy."""
    unit, rows = _cosines(vectors), []
    for first, second, third in zip(*map(np.asarray, (a, b, c)), strict=True):
        target = unit[second] - unit[first] + unit[third]
        scores = unit @ target / np.linalg.norm(target)
        scores[[first, second, third, *exclude]] = -np.inf
        best = np.argsort(scores)[::-1][:k]
        rows.append((best, scores[best]))
    return np.stack([row[0] for row in rows]), np.stack([row[1] for row in rows])


@alternative("m01_sequence_models.analogy")
def sum_of_three_cosines(vectors, a, b, c, k=1, exclude=(0,)):
    """cos(d, b) - cos(d, a) + cos(d, c), over the target's length: the same (hence 3CosAdd)."""
    unit = _cosines(vectors)
    a, b, c = (np.asarray(x) for x in (a, b, c))
    cosines = unit @ unit.T
    scores = cosines[b] - cosines[a] + cosines[c]
    scores /= np.linalg.norm(unit[b] - unit[a] + unit[c], axis=-1, keepdims=True)
    rows = np.arange(len(a))
    for own in (a, b, c):
        scores[rows, own] = -2
    scores[:, list(exclude)] = -2
    order = np.argsort(-scores, axis=-1)[:, :k]
    return order, scores[rows[:, None], order]


@alternative("m01_sequence_models.analogy")
def analogy_in_tensorflow(vectors, a, b, c, k=1, exclude=(0,)):
    """TensorFlow's gather and top_k."""
    unit = tf.math.l2_normalize(vectors, axis=-1, epsilon=1e-30)
    first, second, third = (tf.gather(unit, x) for x in (a, b, c))
    target = tf.math.l2_normalize(second - first + third, axis=-1)
    scores = tf.matmul(target, unit, transpose_b=True)
    size = tf.shape(unit)[0]
    hidden = tf.one_hot(a, size) + tf.one_hot(b, size) + tf.one_hot(c, size)
    if len(exclude):
        hidden += tf.reduce_sum(tf.one_hot(list(exclude), size), axis=0)
    scores = tf.where(hidden > 0, -np.inf, scores)
    best = tf.math.top_k(scores, k)
    return [best.indices, best.values]
