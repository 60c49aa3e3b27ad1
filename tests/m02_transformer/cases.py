"""Every layer of module 2, as a case of the layer contract."""

import numpy as np

from course import m02_transformer as m02
from tests.contract import LayerCase, Mask, numpy
from tests.m02_transformer import oracles

# Different primes: a swapped axis cannot fit. Only the rotary head size must be even.
B, T, S, N, H, F, K = 2, 5, 7, 3, 11, 13, 2
D = N * H
EVEN_D = N * 14  # for rotary heads of 14
W = 17  # width of a memory that is not as wide as the queries

rng = np.random.default_rng(0)


def normal(*shape):
    """Seeded standard normal values."""
    return rng.normal(size=shape).astype("float32")


def oracle(function, **kwargs):
    """An expected output: an oracle over the layer's weights, all in float64."""

    def expected(layer, *inputs):
        return function(weights(layer), *map(np.float64, inputs), **kwargs)

    return expected


def weights(layer):
    """The layer's weights in float64, by their paths below the layer's name."""
    return {
        w.path.removeprefix(f"{layer.path}/"): np.float64(numpy(w.value)) for w in layer.weights
    }


block = {"intermediate_dim": F, "num_heads": N, "dropout": 0.25, "pre_norm": True}
block |= {"activation": "gelu"}
encoder_masks = (Mask("padding_mask", (B, T), 0), Mask("attention_mask", (B, T, T), 0))
decoder_masks = (Mask("padding_mask", (B, T), 0), Mask("memory_padding_mask", (B, S), 1))

CASES = {
    "cross_attention": LayerCase(
        m02.MultiHeadAttention,
        {"hidden_dim": D, "num_heads": N, "dropout": 0.25, "position": m02.ALiBi()},
        inputs=(normal(B, T, D), normal(B, S, W)),
        expected=oracle(oracles.attention, num_heads=N, scheme="alibi"),
        masks=(Mask("attention_mask", (B, T, S), 1),),
        gradient_free=("key/bias",),
    ),
    "self_attention": LayerCase(
        m02.MultiHeadAttention,
        {"hidden_dim": EVEN_D, "num_heads": N, "dropout": 0.25, "position": m02.RotaryEmbedding()},
        inputs=(normal(B, T, EVEN_D), normal(B, T, EVEN_D)),
        expected=oracle(oracles.attention, num_heads=N, scheme="rotary"),
        masks=(Mask("attention_mask", (B, T, T), 1),),
        causal={"use_causal_mask": True},
    ),
    "relative_self_attention": LayerCase(
        m02.RelativeSelfAttention,
        {"hidden_dim": D, "num_heads": N, "max_distance": K, "dropout": 0.25},
        inputs=(normal(B, T, D),),
        expected=oracle(
            lambda w, x: oracles.attention(w, x, x, num_heads=N, relative=K),
        ),
        masks=(Mask("attention_mask", (B, T, T), 0),),
        causal={"use_causal_mask": True},
        gradient_free=("key/bias",),
    ),
    "sinusoidal_positional_encoding": LayerCase(
        m02.SinusoidalPositionalEncoding,
        {},
        inputs=(normal(B, T, D),),
        expected=oracle(lambda w, x: x + oracles.sinusoids(T, D)),
    ),
    "learned_positional_embedding": LayerCase(
        m02.LearnedPositionalEmbedding,
        {"max_sequence_length": S},
        inputs=(normal(B, T, D),),
        expected=oracle(lambda w, x: x + w["table"][:T]),
    ),
    "rotary_embedding": LayerCase(
        m02.RotaryEmbedding,
        {"base": 100.0},
        inputs=(normal(B, N, T, 14),),
        expected=oracle(lambda w, x: oracles.rotate(x, np.arange(T), base=100.0)),
        unknown=(2,),
    ),
    "alibi": LayerCase(
        m02.ALiBi,
        {},
        inputs=(normal(B, N, T, S),),
        expected=oracle(lambda w, x: x + oracles.alibi(N, T, S)),
        unknown=(2, 3),
        output_dtype="float32",
    ),
    "layer_normalization": LayerCase(
        m02.LayerNormalization,
        {"epsilon": 0.1},
        inputs=(normal(B, T, D),),
        expected=oracle(oracles.layer_norm, epsilon=0.1),
    ),
    "feed_forward": LayerCase(
        m02.FeedForward,
        {"intermediate_dim": F, "activation": "tanh"},
        inputs=(normal(B, T, D),),
        expected=oracle(oracles.feed_forward, activation=np.tanh),
    ),
    "transformer_encoder_layer": LayerCase(
        m02.TransformerEncoderLayer,
        block | {"position": m02.ALiBi()},
        inputs=(normal(B, T, D),),
        expected=oracle(
            oracles.encoder_layer,
            num_heads=N,
            pre_norm=True,
            activation=oracles.gelu,
            scheme="alibi",
        ),
        masks=encoder_masks,
        causal={"use_causal_mask": True},
        gradient_free=("key/bias",),
    ),
    "transformer_decoder_layer": LayerCase(
        m02.TransformerDecoderLayer,
        block | {"position": m02.RotaryEmbedding()},
        inputs=(normal(B, T, EVEN_D), normal(B, S, W)),
        expected=oracle(
            oracles.decoder_layer,
            num_heads=N,
            pre_norm=True,
            activation=oracles.gelu,
            scheme="rotary",
        ),
        masks=decoder_masks,
        causal={},
        gradient_free=("cross_attention/key/bias",),
    ),
    "transformer_encoder": LayerCase(
        m02.TransformerEncoder,
        block | {"num_layers": 2},
        inputs=(normal(B, T, D),),
        expected=oracle(
            lambda w, x: oracles.stack(
                w, oracles.encoder_layer, 2, True, x, num_heads=N, activation=oracles.gelu
            )
        ),
        masks=encoder_masks,
        causal={"use_causal_mask": True},
        gradient_free=("key/bias",),
    ),
    "transformer_decoder": LayerCase(
        m02.TransformerDecoder,
        block | {"num_layers": 2},
        inputs=(normal(B, T, D), normal(B, S, D)),
        expected=oracle(
            lambda w, x, memory: oracles.stack(
                w, oracles.decoder_layer, 2, True, x, memory, num_heads=N, activation=oracles.gelu
            )
        ),
        masks=decoder_masks,
        causal={},
        gradient_free=("key/bias",),
    ),
}
