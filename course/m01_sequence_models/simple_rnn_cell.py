"""The simple recurrent cell (Elman, 1990).

    h_t = tanh(x_t W + h_{t-1} U + b)

Axes: B batch, E input size, H hidden size.
"""

import keras
from keras import ops


def simple_rnn_step(x, h, kernel, recurrent_kernel, bias):
    """Take one step of a simple recurrent network.

    It is the network of Elman (1990): the tanh keeps the state between -1 and 1.

    Args:
        x: float tensor `(B, E)`, the input of this step.
        h: float tensor `(B, H)`, the state before it.
        kernel: float tensor `(E, H)`, W.
        recurrent_kernel: float tensor `(H, H)`, U.
        bias: float tensor `(H,)`.

    Returns:
        Float tensor `(B, H)`, the state after it.
    """
    return ops.tanh(ops.matmul(x, kernel) + ops.matmul(h, recurrent_kernel) + bias)


@keras.saving.register_keras_serializable(package="course.m01_sequence_models")
class SimpleRNNCell(keras.layers.Layer):
    """One step of a simple recurrent network, for `keras.layers.RNN`.

    The weights are those of `keras.layers.SimpleRNNCell`, in the same order.

    Args:
        hidden_dim: int. Width H of the state.

    Call arguments:
        x: float tensor `(B, E)`.
        states: list of one float tensor `(B, H)`.

    Returns:
        The output `(B, H)`, and a list of the new state, which is the output.

    Reference: [Elman, 1990](https://doi.org/10.1207/s15516709cog1402_1)
    """

    def __init__(self, hidden_dim, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.state_size = hidden_dim
        self.output_size = hidden_dim

    def build(self, x_shape):
        h = self.hidden_dim
        self.kernel = self.add_weight((x_shape[-1], h), "glorot_uniform", name="kernel")
        self.recurrent_kernel = self.add_weight((h, h), "orthogonal", name="recurrent_kernel")
        self.bias = self.add_weight((h,), "zeros", name="bias")

    def call(self, x, states):
        h = simple_rnn_step(x, states[0], self.kernel, self.recurrent_kernel, self.bias)
        return h, [h]

    def get_initial_state(self, batch_size=None):
        """Return a list of one zero tensor `(batch_size, H)`."""
        return [ops.zeros((batch_size, self.hidden_dim), dtype=self.compute_dtype)]

    def get_config(self):
        return super().get_config() | {"hidden_dim": self.hidden_dim}
