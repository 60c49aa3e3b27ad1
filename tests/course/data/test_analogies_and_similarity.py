"""Questions about what was planted: analogies and graded similarity."""

from collections import Counter

import numpy as np
import pytest

from course.data import load
from course.data.english_corpus.analogies import RELATIONS, pairs
from course.data.english_corpus.categories import categories, category_of
from course.data.english_corpus.similarity import GROUPS, score


def test_every_question_joins_two_pairs_of_its_relation():
    questions, relations = load("analogies", "test")
    assert questions.shape == (len(relations), 4)
    for (a, b, c, d), relation in zip(questions.tolist(), relations, strict=True):
        assert (a, b) != (c, d)
        assert {(a, b), (c, d)} <= set(pairs(relation))
    assert len({tuple(row) for row in questions}) == len(questions)


@pytest.mark.parametrize("relation", RELATIONS)
def test_a_relation_has_at_least_ten_pairs_and_no_ambiguous_answer(relation):
    found = pairs(relation)
    assert len(found) >= 10
    assert len({a for a, _ in found}) == len({b for _, b in found}) == len(found)
    questions, names = load("analogies", "test", relations=relation)
    assert len(questions) == len(found) * (len(found) - 1)
    assert set(names) == {relation}


@pytest.mark.parametrize(
    ("relation", "pair"),
    [
        ("country-capital", ("france", "paris")),
        ("male-female", ("king", "queen")),
        ("verb-past", ("write", "wrote")),
        ("adjective-comparative", ("cold", "colder")),
        ("animal-young", ("dog", "puppy")),
        ("instrument-musician", ("piano", "pianist")),
    ],
)
def test_known_pairs(relation, pair):
    assert pair in pairs(relation)


def test_pairs_that_do_not_change_are_left_out():
    assert "sheep" not in dict(pairs("singular-plural"))
    assert "lion" not in dict(pairs("animal-young"))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("dog", "cow", 1.0),
        ("france", "paris", 0.75),
        ("paris", "france", 0.75),
        ("france", "oslo", 0.5),
        ("bread", "tea", 0.5),
        ("france", "bread", 0.0),
        ("baker", "bakery", 0.75),
    ],
)
def test_score_by_definition(first, second, expected):
    assert score(first, second) == expected


def test_scores_are_graded_evenly_and_follow_the_definition():
    words, scores = load("similarity", "test", num_pairs=200, seed=3)
    assert Counter(scores.tolist()) == {1.0: 50, 0.75: 50, 0.5: 50, 0.0: 50}
    assert [score(*pair) for pair in words.tolist()] == scores.tolist()
    assert len({frozenset(pair) for pair in words.tolist()}) == 200
    assert scores.dtype == "float32"


def test_the_largest_similarity_set_can_be_drawn():
    assert load("similarity", "test", num_pairs=360)[0].shape == (360, 2)


def test_the_seed_decides():
    first, again, other = (load("similarity", "test", seed=s)[0].tolist() for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_groups_name_categories_once():
    grouped = [name for group in GROUPS.values() for name in group]
    assert set(grouped) <= set(categories())
    assert len(grouped) == len(set(grouped))
    assert set(category_of().values()) == set(categories())


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: load("analogies"), "`split`.*: test. .*'train'"),
        (lambda: load("similarity"), "`split`.*: test. .*'train'"),
        (lambda: load("analogies", "test", relations="uncle-aunt"), "country-capital.*uncle-aunt"),
        (lambda: load("similarity", "test", num_pairs=361), "`num_pairs`.*4 to 360.*361"),
        (lambda: score("dog", "spoon"), "spoon"),
    ],
)
def test_errors_name_the_argument(call, named):
    with pytest.raises(ValueError, match=named):
        call()
    assert np.isfinite(load("similarity", "test", num_pairs=4)[1]).all()
