"""Independent right answers to lab 5, in styles that learners use."""

import numpy as np
import tensorflow as tf
from keras import ops

from autograder.exercise import alternative


@alternative("m03_attention.attention_pooling")
def pooling_in_tensorflow(states, mask, kernel, bias, v):
    """TensorFlow with an additive mask."""
    hidden = tf.tanh(tf.tensordot(states, kernel, 1) + bias)
    scores = tf.tensordot(hidden, v, 1) - 1e9 * (1.0 - tf.cast(mask, "float32"))
    weights = tf.nn.softmax(scores, axis=-1)
    return tf.reduce_sum(weights[..., None] * states, axis=1), weights


@alternative("m03_attention.attention_pooling")
def pooling_in_numpy(states, mask, kernel, bias, v):
    """NumPy, exponentials times the mask."""
    states, mask = np.asarray(states, "float64"), np.asarray(mask)
    scores = np.tanh(states @ np.asarray(kernel) + np.asarray(bias)) @ np.asarray(v)
    exponential = np.exp(scores - scores.max(-1, keepdims=True)) * mask
    weights = exponential / np.maximum(exponential.sum(-1, keepdims=True), 1e-30)
    return (weights[:, None, :] @ states)[:, 0], weights


@alternative("m03_attention.attention_pooling")
def pooling_by_texts(states, mask, kernel, bias, v):
    """One text at a time, its tokens alone; zeros for a text without tokens."""
    pooled, weights = [], []
    for text, real in zip(np.asarray(states), np.asarray(mask), strict=True):
        row, summed = np.zeros(len(text)), np.zeros(text.shape[-1])
        if real.any():
            scores = np.tanh(text[real] @ np.asarray(kernel) + np.asarray(bias)) @ np.asarray(v)
            row[real] = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
            summed = row @ text
        pooled.append(summed)
        weights.append(row)
    return np.stack(pooled), np.stack(weights)


@alternative("m03_attention.attention_pooling")
def pooling_in_keras(states, mask, kernel, bias, v):
    """keras.ops, v as a matrix of one column; returns a list."""
    scores = ops.matmul(ops.tanh(ops.matmul(states, kernel) + bias), ops.reshape(v, (-1, 1)))
    scores = ops.where(mask, ops.squeeze(scores, -1), -1e9)
    weights = ops.softmax(scores, axis=1)
    return [ops.einsum("bt,bth->bh", weights, states), weights]


@alternative("m03_attention.confusion_by_slice")
def slices_by_loops(labels, predictions, members, num_classes):
    """Lists and loops."""
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    errors = sum(a != b for a, b in zip(labels, predictions, strict=True))
    matrices, shares = [], []
    for inside in np.asarray(members):
        matrix, wrong = [[0] * num_classes for _ in range(num_classes)], 0
        for true, said in zip(labels[inside], predictions[inside], strict=True):
            matrix[true][said] += 1
            wrong += true != said
        matrices.append(matrix)
        shares.append(wrong / errors if errors else 0.0)
    return np.array(matrices), np.array(shares)


@alternative("m03_attention.confusion_by_slice")
def slices_by_one_hot(labels, predictions, members, num_classes):
    """Einsum of one-hot vectors: floats."""
    true, said = (ops.one_hot(x, num_classes) for x in (labels, predictions))
    inside = ops.cast(members, "float32")
    matrices = ops.einsum("sn,nc,nd->scd", inside, true, said)
    wrong = ops.cast(ops.not_equal(labels, predictions), "float32")
    return matrices, ops.matmul(inside, wrong) / ops.maximum(ops.sum(wrong), 1.0)


@alternative("m03_attention.confusion_by_slice")
def slices_by_bincount(labels, predictions, members, num_classes):
    """np.bincount of a number for each pair; shares from off the diagonals."""
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    place = labels * num_classes + predictions
    matrices = np.stack(
        [
            np.bincount(place[inside], minlength=num_classes**2).reshape(num_classes, num_classes)
            for inside in np.asarray(members)
        ]
    )
    errors = matrices.sum((1, 2)) - np.trace(matrices, axis1=1, axis2=2)
    return matrices, errors / max(int(np.sum(labels != predictions)), 1)


@alternative("m03_attention.erasure_effect")
def erasure_by_one_hot(states, weights, places, kernel, bias):
    """keras.ops with a one-hot mask."""

    def predict(weights):
        return ops.softmax(ops.matmul(ops.einsum("bt,bth->bh", weights, states), kernel) + bias)

    left = weights * (1.0 - ops.one_hot(places, weights.shape[1]))
    left = left / ops.maximum(ops.sum(left, axis=-1, keepdims=True), 1e-30)
    p, q = predict(weights), predict(left)
    flipped = ops.not_equal(ops.argmax(p, axis=-1), ops.argmax(q, axis=-1))
    return ops.sum(ops.abs(p - q), axis=-1) / 2, flipped


@alternative("m03_attention.erasure_effect")
def erasure_in_numpy_loops(states, weights, places, kernel, bias):
    """One text at a time; the gains of classes, which are half of all differences."""
    states, weights, kernel, bias = (
        np.asarray(x, "float64") for x in (states, weights, kernel, bias)
    )

    def predict(text, row):
        logits = row @ text @ kernel + bias
        e = np.exp(logits - logits.max())
        return e / e.sum()

    distances, flips = [], []
    for text, row, place in zip(states, weights, np.asarray(places), strict=True):
        left = row.copy()
        left[place] = 0
        if left.sum() > 0:
            left /= left.sum()
        p, q = predict(text, row), predict(text, left)
        distances.append(np.maximum(p - q, 0).sum())
        flips.append(bool(p.argmax() != q.argmax()))
    return distances, flips


@alternative("m03_attention.erasure_effect")
def erasure_in_tensorflow(states, weights, places, kernel, bias):
    """tf.where and divide_no_nan."""
    erased = tf.range(weights.shape[1])[None] == tf.cast(places, "int32")[:, None]
    left = tf.where(erased, 0.0, weights)
    left = tf.math.divide_no_nan(left, tf.reduce_sum(left, -1, keepdims=True))
    both = tf.stack([weights, left])
    p = tf.nn.softmax(tf.einsum("pbt,bth->pbh", both, states) @ kernel + bias)
    distance = 0.5 * tf.reduce_sum(tf.abs(p[0] - p[1]), -1)
    return distance, tf.argmax(p[0], -1) != tf.argmax(p[1], -1)


@alternative("m03_attention.rank_agreement")
def agreement_by_loops(x, y, mask):
    """Two loops over the tokens of a text."""
    found = []
    for a, b, real in zip(np.asarray(x), np.asarray(y), np.asarray(mask), strict=True):
        a, b = a[real], b[real]
        total, pairs = 0.0, 0
        for i in range(len(a)):
            for j in range(i):
                total += np.sign(a[i] - a[j]) * np.sign(b[i] - b[j])
                pairs += 1
        found.append(total / pairs if pairs else 0.0)
    return found


@alternative("m03_attention.rank_agreement")
def agreement_of_ordered_pairs(x, y, mask):
    """keras.ops over all ordered pairs: n (n - 1) below the line."""
    real = ops.cast(mask, "float32")
    signs = ops.sign(x[:, :, None] - x[:, None, :]) * ops.sign(y[:, :, None] - y[:, None, :])
    total = ops.einsum("bij,bi,bj->b", ops.cast(signs, "float32"), real, real)
    n = ops.sum(real, axis=1)
    return total / ops.maximum(n * (n - 1), 1.0)


@alternative("m03_attention.rank_agreement")
def agreement_by_comparisons(x, y, mask):
    """Pairs that agree less pairs that do not, by comparisons."""
    x, y, mask = (np.asarray(z) for z in (x, y, mask))
    first, second = np.triu_indices(x.shape[1], 1)
    up_x, up_y = x[:, first] < x[:, second], y[:, first] < y[:, second]
    down_x, down_y = x[:, first] > x[:, second], y[:, first] > y[:, second]
    real = mask[:, first] & mask[:, second]
    same = ((up_x & up_y) | (down_x & down_y)) & real
    opposite = ((up_x & down_y) | (down_x & up_y)) & real
    difference = same.sum(1).astype("float64") - opposite.sum(1)
    return np.divide(difference, real.sum(1), out=np.zeros(len(x)), where=real.any(1))
