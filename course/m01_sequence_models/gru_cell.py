"""The gated recurrent unit (Cho et al., 2014), with the reset gate after the product.

    z = σ(x_t W_z + b_z + h_{t-1} U_z + d_z)
    r = σ(x_t W_r + b_r + h_{t-1} U_r + d_r)
    g = tanh(x_t W_g + b_g + r · (h_{t-1} U_g + d_g))
    h_t = z · h_{t-1} + (1 - z) · g

The paper resets the state before the product, (r · h_{t-1}) U_g. Keras and
PyTorch reset after it, so that the three products with h_{t-1} are one.

Axes: B batch, E input size, H hidden size.
"""

import keras
import numpy as np
from keras import ops


def gru_step(x, h, kernel, recurrent_kernel, bias):
    """Take one step of a gated recurrent unit.

    The gates lie side by side in the weights: update z, reset r, candidate g.

    Args:
        x: float tensor `(B, E)`, the input of this step.
        h: float tensor `(B, H)`, the state before it.
        kernel: float tensor `(E, 3H)`, W.
        recurrent_kernel: float tensor `(H, 3H)`, U.
        bias: float tensor `(2, 3H)`: b, added to the input's product, then d,
            added to the state's.

    Returns:
        Float tensor `(B, H)`, the state after it.
    """
    from_x = ops.matmul(x, kernel) + bias[0]  # (B, 3H)
    from_h = ops.matmul(h, recurrent_kernel) + bias[1]  # (B, 3H)
    x_z, x_r, x_g = ops.split(from_x, 3, axis=-1)  # (B, H) each
    h_z, h_r, h_g = ops.split(from_h, 3, axis=-1)  # (B, H) each
    z, r = ops.sigmoid(x_z + h_z), ops.sigmoid(x_r + h_r)
    return z * h + (1 - z) * ops.tanh(x_g + r * h_g)


@keras.saving.register_keras_serializable(package="course.m01_sequence_models")
class GRUCell(keras.layers.Layer):
    """One step of a gated recurrent unit, for `keras.layers.RNN`.

    The weights are those of `keras.layers.GRUCell` (`reset_after=True`), in the
    same order.

    Args:
        hidden_dim: int. Width H of the state.
        update_bias: float. First value of the update gate's bias: the larger it
            is, the more of the state stays at first. Defaults to `0.0`.

    Call arguments:
        x: float tensor `(B, E)`.
        states: list of one float tensor `(B, H)`.

    Returns:
        The output `(B, H)`, and a list of the new state, which is the output.

    Reference: [Cho et al., 2014](https://arxiv.org/abs/1406.1078)
    """

    def __init__(self, hidden_dim, update_bias=0.0, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.update_bias = update_bias
        self.state_size = hidden_dim
        self.output_size = hidden_dim

    def build(self, x_shape):
        h = self.hidden_dim

        def bias(shape, dtype=None):
            first = np.zeros(shape)
            first[0, :h] = self.update_bias
            return ops.convert_to_tensor(first, dtype)

        self.kernel = self.add_weight((x_shape[-1], 3 * h), "glorot_uniform", name="kernel")
        self.recurrent_kernel = self.add_weight((h, 3 * h), "orthogonal", name="recurrent_kernel")
        self.bias = self.add_weight((2, 3 * h), bias, name="bias")

    def call(self, x, states):
        h = gru_step(x, states[0], self.kernel, self.recurrent_kernel, self.bias)
        return h, [h]

    def get_initial_state(self, batch_size=None):
        """Return a list of one zero tensor `(batch_size, H)`."""
        return [ops.zeros((batch_size, self.hidden_dim), dtype=self.compute_dtype)]

    def get_config(self):
        return super().get_config() | {
            "hidden_dim": self.hidden_dim,
            "update_bias": self.update_bias,
        }
