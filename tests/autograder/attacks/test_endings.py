"""Group 7: code that ends its process, or that will not end."""

import nbformat
import pytest

LIMITS = {"cell_seconds": 2, "call_seconds": 2}
ENDINGS = {
    "sys_exit": "import sys; sys.exit(0)",
    "os_exit": "import os; os._exit(0)",
    "abort": "import os; os.abort()",
    "segmentation_fault": "import ctypes; ctypes.string_at(0)",
    "stop": "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
}
ENDLESS = """
import signal, time
def endless(*args, **kwargs):
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    while True:
        try:
            while True: time.sleep(0.01)
        except BaseException:
            print("interrupted in vain")
"""
BLOCKED = """
import signal
def blocked(*args, **kwargs):
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    while True: pass
"""


@pytest.mark.parametrize("way", ENDINGS)
def test_a_cell_that_ends_its_process(attack, way):
    attack(ENDINGS[way], limits=LIMITS).assert_failed()


def test_many_cells_that_end_their_process(attack):
    """Each costs itself, and none of them what comes after."""

    def five(notebook):
        for _ in range(5):
            notebook.cells.insert(2, nbformat.v4.new_code_cell(ENDINGS["os_exit"]))

    attack(change=five, limits=LIMITS).assert_failed()


@pytest.mark.parametrize("way", ["os_exit", "sys_exit"])
def test_an_answer_that_ends_its_process(attack, way):
    """A dead or silent kernel is no pass, neither for this exercise nor for the next ones."""
    source = f"def masked_softmax(*args, **kwargs):\n    {ENDINGS[way]}"
    outcome = attack(answers={"masked_softmax": source}, limits=LIMITS)
    outcome.assert_failed()
    assert ("The kernel died" if way == "os_exit" else "SystemExit") in outcome.text


def test_a_loop_that_catches_interrupts(attack):
    outcome = attack(ENDLESS + "endless()", limits=LIMITS)
    outcome.assert_failed()
    assert any("was stopped" in note for note in outcome.notes)


def test_an_answer_that_catches_interrupts(attack):
    outcome = attack(ENDLESS, answers={"masked_softmax": "masked_softmax = endless"}, limits=LIMITS)
    outcome.assert_failed()
    assert any("was stopped" in note for note in outcome.notes)


def test_a_loop_with_all_signals_blocked(attack):
    outcome = attack(BLOCKED + "blocked()", limits=LIMITS)
    outcome.assert_failed()
    assert any("was stopped" in note for note in outcome.notes)
