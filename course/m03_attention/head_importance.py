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


def without_heads(model, heads):
    """Return masks for `head_masks` that remove heads.

    Args:
        model: `keras.Model`, built.
        heads: list of `(path, head)`.
    """
    masks = {path: np.ones(num_heads(layer)) for path, layer in attention_layers(model).items()}
    for path, head in heads:
        masks[path][head] = 0
    return masks


def ablation(model, inputs, score):
    """Measure the score without each head, one at a time.

    Args:
        model: `keras.Model`, built.
        inputs: what the model is called with.
        score: callable from the model's outputs to a number, such as a loss or an accuracy.

    Returns:
        Dict from paths of `attention_layers(model)` to float arrays `(N,)`.
    """
    return {
        path: np.array([pruned(model, inputs, score, [(path, n)]) for n in range(num_heads(layer))])
        for path, layer in attention_layers(model).items()
    }


def pruned(model, inputs, score, heads):
    """Return the score of a model without some heads, a list of `(path, head)`."""
    with head_masks(model, without_heads(model, heads)):
        return float(score(model(inputs, training=False)))


def prune_heads_one_by_one(model, inputs, score, importance):
    """Remove heads one after the other, the least important first.

    Args:
        model: `keras.Model`, built.
        inputs: what the model is called with.
        score: callable from the model's outputs to a number.
        importance: dict from paths to `(N,)`, as `head_importance` or `ablation` returns it.

    Returns:
        The order, a list of `(path, head)`, and the scores, one more: entry k is the score
        without the first k heads.
    """
    order = [(path, head) for path, heads in importance.items() for head in range(len(heads))]
    order.sort(key=lambda place: importance[place[0]][place[1]])
    scores = [pruned(model, inputs, score, order[:k]) for k in range(len(order) + 1)]
    return order, np.array(scores)
