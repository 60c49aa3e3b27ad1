"""Learned positional embedding (Gehring et al., 2017; Vaswani et al., 2017, table 3 row E).

    output[t] = x[t] + table[t]

Axes: B batch, T length, L longest length, D hidden size.
"""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="course.m02_transformer")
class LearnedPositionalEmbedding(keras.layers.Layer):
    """Add one learned vector per position.

    The layer returns the sum, not the embedding alone. It cannot extrapolate:
    a position past the table has no vector.

    Args:
        max_sequence_length: int. Longest length L.

    Call arguments:
        x: float tensor `(B, T, D)` with T <= L.
        positions: optional int tensor `(T,)` or `(B, T)`, each below L.
            Defaults to 0 to T - 1.

    Returns:
        `x` plus the embedding, `(B, T, D)`. A Keras mask on `x` passes through.

    Raises:
        ValueError: if the static length of `x` exceeds `max_sequence_length`.

    Reference: [Gehring et al., 2017](https://arxiv.org/abs/1705.03122)
    """

    def __init__(self, max_sequence_length, **kwargs):
        super().__init__(**kwargs)
        self.max_sequence_length = max_sequence_length
        self.supports_masking = True

    def build(self, x_shape):
        self.table = self.add_weight(
            shape=(self.max_sequence_length, x_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="table",
        )

    def call(self, x, positions=None):
        length = x.shape[1]
        if positions is None:
            # An unknown length is None, or a symbol of the backend.
            if isinstance(length, int) and length > self.max_sequence_length:
                raise ValueError(
                    "The length of `x` must be at most `max_sequence_length`. Received: "
                    f"length={length}, max_sequence_length={self.max_sequence_length}."
                )
            positions = ops.arange(ops.shape(x)[1])
        return x + ops.take(self.table, positions, axis=0)  # (T, D) broadcasts over B

    def compute_output_shape(self, x_shape):
        # PyTorch infers shapes with a made-up length, which may exceed the table.
        return x_shape

    def get_config(self):
        return super().get_config() | {"max_sequence_length": self.max_sequence_length}
