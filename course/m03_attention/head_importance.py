"""Which heads matter (Michel et al., 2019).

    I_h = mean over examples of |∂ loss / ∂ ξ_h|,   ξ_h = 1 multiplies the output of head h

One pass gives a first-order estimate for all heads at once (section 4.1 of the paper). The measured
answer removes a head and looks at the loss, one pass a head (section 3).

Axes: B examples, N heads.
"""

import keras
import numpy as np
from keras import ops

from course.m03_attention.attention_layers import attention_layers, head_masks


def gradient(function, arrays):
    """Return the gradient of a scalar function at a list of arrays, on any backend.

    Args:
        function: callable from a list of tensors to a scalar tensor.
        arrays: list of float arrays.

    Returns:
        List of NumPy arrays of the same shapes.
    """
    arrays = [ops.convert_to_tensor(array) for array in arrays]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(arrays)
            result = function(arrays)
        gradients = tape.gradient(result, arrays)
    elif keras.backend.backend() == "jax":
        import jax

        gradients = jax.grad(function)(arrays)
    else:
        import torch

        arrays = [array.requires_grad_() for array in arrays]
        gradients = torch.autograd.grad(function(arrays), arrays)
    return [ops.convert_to_numpy(gradient) for gradient in gradients]


def num_heads(layer):
    """Return how many heads an attention layer of modules 2 and 3 has."""
    return getattr(layer, "num_query_heads", None) or layer.num_heads


def head_importance(model, inputs, targets, loss, normalize=True):
    """Estimate how much the loss depends on each head.

    Args:
        model: `keras.Model`, built, with attention layers of modules 2 and 3.
        inputs: what the model is called with, B examples.
        targets: what `loss` compares with.
        loss: callable `loss(targets, outputs)` that returns one loss an example or more,
            `(B, ...)`; a mean over the batch would mix examples before the absolute value.
        normalize: bool. Divide each layer's importances by their Euclidean norm, as the
            paper does.

    Returns:
        Dict from paths of `attention_layers(model)` to float arrays `(N,)`.

    Reference: [Michel et al., 2019](https://arxiv.org/abs/1905.10650)
    """
    layers = attention_layers(model)
    batch = len(keras.tree.flatten(inputs)[0])

    def total(masks):
        with head_masks(model, dict(zip(layers, masks, strict=True))):
            return ops.sum(loss(targets, model(inputs, training=False)))

    # A mask of its own for each example: the gradients of examples stay apart.
    masks = [np.ones((batch, num_heads(layer)), "float32") for layer in layers.values()]
    importance = [np.abs(g).mean(axis=0) for g in gradient(total, masks)]  # (N,) each
    if normalize:
        importance = [i / max(np.linalg.norm(i), 1e-12) for i in importance]
    return dict(zip(layers, importance, strict=True))
