"""Every layer of module 3, as a case of the layer contract."""

import keras
import numpy as np

from course import m03_attention as m03
from course.m02_transformer import RotaryEmbedding
from tests.contract import LayerCase, Mask
from tests.m02_transformer.cases import oracle
from tests.m03_attention import oracles

# Different primes: a swapped axis cannot fit. Only the rotary head size must be even.
B, T, S, Q, K, V, U, D, E = 2, 5, 7, 11, 13, 17, 19, 23, 3
N, G, H = 6, 2, 14

rng = np.random.default_rng(0)


def normal(*shape):
    """Seeded standard normal values."""
    return rng.normal(size=shape).astype("float32")


def scored(layer, score, arguments, inputs):
    """A case of the family of scores."""

    def expected(weights, *arrays):
        return oracles.attend(oracles.SCORES[score], weights, *arrays)[0]

    return LayerCase(
        layer,
        arguments | {"dropout": 0.25},
        inputs=inputs,
        expected=oracle(expected),
        masks=(Mask("mask", (B, T, S), 1),),
    )


def decoder(wiring, score, attention, cell):
    """A case of the decoder."""

    return LayerCase(
        m03.AttentionDecoder,
        {"hidden_dim": D, "attention": attention, "cell": cell, "wiring": wiring, "dropout": 0.25},
        inputs=(normal(B, E, T), normal(B, S, V), normal(B, D)),  # 3 steps: each takes time
        expected=oracle(lambda *arrays: oracles.decoder(*arrays, wiring=wiring, score=score)[0]),
        masks=(Mask("memory_padding_mask", (B, S), 1),),
        causal={},
    )


family = (normal(B, T, Q), normal(B, S, V), normal(B, S, K))
equal = (normal(B, T, Q), normal(B, S, V), normal(B, S, Q))

CASES = {
    "additive_attention": scored(m03.AdditiveAttention, "additive", {"hidden_dim": U}, family),
    "general_attention": scored(m03.LuongAttention, "general", {"score": "general"}, family),
    "concat_attention": scored(m03.LuongAttention, "concat", {"score": "concat"}, family),
    "scaled_dot_attention": scored(
        m03.LuongAttention, "scaled_dot", {"score": "scaled_dot"}, equal
    ),
    "group_query_attention": LayerCase(
        m03.GroupQueryAttention,
        {
            "hidden_dim": N * H,
            "num_query_heads": N,
            "num_key_value_heads": G,
            "dropout": 0.25,
            "position": RotaryEmbedding(),
        },
        inputs=(normal(B, T, N * H), normal(B, T, K)),
        expected=oracle(oracles.grouped, num_query_heads=N, num_key_value_heads=G, rotary=True),
        masks=(Mask("attention_mask", (B, T, T), 1),),
        causal={"use_causal_mask": True},
    ),
    "feeding_decoder": decoder(
        "input_feeding",
        "general",
        m03.LuongAttention("general", name="attention"),
        keras.layers.GRUCell(D, name="cell"),
    ),
}
