"""Independent right answers to lab 2: other operations, other layouts of the weights."""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from autograder.exercise import alternative


def attend(query, key, value, mask=None):
    """Attention per head, written anew; a mask broadcasts to (B, N, T, S)."""
    scores = ops.einsum("bnth,bnsh->bnts", query, key) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = ops.where(mask, scores, -1e9)
    return ops.einsum("bnts,bnsh->bnth", ops.softmax(scores), value)


def over_heads(mask):
    """(B, T, S) to (B, 1, T, S)."""
    return None if mask is None else ops.expand_dims(mask, 1)


class Base(keras.layers.Layer):
    """Constructor and configuration that the lab ships."""

    def __init__(self, hidden_dim, num_heads, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim, self.num_heads = hidden_dim, num_heads
        self.size = hidden_dim // num_heads

    def get_config(self):
        """Return the arguments."""
        sizes = {"hidden_dim": self.hidden_dim, "num_heads": self.num_heads}
        return super().get_config() | sizes


@alternative("m02_transformer.split_heads")
def split_with_einops_style(x, num_heads):
    """Reshape with -1 and swap two axes, in TensorFlow."""
    shape = tf.shape(x)
    cut = tf.reshape(x, (shape[0], shape[1], num_heads, -1))
    return tf.transpose(cut, perm=[0, 2, 1, 3])


@alternative("m02_transformer.split_heads")
def split_with_slices(x, num_heads):
    """One slice per head."""
    size = x.shape[-1] // num_heads
    return np.stack([x[..., n * size : (n + 1) * size] for n in range(num_heads)], axis=1)


@alternative("m02_transformer.split_heads")
def split_with_ops_split(x, num_heads):
    """keras.ops.split and stack."""
    return ops.stack(ops.split(x, num_heads, axis=-1), axis=1)


@alternative("m02_transformer.split_heads")
def split_with_moveaxis(x, num_heads):
    """Reshape and moveaxis in NumPy."""
    x = np.asarray(x)
    return np.moveaxis(x.reshape(*x.shape[:2], num_heads, -1), 2, 1)


@alternative("m02_transformer.merge_heads")
def merge_with_concatenate(x):
    """One head after the other along the features."""
    return ops.concatenate([x[:, n] for n in range(x.shape[1])], axis=-1)


@alternative("m02_transformer.merge_heads")
def merge_with_numpy(x):
    """Swap and reshape in NumPy."""
    x = np.swapaxes(np.asarray(x), 1, 2)
    return x.reshape(x.shape[0], x.shape[1], -1)


@alternative("m02_transformer.merge_heads")
def merge_with_einsum(x):
    """Axes moved by einsum."""
    batch, heads, length, size = x.shape
    return tf.reshape(tf.einsum("bnth->btnh", x), (batch, length, heads * size))


@alternative("m02_transformer.MultiHeadAttention")
class WithEinsumDense(Base):
    """Kernels (D, N, H) from EinsumDense."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)

        def inward(name):
            shape = (self.num_heads, None, self.size)
            return keras.layers.EinsumDense("btd,dnh->bnth", shape, bias_axes="nh", name=name)

        self.q, self.k, self.v = inward("q"), inward("k"), inward("v")
        self.out = keras.layers.EinsumDense(
            "bnth,nhd->btd", (None, self.hidden_dim), bias_axes="d", name="out"
        )

    def call(self, query, value, attention_mask=None):
        """Attend."""
        heads = attend(self.q(query), self.k(value), self.v(value), over_heads(attention_mask))
        return self.out(heads)


@alternative("m02_transformer.MultiHeadAttention")
class WithoutBiases(Base):
    """Four Dense layers without biases and names, made in build, the output first."""

    def build(self, *shapes):
        """Make the layers."""
        self.last = keras.layers.Dense(self.hidden_dim, use_bias=False)
        self.values = keras.layers.Dense(self.hidden_dim, use_bias=False)
        self.keys = keras.layers.Dense(self.hidden_dim, use_bias=False)
        self.queries = keras.layers.Dense(self.hidden_dim, use_bias=False)

    def cut(self, x):
        """Split."""
        x = ops.reshape(x, (*ops.shape(x)[:2], self.num_heads, self.size))
        return ops.transpose(x, (0, 2, 1, 3))

    def call(self, query, value, attention_mask=None):
        """Attend."""
        q, k, v = (self.cut(x) for x in (self.queries(query), self.keys(value), self.values(value)))
        x = ops.transpose(attend(q, k, v, over_heads(attention_mask)), (0, 2, 1, 3))
        return self.last(ops.reshape(x, (*ops.shape(x)[:2], self.hidden_dim)))


@alternative("m02_transformer.MultiHeadAttention")
class FusedKeysAndValues(Base):
    """One Dense layer of size 2D for keys and values."""

    def build(self, *shapes):
        """Make the layers."""
        self.q_dense = keras.layers.Dense(self.hidden_dim)
        self.kv_dense = keras.layers.Dense(2 * self.hidden_dim)
        self.o_dense = keras.layers.Dense(self.hidden_dim)

    def cut(self, x):
        """Split."""
        return ops.stack(ops.split(x, self.num_heads, axis=-1), axis=1)

    def call(self, query, value, attention_mask=None):
        """Attend."""
        k, v = ops.split(self.kv_dense(value), 2, axis=-1)
        q = self.q_dense(query)
        x = attend(self.cut(q), self.cut(k), self.cut(v), over_heads(attention_mask))
        return self.o_dense(ops.concatenate(ops.unstack(x, axis=1), axis=-1))


@alternative("m02_transformer.MultiHeadAttention")
class WithHeadLayers(Base):
    """A list of heads, each with three small Dense layers; a loop over heads."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)

        def dense():
            return keras.layers.Dense(self.size)

        self.heads = [[dense(), dense(), dense()] for _ in range(self.num_heads)]
        self.combine = keras.layers.Dense(self.hidden_dim)

    def call(self, query, value, attention_mask=None):
        """Attend in each head."""
        outputs = []
        for to_query, to_key, to_value in self.heads:
            q, k, v = to_query(query), to_key(value), to_value(value)
            scores = ops.matmul(q, ops.transpose(k, (0, 2, 1))) / self.size**0.5
            if attention_mask is not None:
                scores = scores - 1e9 * (1 - ops.cast(attention_mask, "float32"))
            outputs.append(ops.matmul(ops.softmax(scores), v))
        return self.combine(ops.concatenate(outputs, axis=-1))


@alternative("m02_transformer.MultiHeadAttention")
class WithWeightsInTensorFlow(Base):
    """Plain weights and TensorFlow; biases for queries and output only."""

    def build(self, *shapes):
        """Make the weights."""
        size = (self.hidden_dim, self.hidden_dim)
        self.wo = self.add_weight(shape=size, name="wo")
        self.wv = self.add_weight(shape=size, name="wv")
        self.wq = self.add_weight(shape=size, name="wq")
        self.wk = self.add_weight(shape=size, name="wk")
        self.bo = self.add_weight(shape=(self.hidden_dim,), name="bo")
        self.bq = self.add_weight(shape=(self.hidden_dim,), name="bq")

    def cut(self, x):
        """Split."""
        shape = tf.shape(x)
        x = tf.reshape(x, (shape[0], shape[1], self.num_heads, self.size))
        return tf.transpose(x, (0, 2, 1, 3))

    def call(self, query, value, attention_mask=None):
        """Attend."""
        q, k = self.cut(tf.matmul(query, self.wq) + self.bq), self.cut(tf.matmul(value, self.wk))
        x = attend(q, k, self.cut(tf.matmul(value, self.wv)), over_heads(attention_mask))
        x = tf.transpose(x, (0, 2, 1, 3))
        shape = tf.shape(x)
        merged = tf.reshape(x, (shape[0], shape[1], self.hidden_dim))
        return tf.matmul(merged, self.wo) + self.bo


@alternative("m02_transformer.attention_cost")
def cost_by_products(target_length, source_length, hidden_dim, num_heads):
    """Adds up the products one by one."""

    def product(rows, inner, columns):
        return 2 * rows * inner * columns

    size = hidden_dim // num_heads
    flops = 2 * product(target_length, hidden_dim, hidden_dim)
    flops += 2 * product(source_length, hidden_dim, hidden_dim)
    for _ in range(num_heads):
        flops += product(target_length, size, source_length)
        flops += product(target_length, source_length, size)
    return 4 * (hidden_dim * hidden_dim + hidden_dim), flops


@alternative("m02_transformer.attention_cost")
def cost_in_floats(target_length, source_length, hidden_dim, num_heads):
    """Floats, and a list."""
    t, s, d = float(target_length), float(source_length), float(hidden_dim)
    return [4 * d * (d + 1), 4 * d * (d * (t + s) + t * s)]


@alternative("m02_transformer.attention_cost")
def cost_counted_by_keras(target_length, source_length, hidden_dim, num_heads):
    """Lets Keras count the parameters of a Dense layer; NumPy integers."""
    dense = keras.layers.Dense(hidden_dim)
    dense.build((None, hidden_dim))
    projections = np.int64(2) * hidden_dim**2 * (2 * target_length + 2 * source_length)
    return 4 * dense.count_params(), projections + 4 * target_length * source_length * hidden_dim
