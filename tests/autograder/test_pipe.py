"""The wire to a kernel that calls the referee: here a process that runs the cell it is given."""

import contextlib
import subprocess
import sys
import time

import pytest

from autograder.build.assignments import ROOT
from autograder.exercise import Exercise
from autograder.wire import channel, pipe
from autograder.wire.client import Lab, LearnerError

NAMES = """
import signal, socket, time
def double(x): return x + x
def slow(x):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    time.sleep(1)
    return x
def endless(x):
    while True: time.sleep(0.01)
"""
FORGET = "cell = cell.replace('__pipe.serve', 'print')"
STRANGER = """
import re
path, key = re.search(r"serve\\('(.*?)', (b.*?), globals", cell).groups()
with socket.socket(socket.AF_UNIX) as end:
    end.connect(path)
    end.sendall(bytes(32))
"""
exercise = Exercise("double", points=1, module="toy", lab="toy")


class Kernel:
    """A process that runs one cell."""

    def __init__(self, before=""):
        self.before, self.process = before, None

    def execute(self, cell):
        code = f"{NAMES}\ncell = {cell!r}\n{self.before}\nexec(cell)\ntime.sleep(60)"
        self.process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)

    def alive(self):
        return self.process.poll() is None

    def interrupt(self):
        self.process.send_signal(2)

    def clock(self):
        return time.monotonic()

    @contextlib.contextmanager
    def called(self, seconds):
        try:
            with pipe.called(self, self.execute, seconds) as wire:
                yield Lab(wire, exercise)
        finally:
            self.process.kill()
            self.process.wait()


@pytest.mark.parametrize("before", ["", STRANGER], ids=["alone", "after a stranger"])
def test_values_cross(before):
    with Kernel(before).called(30) as lab:
        assert lab.double([2, 3.5]) == [2, 3.5, 2, 3.5]
        assert lab.double("ab") == "abab"


def test_a_kernel_that_does_not_call():
    with pytest.raises(LearnerError, match="does not answer"), Kernel(FORGET).called(0.5):
        pass


def test_a_call_without_end_is_interrupted_and_the_next_one_answered():
    with Kernel().called(30) as lab:
        lab.double(1.0)
        lab._transport.seconds = 0.5
        with pytest.raises(LearnerError, match="more than 0.5 seconds"):
            lab.endless(1.0)
        assert lab.double(2.0) == 4.0


def test_a_call_that_cannot_be_interrupted_ends_the_wire(monkeypatch):
    """Its answer would come for another question."""
    monkeypatch.setattr(channel, "GRACE", 0.1)
    with Kernel().called(30) as lab:
        lab.double(1.0)
        lab._transport.seconds = 0.2
        with pytest.raises(LearnerError, match="more than 0.2 seconds"):
            lab.slow(1.0)
        with pytest.raises(LearnerError, match="died"):
            lab.double(1.0)
