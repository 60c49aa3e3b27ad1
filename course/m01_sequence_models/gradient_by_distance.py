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


def gradient_by_distance(layer, x, loss=None, seed=0):
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

    Returns:
        Float64 NumPy array `(T,)`. Entry d belongs to the step d before the last.

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
            v = np.random.default_rng(seed).normal(size=output.shape)
            value = ops.sum(output * ops.cast(v, output.dtype))
        else:
            value = loss(output)
    gradient = tape.gradient(value, x).numpy().astype("float64")  # (B, T, E)
    squared = np.square(gradient).sum(axis=-1)  # (B, T)
    return np.sqrt(squared.mean(axis=0))[::-1]  # (T,), the last step first
