"""The quiz of module 1: its keys a second time, for `test_every_quiz.py`, and what it says."""

import math
import re

import numpy as np
import pytest

from autograder.build.assignments import SOLUTIONS
from autograder.quiz.bank import load

TEXTS = ("the cat sat", "the cat ran", "the dog sat", "a dog ran")


def bigram(k, word):
    """Count in the texts, and normalise over the 8 entries."""
    ends = [f"{text} </s>".split() for text in TEXTS]
    after = [words[i + 1] for words in ends for i in range(len(words) - 1) if words[i] == "the"]
    entries = {word for words in ends for word in words} | {"<unk>"}
    counts = {entry: after.count(entry) + k for entry in entries}
    assert len(counts) == 8
    return counts[word] / sum(counts.values())


def tokens(text):
    """Count words with inner apostrophes, and every other mark."""
    return len(re.findall(r"[A-Za-z0-9]+(?:'[A-Za-z0-9]+)*|[^A-Za-z0-9\s]", text))


def sigmoid(x):
    """Return the sigmoid in float64."""
    return 1 / (1 + np.exp(-np.array(x, "float64")))


def macro_f1(matrix):
    """F1 as the harmonic mean of precision and recall, then the mean."""
    found = []
    for c in (0, 1):
        precision = matrix[c][c] / (matrix[0][c] + matrix[1][c])
        recall = matrix[c][c] / sum(matrix[c])
        found.append(2 / (1 / precision + 1 / recall))
    return sum(found) / 2


SECOND = {
    "q02": bigram,
    "q06": tokens,
    "q08": lambda length, window: sum(
        1 <= abs(i - j) <= window for i in range(length) for j in range(length)
    ),
    "q09": lambda positive, negative: -np.log(sigmoid([positive, *np.negative(negative)])).sum(),
    "q11": lambda count, x_max: min(1, math.exp(0.75 * (math.log(count) - math.log(x_max)))),
    "q13": lambda word, longest: sum(len(word) + 2 - n + 1 for n in range(3, longest + 1)),
    "q16": lambda batch, length, embedding_dim, hidden_dim: [batch, length, hidden_dim],
    "q17": lambda hidden_dim, embedding_dim, length: (
        4 * ((embedding_dim + hidden_dim) * hidden_dim + hidden_dim)
    ),
    "q18": lambda carry, forget, write, candidate: carry * forget + candidate * write,
    "q25": lambda batch, length, vocabulary_size: [batch, length - 1, vocabulary_size],
    "q26": lambda probabilities, real: np.mean([math.log(1 / p) for p in probabilities[:real]]),
    "q30": macro_f1,
}

KEYS = {
    "q01": list("beadfc"),
    "q03": "a",
    "q04": ["b", "c", "d"],
    "q05": "c",
    "q07": "d",
    "q10": "d",
    "q12": "b",
    "q14": "b",
    "q15": "c",
    "q19": ["b", "c"],
    "q20": "d",
    "q21": "a",
    "q22": ["b", "c", "e"],
    "q23": list("dbeac"),
    "q24": "c",
    "q27": "b",
    "q28": "d",
    "q29": "a",
    "q31": "b",
    "q32": ["a", "d"],
    "q33": {"a": "4", "b": "3", "c": "1", "d": "2"},
    "q34": {"a": "5", "b": "1", "c": "6", "d": "3", "e": "2", "f": "4"},
    "q35": "c",
}


def test_it_asks_about_every_kind():
    """Six kinds of items, at least five with numbers per learner."""
    bank = load(SOLUTIONS / "m01_sequence_models" / "quiz.yaml")
    kinds = {"single", "multiple", "numeric", "shape", "order", "match"}
    assert {item.type for item in bank.items} == kinds
    assert sum(bool(item.choose) for item in bank.items) >= 5


def test_what_the_explanations_say_is_true():
    """The numbers in explanations, computed."""
    assert 1e-18 < 0.5**59 < 3e-18
    assert sigmoid(3) == pytest.approx(0.953, abs=5e-4)
    assert sigmoid(3) ** 59 == pytest.approx(0.06, abs=5e-3)
    assert -np.log(sigmoid(0)) == pytest.approx(math.log(2))


def test_a_gate_that_is_open_carries_the_gradient():
    """q20: far below a millionth at bias 0, nearly its size at distance 0 at bias 3."""
    import keras

    from course.m01_sequence_models import LSTMCell, gradient_by_distance

    far = {}
    for bias in (0.0, 3.0):
        keras.utils.set_random_seed(0)
        x = np.random.default_rng(0).normal(size=(16, 60, 32))
        found = gradient_by_distance(keras.layers.RNN(LSTMCell(64, forget_bias=bias)), x)
        far[bias] = found[59] / found[0]
    assert far[0.0] < 1e-9
    assert far[3.0] > 0.3


def test_a_masked_step_costs_time_only():
    """q27: twice the padding leaves logits, loss and the gradient of the first word as they are."""
    import tensorflow as tf

    from course.m01_sequence_models import build_seq2seq, masked_cross_entropy, teacher_forcing

    rng = np.random.default_rng(0)
    model = build_seq2seq(13, 5, 7)
    source, target = rng.integers(1, 13, (2, 3, 5))

    def measured(places):
        padded = [np.pad(ids, ((0, 0), (0, places))) for ids in (source, target)]
        inputs, labels = teacher_forcing(padded[1])
        with tf.GradientTape() as tape:
            loss = masked_cross_entropy(model([padded[0], inputs]), labels)
        table = model.get_layer("source_embedding").trainable_weights[0].value
        gradient = tf.convert_to_tensor(tape.gradient(loss, table))
        return float(loss), gradient.numpy()[source[:, 0]]

    for short, long in zip(measured(2), measured(9), strict=True):
        np.testing.assert_allclose(long, short, rtol=1e-5, atol=1e-7)


def test_a_filter_finds_its_phrase_anywhere():
    """q29: moved from the beginning to the end, the phrase gives the same features."""
    from course.m01_sequence_models import build_text_cnn

    model = build_text_cnn(13, 2, 5, 7, kernel_sizes=(3,))
    start = [[4, 5, 6] + [9] * 7]
    end = [[9] * 7 + [4, 5, 6]]
    # Windows of the phrase, of 9 alone and of both mixed: compare with the phrase in the middle.
    middle = [[9] * 3 + [4, 5, 6] + [9] * 4]
    kernel = np.zeros((3, 5, 7), "float32")
    embedding = np.eye(13, 5, k=-4, dtype="float32")  # words 4 to 8 have an axis of their own
    for place in range(3):
        kernel[place, place] = 1
    model.get_layer("embedding").set_weights([embedding])
    model.get_layer("conv3").set_weights([kernel, np.full(7, -2.0, "float32")])
    outputs = [np.array(model(np.array(ids))) for ids in (start, end, middle, [[9] * 10])]
    np.testing.assert_allclose(outputs[1], outputs[0], atol=1e-6)
    np.testing.assert_allclose(outputs[2], outputs[0], atol=1e-6)
    assert np.abs(outputs[3] - outputs[0]).max() > 1e-3


def test_vectors_are_compared_by_direction():
    """q15: a longer vector is no nearer and no farther."""
    from course.m01_sequence_models import nearest_neighbors

    vectors = np.random.default_rng(0).normal(size=(31, 7))
    before, _ = nearest_neighbors(vectors, [3])
    vectors[before[0, 2]] *= 3
    after, _ = nearest_neighbors(vectors, [3])
    np.testing.assert_array_equal(after, before)


def test_skip_gram_without_negative_words_makes_all_vectors_alike():
    """q10: the loss falls towards 0, and the vectors point in one direction."""
    from course.m01_sequence_models import SkipGram, cosine_similarity, fit_skip_gram

    tokens = np.random.default_rng(0).integers(1, 11, 2000)
    layer = SkipGram(11, 5)
    losses = fit_skip_gram(layer, tokens, 2, 0, 1.0, 20, 512, 0.1)
    assert losses[-1] < 0.02
    vectors = layer.vectors[1:]
    assert cosine_similarity(vectors[:, None], vectors[None]).min() > 0.9
