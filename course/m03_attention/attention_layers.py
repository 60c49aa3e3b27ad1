"""Reach into a finished model: read its attention weights, or change what its heads give.

Both hook the method `attend(query, key, value, mask)` of the attention layers of modules 2 and 3
for as long as a `with` block lasts. A model keeps what `predict` and `fit` have compiled, so
inside the block call the model itself: `model(inputs)`.

Axes: B batch, N heads, T target length, S source length, H head size.
"""

import functools
from contextlib import contextmanager

from keras import ops

from course.m02_transformer import MultiHeadAttention
from course.m03_attention.group_query_attention import GroupQueryAttention


def attention_layers(model):
    """Return the multi-head attention layers inside a model, in the model's order.

    Args:
        model: `keras.Model` or layer, built.

    Returns:
        Dict from a layer's path below the model, such as `"encoder/layer_0/attention"`, to
        the layer.

    Raises:
        ValueError: if there is none.
    """
    found = {}

    def search(layer):
        if isinstance(layer, MultiHeadAttention | GroupQueryAttention):
            found.setdefault(layer.path.removeprefix(f"{model.path}/"), layer)
            return
        for child in layer._flatten_layers(include_self=False, recursive=False):
            search(child)

    search(model)
    if not found:
        raise ValueError(
            "`model` must contain a MultiHeadAttention or GroupQueryAttention of this course. "
            f"Received: {model.name}, which has none."
        )
    return found


@contextmanager
def around_attention(model, change):
    """Inside the block, pass what each attention layer computes through a function.

    Blocks may be nested: the inner one gets what the outer one made.

    Args:
        model: `keras.Model` or layer, built.
        change: callable `change(path, output, weights)`, from `(B, N, T, H)` and
            `(B, N, T, S)` to what the layer shall take in their place.
    """
    layers = attention_layers(model)
    outer = {path: vars(layer).get("attend") for path, layer in layers.items()}

    def hooked(path, attend, *inputs):
        return change(path, *attend(*inputs))

    for path, layer in layers.items():
        layer.attend = functools.partial(hooked, path, layer.attend)
    try:
        yield
    finally:
        for path, layer in layers.items():
            del layer.attend  # the class's own comes back
            if outer[path] is not None:
                layer.attend = outer[path]  # or that of the block around this one


def head_masks(model, masks):
    """Return a context in which the heads' outputs are multiplied by masks.

    Args:
        model: `keras.Model` or layer, built.
        masks: dict from paths of `attention_layers(model)` to float `(N,)`, or `(B, N)` for
            masks that differ between examples; 0 removes a head. Other layers stay whole.

    Raises:
        ValueError: if a path is not one of the model's.
    """
    unknown = set(masks) - set(attention_layers(model))
    if unknown:
        allowed = ", ".join(attention_layers(model))
        raise ValueError(f"`masks` must name some of: {allowed}. Received: {sorted(unknown)}.")

    def mask(path, output, weights):
        if path in masks:
            scale = ops.cast(masks[path], output.dtype)
            output = output * ops.expand_dims(scale, (-1, -2))  # (N, 1, 1) or (B, N, 1, 1)
        return output, weights

    return around_attention(model, mask)


def attention_maps(model, inputs):
    """Return the attention weights of every layer of a model.

    Args:
        model: `keras.Model` or layer, built, with attention layers of modules 2 and 3.
        inputs: what the model is called with.

    Returns:
        Dict from a layer's path below the model to its weights, NumPy `(B, N, T, S)`. A layer
        that the model calls twice leaves its last ones.
    """
    maps = {}

    def record(path, output, weights):
        maps[path] = ops.convert_to_numpy(weights)
        return output, weights

    with around_attention(model, record):
        model(inputs, training=False)
    return maps
