"""The same weights in Keras's or KerasHub's layer give the same output, to 1e-5."""

import keras
import keras_hub
import numpy as np
import pytest

from course import m02_transformer as m02
from tests.contract import close, fill, numpy

B, T, S, N, H, F = 2, 5, 7, 3, 11, 13
D = N * H
rng = np.random.default_rng(0)
x = rng.normal(size=(B, T, D)).astype("float32")
memory = rng.normal(size=(B, S, D)).astype("float32")
cross_mask = rng.random((B, T, S)) > 0.4
cross_mask[..., 0] = True
padding = np.arange(T) < np.array([[3], [5]])
memory_padding = np.arange(S) < np.array([[7], [4]])


def built(layer, *inputs):
    """Build by a call and give every weight seeded values."""
    layer(*inputs)
    fill(layer)
    return layer


def copy_attention(ours, theirs):
    """Cut our (D, D) kernels into Keras's (D, N, H)."""
    for name in ("query", "key", "value"):
        kernel, bias = getattr(ours, f"{name}_dense").get_weights()
        part = getattr(theirs, f"_{name}_dense")
        part.set_weights([kernel.reshape(-1, N, H), bias.reshape(N, H)])
    kernel, bias = ours.output_dense.get_weights()
    theirs._output_dense.set_weights([kernel.reshape(N, H, D), bias])


def copy_block(ours, theirs, attentions, norms):
    """Copy a block's sublayers, named ours to theirs."""
    for our_name, their_name in attentions.items():
        copy_attention(getattr(ours, our_name), getattr(theirs, their_name))
    for our_name, their_name in norms.items():
        getattr(theirs, their_name).set_weights(getattr(ours, our_name).get_weights())
    ffn = ours.feed_forward
    theirs._feedforward_intermediate_dense.set_weights(ffn.intermediate_dense.get_weights())
    theirs._feedforward_output_dense.set_weights(ffn.output_dense.get_weights())


@pytest.mark.parametrize(
    ("value", "kwargs"),
    [
        (memory, {}),
        (memory, {"attention_mask": cross_mask}),
        (x, {"use_causal_mask": True}),
        (x, {"use_causal_mask": True, "attention_mask": padding[:, None, :]}),
    ],
)
def test_multi_head_attention(value, kwargs):
    """Output and attention weights, with and without masks."""
    ours = built(m02.MultiHeadAttention(D, N), x, value)
    theirs = keras.layers.MultiHeadAttention(N, H)
    theirs(x, value)
    copy_attention(ours, theirs)
    got = ours(x, value, return_attention_scores=True, **kwargs)
    expected = theirs(x, value, return_attention_scores=True, **kwargs)
    for a, b in zip(got, expected, strict=True):
        close(numpy(a), numpy(b))


def test_layer_normalization():
    """The same epsilon, small enough input for it to matter."""
    small = x * 1e-3
    ours = built(m02.LayerNormalization(), small)
    theirs = keras.layers.LayerNormalization(epsilon=1e-6)
    theirs.build(x.shape)
    theirs.set_weights(ours.get_weights())
    close(numpy(ours(small)), numpy(theirs(small)))


def test_sinusoidal_positional_encoding():
    """KerasHub's layer returns the encoding alone."""
    ours = m02.SinusoidalPositionalEncoding()
    close(numpy(ours(x)), x + numpy(keras_hub.layers.SinePositionEncoding()(x)))


def test_learned_positional_embedding():
    """KerasHub's layer returns the embedding alone."""
    ours = built(m02.LearnedPositionalEmbedding(S), x)
    theirs = keras_hub.layers.PositionEmbedding(S)
    theirs.build(x.shape)
    theirs.set_weights(ours.get_weights())
    close(numpy(ours(x)), x + numpy(theirs(x)))


def test_rotary_embedding():
    """KerasHub's layer with its sequence axis put where ours is."""
    heads = rng.normal(size=(B, N, T, 14)).astype("float32")
    theirs = keras_hub.layers.RotaryEmbedding(sequence_axis=2)
    close(numpy(m02.RotaryEmbedding()(heads)), numpy(theirs(heads)))


@pytest.mark.parametrize("num_heads", [3, 8])
def test_alibi(num_heads):
    """Bloom's bias counts from the first key: after a causal softmax, the same weights."""
    scores = rng.normal(size=(B, num_heads, T, T)).astype("float32")
    ours, theirs = m02.ALiBi()(scores), keras_hub.layers.AlibiBias()(scores)
    mask = m02.causal_mask(T)
    close(numpy(m02.masked_softmax(ours, mask)), numpy(m02.masked_softmax(theirs, mask)))


@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_feed_forward(activation):
    """Two `Dense` layers; GELU is the exact one."""
    ours = built(m02.FeedForward(F, activation), x)
    theirs = keras.Sequential([keras.layers.Dense(F, activation), keras.layers.Dense(D)])
    theirs.build(x.shape)
    theirs.set_weights(ours.get_weights())
    close(numpy(ours(x)), numpy(theirs(x)))


@pytest.mark.parametrize("masks", [{}, {"padding_mask": padding}])
@pytest.mark.parametrize("pre_norm", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_transformer_encoder_layer(pre_norm, activation, masks):
    """KerasHub's `TransformerEncoder` is one layer."""
    ours = m02.TransformerEncoderLayer(F, N, pre_norm=pre_norm, activation=activation)
    built(ours, x)
    theirs = keras_hub.layers.TransformerEncoder(
        F, N, activation=activation, layer_norm_epsilon=1e-6, normalize_first=pre_norm
    )
    theirs.build(x.shape)
    norms = {"norm1": "_self_attention_layer_norm", "norm2": "_feedforward_layer_norm"}
    copy_block(ours, theirs, {"attention": "_self_attention_layer"}, norms)
    close(numpy(ours(x, **masks)), numpy(theirs(x, **masks)))


@pytest.mark.parametrize("pre_norm", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_transformer_decoder_layer(pre_norm, masked):
    """KerasHub's `TransformerDecoder` is one layer."""
    ours = built(m02.TransformerDecoderLayer(F, N, pre_norm=pre_norm), x, memory)
    theirs = keras_hub.layers.TransformerDecoder(
        F, N, layer_norm_epsilon=1e-6, normalize_first=pre_norm
    )
    theirs.build(x.shape, memory.shape)
    attentions = {
        "self_attention": "_self_attention_layer",
        "cross_attention": "_cross_attention_layer",
    }
    norms = {
        "norm1": "_self_attention_layer_norm",
        "norm2": "_cross_attention_layer_norm",
        "norm3": "_feedforward_layer_norm",
    }
    copy_block(ours, theirs, attentions, norms)
    a = {"padding_mask": padding, "memory_padding_mask": memory_padding}
    b = {"decoder_padding_mask": padding, "encoder_padding_mask": memory_padding}
    got, expected = ours(x, memory, **a if masked else {}), theirs(x, memory, **b if masked else {})
    close(numpy(got), numpy(expected))
