"""Answers: every form that is read, every form that is refused, and their records."""

import numpy as np
import pytest

from autograder.quiz.answers import (
    MIME,
    AnswerError,
    Question,
    describe,
    example,
    read,
    record,
    records,
    saved,
    written,
)

TEXTS = {"a": "one", "b": "two", "c": "three"}
QUESTIONS = {
    "single": Question("q01", "single", TEXTS),
    "multiple": Question("q02", "multiple", TEXTS),
    "numeric": Question("q03", "numeric"),
    "shape": Question("q04", "shape", rank=3),
    "order": Question("q05", "order", TEXTS),
    "match": Question("q06", "match", TEXTS, {"1": "x", "2": "y", "3": "z"}),
}


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("single", "b", "b"),
        ("single", " B ", "b"),
        ("single", ["b"], "b"),
        ("multiple", ["c", "a"], ["a", "c"]),
        ("multiple", "c, a", ["a", "c"]),
        ("multiple", {"c", "a"}, ["a", "c"]),
        ("multiple", [], None),
        ("numeric", 8, 8),
        ("numeric", 8.5, 8.5),
        ("numeric", "8.5", 8.5),
        ("numeric", "9,408", 9408),
        ("numeric", "1,234,567.5", 1234567.5),
        ("numeric", "9 408", 9408),
        ("numeric", "−0.5", -0.5),
        ("numeric", "1e-3", 0.001),
        ("numeric", np.float32(0.5), 0.5),
        ("numeric", np.int64(7), 7),
        ("shape", (2, 5, 64), [2, 5, 64]),
        ("shape", [2, 5.0, 64], [2, 5, 64]),
        ("shape", "(2, 5, 64)", [2, 5, 64]),
        ("shape", "2 x 5 x 64", [2, 5, 64]),
        ("shape", np.zeros((2, 5, 64)).shape, [2, 5, 64]),
        ("shape", np.array([2, 5, 64]), [2, 5, 64]),
        ("order", ["c", "a", "b"], ["c", "a", "b"]),
        ("order", "c a b", ["c", "a", "b"]),
        ("match", {"a": 2, "b": "1"}, {"a": "2", "b": "1"}),
        ("match", {"b": 1}, {"b": "1"}),
        ("match", {}, None),
        ("single", None, None),
        ("single", "", None),
    ],
)
def test_reads(kind, value, expected):
    """An answer is read in any form that has one meaning."""
    assert read(QUESTIONS[kind], value) == expected


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("single", "z", ['"z" is not an option', "a, b, c"]),
        ("single", 3, ["3 is not one option"]),
        ("single", ["a", "b"], ["is not one option"]),
        ("single", True, ["True is not one option"]),
        ("multiple", ["a", "z"], ['"z" is not an option']),
        ("multiple", ["a", "a"], ["named twice"]),
        ("multiple", 8.5, ["is not a list"]),
        ("numeric", "many", ['"many" is not a number']),
        ("numeric", "0,5", ["point for decimals"]),
        ("numeric", float("nan"), ["not finite"]),
        ("numeric", float("inf"), ["not finite"]),
        ("numeric", "1e400", ["not finite"]),
        ("numeric", True, ["True is not a number"]),
        ("numeric", [8.5], ["is not a number"]),
        ("numeric", 10**400, ["too large"]),
        ("shape", (2, 5), ["3 axes and yours 2"]),
        ("shape", (2, 5, -1), ["-1 is not the size"]),
        ("shape", (2, None, 64), ["None is not the size"]),
        ("shape", (2, 5.5, 64), ["5.5 is not the size"]),
        ("shape", (2, float("nan"), 64), ["nan is not the size"]),
        ("shape", (2, True, 64), ["True is not the size"]),
        ("shape", "two by five", ['"two" is not the size']),
        ("shape", {"B": 2}, ["is not a shape"]),
        ("order", ["a", "b"], ["c is missing"]),
        ("order", ["a", "b", "c", "a"], ["named twice"]),
        ("order", 3, ["is not a list"]),
        ("match", {"a": 9}, ["is not on the right side", "1, 2, 3"]),
        ("match", {"z": 1}, ['"z" is not an option']),
        ("match", [("a", 1)], ["is not a set of pairs"]),
        ("match", {"a": [1]}, ["[1] is not on the right side"]),
        ("match", {1: 1}, ["1 is not an option"]),
    ],
)
def test_refuses_in_one_sentence(kind, value, words):
    """A wrong form says where, what, and what to write, without a traceback."""
    with pytest.raises(AnswerError) as error:
        read(QUESTIONS[kind], value)

    sentence = str(error.value)
    assert sentence.startswith(f"{QUESTIONS[kind].item}: ")
    assert all(word in sentence for word in words)
    assert "write" in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert error.value._render_traceback_() == [sentence]


def test_a_message_quotes_no_more_than_forty_characters():
    """What a learner wrote cannot fill the page."""
    with pytest.raises(AnswerError) as error:
        read(QUESTIONS["single"], "<script>" * 10_000)

    assert len(str(error.value)) < 140


@pytest.mark.parametrize("kind", list(QUESTIONS))
def test_the_example_can_be_read(kind):
    """The line that a question shows is an answer of the right form."""
    found, value = written(f'quiz.answer("x", {example(QUESTIONS[kind])})', "x")

    assert found
    assert read(QUESTIONS[kind], value) is not None


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("b", "b"),
        (["a", "c"], "a, c"),
        (8.5, "8.5"),
        (9408, "9,408"),
        (0.6652409558, "0.665241"),
        ([2, 5, 64], "(2, 5, 64)"),
        ([7], "(7,)"),
        ({"a": "2", "b": "1"}, "a → 2, b → 1"),
        (None, "no answer"),
    ],
)
def test_describes_as_a_person_writes(answer, text):
    """An answer is shown as it would be written."""
    assert describe(answer) == text


def test_a_record_is_readable_and_found_again():
    """The output of an answer has the record, a text and HTML."""
    made = record(QUESTIONS["single"], "b", {"n": 3}, "ada", "m02_transformer")
    shown = saved(made)

    assert shown["text/html"] == '<p class="quiz-saved">Saved: <b>b</b></p>'
    assert shown["text/plain"] == "Saved: b"
    assert records([{"output_type": "display_data", "data": shown}], "q01") == [made]
    assert records([{"output_type": "display_data", "data": shown}], "q02") == []
    assert MIME not in saved(made | {"answer": None})


@pytest.mark.parametrize(
    "outputs",
    [
        None,
        3,
        "text",
        {},
        [None, 3, "x", [], {}],
        [{"data": None}, {"data": []}, {"data": {MIME: None}}, {"data": {MIME: "b"}}],
        [{"data": {MIME: []}}, {"data": {MIME: {"item": "q01"}}}],
    ],
)
def test_garbage_holds_no_record(outputs):
    """Whatever lies in the outputs, it is skipped."""
    assert records(outputs, "q01") == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('quiz.answer("q01", "b")', (True, "b")),
        ("quiz.single('q01', a='x')\nquiz.answer('q01', 'b')", (True, "b")),
        ('quiz.answer("q01", "a")\nquiz.answer("q01", "b")', (True, "b")),
        ('answer("q01", ["a", "c"])', (True, ["a", "c"])),
        ('_ = quiz.answer("q01", (2, 5, 64))', (True, (2, 5, 64))),
        ('quiz.answer("q01", -8.5)', (True, -8.5)),
        ('%timeit 1\nquiz.answer("q01", "b")', (True, "b")),
        ('quiz.single(\nquiz.answer("q01", "b")', (True, "b")),
        ('# quiz.answer("q01", "b")', (False, None)),
        ('quiz.answer("q02", "b")', (False, None)),
        ('quiz.answer("q01", 3 * 4)', (False, None)),
        ('quiz.answer("q01", open("/etc/passwd").read())', (False, None)),
        ('if False:\n    quiz.answer("q01", "b")', (False, None)),
        ('print("quiz.answer(1, 2)")', (False, None)),
        ('quiz.answer(["q01"], "b")', (False, None)),
        ("quiz.answer()", (False, None)),
        ("", (False, None)),
        (None, (False, None)),
        ("\x00", (False, None)),
        ("(" * 5000, (False, None)),
        ('quiz.answer("q01", ' + "[" * 5000 + "]" * 5000 + ")", (False, None)),
        ('quiz.answer("q01", ' + "-" * 10_000 + "1)", (False, None)),
        ("x = 1\n" * 10_000, (False, None)),
    ],
)
def test_reads_the_literal_of_a_cell_without_running_it(source, expected):
    """Only a literal in a top-level line counts."""
    assert written(source, "q01") == expected
