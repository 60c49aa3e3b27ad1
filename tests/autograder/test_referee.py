"""The referee gives points, recognises misconceptions and follows a wrong helper through."""

import copy

import numpy as np
import pytest

from autograder import show
from autograder.compare import close
from autograder.exercise import Exercise, find
from autograder.grading.amend import _drop
from autograder.grading.overrides import Override
from autograder.referee import judge
from autograder.wire.codec import decode, encode
from autograder.wire.in_process import InProcess
from tests.autograder import forgers
from tests.autograder.toy import half, halved_sum


def judged(exercise, **names):
    return judge(exercise, InProcess({"__name__": "__main__"} | names))


def unwritten(x):
    raise NotImplementedError


def test_right_answer_earns_all_points():
    verdict = judged(half, half=lambda x: x / 2)
    assert verdict.passed
    assert verdict.points == 2
    assert verdict.misconception == ""


@pytest.mark.parametrize("cast", [np.asarray, lambda x: np.asarray(x).tolist()])
def test_arrays_and_lists_are_accepted(cast):
    assert judged(half, half=lambda x: cast(np.asarray(x) / 2)).passed


def test_numpy_is_tried_when_tensors_fail():
    def in_place(x):
        x = x.copy()  # tensors have no copy
        x /= 2
        return x

    assert judged(half, half=in_place).passed


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (unwritten, "stub", "not written yet"),
        (None, "missing", "not defined `half`"),
        (3, "error", "should be a function"),
    ],
)
def test_unanswered_earns_nothing(answer, state, words):
    verdict = judged(half, half=answer)
    assert (verdict.points, verdict.state) == (0, state)
    assert words in verdict.message
    assert len(verdict.cases) == 2


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda x: None, "Got None for the output. Is a `return` missing?"),
        (lambda x: (x, x), "should be one array; got 2 values"),
        (lambda x: "text", "got the text 'text'"),
        (lambda x: x[:1], "The shape of the"),
        (lambda x: np.asarray(x) * np.nan, "NaN or infinite"),
        (lambda x: x.no_such, "Your code raised AttributeError"),
        (
            lambda x: object(),
            "a NumPy array or a list of numbers); got an object of the class object",
        ),
        (lambda x: {1: 2}, "got a dictionary"),
        (lambda x: [[1.0], [2.0, 3.0, 4.0], [5.0, 6.0]], "they hold from 1 to 3 numbers"),
        (lambda x: [np.ones(2), np.ones(5)], "they hold from 2 to 5 numbers"),
        (lambda x: np.array([object()]), "should be an array"),
    ],
)
def test_wrong_form_is_one_sentence(answer, problem):
    verdict = judged(half, half=answer)
    assert verdict.points == 0
    assert problem in verdict.cases[0].problem


def test_the_misconception_is_named():
    assert judged(half, half=lambda x: x * 2).misconception == "You doubled instead of halving."


def test_two_misconceptions_with_one_message_name_it():
    declared = copy.deepcopy(half)

    @declared.misconception("You doubled instead of halving.")
    def doubled_again(x):
        return x + x

    verdict = judged(declared, half=lambda x: x * 2)
    assert verdict.misconception == "You doubled instead of halving."


def test_another_wrong_answer_is_not_named():
    assert judged(half, half=lambda x: x * 3).misconception == ""


def test_a_wrong_helper_costs_its_own_points_once():
    def double(x):
        return x * 2

    verdict = judged(halved_sum, half=double, halved_sum=lambda x: np.asarray(double(x)).sum(-1))
    assert verdict.passed
    assert "given your `half`" in verdict.cases[0].note


def test_follow_through_needs_a_helper_that_tells_inputs_apart():
    zeros = judged(halved_sum, half=lambda x: np.zeros_like(x), halved_sum=lambda x: np.zeros(3))
    assert zeros.points == 0


def test_the_answer_to_a_known_example_alone_earns_nothing():
    verdict = judged(half, half=lambda x: [2.0, 3.0])
    assert [case.passed for case in verdict.cases] == [False, True]
    assert verdict.points == 0
    assert "once another property holds" in verdict.cases[1].note


def test_a_lent_answer_works_and_earns_nothing():
    def answer(x):
        return x / 2

    answer.__course_lent__ = True
    verdict = judged(half, half=answer)
    assert (verdict.state, verdict.points, verdict.passed) == ("lent", 0, False)


def test_system_exit_ends_one_case_only():
    def leave(x):
        raise SystemExit(3)

    verdict = judged(half, half=leave)
    assert verdict.points == 0
    assert "SystemExit" in verdict.cases[0].problem


def test_seeds_change_the_inputs():
    seen = []

    def answer(x):
        seen.append(np.asarray(x))
        return x / 2

    for seed in ("one", "one", "two"):
        judge(half, InProcess({"half": answer}), seed)
    random_inputs = [x for x in seen if x.ndim == 2]
    np.testing.assert_array_equal(random_inputs[0], random_inputs[1])
    assert not np.array_equal(random_inputs[0], random_inputs[2])


def test_table_escapes_what_the_learner_returned():
    def answer(x):
        raise ValueError("<script>alert(1)</script>")

    verdict = judged(half, half=answer)
    assert "<script>" not in show.html(verdict)
    assert "Hint: Divide." in show.plain(verdict)


def test_a_case_that_paid_only_beside_a_dropped_one_pays():
    """Nobody loses points by a dropped case, not even those that it withheld from another."""
    verdict = judged(half, half=lambda x: [2.0, 3.0])
    assert verdict.points == 0
    entry = Override(exercise="toy.half", author="a", reason="b", drop="halves_every_number")
    _drop(verdict, entry, half)
    assert verdict.points == 2


@pytest.mark.parametrize("echo", [False, True])
@pytest.mark.parametrize(("name", "kind"), forgers.INVENTIONS.items())
def test_invented_layers_earn_nothing(name, kind, echo):
    """Weights, shapes and gradients are what the learner's side says; its outputs are not right."""
    invention = kind()
    invention.echo = echo
    verdict = judge(find(f"m02_transformer.{name}"), invention, "secret")
    assert verdict.points == 0
    assert invention.asked > 3


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("MultiHeadAttention", forgers.IntegerAttention),
        ("MultiHeadAttention", forgers.TinyQueries),
        ("MultiHeadAttention", forgers.LateHelpers),
        ("FeedForward", forgers.NarrowNetwork),
        ("build_transformer", forgers.BagBeforeAMap),
    ],
)
def test_inventions_that_suit_the_formula_earn_nothing(name, kind):
    assert judge(find(f"m02_transformer.{name}"), kind(), "secret").points == 0


class Odd:
    """Answers each operation with a value of a strange form, and calls with what is right."""

    def __init__(self, **answers):
        self.answers = answers

    def request(self, message):
        request = decode(message)
        if request["op"] in self.answers:
            return encode({"value": self.answers[request["op"]]})
        if request["op"] == "status":
            return encode({"value": {"kind": "function", "lent": False}})
        return encode({"value": np.asarray(request["arguments"]["args"][0]) / 2})


STRANGE = [None, np.zeros(3), [np.zeros(2)], {"kind": np.zeros(3)}, "text", 3, True, {}]


@pytest.mark.parametrize("value", STRANGE, ids=str)
def test_a_strange_status_costs_the_learner_not_a_person(value):
    verdict = judge(half, Odd(status=value))
    assert (verdict.points, verdict.state) == (0, "error")


@pytest.mark.parametrize("lent", [np.zeros(3), "yes", 1, [True], None])
def test_only_true_means_lent(lent):
    assert judge(half, Odd(status={"kind": "function", "lent": lent})).passed


@pytest.mark.parametrize(
    "operation", ["variables", "gradients", "exported_weights", "call", "stock"]
)
@pytest.mark.parametrize("value", [*STRANGE, [["w", True, 3]], [["w", np.zeros(2), np.zeros(2)]]])
def test_a_strange_answer_costs_the_case(operation, value):
    """Whatever a case does with it, none of it is the check's own failure."""
    for name in ("FeedForward", "LearnedPositionalEmbedding", "decoder_block"):
        invention = forgers.INVENTIONS[name]()
        setattr(invention, f"do_{operation}", lambda *args, **kwargs: value)
        assert judge(find(f"m02_transformer.{name}"), invention, "secret").points == 0


def test_a_case_that_stumbles_before_anything_was_asked_is_the_checks_own_failure():
    broken = Exercise("half", points=1, module="toy", lab="toy", hints=["a", "b", "c"])

    @broken.case()
    def stumbles(lab, rng):
        """It stumbles."""
        if not silent:
            lab.half(np.ones(2))
        return close(np.ones(2), 1 / len([]))

    silent = True
    with pytest.raises(ZeroDivisionError):
        judged(broken, half=lambda x: x / 2)
    silent = False
    assert "could not be used" in judged(broken, half=lambda x: x / 2).cases[0].problem
