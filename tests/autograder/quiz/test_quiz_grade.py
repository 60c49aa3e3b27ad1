"""Grading: keys, partial credit, variants, feedback, and anything a learner may leave behind."""

import html
import json

import pytest

from autograder.quiz.answers import MIME, record, saved
from autograder.quiz.grade import answer_cell, grade_item, grade_quiz
from autograder.quiz.variants import parameters, variants


def outputs(item, answer, learner="ada", chosen=None):
    """Return the outputs of an answer cell as the notebook file holds them."""
    chosen = parameters(item.choose, learner, item.id) if chosen is None else chosen
    made = record(item.question, answer, chosen, learner, "m02_transformer")
    return [{"output_type": "display_data", "metadata": {}, "data": saved(made)}]


def graded(bank, name, answer, learner="ada"):
    """Return the grade of an answer that a widget recorded."""
    item = bank.item(name)
    return grade_item(item, f"quiz.{item.type}({name!r})", outputs(item, answer), learner)


def own(bank, name, learner="ada"):
    """Return a learner's variant."""
    return parameters(bank.item(name).choose, learner, name)


def test_every_key_earns_full_points_and_nothing_earns_none(good):
    """The key of each item is right by record and by line; no answer is worth 0."""
    for item in good.items:
        key = item.key(own(good, item.id))
        by_record = grade_item(item, "", outputs(item, key), "ada")
        by_line = grade_item(item, f"quiz.answer({item.id!r}, {key!r})", [], "ada")
        nothing = grade_item(item, "", [], "ada")

        assert (by_record.points, by_record.source) == (item.points, "record")
        assert (by_line.points, by_line.source) == (item.points, "line")
        assert (nothing.points, nothing.source, nothing.answer) == (0, "none", None)
        assert not by_record.problem + by_line.problem + nothing.problem
        assert not by_record.flags + by_line.flags + nothing.flags
        assert json.loads(json.dumps(by_record.as_dict()))["points"] == item.points


@pytest.mark.parametrize(
    ("name", "answer", "points"),
    [
        ("q01", "a", 1),
        ("q01", "b", 0),
        ("q13", ["a", "c"], 2),
        ("q13", ["a"], 1),
        ("q13", ["a", "b"], 0),
        ("q13", ["a", "b", "c"], 1),
        ("q13", ["a", "b", "c", "d"], 0),
        ("q13", ["b", "d"], 0),
        ("q14", ["b", "d", "a", "c"], 2),
        ("q14", ["d", "b", "a", "c"], 1.33),
        ("q14", ["a", "b", "c", "d"], 0),
        ("q14", ["c", "a", "d", "b"], 0),
        ("q15", {"a": "2", "b": "1", "c": "4", "d": "3"}, 2),
        ("q15", {"a": "2", "b": "1"}, 1),
        ("q15", {"a": "1", "b": "2", "c": "3", "d": "4"}, 0),
        ("q15", {"a": "2", "b": "2", "c": "2", "d": "2"}, 0.5),
    ],
)
def test_partial_credit_follows_the_stated_rule(good, name, answer, points):
    """Guessing everything, or the shown order, earns nothing."""
    assert graded(good, name, answer).points == points


def test_partial_credit_states_its_rule(good):
    """A learner reads how the points came about."""
    text = graded(good, "q13", ["a"]).text
    assert "1 of 2 points" in text
    assert "the share of correct options you chose, minus the share of wrong ones" in text


def test_a_number_is_right_within_its_tolerance(made, write):
    """The bank decides how near is near enough."""
    from autograder.quiz import bank

    made["items"][7]["tolerance"] = 0.5
    item = bank.load(write(made)).item("q08")
    key = item.key(parameters(item.choose, "ada", "q08"))
    points = [grade_item(item, "", outputs(item, key + d), "ada").points for d in (0.5, -0.5, 0.51)]
    assert points == [2, 2, 0]


def test_the_line_counts_before_the_record(good):
    """A literal in the source is the answer; a record that differs is flagged."""
    item = good.item("q01")
    grade = grade_item(item, 'quiz.answer("q01", "a")', outputs(item, "b"), "ada")

    assert (grade.points, grade.answer, grade.source) == (1, "a", "line")
    assert grade.flags == [
        "The quiz.answer line says a, the saved record says otherwise; the line counts."
    ]


def test_a_computed_line_is_read_from_its_record(good):
    """`quiz.answer("q08", 3 * 7)` is never run; the record that it left counts."""
    item = good.item("q08")
    key = item.key(own(good, "q08"))
    grade = grade_item(item, 'quiz.answer("q08", 3 * 7)', outputs(item, key), "ada")
    assert (grade.points, grade.source) == (2, "record")


def test_the_last_record_counts(good):
    """A cell that was answered twice holds the newer answer last."""
    item = good.item("q01")
    both = outputs(item, "b") + outputs(item, "a")
    assert grade_item(item, "", both, "ada").points == 1


def test_the_record_of_another_item_is_no_answer(good):
    """A copied output does not answer another question."""
    grade = grade_item(good.item("q02"), "", outputs(good.item("q01"), "b"), "ada")
    assert (grade.points, grade.source) == (0, "none")


def test_a_foreign_variant_is_graded_as_asked_and_flagged(good):
    """A learner whose id was unknown to the notebook loses nothing; the instructor sees it."""
    item = good.item("q08")
    mine = own(good, "q08")
    other = next(chosen for chosen in variants(item.choose) if chosen != mine)
    grade = grade_item(item, "", outputs(item, item.key(other), "login", other), "ada")

    assert grade.points == 2
    assert grade.parameters == other
    assert len(grade.flags) == 1
    assert "The numbers are those of login, not of ada" in grade.flags[0]
    assert grade.flags[0] in grade.text
    assert html.escape(grade.flags[0]) in grade.html


@pytest.mark.parametrize(
    "invented", [{"left": 1, "right": 1}, {"left": 3}, [3, 7], "x", {"left": [], "right": {}}]
)
def test_invented_numbers_are_not_graded(good, invented):
    """Only numbers of the question can be answered for."""
    item = good.item("q08")
    right = item.key(own(good, "q08"))
    assert grade_item(item, "", outputs(item, right, "ada", invented), "ada").points == 2
    grade = grade_item(item, "", outputs(item, 1, "ada", invented), "ada")
    assert grade.points == 0
    assert "names no numbers of this question" in grade.flags[0]


def test_a_line_without_a_record_is_graded_for_the_roster(good):
    """Where nothing was recorded, the roster decides the numbers, without a flag."""
    item = good.item("q08")
    key = item.key(own(good, "q08", "bob"))
    grade = grade_item(item, f'quiz.answer("q08", {key})', [], "bob")
    assert (grade.points, grade.flags) == (2, [])


def test_feedback_explains_every_option(good):
    """Plain text and HTML hold every explanation and mark the learner's choice."""
    for item in good.items:
        if not item.entries:
            continue
        grade = grade_item(item, "", [], "ada")
        for entry in item.entries.values():
            assert entry.explanation in grade.text
            assert html.escape(entry.explanation) in grade.html

    text = graded(good, "q01", "b").text
    assert text.splitlines()[0] == "0 of 1 points. Your answer: b."
    assert "b. other text: wrong, you chose it: Option other text of 1." in text
    assert "a. first text: correct: Option first text of 1." in text


def test_feedback_names_the_slip_that_was_made(good):
    """A wrong number that a known slip gives is recognised."""
    item = good.item("q08")
    mine = own(good, "q08")
    slip = mine["left"] + mine["right"]
    text = graded(good, "q08", slip).text

    assert f"{slip}: your answer: {slip} is the slip of {mine['left']}." in text
    assert f"With {mine['left']} and {mine['right']} it is {item.key(mine)}." in text
    assert f"{slip}: a slip: {slip} is the slip" in graded(good, "q08", 1).text


def deep(depth):
    """Return a list in a list in a list."""
    nested = []
    for _ in range(depth):
        nested = [nested]
    return nested


GARBAGE = [
    3,
    -1,
    True,
    float("nan"),
    float("inf"),
    10**5000,
    "<script>alert(1)</script>",
    "a" * 1_000_000,
    "\x00\ud800",
    ["a"] * 100_000,
    [["a"]],
    [None],
    [float("nan")] * 3,
    deep(900),
    {"a": {"a": "a"}},
    {"<b>": "1"},
    {"item": "q01", "answer": "a"},
]


@pytest.mark.parametrize("answer", GARBAGE, ids=lambda answer: repr(type(answer)))
def test_garbage_earns_nothing_and_one_sentence(good, answer):
    """Whatever the record holds: 0 points or a wrong answer, a sentence, and no markup."""
    for item in good.items:
        made = {"item": item.id, "answer": answer, "parameters": answer, "learner": answer}
        grade = grade_item(item, "", [{"output_type": "display_data", "data": {MIME: made}}], "ada")

        assert grade.points == 0
        assert grade.problem.count("\n") == 0
        assert grade.problem or grade.answer is not None
        assert len(grade.text) < 3000
        assert "<script" not in grade.html
        assert "<b>" not in grade.html


@pytest.mark.parametrize(
    ("source", "cell_outputs"),
    [
        (None, None),
        (3, "text"),
        ("(" * 9000, [[]]),
        ("quiz.answer('q01', " + "9" * 6000 + ")", []),
        ("quiz.answer('q01', b'a')", [{"data": {MIME: {"item": "q01"}}}]),
        ("quiz.answer('q01', {1, 2})", []),
        ("quiz.answer('q01', ...)", []),
    ],
)
def test_a_broken_cell_never_stops_grading(good, source, cell_outputs):
    """Grading goes on to the next item."""
    assert grade_item(good.item("q01"), source, cell_outputs, "ada").points == 0


def test_html_of_the_learner_is_escaped(good):
    """A learner's name in a record is shown as text."""
    item = good.item("q08")
    other = next(chosen for chosen in variants(item.choose) if chosen != own(good, "q08"))
    script = "<img src=x onerror=alert(1)>"
    grade = grade_item(item, "", outputs(item, 1, script, other), "ada")

    assert script in grade.text
    assert "<img" not in grade.html


def cell(item, answer=None, **fields):
    """Return an answer cell as a notebook file holds it."""
    return {
        "id": f"{item.id}-answer",
        "cell_type": "code",
        "metadata": {"course": {"item": item.id, "role": "answer"}},
        "source": [f"quiz.{item.type}(\n", f"    {item.id!r})"],
        "outputs": outputs(item, answer) if answer is not None else [],
    } | fields


def test_a_whole_quiz_is_graded_in_the_banks_order(good):
    """Each item has its grade, answered or not."""
    cells = [cell(item, item.key(own(good, item.id))) for item in reversed(good.items[1:])]
    grades = grade_quiz(good, {"cells": cells}, "ada")

    assert list(grades) == [item.id for item in good.items]
    assert sum(grade.points for grade in grades.values()) == good.points - 1


@pytest.mark.parametrize(
    "lost",
    [
        {"id": "x1"},
        {"metadata": {}},
        {"id": "x1", "metadata": {}},
        {"id": "x1", "metadata": None},
        {"cell_type": "raw", "metadata": {}},
    ],
)
def test_an_answer_cell_is_found_after_it_lost_its_marks(good, lost):
    """Id, metadata, record: any one of them is enough."""
    item = good.item("q01")
    cells = [cell(good.item("q02"), "a"), cell(item, "a", **lost)]
    assert grade_item(item, *answer_cell(cells, "q01"), "ada").points == 1


def test_the_duplicate_with_an_answer_counts(good):
    """A duplicated cell does not hide the answered one."""
    item = good.item("q01")
    cells = [cell(item), cell(item, "a")]
    assert grade_item(item, *answer_cell(cells, "q01"), "ada").points == 1


@pytest.mark.parametrize("notebook", [None, [], {}, {"cells": None}, {"cells": [None, 3, {}]}])
def test_a_notebook_without_cells_earns_nothing(good, notebook):
    """No notebook is too broken to be graded."""
    assert {grade.points for grade in grade_quiz(good, notebook, "ada").values()} == {0}
