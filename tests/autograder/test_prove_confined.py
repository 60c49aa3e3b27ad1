"""`course prove --confined`: in a confined kernel, over its wire, answers get the same verdicts.

One exercise of each kind that learners write: a function, one that returns a number, a layer, a
model. A quiz has no answer that is run.
"""

import pytest
from typer.testing import CliRunner

from autograder import answers, prove
from autograder.build.source import read
from autograder.confine.tiers import Reach, reach
from autograder.errors import CourseError
from autograder.exercise import ALTERNATIVES, find, load_module
from autograder.kernels.shared import shared_zygote
from autograder.proof import RIGHT, Judged
from autograder.proof_kernel import ProofKernel
from autograder.prove_task import Task, place_of, prove_task, source
from course import cli

pytestmark = pytest.mark.skipif(reach().tier == "open", reason="this machine confines nothing")
SLUG = "m02_transformer"
KINDS = {
    "function": ("lab1_self_attention", "masked_softmax"),
    "number": ("lab6_what_attention_buys", "median_step_time"),
    "layer": ("lab3_positions", "LearnedPositionalEmbedding"),
    "model": ("lab5_transformer", "build_transformer"),
}
ONE_WRONG_MODEL = 5  # of 15, each of which takes seconds


def chosen(exercise, kind):
    """Return the answers to judge: all of them, except for a model, which takes seconds each."""
    yield from [(answers.REFERENCE,), (answers.UNWRITTEN,), (answers.MISSING,)]
    if kind == "model":
        yield answers.MISCONCEPTION, ONE_WRONG_MODEL
        return
    if exercise.kind != "layer":
        yield from ((answers.CONSTANT, name) for name in answers.CONSTANTS)
    yield from ((answers.ALTERNATIVE, name) for name in ALTERNATIVES[exercise.id])
    yield from ((answers.MISCONCEPTION, place) for place in range(len(exercise.misconceptions)))


def verdicts(task, kind):
    """Return the verdict on each answer to a task's exercise, judged where the task says."""
    exercise = find(f"{task.slug}.{task.name}")
    with place_of(task) as place:
        judged = Judged(exercise, place)
        return {answer: essence(judged.once(*answer)) for answer in chosen(exercise, kind)}


def essence(verdict):
    """Return what a verdict decides and says."""
    cases = [(case.name, case.points, case.problem, case.note) for case in verdict.cases]
    return verdict.state, verdict.points, verdict.misconception, verdict.message, cases


@pytest.mark.parametrize("kind", KINDS)
def test_a_kernel_gives_the_same_verdicts(kind):
    lab, name = KINDS[kind]
    here = verdicts(Task(SLUG, lab, name), kind)
    confined = verdicts(Task(SLUG, lab, name, tier=reach().tier), kind)
    assert confined == here
    points = find(f"{SLUG}.{name}").points
    right = answers.REFERENCE, answers.ALTERNATIVE
    assert all((verdict[1] == points) == (answer[0] in right) for answer, verdict in here.items())


def test_the_command_gives_workers_their_kernels(monkeypatch):
    """Each part goes out with the tier and the warm process, and no quiz goes along."""
    sent = []
    monkeypatch.setattr(prove, "_replies", lambda todo, *how: sent.extend(todo) or fake(todo))
    monkeypatch.setattr(prove, "_row", lambda exercise, replies: prove.Row(exercise.id, 1))
    result = CliRunner().invoke(cli.app, ["prove", "m02", "--confined", "--json"])
    assert result.exit_code == 0, result.output
    assert {task.tier for task in sent} == {reach().tier}
    assert {task.zygote for task in sent} == {shared_zygote().fileno()}
    assert len({task.name for task in sent}) == len(load_module(SLUG))


def fake(tasks):
    return dict.fromkeys(tasks, {})


def test_a_worker_proves_a_part_in_a_kernel():
    values = [SLUG, "lab1_self_attention", "causal_mask", RIGHT, 1, reach().tier]
    row = prove_task(values)["row"]
    assert row["faults"] == []
    assert row["reference"] == row["points"]
    assert row["accepted"] == row["alternatives"] == len(ALTERNATIVES[f"{SLUG}.causal_mask"])


def test_what_does_not_run_in_a_kernel_is_said():
    """With its line: here a cell that reads what a confined kernel does not see."""
    lab = read(source(SLUG, "lab1_self_attention"), load_module(SLUG))
    cell = next(cell for cell in lab.cells if cell.kind == "exercise")
    cell.source = "from autograder.checks.m02_transformer import lab1_self_attention"
    with pytest.raises(CourseError, match=f"line {cell.line}: it does not run .*ModuleNotFound"):
        ProofKernel(lab, reach().tier, source(SLUG, "lab1_self_attention")).__enter__()


def test_without_confinement_nothing_is_proved(monkeypatch):
    """One sentence says why, and what to do."""
    nothing = Reach("open", ("fenced: no Landlock.",))
    monkeypatch.setattr("autograder.confine.tiers.reach", lambda: nothing)
    with pytest.raises(CourseError, match=r"no Landlock.*without --confined"):
        prove.prove(SLUG, "lab1", confined=True)
