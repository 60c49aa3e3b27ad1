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

START = 0


def parts(vocabulary_size, max_length):
    """Return where each part of the stream lies, as slices of its D features."""
    ends = max_length + vocabulary_size * np.arange(4)  # P, P + V, P + 2V, P + 3V
    names = ("position", "token", "previous", "prediction")
    return dict(zip(names, map(slice, [0, *ends[:-1]], ends), strict=True))


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
    token = np.eye(vocabulary_size)

    def layer(query, key, written):
        """Compare two parts of the stream; write the attended token to a third."""
        kernels = {name: np.zeros((width, width), "float32") for name in ("query", "key")}
        (source, matrix), (looked_at, seen_as) = query, key
        kernels["query"][at[source], : len(matrix)] = sharpness * width**0.5 * matrix
        kernels["key"][at[looked_at], : len(seen_as)] = seen_as
        for name, (source, target) in {
            "value": ("token", "token"),
            "attention_output": ("token", written),
        }.items():
            kernels[name] = np.zeros((width, width), "float32")
            kernels[name][at[source], at[target]] = token
        return kernels

    position = np.eye(max_length)
    first = layer(
        ("position", np.eye(max_length, k=-1)),  # row p has its 1 in column p - 1
        ("position", position),
        "previous",
    )
    second = layer(("token", token), ("previous", token), "prediction")
    second["key"][at["token"].start + START, :vocabulary_size] = 0.5  # where nothing matches
    return first, second


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
