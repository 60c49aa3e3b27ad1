"""Keys of the quiz of module 2, computed by the package, and the values that slips lead to.

A key is called with the parameters of an item and returns a number or a shape.
"""

import math

import numpy as np
from keras import ops

from course.m02_transformer import (
    MultiHeadAttention,
    TransformerEncoderLayer,
    alibi_bias,
    attention_scores,
    causal_mask,
    masked_softmax,
    split_heads,
)


def masked_weight(scores, masked):
    """Return the weight of key 0 when one key is hidden."""
    mask = np.arange(len(scores)) != masked
    weights = masked_softmax(np.array([scores], "float32"), mask[None, :])
    return float(ops.convert_to_numpy(weights)[0, 0])


def unmasked_weight(scores, masked):
    """Return the weight without a mask."""
    return float(_softmax(scores)[0])


def zero_score_weight(scores, masked):
    """Return the weight when the hidden score is set to 0."""
    hidden = np.arange(len(scores)) == masked
    return float(_softmax(np.where(hidden, 0.0, scores))[0])


def share_of_scores(scores, masked):
    """Return the share of the scores themselves, without exponentials."""
    kept = [score for index, score in enumerate(scores) if index != masked]
    return scores[0] / sum(kept)


def split_heads_shape(batch, length, hidden_dim, num_heads):
    """Return the shape of split heads."""
    return split_heads(np.zeros((batch, length, hidden_dim), "float32"), num_heads).shape


def heads_after_length(batch, length, hidden_dim, num_heads):
    """Return the shape before the axes are swapped."""
    return batch, length, num_heads, hidden_dim // num_heads


def hidden_in_each_head(batch, length, hidden_dim, num_heads):
    """Return the shape with all features in every head."""
    return batch, num_heads, length, hidden_dim


def keys_transposed(batch, length, hidden_dim, num_heads):
    """Return the shape of transposed keys."""
    return batch, num_heads, hidden_dim // num_heads, length


def attention_parameters(hidden_dim, num_heads):
    """Return the number of weights of multi-head attention."""
    layer = MultiHeadAttention(hidden_dim, num_heads)
    x = np.zeros((1, 2, hidden_dim), "float32")
    layer(x, x)
    return layer.count_params()


def attention_without_biases(hidden_dim, num_heads):
    """Return the number without biases."""
    return 4 * hidden_dim**2


def attention_without_output(hidden_dim, num_heads):
    """Return the number without the output projection."""
    return 3 * (hidden_dim**2 + hidden_dim)


def attention_for_each_head(hidden_dim, num_heads):
    """Return the number with projections of full size for each head."""
    return num_heads * 4 * (hidden_dim**2 + hidden_dim)


def score_flops(length, hidden_dim, num_heads):
    """Return the FLOPs of all scores: two for each feature of each score."""
    x = np.zeros((1, length, hidden_dim), "float32")
    heads = split_heads(x, num_heads)
    scores = attention_scores(heads, heads)
    return 2 * math.prod(scores.shape) * heads.shape[-1]


def score_multiply_adds(length, hidden_dim, num_heads):
    """Return the multiply-adds."""
    return length**2 * hidden_dim


def score_flops_full_heads(length, hidden_dim, num_heads):
    """Return the FLOPs with heads of full size."""
    return 2 * length**2 * hidden_dim * num_heads


def score_flops_linear(length, hidden_dim, num_heads):
    """Return the FLOPs with one key for each query."""
    return 2 * length * hidden_dim


def alibi_entry(num_heads, head, query, key_position):
    """Return the bias of one head, query and key."""
    bias = ops.convert_to_numpy(alibi_bias(num_heads, max(query, key_position) + 1))
    return float(bias[head - 1, query, key_position])


def alibi_positive(num_heads, head, query, key_position):
    """Return the bias with the wrong sign."""
    return 2 ** (-8 * head / num_heads) * abs(query - key_position)


def alibi_eight_heads(num_heads, head, query, key_position):
    """Return the bias with the slopes of eight heads."""
    return -(2**-head) * abs(query - key_position)


def alibi_from_zero(num_heads, head, query, key_position):
    """Return the bias with heads counted from 0."""
    return -(2 ** (-8 * (head - 1) / num_heads)) * abs(query - key_position)


def encoder_layer_parameters(hidden_dim, intermediate_dim):
    """Return the number of weights of an encoder layer."""
    layer = TransformerEncoderLayer(intermediate_dim, num_heads=4)
    layer(np.zeros((1, 2, hidden_dim), "float32"))
    return layer.count_params()


def encoder_layer_without_norms(hidden_dim, intermediate_dim):
    """Return the number without layer normalizations."""
    feed_forward = 2 * hidden_dim * intermediate_dim + intermediate_dim + hidden_dim
    return 4 * (hidden_dim**2 + hidden_dim) + feed_forward


def encoder_layer_one_norm(hidden_dim, intermediate_dim):
    """Return the number with one layer normalization."""
    return encoder_layer_without_norms(hidden_dim, intermediate_dim) + 2 * hidden_dim


def encoder_layer_without_biases(hidden_dim, intermediate_dim):
    """Return the number without the biases of the projections."""
    return 4 * hidden_dim**2 + 2 * hidden_dim * intermediate_dim + 4 * hidden_dim


def encoder_layer_half_feed_forward(hidden_dim, intermediate_dim):
    """Return the number with one matrix of the feed-forward network."""
    feed_forward = hidden_dim * intermediate_dim + intermediate_dim
    return 4 * (hidden_dim**2 + hidden_dim) + feed_forward + 4 * hidden_dim


def causal_pairs(length):
    """Return how many pairs the causal mask allows."""
    return int(ops.sum(ops.cast(causal_mask(length), "int32")))


def causal_pairs_without_self(length):
    """Return the pairs below the diagonal."""
    return length * (length - 1) // 2


def all_pairs(length):
    """Return all pairs."""
    return length**2


def cross_attention_shape(batch, source_length, target_length, num_heads):
    """Return the shape of the cross-attention weights."""
    target = np.zeros((batch, target_length, 8 * num_heads), "float32")
    source = np.zeros((batch, source_length, 8 * num_heads), "float32")
    layer = MultiHeadAttention(8 * num_heads, num_heads)
    return layer(target, source, return_attention_scores=True)[1].shape


def cross_attention_swapped(batch, source_length, target_length, num_heads):
    """Return the shape with queries and keys swapped."""
    return batch, num_heads, source_length, target_length


def cross_attention_without_heads(batch, source_length, target_length, num_heads):
    """Return the shape without heads."""
    return batch, target_length, source_length


def decoder_self_attention_shape(batch, source_length, target_length, num_heads):
    """Return the shape in the decoder's self-attention."""
    return batch, num_heads, target_length, target_length


def _softmax(scores):
    exponentials = np.exp(np.asarray(scores, "float64"))
    return exponentials / exponentials.sum()
