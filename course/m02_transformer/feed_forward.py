"""Position-wise feed-forward network (Vaswani et al., 2017, section 3.3).

    FFN(x) = f(x W_1 + b_1) W_2 + b_2

Axes: B batch, T length, D hidden size, F intermediate size.
"""

import keras


@keras.saving.register_keras_serializable(package="course.m02_transformer")
class FeedForward(keras.layers.Layer):
    """Two dense layers, applied to every position alike.

    The output is as wide as the input.

    Args:
        intermediate_dim: int. Width F between the layers.
        activation: name of a Keras activation, or a callable. Defaults to
            `"gelu"`, the exact GELU x·Φ(x); the paper uses `"relu"`.

    Call arguments:
        x: float tensor `(B, T, D)`.

    Returns:
        `(B, T, D)`. A Keras mask on `x` passes through.

    References:
        - [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762)
        - [Hendrycks and Gimpel, 2016](https://arxiv.org/abs/1606.08415) (GELU)
    """

    def __init__(self, intermediate_dim, activation="gelu", **kwargs):
        super().__init__(**kwargs)
        self.intermediate_dim = intermediate_dim
        self.activation = keras.activations.get(activation)
        self.supports_masking = True

    def build(self, x_shape):
        def dense(units, **kwargs):
            return keras.layers.Dense(units, dtype=self.dtype_policy, **kwargs)

        self.intermediate_dense = dense(
            self.intermediate_dim, activation=self.activation, name="intermediate"
        )
        self.output_dense = dense(x_shape[-1], name="output")
        self.intermediate_dense.build(x_shape)
        self.output_dense.build((*x_shape[:-1], self.intermediate_dim))

    def call(self, x):
        return self.output_dense(self.intermediate_dense(x))  # (B, T, F), then (B, T, D)

    def get_config(self):
        return super().get_config() | {
            "intermediate_dim": self.intermediate_dim,
            "activation": keras.activations.serialize(self.activation),
        }
