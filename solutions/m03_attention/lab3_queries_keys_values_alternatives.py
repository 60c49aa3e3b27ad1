"""Independent right answers to lab 3, in styles that learners use."""

import numpy as np
import tensorflow as tf
from keras import ops

from autograder.exercise import alternative


@alternative("m03_attention.lookup_weights")
def lookup_in_keras(num_keys, num_values, sharpness):
    """Padded identities in Keras."""
    query = sharpness * num_keys**0.5 * ops.eye(num_keys)
    key = ops.pad(ops.eye(num_keys), [[0, num_values], [0, 0]])
    return query, key, ops.pad(ops.eye(num_values), [[num_keys, 0], [0, 0]])


@alternative("m03_attention.lookup_weights")
def lookup_with_loops(num_keys, num_values, sharpness):
    """Lists, entry by entry, the sharpness on the keys' side."""
    rows = num_keys + num_values
    query = [[float(i == j) for j in range(num_keys)] for i in range(num_keys)]
    scale = sharpness * num_keys**0.5
    key = [[scale * (i == j) for j in range(num_keys)] for i in range(rows)]
    value = [[float(i == num_keys + j) for j in range(num_values)] for i in range(rows)]
    return query, key, value


@alternative("m03_attention.lookup_weights")
def lookup_in_both_halves(num_keys, num_values, sharpness):
    """The root of the scale on both sides, in TensorFlow."""
    scale = (sharpness * num_keys**0.5) ** 0.5
    query = scale * tf.eye(num_keys)
    key = tf.concat([scale * tf.eye(num_keys), tf.zeros((num_values, num_keys))], 0)
    return query, key, tf.concat([tf.zeros((num_keys, num_values)), tf.eye(num_values)], 0)


@alternative("m03_attention.lookup_weights")
def lookup_turned(num_keys, num_values, sharpness):
    """Queries and keys turned by a random rotation, in a wider space."""
    width = num_keys + 3
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(width, width)))
    axes = turn[:num_keys]  # K orthonormal rows of width d
    key = np.concatenate([axes, np.zeros((num_values, width))])
    value = np.eye(num_keys + num_values)[:, num_keys:]
    return sharpness * np.sqrt(width) * axes, key, value


@alternative("m03_attention.lookup_weights")
def lookup_filled(num_keys, num_values, sharpness):
    """Zeros, then assignments by index."""
    query = np.zeros((num_keys, num_keys), "float32")
    key = np.zeros((num_keys + num_values, num_keys), "float32")
    value = np.zeros((num_keys + num_values, num_values), "float32")
    query[range(num_keys), range(num_keys)] = sharpness * np.sqrt(num_keys)
    key[range(num_keys), range(num_keys)] = 1
    value[range(num_keys, num_keys + num_values), range(num_values)] = 1
    return query, key, value


@alternative("m03_attention.previous_token_kernels")
def before_with_a_loop(vocabulary_size, max_length, sharpness):
    """Entry by entry."""
    width = max_length + 3 * vocabulary_size
    query, key = np.zeros((width, width)), np.zeros((width, width))
    for place in range(max_length):
        key[place, place] = 1
        if place > 0:
            query[place, place - 1] = sharpness * np.sqrt(width)
    return query, key


@alternative("m03_attention.previous_token_kernels")
def before_in_a_narrow_space(vocabulary_size, max_length, sharpness):
    """Queries and keys of width P."""
    rest = ((0, 3 * vocabulary_size), (0, 0))
    query = sharpness * max_length**0.5 * np.eye(max_length, k=-1)
    return np.pad(query, rest), np.pad(np.eye(max_length), rest)


@alternative("m03_attention.previous_token_kernels")
def before_by_rolling(vocabulary_size, max_length, sharpness):
    """A cyclic shift: place 0 looks at the last place, which the causal mask hides."""
    width = max_length + 3 * vocabulary_size
    position = ops.pad(ops.eye(max_length), [[0, width - max_length], [0, 0]])  # (D, P)
    query = sharpness * max_length**0.5 * ops.roll(position, -1, axis=1)
    return query, position


@alternative("m03_attention.previous_token_kernels")
def before_with_the_key_moved(vocabulary_size, max_length, sharpness):
    """The query stays, the key moves one ahead, in TensorFlow."""
    width = max_length + 3 * vocabulary_size
    paddings = [[0, width - max_length], [0, width - max_length]]
    query = tf.pad(sharpness * tf.eye(max_length), paddings) * tf.sqrt(float(width))
    return query, tf.pad(tf.constant(np.eye(max_length, k=1), "float32"), paddings)


@alternative("m03_attention.induction_kernels")
def induction_with_a_loop(vocabulary_size, max_length, sharpness):
    """Token by token."""
    width = max_length + 3 * vocabulary_size
    query, key = np.zeros((width, width)), np.zeros((width, width))
    for token in range(vocabulary_size):
        query[max_length + token, token] = sharpness * np.sqrt(width)
        key[max_length + vocabulary_size + token, token] = 1
        key[max_length, token] = 0.5
    return query, key


@alternative("m03_attention.induction_kernels")
def induction_in_a_narrow_space(vocabulary_size, max_length, sharpness):
    """Queries and keys of width V, stacked from blocks."""
    one_hot, empty = np.eye(vocabulary_size), np.zeros((vocabulary_size, vocabulary_size))
    places = np.zeros((max_length, vocabulary_size))
    rest = empty.copy()
    rest[0] = 0.5
    query = np.concatenate([places, one_hot, empty, empty])
    key = np.concatenate([places, rest, one_hot, empty])
    return sharpness * vocabulary_size**0.5 * query, key


@alternative("m03_attention.induction_kernels")
def induction_that_rests_by_position(vocabulary_size, max_length, sharpness):
    """The start is known by its place, which is always 0."""
    width = max_length + 3 * vocabulary_size
    query, key = np.zeros((2, width, width), "float32")
    tokens = np.arange(vocabulary_size)
    query[max_length + tokens, tokens] = width**0.5
    key[max_length + vocabulary_size + tokens, tokens] = sharpness
    key[0, :vocabulary_size] = sharpness / 2
    return query, key


@alternative("m03_attention.induction_kernels")
def induction_with_a_feature_of_its_own(vocabulary_size, max_length, sharpness):
    """One more column in which every query is on and only the start token's key is, in Keras."""
    columns = vocabulary_size + 1
    scale = sharpness * columns**0.5
    one_hot = ops.pad(ops.eye(vocabulary_size), [[0, 0], [0, 1]])  # (V, V + 1)
    on = ops.pad(ops.ones((vocabulary_size, 1)), [[0, 0], [vocabulary_size, 0]])
    start = ops.pad(0.5 * ops.ones((1, 1)), [[0, vocabulary_size - 1], [vocabulary_size, 0]])
    places, empty = ops.zeros((max_length, columns)), ops.zeros((vocabulary_size, columns))
    query = ops.concatenate([places, scale * (one_hot + on), empty, empty])
    return query, ops.concatenate([places, start, one_hot, empty])


@alternative("m03_attention.online_softmax_step")
def step_in_keras(maximum, total, mixed, scores, value):
    """keras.ops, einsum for the mixture."""
    highest = ops.maximum(maximum, ops.amax(scores, axis=-1))
    factor = ops.exp(maximum - highest)
    weights = ops.exp(scores - highest[..., None])
    total = factor * total + ops.sum(weights, axis=-1)
    return (
        highest,
        total,
        factor[..., None] * mixed + ops.einsum("...tc,...cv->...tv", weights, value),
    )


@alternative("m03_attention.online_softmax_step")
def step_in_numpy(maximum, total, mixed, scores, value):
    """NumPy in float64; returns a list."""
    maximum, total, mixed, scores, value = (
        np.asarray(x, "float64") for x in (maximum, total, mixed, scores, value)
    )
    both = np.concatenate([maximum[..., None], scores], axis=-1)
    highest = both.max(-1, keepdims=True)
    weights = np.exp(both - highest)  # the first column is the factor
    new_total = weights[..., 0] * total + weights[..., 1:].sum(-1)
    return [highest[..., 0], new_total, weights[..., :1] * mixed + weights[..., 1:] @ value]


@alternative("m03_attention.online_softmax_step")
def step_key_by_key(maximum, total, mixed, scores, value):
    """One key at a time, in TensorFlow."""
    for key in range(scores.shape[-1]):
        score = scores[..., key]
        highest = tf.maximum(maximum, score)
        factor, weight = tf.exp(maximum - highest), tf.exp(score - highest)
        total = total * factor + weight
        mixed = mixed * factor[..., None] + weight[..., None] * value[..., key, None, :]
        maximum = highest
    return maximum, total, mixed


@alternative("m03_attention.online_softmax_step")
def step_by_merging(maximum, total, mixed, scores, value):
    """The block's own sums first, then both moved to the larger maximum."""
    largest = ops.max(scores, axis=-1)
    weights = ops.exp(scores - ops.expand_dims(largest, -1))
    highest = ops.maximum(maximum, largest)
    old, new = ops.exp(maximum - highest), ops.exp(largest - highest)
    total = old * total + new * ops.sum(weights, axis=-1)
    mixture = ops.matmul(weights, value)
    return highest, total, old[..., None] * mixed + new[..., None] * mixture
