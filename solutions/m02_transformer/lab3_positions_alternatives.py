"""Independent right answers to lab 3, in the styles that learners use."""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from autograder.exercise import alternative

# ------------------------------------------------------------------------ sinusoidal_encoding


@alternative("m02_transformer.sinusoidal_encoding")
def with_loops(length, hidden_dim):
    """Entry by entry, as a list of lists."""
    rows = []
    for t in range(length):
        row = []
        for i in range(hidden_dim // 2):
            angle = t / 10000 ** (2 * i / hidden_dim)
            row += [math.sin(angle), math.cos(angle)]
        rows.append(row)
    return rows


@alternative("m02_transformer.sinusoidal_encoding")
def with_strided_assignment(length, hidden_dim):
    """NumPy, filling every second column; exp and log as in the Annotated Transformer."""
    table = np.zeros((length, hidden_dim))
    position = np.arange(length)[:, None]
    divisor = np.exp(np.arange(0, hidden_dim, 2) * -(math.log(10000.0) / hidden_dim))
    table[:, 0::2] = np.sin(position * divisor)
    table[:, 1::2] = np.cos(position * divisor)
    return table


@alternative("m02_transformer.sinusoidal_encoding")
def with_where_in_tensorflow(length, hidden_dim):
    """TensorFlow, float32 throughout."""
    feature = tf.range(hidden_dim)
    exponent = tf.cast(2 * (feature // 2), tf.float32) / tf.cast(hidden_dim, tf.float32)
    angles = tf.cast(tf.range(length), tf.float32)[:, None] / tf.pow(10000.0, exponent)
    return tf.where(feature % 2 == 0, tf.sin(angles), tf.cos(angles))


@alternative("m02_transformer.sinusoidal_encoding")
def as_shifted_sines(length, hidden_dim):
    """A cosine is a sine a quarter turn ahead."""
    feature = ops.arange(hidden_dim)
    power = ops.cast(feature - feature % 2, "float32") / hidden_dim
    angles = ops.outer(ops.arange(length, dtype="float32"), 1 / ops.power(10000.0, power))
    return ops.sin(angles + ops.cast(feature % 2, "float32") * (np.pi / 2))


# ----------------------------------------------------------------- LearnedPositionalEmbedding


@alternative("m02_transformer.LearnedPositionalEmbedding")
class WithEmbedding(keras.layers.Layer):
    """A Keras embedding, looked up at 0 ... T - 1."""

    def __init__(self, max_sequence_length, **kwargs):
        super().__init__(**kwargs)
        self.max_sequence_length = max_sequence_length

    def build(self, shape):
        self.embedding = keras.layers.Embedding(self.max_sequence_length, shape[-1])
        self.embedding.build(())

    def call(self, x):
        return x + self.embedding(ops.arange(ops.shape(x)[1]))


@alternative("m02_transformer.LearnedPositionalEmbedding")
class WithBatchAxis(keras.layers.Layer):
    """The table has a leading axis of one."""

    def __init__(self, max_sequence_length):
        super().__init__()
        self.rows = max_sequence_length

    def build(self, shape):
        self.p = self.add_weight(shape=(1, self.rows, shape[-1]), initializer="zeros")

    def call(self, x):
        return tf.add(x, self.p[:, : tf.shape(x)[1], :])


@alternative("m02_transformer.LearnedPositionalEmbedding")
class Transposed(keras.layers.Layer):
    """The table lies on its side."""

    def __init__(self, max_sequence_length):
        super().__init__()
        self.rows = max_sequence_length

    def build(self, shape):
        self.p = self.add_weight(shape=(shape[-1], self.rows), initializer="uniform")

    def call(self, x):
        return x + ops.transpose(self.p)[None, : x.shape[1]]


@alternative("m02_transformer.LearnedPositionalEmbedding")
class WithOneHot(keras.layers.Layer):
    """One-hot positions times a bias-free dense layer, whose kernel is the table."""

    def __init__(self, max_sequence_length):
        super().__init__()
        self.rows = max_sequence_length

    def build(self, shape):
        self.dense = keras.layers.Dense(shape[-1], use_bias=False)
        self.dense.build((None, self.rows))

    def call(self, x):
        return x + self.dense(ops.one_hot(ops.arange(x.shape[1]), self.rows))


@alternative("m02_transformer.LearnedPositionalEmbedding")
class RowByRow(keras.layers.Layer):
    """One weight per position."""

    def __init__(self, max_sequence_length):
        super().__init__()
        self.rows = max_sequence_length

    def build(self, shape):
        self.vectors = [
            self.add_weight(shape=(shape[-1],), name=f"position_{t}") for t in range(self.rows)
        ]

    def call(self, x):
        return x + ops.stack([self.vectors[t] + 0.0 for t in range(x.shape[1])])


@alternative("m02_transformer.LearnedPositionalEmbedding")
class WithVariable(keras.layers.Layer):
    """Built on the first call."""

    def __init__(self, max_sequence_length):
        super().__init__()
        self.max_sequence_length = max_sequence_length

    def call(self, x):
        batch, length, _ = x.shape
        rows = ops.take(self.table, ops.arange(length), axis=0)
        return x + ops.broadcast_to(rows[None], (batch, *rows.shape))

    def build(self, shape):
        initial = keras.random.normal((self.max_sequence_length, shape[-1]))
        self.table = keras.Variable(initial, name="anything")


# --------------------------------------------------------------------------------------- rotate


@alternative("m02_transformer.rotate")
def with_rotate_half(x, positions):
    """Cosines and sines for all H features, as in the Hugging Face code."""
    size = x.shape[-1]
    inverse = 1.0 / (10000.0 ** (np.arange(0, size, 2, dtype="float32") / size))
    angles = ops.cast(positions, "float32")[:, None] * inverse[None, :]
    angles = ops.concatenate([angles, angles], axis=-1)
    first, second = ops.split(x, 2, axis=-1)
    return x * ops.cos(angles) + ops.concatenate([-second, first], axis=-1) * ops.sin(angles)


@alternative("m02_transformer.rotate")
def with_complex_numbers(x, positions):
    """NumPy: a turn is a product with exp(ia)."""
    x = np.asarray(x)
    half = x.shape[-1] // 2
    z = x[..., :half] + 1j * x[..., half:]
    z = z * np.exp(1j * np.outer(positions, 10000.0 ** (-np.arange(half) / half)))
    return np.concatenate([z.real, z.imag], axis=-1)


@alternative("m02_transformer.rotate")
def with_loops_over_pairs(x, positions):
    """NumPy, one pair at a time."""
    x, out = np.asarray(x), np.zeros(x.shape, "float32")
    size = x.shape[-1]
    for i in range(size // 2):
        angle = np.asarray(positions) / 10000 ** (2 * i / size)
        a, b = x[..., i], x[..., i + size // 2]
        out[..., i] = a * np.cos(angle) - b * np.sin(angle)
        out[..., i + size // 2] = a * np.sin(angle) + b * np.cos(angle)
    return out


@alternative("m02_transformer.rotate")
def with_rotation_matrices(x, positions):
    """TensorFlow: one 2 × 2 matrix per position and pair."""
    half = x.shape[-1] // 2
    exponent = tf.range(half, dtype=tf.float32) / half
    angles = tf.einsum("t,i->ti", tf.cast(positions, tf.float32), 10000.0**-exponent)
    cos, sin = tf.cos(angles), tf.sin(angles)
    matrices = tf.stack([tf.stack([cos, -sin], -1), tf.stack([sin, cos], -1)], -2)  # (T, H/2, 2, 2)
    pairs = tf.stack([x[..., :half], x[..., half:]], axis=-1)  # (B, N, T, H/2, 2)
    turned = tf.einsum("tiuv,bntiv->bntui", matrices, pairs)
    return tf.reshape(turned, tf.shape(x))


# ----------------------------------------------------------------------------------- alibi_bias


@alternative("m02_transformer.alibi_bias")
def alibi_with_loops(num_heads, length):
    """Entry by entry, as nested lists."""
    return [
        [[-(2 ** (-8 * n / num_heads)) * abs(i - j) for j in range(length)] for i in range(length)]
        for n in range(1, num_heads + 1)
    ]


@alternative("m02_transformer.alibi_bias")
def alibi_with_ops(num_heads, length):
    """keras.ops, with a geometric series."""
    ratio = 2.0 ** (-8.0 / num_heads)
    slopes = ops.cumprod(ops.full((num_heads,), ratio))
    position = ops.arange(length, dtype="float32")
    distance = ops.abs(ops.expand_dims(position, 0) - ops.expand_dims(position, 1))
    return ops.einsum("n,ij->nij", -slopes, distance)


@alternative("m02_transformer.alibi_bias")
def alibi_with_toeplitz(num_heads, length):
    """TensorFlow, from the triangle of the past and its mirror image."""
    steps = tf.cast(tf.range(length)[:, None] - tf.range(length)[None, :], tf.float32)
    past = tf.linalg.band_part(steps, -1, 0)
    distance = past + tf.transpose(past)
    slopes = tf.pow(2.0, tf.linspace(-8.0 / num_heads, -8.0, num_heads))
    return -tf.reshape(slopes, (-1, 1, 1)) * distance[None]


@alternative("m02_transformer.alibi_bias")
def alibi_with_sign(num_heads, length):
    """NumPy, float64: the smaller of i - j and j - i is minus the distance."""
    i, j = np.indices((length, length))
    return np.stack(
        [np.minimum(i - j, j - i) / 2 ** (8 * n / num_heads) for n in range(1, 1 + num_heads)]
    )
