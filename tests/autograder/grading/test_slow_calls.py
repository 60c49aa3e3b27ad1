"""A call that no interrupt ends costs its own exercise and no other."""

import pytest

from autograder.confine.tiers import reach
from autograder.exercise import find
from autograder.grading.execute import Limits, Sandbox
from autograder.referee import judge
from autograder.wire import channel

SLUG = "m02_transformer"
SLOW = """
import signal, time
def masked_softmax(scores, mask=None):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # as in a long call of C code
    time.sleep(3)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
"""
TOO_LARGE = """
from autograder.wire import channel, probe
honest = probe.Probe.handle
def handle(self, message):
    from autograder.wire.codec import decode
    asked = decode(message)["arguments"].get("target")
    return bytes(channel.LONGEST + 1) if asked == "masked_softmax" else honest(self, message)
probe.Probe.handle = handle
masked_softmax = abs
"""


@pytest.mark.skipif(reach().tier == "open", reason="this machine has no confined kernels")
@pytest.mark.parametrize(
    ("code", "says"),
    [(SLOW, "Your code ran for more than 1 seconds"), (TOO_LARGE, "too large to check")],
    ids=["slow", "too large"],
)
def test_what_breaks_the_wire_costs_one_exercise(answers, monkeypatch, code, says):
    """The kernel settles later, by itself; the next exercises are right and earn everything."""
    monkeypatch.setattr(channel, "GRACE", 0.5)
    limits = Limits(call_seconds=1)
    with Sandbox(limits, reach().tier) as sandbox:
        for source in ("import numpy as np", answers["causal_mask"], code):
            assert not sandbox.run(source).problem
        with sandbox.probe() as wire:
            verdict = judge(find(f"{SLUG}.masked_softmax"), wire, "seed")
        assert says in verdict.cases[0].problem
        assert verdict.points == 0
        for _ in range(2):
            with sandbox.probe() as wire:
                assert judge(find(f"{SLUG}.causal_mask"), wire, "seed").passed
