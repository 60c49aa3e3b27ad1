"""Sentiment: what decides the label, balance of words, split by structure."""

import random
import re
from collections import defaultdict

import numpy as np
import pytest

from course.data import load, sentiment
from course.data.sentiment import CLASSES, draw_structure, is_test, write
from course.data.sentiment.clauses import KEEP, PERSONAL, SHAPES, TURN
from course.data.sentiment.frames import DECIDED, DENIAL, NEUTRAL
from course.data.sentiment.words import ADJECTIVES, DOMAINS, NOUNS, VERBS

NEGATIVE, NEUTRAL_LABEL, POSITIVE = range(3)


@pytest.fixture(scope="module")
def splits():
    return load("sentiment"), load("sentiment", "test")


@pytest.fixture
def rng():
    return random.Random(11)


def words(text):
    return re.findall(r"[a-z]+", text.lower())


def opinions(text):
    """The polarities of the adjectives in a text, in order."""
    found = re.findall("|".join(rf"\b{a}\b" for a in ADJECTIVES[1] + ADJECTIVES[-1]), text)
    return [1 if a in ADJECTIVES[1] else -1 for a in found]


@pytest.mark.parametrize("label", [NEGATIVE, POSITIVE])
@pytest.mark.parametrize(
    ("structure", "signs"),
    [
        (("{whole}.", "{s} was {a}"), [1]),
        (("{whole}.", "{s} was anything but {a}"), [-1]),
        (("{whole}.", "{s} was not only {a} but also {e}"), [1, 1]),
        (("it is not true that {whole}.", "{s} was {a}"), [-1]),
        (("it is not true that {whole}.", "{s} was hardly {a}"), [1]),
        (("it would be wrong to deny that {whole}.", "{s} was {a}"), [1]),
        (("{against}, but {whole}.", "{s} was {a}", "{s} was {a}"), [-1, 1]),
        (("although {against}, {whole}.", "{s} was never {a}", "{s} was {a}"), [-1, -1]),
        (("{whole}, even if {against}.", "{s} was {a}", "{s} was never {a}"), [1, 1]),
    ],
)
def test_negation_and_contrast_decide(structure, signs, label, rng):
    """A structure's slots are listed whole first: here the clause that decides."""
    for _ in range(20):
        assert opinions(write(rng, structure, label)) == [s * (label - 1) for s in signs]


def test_a_neutral_sentence_says_good_and_bad_alike(rng):
    structure = ("is it true that {whole}?", "{s} was {a}")
    said = [opinions(write(rng, structure, NEUTRAL_LABEL))[0] for _ in range(400)]
    assert abs(np.mean(said)) < 0.2


def test_the_film_is_named_once_then_it(rng):
    structure = ("I had been told that {opposed}, but {whole}.", "{s} was {a}", "{s} was {a}")
    for _ in range(20):
        text = write(rng, structure, POSITIVE)
        assert re.fullmatch(r"I had been told that the \w+ was \w+, but it was \w+\.", text)


def test_nobody_reports_what_i_felt(rng):
    for label in range(3):
        for _ in range(2_000):
            frame, *shapes = draw_structure(rng, label)
            if frame.startswith(("is it true that {whole}", "it is not true", "I cannot agree")):
                assert shapes[0] not in PERSONAL


def test_splits_share_no_structure_but_all_words(splits):
    (train, _), (test, _) = splits
    seen = {word for text in train for word in words(text)}
    assert {word for text in test for word in words(text)} <= seen
    assert not set(train) & set(test)


def test_structures_fall_apart_by_a_quarter(rng):
    drawn = {draw_structure(rng, label) for label in range(3) for _ in range(4_000)}
    assert np.mean([is_test(s) for s in drawn]) == pytest.approx(0.25, abs=0.03)


def test_training_has_each_frame_and_each_shape(splits, rng):
    seen = set()
    for label in range(3):
        for _ in range(4_000):
            structure = draw_structure(rng, label)
            seen |= set() if is_test(structure) else set(structure)
    assert seen == {*DECIDED, *NEUTRAL, *SHAPES}


def test_at_least_three_thousand_different_sentences_a_third_each(splits):
    for texts, labels in splits:
        assert len(set(texts)) == len(texts)
        assert np.bincount(labels).tolist() == [len(texts) // 3] * len(CLASSES)
        assert labels.dtype == "int32"
    assert len(splits[0][0]) >= 3_000


def test_words_do_not_give_praise_from_blame_away(splits):
    """No word is in one class only, and none leans to positive or negative by much."""
    texts, labels = splits[0]
    count = defaultdict(lambda: np.zeros(3))
    for text, label in zip(texts, labels, strict=True):
        for word in set(words(text)):
            count[word][label] += 1
    opinion = {w for table in (ADJECTIVES, NOUNS) for p in (1, -1) for w in table[p]}
    opinion = {w.removeprefix("a ") for w in opinion} | {v for p in (1, -1) for _, v in VERBS[p]}
    for word in opinion:
        assert min(count[word] / count[word].sum()) > 0.15, (word, count[word])
    lean = [abs(c[0] - c[2]) / (c[0] + c[2]) for c in count.values() if c[0] + c[2] > 200]
    assert len(lean) > 60
    assert max(lean) < 0.3


def test_shapes_and_frames_have_both_signs():
    assert set(SHAPES.values()) == {1, -1}
    assert not set(KEEP) & set(TURN)
    assert all(DECIDED[frame] == -1 for frame in DENIAL)
    assert not set(DECIDED) & set(NEUTRAL)
    assert all(len(aspects) >= 3 for aspects in DOMAINS.values())


def test_sentences_are_whole(splits):
    for text in splits[1][0]:
        assert re.fullmatch(r"[A-Z][A-Za-z ,;:.?]*[.?]", text), text
        assert not re.search(r"  | [,.;?]|[.?] [a-z]|\ba [aeiou]", text), text


def test_the_seed_decides():
    first, again, other = (
        load("sentiment", num_examples=53, seed=s)[0].tolist() for s in (1, 1, 2)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"num_examples": 0}, "`num_examples`.*from 1 to 50000.*0"),
        ({"num_examples": 50_001}, "`num_examples`.*50001"),
        ({"seed": None}, "`seed`.*None"),
        ({"language": "de"}, "sentiment.*num_examples, seed.*'language'"),
    ],
)
def test_errors_name_the_argument(options, named):
    with pytest.raises(ValueError, match=named):
        load("sentiment", **options)
    assert sentiment.TEST_SHARE == 4
