"""Independent right answers to lab 1, in styles that learners use."""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from autograder.exercise import alternative


@alternative("m02_transformer.attention_scores")
def with_einsum(query, key):
    """Einsum over the shared axis."""
    return ops.einsum("...td,...sd->...ts", query, key) / math.sqrt(query.shape[-1])


@alternative("m02_transformer.attention_scores")
def with_tensorflow(query, key):
    """TensorFlow's transpose_b, the scale from a tensor."""
    d = tf.cast(tf.shape(key)[-1], "float32")
    return tf.matmul(query, key, transpose_b=True) / tf.sqrt(d)


@alternative("m02_transformer.attention_scores")
def with_numpy_loops(query, key):
    """Loops over queries and keys, in float64."""
    query, key = np.asarray(query, "float64"), np.asarray(key, "float64")
    rows = []
    for t in range(query.shape[-2]):
        row = [(query[..., t, :] * key[..., s, :]).sum(-1) for s in range(key.shape[-2])]
        rows.append(np.stack(row, -1))
    return np.stack(rows, -2) / query.shape[-1] ** 0.5


@alternative("m02_transformer.attention_scores")
def scaled_on_both_sides(query, key):
    """Both sides scaled by the fourth root."""
    root = query.shape[-1] ** 0.25
    return ops.matmul(query / root, ops.moveaxis(key / root, -1, -2))


@alternative("m02_transformer.attention_scores")
def with_broadcasting(query, key):
    """Products by broadcasting, then a sum."""
    products = ops.expand_dims(query, -2) * ops.expand_dims(key, -3)
    return ops.sum(products, axis=-1) / ops.sqrt(ops.cast(query.shape[-1], "float32"))


@alternative("m02_transformer.masked_softmax")
def with_a_bias(scores, mask=None):
    """Adds a large negative number where the mask is False."""
    if mask is not None:
        scores = scores + (1.0 - ops.cast(mask, scores.dtype)) * -1e9
    return keras.activations.softmax(scores, axis=-1)


@alternative("m02_transformer.masked_softmax")
def with_numpy(scores, mask=None):
    """The softmax written out, in NumPy."""
    scores = np.array(scores)
    if mask is not None:
        scores = np.where(np.asarray(mask), scores, np.finfo("float32").min / 2)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@alternative("m02_transformer.masked_softmax")
def with_tensorflow_min(scores, mask=None):
    """TensorFlow, hidden by the smallest float."""
    if mask is None:
        return tf.nn.softmax(scores)
    hidden = tf.ones_like(scores) * scores.dtype.min
    return tf.nn.softmax(tf.where(mask, scores, hidden), axis=-1)


@alternative("m02_transformer.masked_softmax")
def zero_for_masked_rows(scores, mask=None):
    """Minus infinity, and zeros where a row has nothing to attend to."""
    if mask is None:
        mask = ops.ones_like(scores, dtype="bool")
    hidden = ops.where(mask, scores, -np.inf)
    largest = ops.max(hidden, axis=-1, keepdims=True)
    shift = ops.where(ops.isfinite(largest), largest, 0.0)
    e = ops.exp(hidden - shift)
    return e / ops.maximum(ops.sum(e, axis=-1, keepdims=True), 1e-30)


@alternative("m02_transformer.masked_softmax")
def softmax_then_renormalise(scores, mask=None):
    """Stable because hidden scores are replaced before the largest is taken."""
    if mask is None:
        return ops.softmax(scores)
    weights = ops.softmax(ops.where(mask, scores, -1e30)) * ops.cast(mask, "float32")
    return weights / (ops.sum(weights, axis=-1, keepdims=True) + 1e-12)


@alternative("m02_transformer.causal_mask")
def with_tril(length):
    """The lower triangle of ones, as booleans."""
    return ops.cast(ops.tril(ops.ones((length, length))), "bool")


@alternative("m02_transformer.causal_mask")
def with_numpy_tri(length):
    """NumPy's tri."""
    return np.tri(length, dtype=bool)


@alternative("m02_transformer.causal_mask")
def with_lists(length):
    """Lists of Python booleans."""
    return [[j <= i for j in range(length)] for i in range(length)]


@alternative("m02_transformer.causal_mask")
def with_band_part(length):
    """TensorFlow's band_part."""
    return tf.linalg.band_part(tf.ones((length, length)), -1, 0) > 0


@alternative("m02_transformer.scaled_dot_product_attention")
def attention_in_keras(query, key, value, mask=None):
    """All in one function."""
    scores = ops.matmul(query, ops.swapaxes(key, -1, -2)) / math.sqrt(key.shape[-1])
    if mask is not None:
        scores = ops.where(mask, scores, -1e9)
    weights = ops.softmax(scores)
    return ops.matmul(weights, value), weights


@alternative("m02_transformer.scaled_dot_product_attention")
def attention_in_tensorflow(query, key, value, mask=None):
    """TensorFlow with an additive mask; returns a list."""
    scores = tf.einsum("...td,...sd->...ts", query, key) * key.shape[-1] ** -0.5
    if mask is not None:
        scores += -1e9 * tf.cast(tf.logical_not(mask), "float32")
    weights = tf.nn.softmax(scores)
    return [tf.matmul(weights, value), weights]


@alternative("m02_transformer.scaled_dot_product_attention")
def attention_in_numpy(query, key, value, mask=None):
    """NumPy in float64."""
    query, key, value = (np.asarray(x, "float64") for x in (query, key, value))
    scores = query @ np.swapaxes(key, -1, -2) / np.sqrt(query.shape[-1])
    exponential = np.exp(scores - scores.max(-1, keepdims=True))
    if mask is not None:
        exponential = exponential * np.asarray(mask)
    weights = exponential / exponential.sum(-1, keepdims=True)
    return weights @ value, weights


@alternative("m02_transformer.scaled_dot_product_attention")
def attention_by_queries(query, key, value, mask=None):
    """One query at a time."""
    length, keys = query.shape[-2], key.shape[-2]
    allowed = np.ones((length, keys), bool) if mask is None else np.asarray(mask)
    allowed = np.broadcast_to(allowed, (*query.shape[:-1], keys))
    outputs, rows = [], []
    for t in range(length):
        scores = ops.sum(query[..., t : t + 1, :] * key, axis=-1) / query.shape[-1] ** 0.5
        weights = ops.softmax(ops.where(allowed[..., t, :], scores, -1e9))
        outputs.append(ops.sum(ops.expand_dims(weights, -1) * value, axis=-2))
        rows.append(weights)
    return ops.stack(outputs, axis=-2), ops.stack(rows, axis=-2)
