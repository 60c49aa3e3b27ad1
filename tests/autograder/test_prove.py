"""`course prove` is perfect for every module, and finds a grader that is not."""

import copy
import json

import numpy as np
import pytest

from autograder import exercise as exercises
from autograder import proof as proofs
from autograder import prove, prove_task
from autograder.proof import Here, parts, prove_part, whole
from autograder.referee import PRACTICE_SEED, draws
from tests.autograder.toy import half


@pytest.mark.parametrize("module", exercises.modules())
def test_every_exercise_is_proved(module):
    proof = prove.prove(module)
    assert proof.faults == []
    assert [quiz.problems for quiz in proof.quizzes] == [[]] * len(proof.quizzes)
    assert [row.exercise for row in proof.rows] == list(exercises.load_module(module))
    assert all(row.misconceptions >= proofs.LEAST_MISCONCEPTIONS for row in proof.rows)
    assert all(row.alternatives >= proofs.LEAST_ALTERNATIVES for row in proof.rows)


def test_module_2_has_at_least_18_exercises():
    assert len(exercises.load_module("m02_transformer")) >= 18


def faults(declared, reference, alternatives=None, monkeypatch=None):
    if alternatives:
        monkeypatch.setitem(exercises.ALTERNATIVES, declared.id, alternatives)
    namespace = {"half": reference, "__name__": "__main__"}
    proved = [prove_part(declared, Here(namespace), part) for part in parts(declared)]
    return " ".join(whole(declared, proved).faults)


@pytest.fixture
def declared():
    return copy.deepcopy(half)


def test_a_wrong_reference_is_found(declared):
    assert "the reference earns 0" in faults(declared, lambda x: x * 3)


def test_a_rejected_alternative_is_found(declared, monkeypatch):
    wrong = {"thirds": lambda x: x / 3}
    found = faults(declared, lambda x: x / 2, wrong, monkeypatch)
    assert "the alternative thirds loses points" in found


def test_an_accepted_misconception_is_found(declared):
    @declared.misconception("You halved.")
    def halved(x):
        return x / 2

    assert "the misconception halved passes" in faults(declared, lambda x: x / 2)


def test_two_misconceptions_that_look_alike_are_found(declared):
    @declared.misconception("You multiplied by two.")
    def again(x):
        return 2 * x

    assert "the misconception doubled is not named" in faults(declared, lambda x: x / 2)


def test_a_case_that_constants_pass_is_found(declared):
    from autograder.compare import holds

    @declared.case()
    def is_finite(lab, rng):
        """The result is finite."""
        return holds(np.isfinite(lab.half(rng.normal(size=3))).all(), "finite", "not finite")

    assert "returning zeros earns 1" in faults(declared, lambda x: x / 2)


def test_too_few_wrong_and_right_answers_are_found(declared):
    found = faults(declared, lambda x: x / 2)
    assert "fewer than 5 misconceptions" in found
    assert "0 alternatives, fewer than 3" in found


def test_a_misconception_that_is_named_for_one_seed_only_is_found(declared):
    @declared.misconception("You subtracted.")
    def subtracted(x):
        return x - 1

    drawn = draws(PRACTICE_SEED, declared.id, "halves_every_number").normal(size=(3, 5))

    @declared.misconception("You added.")
    def added(x):
        return x + 1 if np.sum(x) == drawn.sum() else x - 1

    assert "the misconception added is not named" in faults(declared, lambda x: x / 2)


def test_each_key_of_a_quiz_is_computed(monkeypatch):
    quiz = prove_task.prove_quiz("m02_transformer")
    assert quiz.problems == []
    assert quiz.items >= 20
    assert quiz.keys > 100


def test_a_wrong_key_is_a_problem_and_no_crash(tmp_path, monkeypatch):
    folder = tmp_path / "m02_transformer"
    folder.mkdir()
    for name in ("quiz.yaml", "quiz_keys.py"):
        (folder / name).write_bytes((prove.SOLUTIONS / "m02_transformer" / name).read_bytes())
    keys = folder / "quiz_keys.py"
    keys.write_text(keys.read_text() + "\n\ndef masked_weight(scores, masked):\n    return 1 / 0\n")
    monkeypatch.setenv("COURSE_PRIVATE", str(tmp_path))
    quiz = prove_task.prove_quiz("m02_transformer")
    assert "the key masked_weight failed" in quiz.problems[0]
    assert not prove.Proof(quizzes=[quiz]).perfect


def test_what_a_worker_cannot_prove_is_a_fault_of_that_exercise(declared):
    reply = prove_task.prove_task(["m02_transformer", "lab1_self_attention", "no_such_exercise"])
    row = prove._row(declared, [reply, reply])
    assert len(row.faults) == 1
    assert "the proof stopped at" in row.faults[0]
    assert "autograder/exercise.py" in row.faults[0]
    assert not prove.Proof([row]).perfect


def test_the_parts_of_a_proof_add_up(declared):
    for number in range(2 * proofs.SHARE):
        declared.misconception(f"You added {number}.")(lambda x, n=number: x + n + 1)
    assert parts(declared) == [proofs.RIGHT, 0, proofs.SHARE, 2 * proofs.SHARE]
    place = Here({"half": lambda x: x / 2})
    row = whole(declared, [prove_part(declared, place, part) for part in parts(declared)])
    count = 2 + 2 * proofs.SHARE
    assert (row.misconceptions, row.killed, row.named) == (count, count, count)
    assert (row.stub, row.reference) == (0, 2)


@pytest.mark.parametrize("count", [1, 5])
def test_the_seeds_asked_for_are_used(declared, monkeypatch, count):
    used = []
    judge = proofs.judge
    monkeypatch.setattr(proofs, "judge", lambda *given: used.append(given[-1]) or judge(*given))
    prove_part(declared, Here({"half": lambda x: x / 2}), 0, count)
    expected = ["practice", "second", "third", "seed 4", "seed 5"][:count]
    assert used == expected * 2  # two misconceptions


def test_json_has_the_rows_their_sums_and_the_quizzes():
    rows = [prove.Row("m00.a", 2, killed=3), prove.Row("m00.b", 1, killed=4, faults=["x"])]
    found = json.loads(prove.as_json(prove.Proof(rows, [prove.Quiz("m00", 5, 6)])))
    assert found["total"]["exercises"] == 2
    assert found["total"]["killed"] == 7
    assert found["total"]["perfect"] is False
    assert found["exercises"][1]["faults"] == ["x"]
    assert found["quizzes"] == [{"module": "m00", "items": 5, "keys": 6, "problems": []}]
