"""The long short-term memory cell (Hochreiter & Schmidhuber, 1997; Gers et al., 2000).

    i, f, g, o = split(x_t W + h_{t-1} U + b)
    c_t = σ(f) · c_{t-1} + σ(i) · tanh(g)
    h_t = σ(o) · tanh(c_t)

The carry c moves on by a sum: where the forget gate σ(f) is near 1, so is the
derivative of c_t by c_{t-1}.

Axes: B batch, E input size, H hidden size.
"""

import keras
import numpy as np
from keras import ops


def lstm_step(x, h, c, kernel, recurrent_kernel, bias):
    """Take one step of a long short-term memory.

    The gates lie side by side in the weights: input i, forget f, candidate g,
    output o.

    Args:
        x: float tensor `(B, E)`, the input of this step.
        h: float tensor `(B, H)`, the state before it.
        c: float tensor `(B, H)`, the carry before it.
        kernel: float tensor `(E, 4H)`, W.
        recurrent_kernel: float tensor `(H, 4H)`, U.
        bias: float tensor `(4H,)`.

    Returns:
        The state and the carry after it, float tensors `(B, H)`.
    """
    gates = ops.matmul(x, kernel) + ops.matmul(h, recurrent_kernel) + bias  # (B, 4H)
    i, f, g, o = ops.split(gates, 4, axis=-1)  # (B, H) each
    c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
    return ops.sigmoid(o) * ops.tanh(c), c


@keras.saving.register_keras_serializable(package="course.m01_sequence_models")
class LSTMCell(keras.layers.Layer):
    """One step of a long short-term memory, for `keras.layers.RNN`.

    The weights are those of `keras.layers.LSTMCell`, in the same order.
    `forget_bias=1.0` is Keras's `unit_forget_bias=True`, `0.0` its `False`.

    Args:
        hidden_dim: int. Width H of state and carry.
        forget_bias: float. First value of the forget gate's bias: the larger it
            is, the more of the carry stays at first (Jozefowicz et al., 2015).

    Call arguments:
        x: float tensor `(B, E)`.
        states: list of the state h and the carry c, float tensors `(B, H)`.

    Returns:
        The output `(B, H)`, which is h, and a list of the new h and c.

    Reference: [Hochreiter & Schmidhuber, 1997](https://doi.org/10.1162/neco.1997.9.8.1735);
    the forget gate: [Gers et al., 2000](https://doi.org/10.1162/089976600300015015)
    """

    def __init__(self, hidden_dim, forget_bias=1.0, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.forget_bias = forget_bias
        self.state_size = [hidden_dim, hidden_dim]
        self.output_size = hidden_dim

    def build(self, x_shape):
        h = self.hidden_dim

        def bias(shape, dtype=None):
            return ops.convert_to_tensor(np.repeat([0, self.forget_bias, 0, 0], h), dtype)

        self.kernel = self.add_weight((x_shape[-1], 4 * h), "glorot_uniform", name="kernel")
        self.recurrent_kernel = self.add_weight((h, 4 * h), "orthogonal", name="recurrent_kernel")
        self.bias = self.add_weight((4 * h,), bias, name="bias")

    def call(self, x, states):
        h, c = lstm_step(x, *states, self.kernel, self.recurrent_kernel, self.bias)
        return h, [h, c]

    def get_initial_state(self, batch_size=None):
        """Return a list of two zero tensors `(batch_size, H)`."""
        zeros = ops.zeros((batch_size, self.hidden_dim), dtype=self.compute_dtype)
        return [zeros, zeros]

    def get_config(self):
        return super().get_config() | {
            "hidden_dim": self.hidden_dim,
            "forget_bias": self.forget_bias,
        }
