"""What single layers promise beyond the contract."""

import inspect

import keras
import numpy as np
import pytest
from keras import ops

from course import m02_transformer as m02
from tests.contract import close, fill, numpy

B, T, N, H = 2, 5, 3, 7
D = N * H
rng = np.random.default_rng(0)
x = rng.normal(size=(B, T, D)).astype("float32")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: m02.MultiHeadAttention(10, 3), ["hidden_dim=10", "num_heads=3"]),
        (lambda: m02.RelativeSelfAttention(10, 3, 2), ["hidden_dim=10", "num_heads=3"]),
        (lambda: m02.TransformerEncoderLayer(11, 4)(x), ["hidden_dim=21", "num_heads=4"]),
        (lambda: m02.LearnedPositionalEmbedding(3)(x), ["length=5", "max_sequence_length=3"]),
        (lambda: m02.rotate(ops.ones((1, 1, 2, 7)), np.arange(2)), ["even", "(1, 1, 2, 7)"]),
    ],
)
def test_errors_name_the_argument_and_what_was_received(make, words):
    """A `ValueError` that says what is allowed."""
    with pytest.raises(ValueError, match="must be") as error:
        make()
    assert all(word in str(error.value) for word in words)


@pytest.mark.parametrize("shape", [(T, T), (1, T, T), (B, 1, T)])
def test_attention_masks_broadcast(shape):
    """A mask without a batch axis counts for every example."""
    layer = m02.MultiHeadAttention(D, N)
    mask = rng.random(shape) > 0.4
    mask[..., 0] = True
    full = np.broadcast_to(mask, (B, T, T))
    close(numpy(layer(x, x, attention_mask=mask)), numpy(layer(x, x, attention_mask=full)))


def test_attention_scores_come_back_per_head():
    """(B, N, T, S), each row adding up to one."""
    value = rng.normal(size=(B, 11, D)).astype("float32")
    _, weights = m02.MultiHeadAttention(D, N)(x, value, return_attention_scores=True)
    assert weights.shape == (B, N, T, 11)
    close(numpy(weights).sum(axis=-1), np.ones((B, N, T)))


def test_relative_self_attention_takes_value_as_encoder_blocks_give_it():
    """`attention(h, h)` is `attention(h)`."""
    layer = m02.RelativeSelfAttention(D, N, max_distance=2)
    np.testing.assert_array_equal(layer(x, x), layer(x))


def test_relative_self_attention_sees_distance_not_place():
    """Inside a long sequence, the same neighbours give the same output."""
    layer = m02.RelativeSelfAttention(D, N, max_distance=2)
    layer(x)
    fill(layer)
    twice = np.concatenate([x, x], axis=1)
    own = np.kron(np.eye(2, dtype=bool), np.ones((T, T), bool))
    got = numpy(layer(twice, attention_mask=own))
    close(got[:, :T], got[:, T:])


def test_layer_norm_leaves_float64_in_float64():
    """Small differences on a large mean survive."""
    row = 1e6 + np.array([[-1.0, 0.0, 1.0]])
    got = m02.layer_norm(row, np.ones(3), np.zeros(3), epsilon=0.0)
    close(numpy(got), [[-(1.5**0.5), 0.0, 1.5**0.5]], 1e-9)


def test_default_epsilon_is_1e_6():
    """Variance 1e-6 plus epsilon 1e-6: divided by the root of 2e-6."""
    row = np.array([[1e-3, -1e-3]])
    expected = [[0.5**0.5, -(0.5**0.5)]]
    close(numpy(m02.layer_norm(row, np.ones(2), np.zeros(2))), expected)
    close(numpy(m02.LayerNormalization()(row)), expected)


@pytest.mark.parametrize("name", ["Layer", ""])
def test_default_activations(name):
    """The paper's ReLU and post-norm in the transformer, GELU in `FeedForward` alone."""
    for kind in ("Encoder", "Decoder"):
        signature = inspect.signature(getattr(m02, f"Transformer{kind}{name}"))
        assert signature.parameters["activation"].default == "relu"
        assert signature.parameters["pre_norm"].default is False
    assert inspect.signature(m02.FeedForward).parameters["activation"].default == "gelu"


def test_float16_statistics_do_not_overflow():
    """The squares of 300 pass float16's 65,504."""
    layer = m02.LayerNormalization(dtype="float16")
    got = numpy(layer(ops.cast([[300.0, -300.0]], "float16")))
    close(got, [[1.0, -1.0]], 1e-3)


def test_dropout_acts_before_the_residual_sum():
    """With everything dropped, a pre-norm block is the identity."""
    memory = rng.normal(size=(B, 11, D)).astype("float32")
    encoder = m02.TransformerEncoderLayer(11, N, dropout=0.999999, pre_norm=True)
    close(numpy(encoder(x, training=True)), x)
    decoder = m02.TransformerDecoderLayer(11, N, dropout=0.999999, pre_norm=True)
    close(numpy(decoder(x, memory, training=True)), x)


def test_stack_layers_have_weights_of_their_own():
    """Three layers, three times the weights; pre-norm adds one norm."""
    layer = m02.TransformerEncoderLayer(11, N)
    layer.build(x.shape)
    for pre_norm, extra in ((False, 0), (True, 2 * D)):
        stack = m02.TransformerEncoder(3, 11, N, pre_norm=pre_norm)
        stack.build(x.shape)
        assert stack.count_params() == 3 * layer.count_params() + extra


def test_a_keras_mask_hides_nothing():
    """Documented: only masks that are passed hide positions."""
    embedded = keras.layers.Embedding(5, D, mask_zero=True)(np.array([[1, 2, 0]]))
    layer = m02.TransformerEncoderLayer(11, N)
    seen = layer(embedded)
    np.testing.assert_array_equal(numpy(seen), numpy(layer(numpy(embedded))))
