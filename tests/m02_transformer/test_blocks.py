"""The wiring: sublayers that a person can follow, and stock Keras sublayers."""

import keras
import numpy as np
import pytest

from course.m02_transformer import decoder_block, encoder_block
from tests.contract import close, numpy

B, T, S, D = 2, 5, 7, 3
rng = np.random.default_rng(0)
x = rng.normal(size=(B, T, D)).astype("float32")
memory = rng.normal(size=(B, S, D)).astype("float32")


class Term(str):
    """A formula that grows when it is added to."""

    def __add__(self, other):
        """Write the sum down."""
        return Term(f"({str(self)} + {other})")


def function(name):
    """A sublayer that writes down what it is called with."""

    def call(*inputs, **kwargs):
        return Term(f"{name}({', '.join([*inputs, *(f'{k}={v}' for k, v in kwargs.items())])})")

    return call


def test_encoder_wiring():
    """Post-norm norms the sum; pre-norm norms the sublayer's input."""
    parts = [function(name) for name in ("attention", "ffn", "norm1", "norm2")]
    h = "norm1((x + attention(x, x)))"
    assert encoder_block(Term("x"), *parts, pre_norm=False) == f"norm2(({h} + ffn({h})))"
    h = "(x + attention(norm1(x), norm1(x)))"
    assert encoder_block(Term("x"), *parts, pre_norm=True) == f"({h} + ffn(norm2({h})))"


def test_decoder_wiring():
    """Self-attention is causal, and memory is never normed here."""
    names = ("own", "cross", "ffn", "norm1", "norm2", "norm3")
    parts = [function(name) for name in names]
    a = "norm1((x + own(x, x, use_causal_mask=True)))"
    b = f"norm2(({a} + cross({a}, m)))"
    post = decoder_block(Term("x"), "m", *parts, pre_norm=False)
    assert post == f"norm3(({b} + ffn({b})))"
    a = "(x + own(norm1(x), norm1(x), use_causal_mask=True))"
    b = f"({a} + cross(norm2({a}), m))"
    pre = decoder_block(Term("x"), "m", *parts, pre_norm=True)
    assert pre == f"({b} + ffn(norm3({b})))"


@pytest.mark.parametrize("pre_norm", [False, True])
def test_stock_keras_sublayers_fit(pre_norm):
    """The decoder block of Keras layers is causal."""
    layers = keras.layers
    parts = [layers.MultiHeadAttention(1, D), layers.MultiHeadAttention(1, D), layers.Dense(D)]
    parts += [layers.LayerNormalization() for _ in range(3)]
    later = x.copy()
    later[:, -1] *= -10
    before, after = (numpy(decoder_block(v, memory, *parts, pre_norm)) for v in (x, later))
    close(after[:, :-1], before[:, :-1])
    assert not np.allclose(after[:, -1], before[:, -1], atol=1e-3)
