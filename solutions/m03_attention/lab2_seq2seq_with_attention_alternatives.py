"""Independent right answers to lab 2, in styles that learners use."""

import numpy as np
import tensorflow as tf
from keras import ops

from autograder.exercise import alternative
from course.m01_sequence_models import gru_step


@alternative("m03_attention.alignment_weights")
def with_a_bias(scores, source_mask):
    """A large negative number added at padding, in Keras."""
    padding = 1 - ops.cast(source_mask, "float32")
    return ops.softmax(scores - 1e9 * padding[:, None, :], axis=-1)


@alternative("m03_attention.alignment_weights")
def with_exponentials(scores, source_mask):
    """NumPy: the largest visible score subtracted, padding multiplied away."""
    scores, mask = np.asarray(scores, "float64"), np.asarray(source_mask)[:, None, :]
    high = np.where(mask, scores, -1e30).max(-1, keepdims=True)
    exponential = np.exp(np.minimum(scores - high, 0)) * mask
    return exponential / np.maximum(exponential.sum(-1, keepdims=True), 1e-30)


@alternative("m03_attention.alignment_weights")
def source_by_source(scores, source_mask):
    """TensorFlow: each source cut to its tokens, then padded with zeros."""
    rows = []
    for one, mask in zip(scores, source_mask, strict=True):
        weights = tf.nn.softmax(tf.boolean_mask(one, mask, axis=1), axis=-1)
        missing = one.shape[1] - weights.shape[1]
        rows.append(tf.pad(weights, [[0, 0], [0, missing]]))
    return tf.stack(rows)


@alternative("m03_attention.context_vectors")
def with_einsum(weights, memory):
    """Einsum."""
    return ops.einsum("bts,bsm->btm", weights, memory)


@alternative("m03_attention.context_vectors")
def with_broadcasting(weights, memory):
    """Products by broadcasting, then a sum, in TensorFlow."""
    return tf.reduce_sum(weights[..., tf.newaxis] * memory[:, tf.newaxis], axis=2)


@alternative("m03_attention.context_vectors")
def with_loops(weights, memory):
    """Step by step, place by place."""
    weights, memory = np.asarray(weights, "float64"), np.asarray(memory, "float64")
    contexts = np.zeros((*weights.shape[:2], memory.shape[2]))
    for t in range(weights.shape[1]):
        for s in range(memory.shape[1]):
            contexts[:, t] += weights[:, t, s, None] * memory[:, s]
    return contexts


@alternative("m03_attention.attention_decoder_step")
def in_einsum(weights, token_ids, state, memory, source_mask):
    """No step axis at all: one query for each example."""
    w = weights
    x = ops.take(w["embedding"], token_ids, axis=0)
    state = gru_step(x, state, w["kernel"], w["recurrent_kernel"], w["bias"])
    scores = ops.einsum("bd,dm,bsm->bs", state, w["attention"], memory)
    alignment = ops.softmax(ops.where(source_mask, scores, -1e9))
    context = ops.einsum("bs,bsm->bm", alignment, memory)
    width = memory.shape[-1]
    combined = context @ w["combine"][:width] + state @ w["combine"][width:]
    return ops.tanh(combined) @ w["output_kernel"] + w["output_bias"], state, alignment


@alternative("m03_attention.attention_decoder_step")
def in_tensorflow(weights, token_ids, state, memory, source_mask):
    """TensorFlow: the keys multiplied by the matrix, a list as the result."""
    w = {name: tf.convert_to_tensor(value) for name, value in weights.items()}
    x = tf.gather(w["embedding"], token_ids)
    state = gru_step(x, state, w["kernel"], w["recurrent_kernel"], w["bias"])
    keys = tf.matmul(memory, w["attention"], transpose_b=True)  # (B, S, D)
    scores = tf.linalg.matvec(keys, state)  # (B, S)
    alignment = tf.nn.softmax(tf.where(source_mask, scores, tf.float32.min / 2))
    context = tf.linalg.matvec(memory, alignment, transpose_a=True)
    output = tf.tanh(tf.matmul(tf.concat([context, state], -1), w["combine"]))
    return [tf.matmul(output, w["output_kernel"]) + w["output_bias"], state, alignment]


def sigmoid(x):
    """The logistic function."""
    return 1 / (1 + np.exp(-x))


@alternative("m03_attention.attention_decoder_step")
def in_numpy(weights, token_ids, state, memory, source_mask):
    """NumPy throughout, the cell's gates included."""
    w = {name: np.asarray(value, "float64") for name, value in weights.items()}
    h, memory = np.asarray(state, "float64"), np.asarray(memory, "float64")
    from_x = w["embedding"][np.asarray(token_ids)] @ w["kernel"] + w["bias"][0]
    from_h = h @ w["recurrent_kernel"] + w["bias"][1]
    (a, b, c), (d, e, f) = np.split(from_x, 3, axis=1), np.split(from_h, 3, axis=1)
    z = sigmoid(a + d)
    h = z * h + (1 - z) * np.tanh(c + sigmoid(b + e) * f)
    scores = np.where(source_mask, ((h @ w["attention"])[:, None] * memory).sum(-1), -np.inf)
    exponential = np.exp(scores - scores.max(1, keepdims=True))
    alignment = exponential / exponential.sum(1, keepdims=True)
    context = (alignment[..., None] * memory).sum(1)
    output = np.tanh(np.hstack([context, h]) @ w["combine"])
    return output @ w["output_kernel"] + w["output_bias"], h, alignment


@alternative("m03_attention.reversed_alignment")
def in_keras(weights, source_mask, shift):
    """Tensors, the steps that count as numbers."""
    lengths = ops.sum(ops.cast(source_mask, "int32"), axis=1)[:, None]
    steps = ops.arange(weights.shape[1], dtype="int32")
    place = lengths - 1 - steps + shift
    counts = ops.logical_and(steps < lengths, ops.logical_and(place >= 0, place < lengths))
    right = ops.logical_and(counts, ops.equal(ops.argmax(weights, axis=-1), place))
    return ops.sum(ops.cast(right, "float32")) / ops.sum(ops.cast(counts, "float32"))


@alternative("m03_attention.reversed_alignment")
def example_by_example(weights, source_mask, shift):
    """Python loops."""
    right = counted = 0
    for rows, mask in zip(np.asarray(weights), np.asarray(source_mask), strict=True):
        n = int(mask.sum())
        for t in range(n):
            place = n - 1 - t + shift
            if 0 <= place < n:
                right += int(rows[t].argmax()) == place
                counted += 1
    return right / counted


@alternative("m03_attention.reversed_alignment")
def turned_around(weights, source_mask, shift):
    """TensorFlow: each row's looks turned around should count up from the shift."""
    lengths = tf.reduce_sum(tf.cast(source_mask, tf.int32), axis=1)
    looked_at = tf.argmax(weights, axis=2, output_type=tf.int32)
    turned = tf.reverse_sequence(looked_at, lengths, seq_axis=1)  # place 0 first
    places = tf.range(tf.shape(turned)[1])[None]
    wish, last = places + shift, lengths[:, None]
    counts = tf.cast((places < last) & (wish >= 0) & (wish < last), "float32")
    return tf.reduce_sum(tf.cast(turned == wish, "float32") * counts) / tf.reduce_sum(counts)
