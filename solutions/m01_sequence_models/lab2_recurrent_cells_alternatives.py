"""Independent right answers to lab 2, in styles that learners use."""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from autograder.exercise import alternative


@alternative("m01_sequence_models.simple_rnn_step")
def in_numpy(x, h, kernel, recurrent_kernel, bias):
    """NumPy in float64."""
    x, h, kernel, recurrent_kernel, bias = (
        np.asarray(a, "float64") for a in (x, h, kernel, recurrent_kernel, bias)
    )
    return np.tanh(x @ kernel + h @ recurrent_kernel + bias)


@alternative("m01_sequence_models.simple_rnn_step")
def one_product(x, h, kernel, recurrent_kernel, bias):
    """Input and state side by side, one product, in TensorFlow."""
    both = tf.concat([x, h], axis=-1)  # (B, E + H)
    return tf.math.tanh(both @ tf.concat([kernel, recurrent_kernel], axis=0) + bias)


@alternative("m01_sequence_models.simple_rnn_step")
def with_exponentials(x, h, kernel, recurrent_kernel, bias):
    """Einsum, and the tanh by the sigmoid."""
    total = ops.einsum("be,eh->bh", x, kernel) + ops.einsum("bk,kh->bh", h, recurrent_kernel) + bias
    return 2 * ops.sigmoid(2 * total) - 1


@alternative("m01_sequence_models.simple_rnn_step")
def unit_by_unit(x, h, kernel, recurrent_kernel, bias):
    """Loops over rows and units, in Python."""
    x, h = np.asarray(x), np.asarray(h)
    kernel, recurrent_kernel, bias = (np.asarray(a) for a in (kernel, recurrent_kernel, bias))
    return [
        [
            math.tanh(a @ kernel[:, u] + b @ recurrent_kernel[:, u] + bias[u])
            for u in range(len(bias))
        ]
        for a, b in zip(x, h, strict=True)
    ]


def step(x, h, kernel, recurrent_kernel, bias):
    """A step for the loops below."""
    return ops.tanh(ops.matmul(x, kernel) + ops.matmul(h, recurrent_kernel) + bias)


@alternative("m01_sequence_models.run_rnn")
def by_arithmetic(x, mask, h, kernel, recurrent_kernel, bias):
    """The mask as numbers, in place of a `where`."""
    keep = ops.ones(x.shape[:2]) if mask is None else ops.cast(mask, "float32")
    states = []
    for t in range(x.shape[1]):
        m = keep[:, t : t + 1]
        h = m * step(x[:, t], h, kernel, recurrent_kernel, bias) + (1 - m) * h
        states.append(h[:, None])
    return ops.concatenate(states, axis=1), states[-1][:, 0]


@alternative("m01_sequence_models.run_rnn")
def in_numpy_row_by_row(x, mask, h, kernel, recurrent_kernel, bias):
    """NumPy, one example after another."""
    x, h = np.asarray(x), np.asarray(h)
    kernel, recurrent_kernel, bias = (np.asarray(a) for a in (kernel, recurrent_kernel, bias))
    states = np.zeros((*x.shape[:2], h.shape[1]))
    for row in range(len(x)):
        state = h[row]
        for t, word in enumerate(x[row]):
            if mask is None or mask[row][t]:
                state = np.tanh(word @ kernel + state @ recurrent_kernel + bias)
            states[row, t] = state
    return states, states[:, -1]


@alternative("m01_sequence_models.run_rnn")
def with_a_scan(x, mask, h, kernel, recurrent_kernel, bias):
    """TensorFlow's scan over the time axis."""
    real = tf.ones(x.shape[:2], "bool") if mask is None else tf.convert_to_tensor(mask)
    by_time = tf.transpose(x, (1, 0, 2)), tf.transpose(real)

    def one(state, given):
        word, is_real = given
        new = tf.tanh(word @ kernel + state @ recurrent_kernel + bias)
        return tf.where(is_real[:, None], new, state)

    states = tf.transpose(tf.scan(one, by_time, tf.convert_to_tensor(h)), (1, 0, 2))
    return [states, states[:, -1]]


@alternative("m01_sequence_models.gradient_through_time")
def in_numpy_from_the_end(states, recurrent_kernel, gradient):
    """An array filled from the end, in NumPy."""
    states, recurrent_kernel = np.asarray(states), np.asarray(recurrent_kernel)
    found = np.zeros(states.shape)
    found[:, -1] = gradient
    for t in reversed(range(1, states.shape[1])):
        found[:, t - 1] = (found[:, t] * (1 - np.square(states[:, t]))) @ recurrent_kernel.T
    return found


@alternative("m01_sequence_models.gradient_through_time")
def with_jacobians(states, recurrent_kernel, gradient):
    """The Jacobian of each step as a matrix, and their products, by einsum."""
    length = states.shape[1]
    slopes = ops.ones_like(states) - ops.square(states)  # (B, T, H)
    jacobians = ops.einsum("jk,btk->btkj", recurrent_kernel, slopes)  # ∂h_t[k] / ∂h_{t-1}[j]
    rows = [gradient]
    for t in range(length - 1, 0, -1):
        rows.append(ops.einsum("bk,bkj->bj", rows[-1], jacobians[:, t]))
    return ops.stack(rows[::-1], axis=1)


@alternative("m01_sequence_models.gradient_through_time")
def with_a_tape(states, recurrent_kernel, gradient):
    """Automatic differentiation of each step, around the state that came out."""
    states, found = tf.convert_to_tensor(states), [tf.convert_to_tensor(gradient)]
    for t in range(states.shape[1] - 1, 0, -1):
        before, inside = states[:, t - 1], tf.math.atanh(states[:, t] * (1 - 1e-7))
        with tf.GradientTape() as tape:
            tape.watch(before)
            rest = tf.stop_gradient(inside - before @ recurrent_kernel)
            after = tf.tanh(before @ recurrent_kernel + rest)
        found.append(tape.gradient(after, before, output_gradients=found[-1]))
    return tf.stack(found[::-1], axis=1)


@alternative("m01_sequence_models.gradient_through_time")
def unit_by_unit_backwards(states, recurrent_kernel, gradient):
    """Sums written out over units."""
    states, u = np.asarray(states, "float64"), np.asarray(recurrent_kernel, "float64")
    batch, length, units = states.shape
    found = np.zeros((batch, length, units))
    found[:, length - 1] = np.asarray(gradient)
    for t in range(length - 2, -1, -1):
        for j in range(units):
            for k in range(units):
                slope = 1 - states[:, t + 1, k] ** 2
                found[:, t, j] += found[:, t + 1, k] * slope * u[j, k]
    return found


@alternative("m01_sequence_models.lstm_step")
def lstm_in_numpy(x, h, c, kernel, recurrent_kernel, bias):
    """Slices of a sum, in NumPy."""
    x, h, c = (np.asarray(a, "float64") for a in (x, h, c))
    a = x @ np.asarray(kernel) + h @ np.asarray(recurrent_kernel) + np.asarray(bias)
    n = c.shape[-1]

    def gate(k):
        return 1 / (1 + np.exp(-a[:, k * n : (k + 1) * n]))

    c = gate(1) * c + gate(0) * np.tanh(a[:, 2 * n : 3 * n])
    return gate(3) * np.tanh(c), c


@alternative("m01_sequence_models.lstm_step")
def lstm_by_gates(x, h, c, kernel, recurrent_kernel, bias):
    """The weights split first, a product for each gate, in TensorFlow; returns a list."""
    parts = zip(
        tf.split(kernel, 4, axis=1),
        tf.split(recurrent_kernel, 4, axis=1),
        tf.split(bias, 4),
        strict=True,
    )
    i, f, g, o = (x @ w + h @ u + b for w, u, b in parts)
    c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
    return [tf.sigmoid(o) * tf.tanh(c), c]


@alternative("m01_sequence_models.lstm_step")
def lstm_by_reshape(x, h, c, kernel, recurrent_kernel, bias):
    """The last axis cut into (4, H), with Keras's activations."""
    gates = ops.einsum("be,eg->bg", x, kernel) + ops.einsum("bh,hg->bg", h, recurrent_kernel) + bias
    gates = ops.reshape(gates, (-1, 4, c.shape[-1]))  # (B, 4, H)
    activate, squash = keras.activations.sigmoid, keras.activations.tanh
    kept = activate(gates[:, 1]) * c
    c = kept + activate(gates[:, 0]) * squash(gates[:, 2])
    return activate(gates[:, 3]) * squash(c), c


@alternative("m01_sequence_models.gru_step")
def gru_in_numpy(x, h, kernel, recurrent_kernel, bias):
    """Slices, in NumPy."""
    x, h, w, u, bias = (np.asarray(a, "float64") for a in (x, h, kernel, recurrent_kernel, bias))
    n = h.shape[-1]
    a, b = x @ w + bias[0], h @ u + bias[1]
    gates = 1 / (1 + np.exp(-(a + b)[:, : 2 * n]))
    z, r = gates[:, :n], gates[:, n:]
    candidate = np.tanh(a[:, 2 * n :] + r * b[:, 2 * n :])
    return candidate + z * (h - candidate)


@alternative("m01_sequence_models.gru_step")
def gru_by_gates(x, h, kernel, recurrent_kernel, bias):
    """A product for each gate, in TensorFlow."""
    w_z, w_r, w_g = tf.split(kernel, 3, axis=1)
    u_z, u_r, u_g = tf.split(recurrent_kernel, 3, axis=1)
    (b_z, b_r, b_g), (d_z, d_r, d_g) = tf.split(bias[0], 3), tf.split(bias[1], 3)
    z = tf.sigmoid(x @ w_z + h @ u_z + b_z + d_z)
    r = tf.sigmoid(x @ w_r + h @ u_r + b_r + d_r)
    return (1 - z) * tf.tanh(x @ w_g + b_g + r * (h @ u_g + d_g)) + z * h


@alternative("m01_sequence_models.gru_step")
def gru_by_reshape(x, h, kernel, recurrent_kernel, bias):
    """The last axis cut into (3, H)."""
    shape = (-1, 3, h.shape[-1])
    from_x = ops.reshape(ops.einsum("be,eg->bg", x, kernel) + bias[0], shape)
    from_h = ops.reshape(ops.einsum("bh,hg->bg", h, recurrent_kernel) + bias[1], shape)
    gates = ops.sigmoid(from_x[:, :2] + from_h[:, :2])  # (B, 2, H)
    candidate = ops.tanh(from_x[:, 2] + gates[:, 1] * from_h[:, 2])
    return gates[:, 0] * h + (1 - gates[:, 0]) * candidate
