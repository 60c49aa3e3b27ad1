"""The n-gram model, by hand."""

import math

import numpy as np
import pytest

from course.m01_sequence_models import NGramModel

TEXTS = [["a", "b"], ["a", "b", "a"], ["a", "c"]]
WORDS = ("a", "b", "c", "</s>", "<unk>")


def test_bigrams_by_hand():
    """a is followed by b twice, c once, the end once: 4 times; V = 5 with end and unknown."""
    model = NGramModel(order=2, k=0.5).fit(TEXTS)
    assert model.probability("b", ["a"]) == pytest.approx((2 + 0.5) / (4 + 2.5))
    assert model.probability("c", ["b", "a"]) == pytest.approx((1 + 0.5) / (4 + 2.5))
    assert model.probability("a", []) == pytest.approx((3 + 0.5) / (3 + 2.5))
    assert model.probability("</s>", ["a"]) == pytest.approx(1.5 / 6.5)
    assert model.probability("never", ["a"]) == pytest.approx(0.5 / 6.5)
    assert model.probability("a", ["never"]) == pytest.approx(0.5 / 2.5)


def test_interpolation_by_hand():
    """Unigrams: a 4, b 2, c 1, end 3 of 10."""
    model = NGramModel(order=2, k=1.0, weights=[0.25, 0.75]).fit(TEXTS)
    expected = 0.25 * (2 + 1) / (10 + 5) + 0.75 * (2 + 1) / (4 + 5)
    assert model.probability("b", ["a"]) == pytest.approx(expected)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_probabilities_add_up_to_one(order):
    model = NGramModel(order, weights=np.full(order, 1 / order)).fit(TEXTS)
    for context in ([], ["a"], ["b", "a"], ["never"], ["a", "b", "c"]):
        assert sum(model.probability(w, context) for w in WORDS) == pytest.approx(1)


def test_perplexity_by_hand():
    """The text a b has three predictions: a first, b after a, the end after b."""
    model = NGramModel(order=2, k=0.5).fit(TEXTS)
    probabilities = [3.5 / 5.5, 2.5 / 6.5, 1.5 / 4.5]
    expected = math.exp(-sum(map(math.log, probabilities)) / 3)
    assert model.perplexity([["a", "b"]]) == pytest.approx(expected)
    uniform = NGramModel(order=2, k=1e9).fit(TEXTS)
    assert uniform.perplexity(TEXTS) == pytest.approx(5, rel=1e-6)


def test_longer_contexts_fit_the_training_text_better():
    """The third word is decided by the first two only: i ≡ j + k modulo 3."""
    texts = [[str(i), str(j), str((i + j) % 3)] for i in range(3) for j in range(3)] * 7
    perplexity = [NGramModel(n, k=0.01).fit(texts).perplexity(texts) for n in (1, 2, 3)]
    assert perplexity[0] > perplexity[1] > perplexity[2]


def test_generated_texts_follow_the_counts():
    """With hardly any smoothing, only bigrams that were seen; a and b first alternate."""
    model = NGramModel(order=2, k=1e-9).fit([["a", "b", "c"], ["a", "c"]])
    rng = np.random.default_rng(0)
    texts = {tuple(model.generate(rng)) for _ in range(30)}
    assert texts == {("a", "b", "c"), ("a", "c")}
    assert len(NGramModel(order=2, k=1e-9).fit([["a"] * 99]).generate(rng, max_length=7)) == 7


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"k": 0}, "`k` must be above 0"),
        ({"order": 2, "weights": [1.0]}, "`weights` must be 2 numbers"),
        ({"order": 2, "weights": [0.7, 0.7]}, "of sum 1"),
    ],
)
def test_wrong_arguments_are_refused(arguments, match):
    with pytest.raises(ValueError, match=match):
        NGramModel(**arguments)
