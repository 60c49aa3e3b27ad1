"""The NumPy twins compute what the stock Keras objects compute."""

import numpy as np
import pytest

from autograder.exercise import Exercise
from autograder.referee import draws
from autograder.wire import stock
from autograder.wire.client import Lab
from autograder.wire.in_process import InProcess

B, T, S, D = 2, 5, 3, 7
ATTENTION = ("keras.layers.MultiHeadAttention", {"num_heads": 2, "key_dim": 5})
NORM = ("keras.layers.LayerNormalization", {"epsilon": 1e-6})


def call(part, *inputs, **options):
    """Call the learner's layer as the learner's code does."""
    return part(*inputs, **options)


@pytest.fixture
def lab():
    """A lab whose learner defined `call`."""
    return Lab(InProcess({"call": call}), Exercise("call", 1, signature="call(part)"))


@pytest.fixture
def rng():
    """The generator of one case."""
    return draws("test", "stock", "twins")


def assert_twin(lab, rng, kind, config, *inputs, **options):
    """Fill a stock object, then compare the real one with its twin."""
    part = lab.stock(kind, **config).fill(rng, *inputs)
    twin = part(*inputs, **options)
    assert twin.dtype == "float64"
    np.testing.assert_allclose(lab.call(part, *inputs, **options), twin, rtol=0, atol=2e-5)
    assert np.std(twin) > 0.1


def test_every_stock_object_is_tested_here():
    """A new kind needs a test of its twin."""
    tested = {"keras.layers.Dense", ATTENTION[0], NORM[0], "feed_forward", "markov_model"}
    assert set(stock.KINDS) == tested


def test_dense(lab, rng):
    """A kernel and a bias."""
    assert_twin(lab, rng, "keras.layers.Dense", {"units": 11}, rng.normal(size=(B, T, D)))


@pytest.mark.parametrize("config", [{"epsilon": 1e-6}, {"epsilon": 0.5}, {}])
def test_layer_normalization(lab, rng, config):
    """Keras adds 1e-3 by default, which shows where the variance is small."""
    for scale in (1.0, 0.03):
        assert_twin(lab, rng, NORM[0], config, scale * rng.normal(size=(B, T, D)))


def test_feed_forward(lab, rng):
    """Two dense layers with ReLU between."""
    config = {"hidden_dim": D, "intermediate_dim": 11}
    assert_twin(lab, rng, "feed_forward", config, 2 * rng.normal(size=(B, T, D)))


@pytest.mark.parametrize("source", [T, S, T + 4])
@pytest.mark.parametrize("options", [{}, {"use_causal_mask": True}])
def test_attention(lab, rng, source, options):
    """Self-attention and cross-attention, and the causal mask where lengths differ."""
    query, value = 2 * rng.normal(size=(B, T, D)), 2 * rng.normal(size=(B, source, D))
    assert_twin(lab, rng, *ATTENTION, query, value, **options)


def test_attention_with_a_mask_and_a_key(lab, rng):
    """A mask per example, alone and with the causal one; a key that is not the value."""
    query, value, key = (2 * rng.normal(size=(B, T, D)) for _ in range(3))
    mask = rng.random((B, T, T)) < 0.6
    mask |= np.eye(T, dtype=bool)
    assert_twin(lab, rng, *ATTENTION, query, value, attention_mask=mask)
    assert_twin(lab, rng, *ATTENTION, query, value, attention_mask=mask, use_causal_mask=True)
    assert_twin(lab, rng, *ATTENTION, query, value, key=key)


def test_markov_model(lab, rng):
    """Logits from the last token and the mean over the source."""
    source, target = rng.integers(0, 11, (B, S)), rng.integers(0, 11, (B, T))
    part = lab.stock("markov_model", vocabulary_size=11).fill(rng)
    got = lab.call(part, [source, target])
    np.testing.assert_allclose(got, part([source, target]), rtol=0, atol=1e-5)


def test_seeded_weights_differ_between_layers(lab, rng):
    """No two norms of a block are alike, so that exchanging them shows."""
    x = rng.normal(size=(B, T, D))
    first, second = (lab.stock(NORM[0], **NORM[1]).fill(rng, x) for _ in range(2))
    assert np.abs(first(x) - second(x)).max() > 0.1


def test_the_learner_cannot_change_what_the_twin_computes(lab, rng):
    """The twin uses the referee's arrays, whatever happens to the layer."""
    x = rng.normal(size=(B, T, D))
    part = lab.stock(NORM[0], **NORM[1]).fill(rng, x)
    before = part(x)
    zeros = [np.zeros_like(array) for array in part.arrays]
    lab._send("set_variables", target=part._handle, values=zeros)
    np.testing.assert_array_equal(part(x), before)
    np.testing.assert_array_equal(lab.call(part, x), np.zeros_like(x))


def test_unknown_kinds_are_refused():
    """Only the kinds in the list are made."""
    with pytest.raises(ValueError, match="no stock object"):
        stock.make("os.system", {})
