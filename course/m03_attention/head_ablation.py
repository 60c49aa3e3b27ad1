"""What a model can do without some of its heads (Michel et al., 2019, section 3).

The measured counterpart of `head_importance`: remove heads, run the model, look at the score. The
masks are inputs of one compiled function, so the model is traced once and not once for each set of
heads.

Axes: N heads.
"""

import keras
import numpy as np

from course.m03_attention.attention_layers import attention_layers, head_masks
from course.m03_attention.head_importance import num_heads


def compiled(function):
    """Return a function of tensors, compiled where the backend compiles."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function, autograph=False)
    if backend == "jax":
        import jax

        return jax.jit(function)
    return function


def score_without(model, inputs, score):
    """Return a function that gives the score of a model without some heads.

    Args:
        model: `keras.Model`, built and trained: weights that change later may not be seen.
        inputs: what the model is called with.
        score: callable from the model's outputs to a number, such as a loss or an accuracy.

    Returns:
        Callable from a list of `(path, head)`, with paths of `attention_layers(model)`, to a float.
    """
    layers = attention_layers(model)

    @compiled
    def outputs(masks):
        with head_masks(model, masks):
            return model(inputs, training=False)

    def without(heads):
        masks = {path: np.ones(num_heads(layer), "float32") for path, layer in layers.items()}
        for path, head in heads:
            masks[path][head] = 0
        return float(score(outputs(masks)))

    return without


def ablation(model, without):
    """Measure the score without each head, one at a time.

    Args:
        model: `keras.Model`, built.
        without: callable from a list of `(path, head)` to a score, as `score_without` returns it.

    Returns:
        Dict from paths of `attention_layers(model)` to float arrays `(N,)`.
    """
    return {
        path: np.array([without([(path, n)]) for n in range(num_heads(layer))])
        for path, layer in attention_layers(model).items()
    }


def prune_heads_one_by_one(without, importance):
    """Remove heads one after the other, the least important first.

    Args:
        without: callable from a list of `(path, head)` to a score, as `score_without` returns it.
        importance: dict from paths to `(N,)`, as `head_importance` or `ablation` returns it.

    Returns:
        The order, a list of `(path, head)`, and the scores, one more: entry k is the score
        without the first k heads.
    """
    order = [(path, head) for path, heads in importance.items() for head in range(len(heads))]
    order.sort(key=lambda place: importance[place[0]][place[1]])
    return order, np.array([without(order[:k]) for k in range(len(order) + 1)])
