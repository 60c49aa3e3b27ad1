"""Independent right answers to lab 1, in styles that learners use."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from autograder.exercise import alternative


@alternative("m03_attention.general_score")
def keys_projected(query, keys, kernel):
    """The kernel on the keys' side, transposed."""
    projected = ops.matmul(keys, ops.transpose(kernel))  # (..., S, Q)
    return ops.matmul(query, ops.swapaxes(projected, -1, -2))


@alternative("m03_attention.general_score")
def general_with_einsum(query, keys, kernel):
    """One einsum over both shared axes."""
    return ops.einsum("...tq,qk,...sk->...ts", query, kernel, keys)


@alternative("m03_attention.general_score")
def general_with_tensorflow(query, keys, kernel):
    """TensorFlow's tensordot and transpose_b."""
    return tf.matmul(tf.tensordot(query, kernel, axes=[[-1], [0]]), keys, transpose_b=True)


@alternative("m03_attention.general_score")
def general_with_numpy_loops(query, keys, kernel):
    """One pair at a time."""
    query, keys, kernel = (np.asarray(x, "float64") for x in (query, keys, kernel))
    scores = np.empty((*query.shape[:-1], keys.shape[-2]))
    for place in np.ndindex(scores.shape):
        *leading, t, s = place
        scores[place] = query[(*leading, t)] @ kernel @ keys[(*leading, s)]
    return scores


@alternative("m03_attention.additive_score")
def additive_in_tensorflow(query, keys, query_kernel, key_kernel, v):
    """TensorFlow, new axes by slicing."""
    query, keys = tf.matmul(query, query_kernel), tf.matmul(keys, key_kernel)
    return tf.reduce_sum(v * tf.tanh(query[..., :, None, :] + keys[..., None, :, :]), axis=-1)


@alternative("m03_attention.additive_score")
def additive_in_numpy(query, keys, query_kernel, key_kernel, v):
    """NumPy, the sum as a product with v."""
    query, keys = np.asarray(query) @ query_kernel, np.asarray(keys) @ key_kernel
    return np.tanh(np.expand_dims(query, -2) + np.expand_dims(keys, -3)) @ np.asarray(v)


@alternative("m03_attention.additive_score")
def additive_query_by_query(query, keys, query_kernel, key_kernel, v):
    """One query at a time, as in a decoder's loop: no tensor of all pairs."""
    prepared = ops.matmul(keys, key_kernel)  # (..., S, U)
    rows = []
    for t in range(query.shape[-2]):
        asked = ops.matmul(query[..., t : t + 1, :], query_kernel)  # (..., 1, U)
        rows.append(ops.matmul(ops.tanh(prepared + asked), ops.expand_dims(v, -1))[..., 0])
    return ops.stack(rows, axis=-2)


@alternative("m03_attention.additive_score")
def additive_unit_by_unit(query, keys, query_kernel, key_kernel, v):
    """One tanh unit at a time."""
    query, keys = ops.matmul(query, query_kernel), ops.matmul(keys, key_kernel)
    total = 0.0
    for unit in range(v.shape[0]):
        pairs = query[..., unit][..., None] + keys[..., unit][..., None, :]  # (..., T, S)
        total = total + v[unit] * ops.tanh(pairs)
    return total


@alternative("m03_attention.concat_score")
def concat_spelled_out(query, keys, kernel, v):
    """Every pair concatenated, as the formula is written."""
    length, source = query.shape[-2], keys.shape[-2]
    query = ops.repeat(ops.expand_dims(query, -2), source, axis=-2)  # (..., T, S, Q)
    keys = ops.repeat(ops.expand_dims(keys, -3), length, axis=-3)  # (..., T, S, K)
    pairs = ops.concatenate([query, keys], axis=-1)
    return ops.sum(ops.tanh(ops.matmul(pairs, kernel)) * v, axis=-1)


@alternative("m03_attention.concat_score")
def concat_with_numpy_broadcasting(query, keys, kernel, v):
    """Every pair concatenated in NumPy."""
    query, keys = np.asarray(query)[..., :, None, :], np.asarray(keys)[..., None, :, :]
    shape = np.broadcast_shapes(query.shape[:-1], keys.shape[:-1])
    query = np.broadcast_to(query, (*shape, query.shape[-1]))
    keys = np.broadcast_to(keys, (*shape, keys.shape[-1]))
    return np.tanh(np.concatenate([query, keys], -1) @ np.asarray(kernel)) @ np.asarray(v)


@alternative("m03_attention.concat_score")
def concat_split_in_tensorflow(query, keys, kernel, v):
    """The kernel split by its rows."""
    first, second = tf.split(kernel, [query.shape[-1], keys.shape[-1]], axis=0)
    pairs = (query @ first)[..., None, :] + (keys @ second)[..., None, :, :]
    return tf.einsum("...u,u->...", tf.tanh(pairs), v)


@alternative("m03_attention.concat_score")
def concat_padded(query, keys, kernel, v):
    """Queries padded with zeros on the right, keys on the left, one kernel for both."""
    query_zeros = ops.zeros((*query.shape[:-1], keys.shape[-1]))
    key_zeros = ops.zeros((*keys.shape[:-1], query.shape[-1]))
    query = ops.matmul(ops.concatenate([query, query_zeros], -1), kernel)
    keys = ops.matmul(ops.concatenate([key_zeros, keys], -1), kernel)
    pairs = ops.expand_dims(query, -2) + ops.expand_dims(keys, -3)
    return ops.dot(ops.tanh(pairs), v)


@alternative("m03_attention.attend")
def attend_in_keras(scores, value, mask=None):
    """Hidden scores replaced, Keras's softmax."""
    if mask is not None:
        scores = ops.where(mask, scores, -1e9)
    weights = ops.softmax(scores, axis=-1)
    return ops.matmul(weights, value), weights


@alternative("m03_attention.attend")
def attend_with_a_bias(scores, value, mask=None):
    """TensorFlow with an additive mask; returns a list."""
    if mask is not None:
        scores += -1e9 * tf.cast(tf.logical_not(mask), "float32")
    weights = tf.nn.softmax(scores)
    return [weights @ value, weights]


@alternative("m03_attention.attend")
def attend_in_numpy(scores, value, mask=None):
    """The softmax written out; rows without a visible key become zeros."""
    scores = np.asarray(scores, "float64")
    mask = np.ones(scores.shape, bool) if mask is None else np.broadcast_to(mask, scores.shape)
    largest = np.where(mask, scores, -1e30).max(-1, keepdims=True)
    exponential = np.exp(np.where(mask, scores - largest, -1e4))
    exponential = exponential * mask
    weights = exponential / np.maximum(exponential.sum(-1, keepdims=True), 1e-30)
    return weights @ np.asarray(value), weights


@alternative("m03_attention.attend")
def attend_with_log_sum_exp(scores, value, mask=None):
    """Weights as exp(score - logsumexp), context by einsum."""
    if mask is not None:
        scores = ops.where(mask, scores, -1e30)
    weights = ops.exp(scores - ops.logsumexp(scores, axis=-1, keepdims=True))
    return ops.einsum("...ts,...sv->...tv", weights, value), weights


@alternative("m03_attention.attend")
def attend_in_keras_activations(scores, value, mask=None):
    """Keras's activation, the mask as a number."""
    if mask is not None:
        scores = scores - 1e9 * (1 - ops.cast(mask, "float32"))
    weights = keras.activations.softmax(scores)
    return ops.matmul(weights, value), weights
