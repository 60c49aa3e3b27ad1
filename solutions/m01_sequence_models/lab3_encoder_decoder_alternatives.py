"""Independent right answers to lab 3, in styles that learners use."""

import math

import numpy as np
import tensorflow as tf
from keras import ops

from autograder.exercise import alternative
from course.m01_sequence_models.decoder_arrays import decoder_step


@alternative("m01_sequence_models.teacher_forcing")
def with_lists(target_ids):
    """Row by row, in Python lists."""
    rows = np.asarray(target_ids).tolist()
    return [row[:-1] for row in rows], [row[1:] for row in rows]


@alternative("m01_sequence_models.teacher_forcing")
def with_take(target_ids):
    """Columns taken by their numbers."""
    places = ops.arange(target_ids.shape[1] - 1)
    return ops.take(target_ids, places, axis=1), ops.take(target_ids, places + 1, axis=1)


@alternative("m01_sequence_models.teacher_forcing")
def with_split(target_ids):
    """Split twice, in TensorFlow."""
    length = target_ids.shape[1] - 1
    inputs, _ = tf.split(target_ids, [length, 1], axis=1)
    _, labels = tf.split(target_ids, [1, length], axis=1)
    return inputs, labels


@alternative("m01_sequence_models.masked_cross_entropy")
def with_one_hot(logits, targets):
    """The target's log-probability by a sum over the vocabulary, in Keras."""
    one_hot = ops.one_hot(targets, logits.shape[-1])  # (B, T, V)
    cost = -ops.sum(one_hot * ops.log_softmax(logits), axis=-1)
    mask = ops.cast(ops.not_equal(targets, 0), "float32")
    return ops.einsum("bt,bt->", cost, mask) / ops.maximum(ops.sum(mask), 1)


@alternative("m01_sequence_models.masked_cross_entropy")
def with_tensorflow(logits, targets):
    """TensorFlow's cost of each place, then only the real ones."""
    cost = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits)
    return tf.math.divide_no_nan(
        tf.reduce_sum(tf.where(targets != 0, cost, 0.0)),
        tf.cast(tf.math.count_nonzero(targets), "float32"),
    )


@alternative("m01_sequence_models.masked_cross_entropy")
def with_numpy(logits, targets):
    """The logarithm of the sum of exponentials, real places picked out."""
    logits, targets = np.asarray(logits, "float64"), np.asarray(targets)
    real = targets != 0
    if not real.any():
        return 0.0
    rows, ids = logits[real], targets[real]  # (N, V), (N,)
    high = rows.max(1)
    total = high + np.log(np.exp(rows - high[:, None]).sum(1))
    return np.mean(total - rows[np.arange(len(ids)), ids])


@alternative("m01_sequence_models.masked_cross_entropy")
def with_python(logits, targets):
    """Loops, a token at a time."""
    total, count = 0.0, 0
    rows = zip(np.asarray(logits, "float64"), np.asarray(targets).tolist(), strict=True)
    for logits_of_row, targets_of_row in rows:
        for scores, target in zip(logits_of_row, targets_of_row, strict=True):
            if target:
                high = max(scores)
                total += high + math.log(sum(math.exp(s - high) for s in scores))
                total -= scores[target]
                count += 1
    return total / count if count else 0.0


@alternative("m01_sequence_models.decode_greedily")
def in_keras(weights, state, start_id, end_id, max_length):
    """Tensors throughout, the running rows as a mask of numbers, no early stop."""
    tokens = ops.full((state.shape[0],), start_id, "int32")
    running, written = ops.ones_like(tokens), []
    for _ in range(max_length):
        logits, state = decoder_step(weights, tokens, state)
        tokens = ops.cast(ops.argmax(logits, axis=-1), "int32")
        written.append(tokens * running)
        running = running * ops.cast(tokens != end_id, "int32")
    return ops.stack(written, axis=1)


@alternative("m01_sequence_models.decode_greedily")
def row_by_row(weights, state, start_id, end_id, max_length):
    """One row at a time, each as a list."""
    rows = []
    for row in np.asarray(state):
        token, now, ids = start_id, row[None], []
        while len(ids) < max_length and token != end_id:
            logits, now = decoder_step(weights, np.array([token]), now)
            token = int(np.argmax(logits))
            ids.append(token)
        rows.append(ids + [0] * (max_length - len(ids)))
    return rows


@alternative("m01_sequence_models.decode_greedily")
def cut_afterwards(weights, state, start_id, end_id, max_length):
    """Write on to the end, then wipe what follows the first END, in TensorFlow."""
    tokens, columns = tf.fill([state.shape[0]], start_id), []
    for _ in range(max_length):
        logits, state = decoder_step(weights, tokens, state)
        tokens = tf.argmax(logits, axis=1, output_type=tf.int32)
        columns.append(tokens)
    written = tf.stack(columns, axis=1)
    ends = tf.cast(written == end_id, tf.int32)
    before = tf.cumsum(ends, axis=1, exclusive=True)
    return tf.where(before == 0, written, 0)


@alternative("m01_sequence_models.exact_match")
def with_ops(predicted, targets):
    """Tensors."""
    return ops.mean(ops.cast(ops.all(ops.equal(predicted, targets), axis=-1), "float32"))


@alternative("m01_sequence_models.exact_match")
def with_python_lists(predicted, targets):
    """Rows as lists."""
    pairs = list(zip(np.asarray(predicted).tolist(), np.asarray(targets).tolist(), strict=True))
    return sum(a == b for a, b in pairs) / len(pairs)


@alternative("m01_sequence_models.exact_match")
def by_differences(predicted, targets):
    """Rows whose differences add up to nothing, in TensorFlow."""
    differences = tf.reduce_sum(tf.abs(predicted - targets), axis=1)
    return 1 - tf.math.count_nonzero(differences) / len(differences)
