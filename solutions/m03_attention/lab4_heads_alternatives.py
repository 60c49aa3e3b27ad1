"""Independent right answers to lab 4, in styles that learners use."""

import numpy as np
import tensorflow as tf
from keras import ops

from autograder.exercise import alternative
from course.m02_transformer import scaled_dot_product_attention


@alternative("m03_attention.head_contributions")
def with_a_reshaped_kernel(heads, kernel):
    """A batched product per head."""
    size = heads.shape[-1]
    kernel = ops.reshape(kernel, (heads.shape[1], size, kernel.shape[-1]))
    return ops.matmul(heads, kernel)


@alternative("m03_attention.head_contributions")
def with_the_other_heads_silenced(heads, kernel):
    """Set all other heads to 0, merge and project."""
    heads, kernel = np.asarray(heads), np.asarray(kernel)
    batch, count, length, size = heads.shape
    parts = []
    for n in range(count):
        alone = np.zeros_like(heads)
        alone[:, n] = heads[:, n]
        merged = alone.transpose(0, 2, 1, 3).reshape(batch, length, count * size)
        parts.append(merged @ kernel)
    return np.stack(parts, axis=1)


@alternative("m03_attention.head_contributions")
def with_tensorflow_split(heads, kernel):
    """tf.split of the kernel's rows."""
    blocks = tf.split(kernel, heads.shape[1], axis=0)
    return tf.stack([tf.tensordot(heads[:, n], block, 1) for n, block in enumerate(blocks)], axis=1)


@alternative("m03_attention.importance_per_head")
def importance_by_einsum(heads, gradients):
    """Einsum, and a tiny number under the root."""
    slopes = ops.einsum("lbnth,lbnth->lbn", heads, gradients)
    means = ops.mean(ops.abs(slopes), axis=1)
    return means / ops.maximum(ops.sqrt(ops.sum(means**2, axis=-1, keepdims=True)), 1e-30)


@alternative("m03_attention.importance_per_head")
def importance_by_a_tape(heads, gradients):
    """The gradient of Σ ξ · output · gradient towards masks of ones."""
    masks = tf.ones(heads.shape[:3])
    with tf.GradientTape() as tape:
        tape.watch(masks)
        total = tf.reduce_sum(masks[..., None, None] * heads * gradients)
    means = tf.reduce_mean(tf.abs(tape.gradient(total, masks)), axis=1)
    return tf.math.divide_no_nan(means, tf.norm(means, axis=-1, keepdims=True))


@alternative("m03_attention.importance_per_head")
def importance_by_loops(heads, gradients):
    """Loops over layers, heads and examples in NumPy; a sum in place of the mean."""
    heads, gradients = np.asarray(heads, "float64"), np.asarray(gradients, "float64")
    layers, examples, count = heads.shape[:3]
    result = np.zeros((layers, count))
    for layer in range(layers):
        for n in range(count):
            for b in range(examples):
                result[layer, n] += abs(np.vdot(heads[layer, b, n], gradients[layer, b, n]))
        norm = np.linalg.norm(result[layer])
        if norm > 0:
            result[layer] /= norm
    return result


@alternative("m03_attention.attention_rollout")
def rollout_in_keras(weights, residual=0.5):
    """keras.ops throughout."""
    mixed = (1 - residual) * ops.mean(weights, axis=-3)
    mixed = mixed + residual * ops.eye(weights.shape[-1])
    heard = [mixed[0]]
    for layer in range(1, weights.shape[0]):
        heard.append(ops.matmul(mixed[layer], heard[-1]))
    return ops.stack(heard)


@alternative("m03_attention.attention_rollout")
def rollout_by_einsum(weights, residual=0.5):
    """NumPy, the identity as the start."""
    weights = np.asarray(weights, "float64")
    eye = np.eye(weights.shape[-1])
    heard, found = np.broadcast_to(eye, weights.mean(-3)[0].shape), []
    for layer in weights:
        mixed = residual * eye + (1 - residual) * layer.mean(-3)
        heard = np.einsum("...ij,...jk->...ik", mixed, heard)
        found.append(heard)
    return np.array(found)


@alternative("m03_attention.attention_rollout")
def rollout_without_an_identity(weights, residual=0.5):
    """The residual connection as an addition: new = r · heard + (1 - r) · A heard."""
    average = tf.reduce_mean(weights, axis=-3)
    heard = tf.eye(weights.shape[-1], batch_shape=average.shape[1:-2])
    found = []
    for layer in tf.unstack(average):
        heard = residual * heard + (1 - residual) * tf.matmul(layer, heard)
        found.append(heard)
    return found


@alternative("m03_attention.group_query_attention")
def grouped_by_take(query, key, value, mask=None):
    """Each query head takes its key head by number."""
    count, groups = query.shape[1], key.shape[1]
    places = [n * groups // count for n in range(count)]
    key, value = ops.take(key, places, axis=1), ops.take(value, places, axis=1)
    return scaled_dot_product_attention(query, key, value, mask)[0]


@alternative("m03_attention.group_query_attention")
def grouped_by_one_more_axis(query, key, value, mask=None):
    """Queries (B, G, r, T, H): nothing is repeated."""
    batch, count, length, size = query.shape
    groups = key.shape[1]
    query = tf.reshape(query, (batch, groups, count // groups, length, size))
    scores = tf.einsum("bgrth,bgsh->bgrts", query, key) / size**0.5
    if mask is not None:
        mask = tf.broadcast_to(mask, (batch, 1, length, key.shape[2]))[:, :, None]
        scores = tf.where(mask, scores, -1e9)
    output = tf.einsum("bgrts,bgsh->bgrth", tf.nn.softmax(scores), value)
    return tf.reshape(output, (batch, count, length, size))


@alternative("m03_attention.group_query_attention")
def grouped_by_loops(query, key, value, mask=None):
    """One head at a time, in NumPy."""
    query, key, value = (np.asarray(x, "float64") for x in (query, key, value))
    batch, count, length, size = query.shape
    share, source = count // key.shape[1], key.shape[2]
    visible = np.ones((1, 1, length, source), bool) if mask is None else np.asarray(mask)
    visible = np.broadcast_to(visible, (batch, 1, length, source))[:, 0]
    heads = []
    for n in range(count):
        scores = query[:, n] @ key[:, n // share].transpose(0, 2, 1) / np.sqrt(size)
        e = np.exp(scores - scores.max(-1, keepdims=True)) * visible
        heads.append(e / e.sum(-1, keepdims=True) @ value[:, n // share])
    return np.stack(heads, axis=1)
