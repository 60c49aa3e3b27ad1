"""600 MB from a learner's kernel: the cell says so, and the grader's memory hardly grows.

Each hand-in is graded by a worker of its own, which then says how much memory it had at most.
"""

import nbformat
import numpy as np
import pytest

from autograder.compare import close
from autograder.confine.tiers import reach
from autograder.exercise import Exercise
from autograder.grading.execute import Limits
from autograder.grading.folder import CourseFolder
from autograder.grading.headroom import bounded
from autograder.grading.submission import prepare
from autograder.grading.worker import grade_task, task_of
from autograder.kernels.shared import shared_zygote
from autograder.referee import TOO_LARGE, judge
from autograder.wire.in_process import InProcess
from autograder.workers import share

ASSIGNMENT = "m02_lab1_self_attention"
HERE = "tests.autograder.grading.test_huge"
MEMORY = 4000  # MB for the kernel, which has to make what it sends
GROWTH = 200  # MB
needs_confinement = pytest.mark.skipif(
    reach().tier == "open", reason="this machine has no confined kernels"
)
PRINTED = "print('x' * (600 * 2**20), flush=True)\nprint('and on')"
DISPLAYED = """
kernel = get_ipython().kernel
content = {"data": {"text/plain": "big"}, "metadata": {}}
kernel.session.send(kernel.iopub_socket, "display_data", content, parent=kernel.get_parent(),
                    ident=b"display_data", buffers=[memoryview(bytes(600 * 2**20))])
"""
RETURNED = """def masked_softmax(scores, mask=None):
    return np.zeros(150_000_000, "float32")"""
CLAIMED = """
from autograder.wire import channel, probe
honest = probe.Probe.handle
def handle(self, message):
    from autograder.wire.codec import decode
    asked = decode(message)["arguments"].get("target")
    return bytes(600 * 2**20) if asked == "masked_softmax" else honest(self, message)
probe.Probe.handle = handle
"""


def grade_and_measure(task):
    """Grade in a worker; return the reply and the growth of its memory in MB."""
    before = resident("VmRSS")
    reply = grade_task(task)
    return reply | {"growth": resident("VmHWM") - before}


def prepare_and_measure(task):
    """Rebuild in a worker; return the growth of its memory in MB."""
    folder = CourseFolder(task["folder"])
    before = resident("VmRSS")
    path = folder.submission(task["learner"], task["assignment"])
    prepared = prepare(folder, path, task["assignment"])
    return {"growth": resident("VmHWM") - before, "cells": len(prepared.notebook.cells)}


def resident(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name)) // 1024


@pytest.fixture
def graded(course, released, answer, answers, hand_in):
    """Return the function that grades a hand-in with a further first cell, or other answers."""

    def run(cell="", **other):
        notebook = answer(released, **answers | other)
        notebook.cells.insert(2, nbformat.v4.new_code_cell(cell))
        hand_in("ada", notebook)
        zygote = shared_zygote().fileno()
        task = task_of(
            course, "ada", ASSIGNMENT, Limits(memory=MEMORY), reach().tier, zygote=zygote
        )
        ((_, reply),) = share([task], f"{HERE}.grade_and_measure", 1, inherit=[zygote])
        assert reply["growth"] < GROWTH, f"the worker grew by {reply['growth']} MB"
        return nbformat.from_dict(reply["notebook"])

    return run


def points(notebook):
    """Return what each check cell earned."""
    return {
        cell.metadata.nbgrader.grade_id.removeprefix("check-"): float(
            cell.outputs[-1].data["text/plain"]
        )
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }


def text(notebook):
    return nbformat.writes(notebook)


@needs_confinement
@pytest.mark.parametrize("code", [PRINTED, DISPLAYED], ids=["printed", "displayed"])
def test_output(graded, code):
    """It is left out, the cell says so, and the answers below are graded."""
    notebook = graded(code)
    assert "the rest of the output was left out" in text(notebook)
    assert all(earned > 0 for earned in points(notebook).values())


@needs_confinement
def test_an_answer(graded):
    """It costs its own points; what builds on it earns its own."""
    notebook = graded(masked_softmax=RETURNED)
    assert "A value of 572 MB is too large to check." in text(notebook)
    earned = points(notebook)
    assert earned.pop("masked_softmax") == 0
    assert earned["attention_scores"] > 0
    assert earned["causal_mask"] > 0


@needs_confinement
def test_a_message_that_no_honest_kernel_sends(graded):
    """The length alone is read."""
    notebook = graded(CLAIMED)
    assert "The answer is too large to check." in text(notebook)
    earned = points(notebook)
    assert earned.pop("masked_softmax") == 0
    assert all(earned.values()), "another exercise lost points"


LITERAL = "x = [" + "[]," * 600_000 + "]\ndef causal_mask(length): return 1"
TEXTS = {
    "a literal": [LITERAL],
    "literals": ["x = [" + "[]," * 60_000 + "]\ndef causal_mask(length): return 1"] * 50,
    "empty lines": ["\n" * 400_000 + "x = 1"],
    "a literal in a conflict": [f"<<<<<<< a\n{LITERAL}\n=======\nx = 1\n>>>>>>> b\n"],
}


@pytest.mark.parametrize("way", TEXTS)
def test_a_text_that_takes_far_more_to_be_parsed(course, released, answer, hand_in, way):
    """It is rebuilt: cells without marks are looked through for the answers that are missing."""
    notebook = answer(released, causal_mask=TEXTS[way][0])
    notebook.cells = [c for c in notebook.cells if "conflict" in way or c.source != TEXTS[way][0]]
    notebook.cells += [nbformat.v4.new_code_cell(text) for text in TEXTS[way]]
    hand_in("ada", notebook)
    task = task_of(course, "ada", ASSIGNMENT, Limits(), "open")
    ((_, reply),) = share([task], f"{HERE}.prepare_and_measure", 1)
    assert reply["cells"] >= len(released.cells)
    assert reply["growth"] < GROWTH


def test_a_hand_in_that_takes_too_much_memory_earns_nothing(course, released, hand_in):
    """Its grader says so, and goes on."""
    many = ",".join(['{"a":1}'] * 600_000)
    path = hand_in("ada", nbformat.writes(released).replace("{", f'{{"many": [{many}],', 1))
    with bounded(64):
        prepared = prepare(course, path, ASSIGNMENT)
    assert "could not be read: it takes too much memory. It earns 0" in prepared.unreadable


outer = Exercise("outer", points=1, module="toy", lab="toy", depends_on=["helper"])


@outer.oracle
def outer_oracle(x, *, helper=np.asarray):
    """The sum of all products, the wasteful way."""
    return np.multiply.outer(helper(x), helper(x)).sum()


@outer.case()
def sums_the_products(lab, rng):
    """All products are added up."""
    x = rng.normal(size=7)
    return close(lab.outer(x), outer_oracle(x))


@pytest.fixture
def _warm():
    """Import what the learner's side needs before memory is bounded."""
    import keras  # noqa: F401


@pytest.mark.usefixtures("_warm")
def test_a_helper_that_leads_the_oracle_to_ask_for_gigabytes():
    """A helper returns 128 KB; the oracle over it would take 4 GB."""
    names = {"outer": lambda x: np.float32(1), "helper": lambda x: np.zeros(2**15, "float32")}
    with bounded(256):
        verdict = judge(outer, InProcess(names))
    assert verdict.points == 0


@pytest.mark.usefixtures("_warm")
def test_a_case_that_runs_out_of_memory_is_a_sentence():
    wasteful = Exercise("outer", points=1, module="toy", lab="toy")

    @wasteful.case()
    def of_what_came(lab, rng):
        """All products of what the learner returned."""
        return close(np.multiply.outer(lab.outer(3), lab.outer(3)).sum(), np.zeros(()))

    with bounded(256):
        verdict = judge(wasteful, InProcess({"outer": lambda x: np.zeros(2**15)}))
    assert [case.problem for case in verdict.cases] == [TOO_LARGE]


@pytest.mark.skipif(reach().tier == "open", reason="the bound is Linux's")
def test_the_bound_ends_with_its_block():
    with bounded(64), pytest.raises(MemoryError):
        np.ones(2**27)
    assert np.ones(2**24).sum() == 2**24
