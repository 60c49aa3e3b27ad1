"""The quiz of module 3: its keys a second time, in NumPy or by hand, and what its items claim.

`test_every_quiz.py` compares `SECOND` and `KEYS` with the bank.
"""

import numpy as np
import pytest

from autograder.build.assignments import SOLUTIONS
from autograder.quiz.bank import load


def softmax(scores):
    """Return the softmax in float64."""
    exponentials = np.exp(np.array(scores, "float64") - np.max(scores))
    return exponentials / exponentials.sum()


def context(scores, values):
    """Return the mean of the values, weighed by the softmax."""
    return softmax(scores) @ np.array(values)


def slope(weights, values):
    """Return how the context grows with the second score, by a central difference."""
    scores = np.log(weights)
    step = np.array([0, 1e-5, 0])
    return (context(scores + step, values) - context(scores - step, values)) / 2e-5


def rollout(first, second):
    """Return entry (0, 0) of the product of two mixed layers, written out."""
    layers = [np.array([[1 - w, w], [w, 1 - w]]) / 2 + np.eye(2) / 2 for w in (first, second)]
    return (layers[1] @ layers[0])[0, 0]


SECOND = {
    "q04": context,
    "q06": lambda query_width, key_width, hidden_dim: (
        query_width * hidden_dim + key_width * hidden_dim + hidden_dim
    ),
    "q07": lambda target_length, source_length, hidden_dim: np.tanh(
        np.zeros((target_length, 1, hidden_dim)) + np.zeros((1, source_length, hidden_dim))
    ).size,
    "q10": lambda batch, target_length, source_length: [batch, target_length, source_length],
    "q12": slope,
    "q17": lambda pairs, sharpness: softmax([sharpness] + [0] * (pairs - 1))[0],
    "q22": lambda num_layers, key_value_heads, length: (
        np.zeros((num_layers, 2, key_value_heads, length, 64), "float32").nbytes // 1024
    ),
    "q24": lambda batch, length, hidden_dim, key_value_heads: [
        batch, key_value_heads, length, hidden_dim // 8,
    ],
    "q25": lambda maximum, total, scores: (
        total * np.exp(maximum) + np.exp(scores).sum()
    ) / np.exp(max(maximum, *scores)),
    "q32": rollout,
}  # fmt: skip

KEYS = {
    "q01": "d",
    "q02": list("cfadbe"),
    "q03": "b",
    "q05": {"a": "4", "b": "2", "c": "5", "d": "1", "e": "3"},
    "q08": "a",
    "q09": ["b", "d", "e"],
    "q11": "c",
    "q13": "d",
    "q14": "a",
    "q15": "c",
    "q16": ["a", "c", "e"],
    "q18": "b",
    "q19": "d",
    "q20": "a",
    "q21": "c",
    "q23": ["b", "d", "e"],
    "q26": "d",
    "q27": list("ebacd"),
    "q28": "c",
    "q29": "b",
    "q30": "a",
    "q31": ["a", "e"],
    "q33": "b",
    "q34": "d",
}


def test_earlier_modules_come_back():
    """From both of them."""
    bank = load(SOLUTIONS / "m03_attention" / "quiz.yaml")
    assert {item.revisits for item in bank.items} >= {"m01_sequence_models", "m02_transformer"}


def weights_of(query, key):
    """Return the weights of module 2's attention, in NumPy."""
    from keras import ops

    from course.m02_transformer import attention_scores, masked_softmax

    return ops.convert_to_numpy(masked_softmax(attention_scores(query, key)))


def test_what_leaves_the_weights_as_they_are():
    """q16, option by option."""
    rng = np.random.default_rng(0)
    query, key = rng.normal(size=(2, 5, 8)).astype("float32")
    extra = rng.normal(size=8).astype("float32")
    pairs = {"a": (query, key), "b": (2 * query, key), "c": (query, key + extra)}
    pairs |= {"d": (query + extra, key), "e": (2 * query, key / 2)}
    before = weights_of(query, key)
    same = [name for name, pair in pairs.items() if np.allclose(weights_of(*pair), before, 1e-4)]
    assert same == KEYS["q16"]


def test_a_layer_does_not_know_the_numbers_of_its_heads():
    """q20: two heads change places, and the output stays."""
    from keras import ops

    from course.m02_transformer import MultiHeadAttention

    x = np.random.default_rng(0).normal(size=(2, 5, 12)).astype("float32")
    layer = MultiHeadAttention(12, 4)
    before = ops.convert_to_numpy(layer(x, x))
    order = np.arange(12).reshape(4, 3)[[2, 1, 0, 3]].ravel()
    for dense in (layer.query_dense, layer.key_dense, layer.value_dense):
        kernel, bias = dense.get_weights()
        dense.set_weights([kernel[:, order], bias[order]])
    np.testing.assert_array_less(1e-3, np.abs(ops.convert_to_numpy(layer(x, x)) - before).max())
    kernel, bias = layer.output_dense.get_weights()
    layer.output_dense.set_weights([kernel[order], bias])
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x, x)), before, atol=1e-5)


def test_which_scores_compare_64_with_128_numbers():
    """q09: two refuse, three do not."""
    from course.m03_attention import AdditiveAttention, LuongAttention

    query, memory = np.zeros((2, 3, 64), "float32"), np.zeros((2, 5, 128), "float32")
    for score in ("dot", "scaled_dot"):
        with pytest.raises(ValueError, match="widths|width"):
            LuongAttention(score)(query, memory)
    for layer in (LuongAttention("general"), LuongAttention("concat"), AdditiveAttention(7)):
        assert layer(query, memory)[1].shape == (2, 3, 5)


def test_a_decoder_that_attends_last_has_states_without_context():
    """q15: with another memory the states stay and the outputs change."""
    from keras import ops

    from course.m03_attention import AttentionDecoder

    rng = np.random.default_rng(0)
    x, memory, other, state = (
        rng.normal(size=shape).astype("float32") for shape in ((2, 5, 3), *2 * [(2, 7, 4)], (2, 11))
    )
    for wiring, stays in (("attend_last", True), ("input_feeding", False), ("attend_first", False)):
        layer = AttentionDecoder(11, wiring=wiring)
        first, second = layer(x, memory, state), layer(x, other, state)
        assert np.allclose(first[2], second[2], atol=1e-6) == stays, wiring
        changed = np.abs(ops.convert_to_numpy(first[0] - second[0])).max((0, 2))
        assert (changed > 1e-4).all(), wiring


def test_the_induction_head_looks_at_what_came_next():
    """q29: from the second x to y, in layer 2; layer 1 looks one place back."""
    from course.m03_attention import hand_made_attention

    tokens, weights = hand_made_attention("x y z x")
    assert tokens[weights[1, 0, -1].argmax()] == "y"
    assert tokens[weights[0, 0, -1].argmax()] == "z"


def test_what_multi_query_attention_keeps():
    """q23: weights and output keep their shapes, key and cache shrink to an eighth."""
    from course.m03_attention import GroupQueryAttention

    x = np.zeros((2, 5, 64), "float32")
    layers = [GroupQueryAttention(64, 8, groups) for groups in (8, 1)]
    all_, one = (layer(x, x, return_attention_scores=True) for layer in layers)
    assert [part.shape for part in all_] == [part.shape for part in one]
    assert layers[0].key_dense.count_params() == 8 * layers[1].key_dense.count_params()


def test_what_the_explanations_say_is_true():
    """A saturated softmax, unmasked pads, and weights that are zeroed too late."""
    weights = softmax([30.0] + [0.0] * 9)
    values = np.arange(10.0)
    jacobian = weights * (values - weights @ values)
    assert np.abs(jacobian).max() < 1e-10
    assert weights[1] == pytest.approx(1e-13, rel=0.1)
    assert np.exp(30) == pytest.approx(1e13, rel=0.1)

    scores = np.array([1.0, 2.0, 0.5, -1.0])
    padded = softmax([*scores, *[0.0] * 16])
    np.testing.assert_allclose(padded[:4], np.exp(scores) / (np.exp(scores).sum() + 16))
    assert padded.sum() == pytest.approx(1)

    late = softmax([*scores[:3], *[0.0] * 5])[:3]
    assert late.sum() < 1
    np.testing.assert_allclose(late / late.sum(), softmax(scores[:3]))


def test_a_factor_on_the_scores_leads_from_the_mean_to_the_best():
    """q18, and the equal scores of q03."""
    scores, values = np.array([0.3, 1.0, -2.0]), np.array([4.0, -7.0, 12.0])
    assert context(1e-9 * scores, values) == pytest.approx(values.mean())
    assert context(1e3 * scores, values) == pytest.approx(-7)


def test_the_alignment_of_a_reversed_phrase():
    """q28: written (the, bridge, stone, old) reads places 0, 3, 2, 1."""
    read, written = "the old stone bridge".split(), "the bridge stone old".split()
    assert [read.index(word) for word in written] == [0, 3, 2, 1]
