"""An induction head by hand: after "a b ... a" it says "b", with no training.

Two attention layers over a stream of four parts, each written once and read by name:

    position   token   previous   prediction
    layer 1    query: position p looks for position p - 1;  writes that token to `previous`
    layer 2    query: token x looks for places whose previous is x;  writes their token to
               `prediction`

Layer 2 works only on what layer 1 wrote: one layer cannot do it. A token that never came before
finds nothing and rests on the start token, id 0, which opens every sequence.

See Elhage et al., 2021, "A Mathematical Framework for Transformer Circuits", and
[Olsson et al., 2022](https://arxiv.org/abs/2209.11895).

Axes: B batch, T length, P longest length, V tokens, D = P + 3V width of the stream.
"""

import keras
import numpy as np
from keras import ops

from course.m02_transformer import MultiHeadAttention
from course.m03_attention.induction_kernels import (
    induction_kernels,
    parts,
    previous_token_kernels,
)


def induction_head_weights(vocabulary_size, max_length, sharpness=20.0):
    """Return the kernels of both layers, for attention with one head of width D.

    Args:
        vocabulary_size: int. Tokens V, the start token included.
        max_length: int. Longest length P.
        sharpness: float. The score of a match; resting on the start token scores half.

    Returns:
        Two dicts, layer 1 and layer 2, with float32 `(D, D)` kernels `"query"`, `"key"`,
        `"value"` and `"attention_output"`.
    """
    at = parts(vocabulary_size, max_length)
    width = max_length + 3 * vocabulary_size
    layers = []
    for kernels, written in (
        (previous_token_kernels, "previous"),
        (induction_kernels, "prediction"),
    ):
        query_kernel, key_kernel = kernels(vocabulary_size, max_length, sharpness)
        layer = {"query": query_kernel, "key": key_kernel}
        for name, target in (("value", "token"), ("attention_output", written)):
            layer[name] = np.zeros((width, width), "float32")
            layer[name][at["token"], at[target]] = np.eye(vocabulary_size)
        layers.append(layer)
    return tuple(layers)


def build_induction_heads(vocabulary_size, max_length, sharpness=20.0):
    """Return a model of two attention layers with the weights set by hand.

    Args:
        vocabulary_size: int. Tokens V, the start token 0 included.
        max_length: int. Length T = P of the sequences.
        sharpness: float. See `induction_head_weights`.

    Returns:
        `keras.Model` from ids `(B, T)`, the first of them 0, to `(B, T, V)`: how much weight
        the place's second attention layer gave to places that hold each token. Its largest
        entry is the prediction of the next token.
    """
    at = parts(vocabulary_size, max_length)
    width = max_length + 3 * vocabulary_size
    ids = keras.Input((max_length,), dtype="int32", name="ids")
    places = ops.one_hot(ops.arange(max_length), width)  # (T, D): `position` opens the stream
    table = np.eye(vocabulary_size, width, k=at["token"].start)
    embedding = keras.layers.Embedding(vocabulary_size, width, weights=[table], name="token")
    x = embedding(ids) + places  # (B, T, D)
    for number, kernels in enumerate(
        induction_head_weights(vocabulary_size, max_length, sharpness), start=1
    ):
        attention = MultiHeadAttention(width, num_heads=1, name=f"layer_{number}")
        x = x + attention(x, x, use_causal_mask=True)
        for name in ("query", "key", "value", "attention_output"):
            dense = attention.output_dense if name == "attention_output" else None
            dense = dense or getattr(attention, f"{name}_dense")
            dense.kernel.assign(kernels[name])
    return keras.Model(ids, x[..., at["prediction"]], name="induction_heads")
