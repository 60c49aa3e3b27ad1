"""Keys of the quiz of module 3, computed by the package, and the values that slips lead to.

A key is called with the parameters of an item and returns a number or a shape.
"""

import math

import numpy as np
from keras import ops

from course.m02_transformer import attend, split_heads
from course.m03_attention import (
    AdditiveAttention,
    AttentionDecoder,
    GroupQueryAttention,
    LuongAttention,
    additive_score,
    attention_rollout,
    lookup,
    online_softmax_step,
)
from course.m03_attention.head_importance import gradient

QUERY_HEADS, HEAD_DIM, BYTES = 8, 64, 4


def context_component(scores, values):
    """Return one component of the context."""
    context, _ = attend(_row(scores), _column(values))
    return _number(context)


def context_from_scores(scores, values):
    """Return the sum of the values weighed by the scores themselves."""
    return float(np.dot(scores, values))


def context_of_the_best(scores, values):
    """Return the value with the largest score."""
    return values[int(np.argmax(scores))]


def context_mean(scores, values):
    """Return the mean of the values."""
    return float(np.mean(values))


def additive_parameters(query_width, key_width, hidden_dim):
    """Return the number of weights of additive attention."""
    return _weights(AdditiveAttention(hidden_dim), query_width, key_width)


def additive_without_v(query_width, key_width, hidden_dim):
    """Return the number without the vector v."""
    return (query_width + key_width) * hidden_dim


def additive_with_biases(query_width, key_width, hidden_dim):
    """Return the number with a bias for each projection."""
    return (query_width + key_width + 3) * hidden_dim


def general_parameters(query_width, key_width, hidden_dim):
    """Return the number of weights of the general score."""
    return _weights(LuongAttention("general"), query_width, key_width)


def tanh_values(target_length, source_length, hidden_dim):
    """Return how many numbers go through the tanh: U for each score."""
    width, eye = hidden_dim, np.eye(hidden_dim, dtype="float32")
    query, keys = np.zeros((target_length, width)), np.zeros((source_length, width))
    scores = additive_score(np.float32(query), np.float32(keys), eye, eye, eye[0])
    return math.prod(scores.shape) * hidden_dim


def tanh_of_projections(target_length, source_length, hidden_dim):
    """Return the number with a tanh around each projection."""
    return (target_length + source_length) * hidden_dim


def tanh_of_one_step(target_length, source_length, hidden_dim):
    """Return the number of one step."""
    return source_length * hidden_dim


def tanh_of_scores(target_length, source_length, hidden_dim):
    """Return the number of scores."""
    return target_length * source_length


def alignment_shape(batch, target_length, source_length):
    """Return the shape of the decoder's weights."""
    return _decoder(batch, target_length, source_length)[1].shape


def alignment_swapped(batch, target_length, source_length):
    """Return the shape with target and source swapped."""
    return batch, source_length, target_length


def alignment_of_one_step(batch, target_length, source_length):
    """Return the shape of one step's weights."""
    return batch, source_length


def decoder_outputs_shape(batch, target_length, source_length):
    """Return the shape of the decoder's outputs."""
    return _decoder(batch, target_length, source_length)[0].shape


def score_gradient(weights, values):
    """Return the derivative of the context with respect to the second score."""

    def context(scores):
        return ops.sum(attend(scores[0], _column(values))[0])

    return float(gradient(context, [_row(np.log(weights))])[0][0, 1])


def score_gradient_without_sum(weights, values):
    """Return weight times value."""
    return weights[1] * values[1]


def score_gradient_without_weight(weights, values):
    """Return the value minus the context."""
    return float(values[1] - np.dot(weights, values))


def score_gradient_of_weight(weights, values):
    """Return the derivative of the weight."""
    return weights[1] * (1 - weights[1])


def lookup_weight(pairs, sharpness):
    """Return the weight of the right key of a look-up set by hand."""
    keys = np.arange(pairs)[None]
    _, weights = lookup(keys[:, :1], keys, keys, pairs, pairs, sharpness)
    return float(ops.convert_to_numpy(weights)[0, 0, 0])


def lookup_one_too_many(pairs, sharpness):
    """Return the weight with all keys among the mismatches."""
    return math.exp(sharpness) / (math.exp(sharpness) + pairs)


def lookup_one_rival(pairs, sharpness):
    """Return the weight against one mismatch."""
    return 1 / (1 + math.exp(-sharpness))


def lookup_without_rivals(pairs, sharpness):
    """Return the weight if mismatches had none."""
    return 1.0


def cache_kib(num_layers, key_value_heads, length):
    """Return the KiB of keys and values in float32, one sequence, all layers."""
    x = np.zeros((1, length, QUERY_HEADS * HEAD_DIM), "float32")
    layer = GroupQueryAttention(x.shape[-1], QUERY_HEADS, key_value_heads)
    layer.build(x.shape, x.shape)
    numbers = sum(math.prod(part(x).shape) for part in (layer.key_dense, layer.value_dense))
    return num_layers * numbers * BYTES // 1024


def cache_of_all_heads(num_layers, key_value_heads, length):
    """Return the cache of multi-head attention."""
    return cache_kib(num_layers, QUERY_HEADS, length)


def cache_of_keys(num_layers, key_value_heads, length):
    """Return the half of the cache that holds keys."""
    return cache_kib(num_layers, key_value_heads, length) // 2


def cache_of_one_layer(num_layers, key_value_heads, length):
    """Return the cache of one layer."""
    return cache_kib(1, key_value_heads, length)


def grouped_keys_shape(batch, length, hidden_dim, key_value_heads):
    """Return the shape of the keys before they are repeated."""
    x = np.zeros((batch, length, hidden_dim), "float32")
    layer = GroupQueryAttention(hidden_dim, QUERY_HEADS, key_value_heads)
    layer.build(x.shape, x.shape)
    return split_heads(layer.key_dense(x), key_value_heads).shape


def keys_of_all_heads(batch, length, hidden_dim, key_value_heads):
    """Return the shape with keys for every query head."""
    return batch, QUERY_HEADS, length, hidden_dim // QUERY_HEADS


def keys_of_wide_heads(batch, length, hidden_dim, key_value_heads):
    """Return the shape with the hidden size divided among the key heads."""
    return batch, key_value_heads, length, hidden_dim // key_value_heads


def keys_before_the_swap(batch, length, hidden_dim, key_value_heads):
    """Return the shape before the axes are swapped."""
    return batch, length, key_value_heads, hidden_dim // QUERY_HEADS


def online_total(maximum, total, scores):
    """Return the running sum after a block."""
    zero = np.zeros((1, 1), "float32")
    carry = _row([maximum])[0], _row([total])[0], zero
    return _number(online_softmax_step(*carry, _row(scores), _column([0.0] * len(scores)))[1])


def online_without_correction(maximum, total, scores):
    """Return the sum with the old part as it was."""
    return total + float(np.exp(np.subtract(scores, max(scores))).sum())


def online_inverse_correction(maximum, total, scores):
    """Return the sum with the old part scaled the other way."""
    highest = max(scores)
    block = float(np.exp(np.subtract(scores, highest)).sum())
    return total * math.exp(highest - maximum) + block


def online_old_maximum(maximum, total, scores):
    """Return the sum relative to the old maximum."""
    return total + float(np.exp(np.subtract(scores, maximum)).sum())


def rollout_own_share(first, second):
    """Return how much a token owes to its own input after two layers."""
    return float(attention_rollout([_swap(first), _swap(second)])[1][0, 0])


def rollout_without_residual(first, second):
    """Return the share without the residual connection."""
    return float(attention_rollout([_swap(first), _swap(second)], residual=0)[1][0, 0])


def rollout_without_return(first, second):
    """Return the share of the path that stays twice."""
    return (1 - first / 2) * (1 - second / 2)


def rollout_of_the_last_layer(first, second):
    """Return the share by the last layer alone."""
    return 1 - second / 2


def _row(numbers):
    return np.array([numbers], "float32")  # (1, S)


def _column(numbers):
    return np.array([numbers], "float32").T  # (S, 1)


def _number(tensor):
    return float(ops.convert_to_numpy(tensor).item())


def _weights(layer, query_width, key_width):
    layer(np.zeros((1, 2, query_width), "float32"), np.zeros((1, 3, key_width), "float32"))
    return layer.count_params()


def _decoder(batch, target_length, source_length):
    shapes = (batch, target_length, 3), (batch, source_length, 64), (batch, 32)
    return AttentionDecoder(32)(*(np.zeros(shape, "float32") for shape in shapes))


def _swap(weight):
    return np.array([[[1 - weight, weight], [weight, 1 - weight]]])  # (N, T, T)
