"""The quiz of module 2: its keys a second time, for `test_every_quiz.py`, and what it says."""

import math

import numpy as np
import pytest


def softmax(scores):
    """Return the softmax in float64."""
    exponentials = np.exp(np.array(scores, "float64") - np.max(scores))
    return exponentials / exponentials.sum()


def masked_weight(scores, masked):
    """Return the weight of key 0 among the keys that are left."""
    return softmax([score for index, score in enumerate(scores) if index != masked])[0]


def encoder_layer(hidden_dim, intermediate_dim):
    """Return the weights of an encoder layer, matrix by matrix."""
    attention = 4 * (hidden_dim * hidden_dim + hidden_dim)
    inner = hidden_dim * intermediate_dim + intermediate_dim
    outer = intermediate_dim * hidden_dim + hidden_dim
    return attention + inner + outer + 2 * (2 * hidden_dim)


SECOND = {
    "q05": masked_weight,
    "q06": lambda batch, length, hidden_dim, num_heads: [
        batch, num_heads, length, hidden_dim // num_heads,
    ],
    "q08": lambda hidden_dim, num_heads: 4 * hidden_dim * (hidden_dim + 1),
    "q09": lambda length, hidden_dim, num_heads: num_heads * (
        length * length * 2 * (hidden_dim // num_heads)
    ),
    "q15": lambda num_heads, head, query, key_position: (
        -(1 / 2 ** (8 * head / num_heads)) * abs(query - key_position)
    ),
    "q22": encoder_layer,
    "q23": lambda length: sum(i + 1 for i in range(length)),
    "q25": lambda batch, source_length, target_length, num_heads: [
        batch, num_heads, target_length, source_length,
    ],
}  # fmt: skip

KEYS = {
    "q01": "c",
    "q02": list("bedafc"),
    "q03": "b",
    "q04": "a",
    "q07": "d",
    "q10": {"a": "3", "b": "5", "c": "1", "d": "4", "e": "2"},
    "q11": "a",
    "q12": "c",
    "q13": "d",
    "q14": ["b", "c", "e"],
    "q16": "a",
    "q17": ["a", "c", "d"],
    "q18": "d",
    "q19": "b",
    "q20": "c",
    "q21": "d",
    "q24": ["a", "b"],
    "q26": "b",
    "q27": "c",
    "q28": list("bdeca"),
    "q29": "d",
    "q30": "a",
    "q31": "b",
}


def test_what_the_explanations_say_is_true():
    """The numbers in explanations, computed."""
    gelu = lambda x: x * 0.5 * (1 + math.erf(x / math.sqrt(2)))  # noqa: E731
    assert (round(gelu(1), 2), round(gelu(-0.5), 2)) == (0.84, -0.15)
    assert abs(gelu(-8)) < 1e-12
    assert round(0.8**50, 6) == 0.000014
    assert 0.8 / 50 == pytest.approx(0.016)
    assert math.sqrt(256) / math.sqrt(16) == 4


def test_positions_keep_what_the_items_say():
    """Dot products of sinusoids and of rotated vectors depend on the distance only."""
    from keras import ops

    from course.m02_transformer import rotate, sinusoidal_encoding

    waves = ops.convert_to_numpy(sinusoidal_encoding(51, 32))
    np.testing.assert_allclose(waves[3] @ waves[10], waves[43] @ waves[50], rtol=1e-4)
    np.testing.assert_allclose((waves**2).sum(-1), 16, rtol=1e-5)

    rng = np.random.default_rng(0)
    query, key = rng.normal(size=(2, 1, 2, 5, 8)).astype("float32")

    def turned(x, start):
        return ops.convert_to_numpy(rotate(x, np.arange(start, start + 5)))

    def scores(start):
        return turned(query, start) @ turned(key, start).swapaxes(-1, -2)

    np.testing.assert_allclose(scores(0), scores(10), atol=1e-4)
    lengths = [np.linalg.norm(x, axis=-1) for x in (query, turned(query, 10))]
    np.testing.assert_allclose(*lengths, rtol=1e-5)
    assert not np.allclose(turned(query, 0), turned(query, 10))


def test_layers_behave_as_the_items_say():
    """Layer norm, residual stack, masks and the shift, on the package itself."""
    from keras import ops

    from course.m02_transformer import LayerNormalization, TransformerEncoder, decoder_mask

    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 5, 64)).astype("float32")
    larger = x.copy()
    larger[0, 2] *= 10
    norm = LayerNormalization()
    np.testing.assert_allclose(norm(x), norm(larger), atol=1e-4)

    mask = ops.convert_to_numpy(decoder_mask(np.array([[7, 4, 0, 0]])))
    assert mask[0, 3].tolist() == [True, True, False, False]

    stack = TransformerEncoder(6, 128, 4, pre_norm=True)
    before = ops.convert_to_numpy(stack(x))
    for weight in stack.trainable_weights:
        if "output" in weight.path or "feed_forward" in weight.path:
            weight.assign(ops.zeros_like(weight))
    after = ops.convert_to_numpy(stack(x))
    assert not np.allclose(before, after, atol=1e-2)
    np.testing.assert_allclose(after, norm(x), atol=1e-4)
