"""How much of the gradient arrives from far back (Hochreiter, 1991; Pascanu et al., 2013).

    g(d) = sqrt(mean over examples of |∂L/∂x_{T-1-d}|²)

Where g falls by a constant factor a step, a word far back cannot teach the
network. For TensorFlow: it records the gradient with `tf.GradientTape`, and imports
TensorFlow in the function.

Axes: B batch, T length, E input size.
"""

import keras
import numpy as np
from keras import ops


def gradient_by_distance(layer, x, loss=None, seed=0, groups=None):
    """Measure the gradient of a layer's output by its input, at each distance.

    Without `loss`, L is v · output with v drawn from the standard normal
    distribution for each example: |∂L/∂x|² is then, on average, the squared
    Frobenius norm of the Jacobian ∂output/∂x.

    Args:
        layer: a layer or a model from `(B, T, E)` to the last step's output, such as
            `keras.layers.RNN(LSTMCell(64))`.
        x: float array `(B, T, E)`.
        loss: optional function from the output to a scalar, the sum over examples.
        seed: int. Draws v.
        groups: optional int. The examples are that many groups of equal size, one after the
            other; each is measured by itself, with the same v. One call costs little more
            than one group would.

    Returns:
        Float64 NumPy array `(T,)`, or `(groups, T)`. Entry d belongs to the step d before
        the last.

    Raises:
        RuntimeError: if Keras runs on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            "`gradient_by_distance` needs the TensorFlow backend. "
            f"Received: KERAS_BACKEND={keras.backend.backend()!r}."
        )
    import tensorflow as tf

    x = tf.convert_to_tensor(x, "float32")
    with tf.GradientTape() as tape:
        tape.watch(x)
        output = layer(x)
        if loss is None:
            shape = (len(output) // (groups or 1), *output.shape[1:])
            v = np.random.default_rng(seed).normal(size=shape)
            v = np.concatenate([v] * (groups or 1))  # (B, H)
            value = ops.sum(output * ops.cast(v, output.dtype))
        else:
            value = loss(output)
    gradient = tape.gradient(value, x).numpy().astype("float64")  # (B, T, E)
    squared = np.square(gradient).sum(axis=-1)  # (B, T)
    means = squared.reshape(groups or 1, -1, squared.shape[1]).mean(axis=1)  # (groups, T)
    norms = np.sqrt(means)[:, ::-1]  # the last step first
    return norms[0] if groups is None else norms
