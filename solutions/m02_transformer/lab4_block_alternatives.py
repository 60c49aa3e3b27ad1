"""Independent right answers to lab 4, in the styles that learners use."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from autograder.exercise import alternative

# --------------------------------------------------------------------------------- layer_norm


@alternative("m02_transformer.layer_norm")
def with_moments(x, gamma, beta, epsilon=1e-6):
    """keras.ops.moments and rsqrt."""
    mean, variance = ops.moments(x, axes=[-1], keepdims=True)
    return gamma * (x - mean) * ops.rsqrt(variance + epsilon) + beta


@alternative("m02_transformer.layer_norm")
def with_numpy(x, gamma, beta, epsilon=1e-6):
    """NumPy."""
    x, gamma, beta = (np.asarray(a, "float64") for a in (x, gamma, beta))
    mu = np.mean(x, axis=-1)[..., None]
    sd = np.sqrt(np.var(x, axis=-1)[..., None] + epsilon)
    return (x - mu) / sd * gamma + beta


@alternative("m02_transformer.layer_norm")
def with_mean_of_squares(x, gamma, beta, epsilon=1e-6):
    """TensorFlow: the mean of the squares minus the square of the mean."""
    mean = tf.reduce_mean(x, axis=-1, keepdims=True)
    variance = tf.reduce_mean(x * x, axis=-1, keepdims=True) - mean**2
    return (x - mean) / tf.sqrt(tf.maximum(variance, 0.0) + epsilon) * gamma + beta


@alternative("m02_transformer.layer_norm")
def with_folded_scale(x, gamma, beta, epsilon=1e-6):
    """The scale and the shift are worked out first, as TensorFlow's batch_normalization does."""
    mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, beta, gamma, epsilon)


# -------------------------------------------------------------------------------- FeedForward


@alternative("m02_transformer.FeedForward")
class WithWeights(keras.layers.Layer):
    """Four weights by hand, GELU by erf."""

    def __init__(self, intermediate_dim, activation="gelu", **kwargs):
        super().__init__(**kwargs)
        self.intermediate_dim, self.activation = intermediate_dim, activation

    def build(self, shape):
        self.w1 = self.add_weight((shape[-1], self.intermediate_dim), name="w1")
        self.w2 = self.add_weight((self.intermediate_dim, shape[-1]), name="w2")
        self.b1 = self.add_weight((self.intermediate_dim,), initializer="zeros", name="b1")
        self.b2 = self.add_weight((shape[-1],), initializer="zeros", name="b2")

    def call(self, x):
        h = ops.matmul(x, self.w1) + self.b1
        if self.activation == "gelu":
            h = 0.5 * h * (1 + ops.erf(h / 2**0.5))
        else:
            h = keras.activations.get(self.activation)(h)
        return ops.matmul(h, self.w2) + self.b2


@alternative("m02_transformer.FeedForward")
class WithSequential(keras.layers.Layer):
    """A Sequential of two dense layers."""

    def __init__(self, intermediate_dim, activation="gelu"):
        super().__init__()
        self.units, self.function = intermediate_dim, activation

    def build(self, shape):
        self.network = keras.Sequential(
            [keras.layers.Dense(self.units, self.function), keras.layers.Dense(shape[-1])]
        )
        self.network.build(shape)

    def call(self, x):
        return self.network(x)


@alternative("m02_transformer.FeedForward")
class Backwards(keras.layers.Layer):
    """The second layer is made first."""

    def __init__(self, intermediate_dim, activation="gelu"):
        super().__init__()
        self.units, self.function = intermediate_dim, keras.activations.get(activation)

    def build(self, shape):
        self.down = keras.layers.Dense(shape[-1])
        self.down.build((None, self.units))
        self.up = keras.layers.Dense(self.units)
        self.up.build(shape)

    def call(self, x):
        return self.down(self.function(self.up(x)))


@alternative("m02_transformer.FeedForward")
class WithConvolutions(keras.layers.Layer):
    """Convolutions of width 1, as in the GPT-2 code."""

    def __init__(self, intermediate_dim, activation="gelu"):
        super().__init__()
        self.first = keras.layers.Conv1D(intermediate_dim, 1, activation=activation)

    def build(self, shape):
        self.second = keras.layers.Conv1D(shape[-1], 1)

    def call(self, x):
        return self.second(self.first(x))


@alternative("m02_transformer.FeedForward")
class OnTheirSide(keras.layers.Layer):
    """Kernels stored as (out, in), as PyTorch does; TensorFlow operations."""

    def __init__(self, intermediate_dim, activation="gelu"):
        super().__init__()
        self.units, self.name_of = intermediate_dim, activation

    def build(self, shape):
        self.b2 = self.add_weight((1, 1, shape[-1]))
        self.w1 = self.add_weight((self.units, shape[-1]))
        self.b1 = self.add_weight((1, 1, self.units))
        self.w2 = self.add_weight((shape[-1], self.units))

    def call(self, x):
        functions = {"gelu": lambda h: tf.nn.gelu(h, approximate=False), "relu": tf.nn.relu}
        function = functions.get(self.name_of, tf.tanh)
        h = function(tf.einsum("btd,fd->btf", x, self.w1) + self.b1)
        return tf.einsum("btf,df->btd", h, self.w2) + self.b2


@alternative("m02_transformer.FeedForward")
class WithEinsumDense(keras.layers.Layer):
    """EinsumDense layers."""

    def __init__(self, intermediate_dim, activation="gelu"):
        super().__init__()
        self.units, self.function = intermediate_dim, activation

    def build(self, shape):
        self.inner = keras.layers.EinsumDense(
            "btd,df->btf", (None, self.units), bias_axes="f", activation=self.function
        )
        self.outer = keras.layers.EinsumDense("btf,fd->btd", (None, shape[-1]), bias_axes="d")

    def call(self, x):
        return self.outer(self.inner(x))


# ------------------------------------------------------------------------------ encoder_block


@alternative("m02_transformer.encoder_block")
def line_by_line(x, attention, feed_forward, norm1, norm2, pre_norm):
    """Two branches, written out."""
    if pre_norm:
        h = norm1(x)
        x = x + attention(h, h)
        h = norm2(x)
        return x + feed_forward(h)
    x = norm1(x + attention(x, x))
    return norm2(x + feed_forward(x))


@alternative("m02_transformer.encoder_block")
def in_a_loop(x, attention, feed_forward, norm1, norm2, pre_norm):
    """A loop over pairs of sublayer and norm."""
    for sublayer, norm in (
        (lambda h: attention(query=h, value=h, key=h), norm1),
        (feed_forward, norm2),
    ):
        h = sublayer(norm(x) if pre_norm else x)
        x = ops.add(x, h)
        x = x if pre_norm else norm(x)
    return x


@alternative("m02_transformer.encoder_block")
def with_add_layers(x, attention, feed_forward, norm1, norm2, pre_norm):
    """keras.layers.Add, and an identity where no norm is."""

    def identity(h):
        return h

    before1, after1 = (norm1, identity) if pre_norm else (identity, norm1)
    before2, after2 = (norm2, identity) if pre_norm else (identity, norm2)
    h = before1(x)
    x = after1(keras.layers.Add()([x, attention(h, value=h)]))
    return after2(keras.layers.Add()([x, feed_forward(before2(x))]))


@alternative("m02_transformer.encoder_block")
def by_recursion(x, attention, feed_forward, norm1, norm2, pre_norm, training=False):
    """The attention sublayer's keys are given too; the sum is NumPy."""
    h = norm1(x) if pre_norm else x
    middle = np.asarray(x) + np.asarray(attention(h, h, h, training=training))
    middle = middle if pre_norm else np.asarray(norm1(middle))
    out = middle + np.asarray(feed_forward(norm2(middle) if pre_norm else middle))
    return out if pre_norm else norm2(out)


# ------------------------------------------------------------------------------ decoder_block


@alternative("m02_transformer.decoder_block")
def decoder_line_by_line(
    x, memory, self_attention, cross_attention, feed_forward, norm1, norm2, norm3, pre_norm
):
    """Two branches, written out."""
    if pre_norm:
        h = norm1(x)
        x = x + self_attention(h, h, use_causal_mask=True)
        x = x + cross_attention(norm2(x), memory)
        x = x + feed_forward(norm3(x))
    else:
        x = norm1(x + self_attention(x, x, use_causal_mask=True))
        x = norm2(x + cross_attention(x, memory))
        x = norm3(x + feed_forward(x))
    return x


@alternative("m02_transformer.decoder_block")
def with_explicit_mask(
    x, memory, self_attention, cross_attention, feed_forward, norm1, norm2, norm3, pre_norm
):
    """The causal mask is made by hand."""
    length = x.shape[1]
    mask = np.tril(np.ones((1, length, length), dtype=bool))
    steps = [
        (norm1, lambda h: self_attention(h, h, attention_mask=mask)),
        (norm2, lambda h: cross_attention(h, memory, memory)),
        (norm3, feed_forward),
    ]
    for norm, step in steps:
        x = x + step(norm(x)) if pre_norm else norm(x + step(x))
    return x


@alternative("m02_transformer.decoder_block")
def with_helper(
    x, memory, self_attention, cross_attention, feed_forward, norm1, norm2, norm3, pre_norm
):
    """A nested helper with keyword arguments, in TensorFlow."""

    def sublayer(x, norm, function, **options):
        if pre_norm:
            return tf.add(x, function(norm(x), **options))
        return norm(tf.add(x, function(x, **options)))

    def own(h):
        return self_attention(query=h, value=h, use_causal_mask=True)

    x = sublayer(x, norm1, own)
    x = sublayer(x, norm2, cross_attention, value=memory)
    return sublayer(x, norm3, feed_forward)
