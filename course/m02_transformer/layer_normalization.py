"""Layer normalisation (Ba et al., 2016).

    y = (x - mean(x)) / sqrt(var(x) + ε) · γ + β

Mean and variance run over the features of one position, so neither the batch
nor the other positions change the result.

Axes: B batch, T length, D hidden size.
"""

import keras
from keras import backend, ops


def layer_norm(x, gamma, beta, epsilon=1e-6):
    """Give the last axis mean 0 and variance 1, then scale and shift it.

    The statistics run in float32 (float64 for a float64 `x`).

    Args:
        x: float tensor `(..., D)`.
        gamma: float tensor `(D,)`, the scale.
        beta: float tensor `(D,)`, the shift.
        epsilon: float. Added to the biased variance, inside the root.

    Returns:
        Float tensor `(..., D)`, in the dtype of `x`.
    """
    dtype = backend.standardize_dtype(x.dtype)
    x = ops.cast(x, backend.result_type(dtype, "float32"))
    centred = x - ops.mean(x, axis=-1, keepdims=True)  # (..., D)
    variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)  # (..., 1)
    x = centred * ops.rsqrt(variance + epsilon)
    return ops.cast(x * ops.cast(gamma, x.dtype) + ops.cast(beta, x.dtype), dtype)


@keras.saving.register_keras_serializable(package="course.m02_transformer")
class LayerNormalization(keras.layers.Layer):
    """Normalise the features of each position on their own.

    Args:
        epsilon: float. Added to the variance. Defaults to `1e-6`.

    Call arguments:
        x: float tensor `(..., D)`.

    Returns:
        `(..., D)`, in the dtype of `x`. A Keras mask on `x` passes through.

    Reference: [Ba et al., 2016](https://arxiv.org/abs/1607.06450)
    """

    def __init__(self, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.supports_masking = True

    def build(self, x_shape):
        # No autocast: float16 statistics are computed in float32 anyway.
        shape = (x_shape[-1],)
        self.gamma = self.add_weight(shape, initializer="ones", autocast=False, name="gamma")
        self.beta = self.add_weight(shape, initializer="zeros", autocast=False, name="beta")

    def call(self, x):
        return layer_norm(x, self.gamma, self.beta, self.epsilon)

    def get_config(self):
        return super().get_config() | {"epsilon": self.epsilon}
