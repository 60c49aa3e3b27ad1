"""Every module's quiz: the rules of the course, and keys that agree with a second derivation.

Beside this file stands `test_mNN_quiz.py` for each quiz, with two dictionaries: `SECOND`, which
computes the keys that depend on parameters a second time, in NumPy or by hand, and `KEYS`, the
fixed ones.
"""

import importlib

import pytest

from autograder.build import quiz
from autograder.build.assignments import SOLUTIONS
from autograder.quiz.bank import load
from autograder.quiz.grade import grade_item
from autograder.quiz.review import review, review_keys
from autograder.quiz.variants import variants

QUIZZES = sorted(path.parent.name for path in SOLUTIONS.glob("m*/quiz.yaml"))
DIGITS = {"two decimals": 2, "three decimals": 3}


@pytest.fixture(scope="module", params=QUIZZES)
def slug(request):
    """The module of a quiz."""
    return request.param


@pytest.fixture(scope="module")
def bank(slug):
    """Its bank."""
    return load(SOLUTIONS / slug / "quiz.yaml")


@pytest.fixture(scope="module")
def derived(slug):
    """The file with the second derivations of its keys."""
    return importlib.import_module(f"tests.autograder.quiz.test_{slug[:3]}_quiz")


def test_the_bank_keeps_the_rules_of_the_course(bank, slug):
    """Coverage, levels, variants, cues; and it builds."""
    review(bank)
    assert len(bank.items) >= 20
    notebook = quiz.notebook(slug, SOLUTIONS / slug / "quiz.yaml")
    assert len(notebook.cells) == 2 + 3 * len(bank.items)


def test_every_key_is_computed_for_every_variant(bank):
    """No key fails, and each slip differs from it somewhere."""
    review_keys(bank)


def test_every_item_has_a_second_derivation(bank, derived):
    """Both dictionaries together cover the bank."""
    assert {item.id for item in bank.items} == derived.SECOND.keys() | derived.KEYS.keys()


def test_computed_keys_agree_with_a_second_derivation(bank, derived):
    """The package and NumPy give the same, in every variant."""
    for name, second in derived.SECOND.items():
        item = bank.item(name)
        for chosen in variants(item.choose):
            expected = second(**chosen)
            assert item.key(chosen) == pytest.approx(expected, rel=1e-5), (name, chosen)
            assert item.accepts(expected, item.key(chosen))


def test_answers_rounded_as_asked_are_right(bank):
    """Two or three decimals, as the stem says, fall within the tolerance."""
    for item in bank.items:
        for digits in (n for words, n in DIGITS.items() if words in item.stem.replace("\n", " ")):
            for chosen in variants(item.choose):
                assert item.accepts(round(item.key(chosen), digits), item.key(chosen)), item.id


def test_fixed_keys_are_as_derived_by_hand(bank, derived):
    """A moved option does not move its key unseen."""
    assert {name: bank.item(name).key({}) for name in derived.KEYS} == derived.KEYS


def test_every_key_and_every_slip_is_graded_as_such(bank, derived):
    """For twelve learners the key is right, each slip is wrong and named."""
    for name in derived.SECOND:
        item = bank.item(name)
        for number in range(12):
            learner = f"learner{number}"
            chosen = grade_item(item, "", [], learner).parameters
            right = grade_item(item, f"quiz.answer({name!r}, {item.key(chosen)!r})", [], learner)
            assert right.points == item.points
            for value, _ in item.wrong(chosen):
                wrong = grade_item(item, f"quiz.answer({name!r}, {value!r})", [], learner)
                assert wrong.points == 0
                assert "your answer" in wrong.text.partition("\n")[2]


def test_each_correct_place_is_used(bank):
    """No letter of the single items holds more than two keys beyond its fair share."""
    keys = [item.correct[0] for item in bank.items if item.type == "single"]
    assert max(map(keys.count, "abcd")) <= len(keys) / 4 + 2
