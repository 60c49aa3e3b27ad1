"""Group 10: kill, stop or slow the parent, the grader, or another one's process."""

import os
import resource
import subprocess
import sys

import psutil
import pytest

LIMITS = {"cell_seconds": 3, "call_seconds": 3}
TRY = """
import ctypes, fcntl, os, resource, signal, socket, time
me = os.getpid()
def attempt(name, step):
    try: print(name, "got through:", step())
    except OSError as error: print(name, "refused:", error)
def parents():
    found, pid = [], os.getppid()
    while pid > 1:
        found.append(pid)
        try: pid = int(open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[1])
        except OSError: break
    return found
victims = [pid for pid in {others!r} + parents() if pid > 1]
"""


@pytest.fixture
def neighbour():
    """A process of somebody else, and this one, which grades; both must stay as they are."""
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    process = psutil.Popen(command, stdin=subprocess.DEVNULL)
    before = _state(process), _state(psutil.Process())
    yield process
    after = _state(process), _state(psutil.Process())
    process.kill()
    process.wait()
    assert after == before


def _state(process):
    return (
        process.is_running() and process.status() not in ("stopped", "zombie", "tracing-stop"),
        process.nice(),
        process.cpu_affinity(),
        process.rlimit(resource.RLIMIT_NOFILE),
        process.rlimit(resource.RLIMIT_CPU),
        process.ionice(),
    )


def _try(neighbour, code):
    return TRY.replace("{others!r}", repr([neighbour.pid, os.getpid()])) + code


def test_kill_everything(attack, neighbour):
    """The signal goes to every process that may be signalled: at most its own."""
    outcome = attack(_try(neighbour, "attempt('all', lambda: os.kill(-1, 9))"), limits=LIMITS)
    outcome.assert_failed()


def test_kill_and_stop_parents_and_neighbours(attack, neighbour):
    code = """
for pid in victims:
    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGINT):
        attempt("kill", lambda: os.kill(pid, number))
        attempt("group", lambda: os.killpg(pid, number))
        attempt("pidfd", lambda: signal.pidfd_send_signal(os.pidfd_open(pid), number))
"""
    outcome = attack(_try(neighbour, code), limits=LIMITS)
    outcome.assert_failed()
    assert " got through:" not in outcome.printed
    assert outcome.printed.count(" refused:") >= 24


def test_a_signal_by_way_of_a_file(attack, neighbour):
    """The system sends a signal of one's choice to a file's owner when something can be read."""
    code = """
for pid in victims:
    def arm():
        reading, writing = socket.socketpair()
        fcntl.fcntl(reading, fcntl.F_SETOWN, pid)
        fcntl.fcntl(reading, 10, signal.SIGSTOP)  # F_SETSIG
        fcntl.fcntl(reading, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
        writing.send(b"x")
        time.sleep(0.05)
        return "sent"
    attempt("file", arm)
"""
    outcome = attack(_try(neighbour, code), limits=LIMITS)
    outcome.assert_failed()
    assert "file " in outcome.printed


def test_slow_parents_and_neighbours(attack, neighbour):
    """It changes their priority, processors and limits."""
    code = """
for pid in victims:
    attempt("nice", lambda: os.setpriority(os.PRIO_PROCESS, pid, 19))
    attempt("cores", lambda: os.sched_setaffinity(pid, {0}))
    attempt("idle", lambda: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0)))
    attempt("limit", lambda: resource.prlimit(pid, resource.RLIMIT_CPU, (1, 1)))
attempt("user", lambda: os.setpriority(os.PRIO_USER, os.getuid(), 19))
"""
    outcome = attack(_try(neighbour, code), limits=LIMITS)
    outcome.assert_failed()
    assert " got through:" not in outcome.printed
    assert outcome.printed.count(" refused:") >= 9


def test_other_processors_than_its_own(attack):
    """A kernel computes on its worker's processors; more would be its neighbours'."""
    code = """
import os
before = os.sched_getaffinity(0)
for wanted in (range(os.cpu_count()), {0}, {os.cpu_count() - 1}):
    try: os.sched_setaffinity(0, wanted)
    except OSError as error: print(" refused:", error)
try: os.nice(-5)
except OSError as error: print(" refused:", error)
print("the same" if os.sched_getaffinity(0) == before else "other", "processors")
"""
    outcome = attack(code, limits=LIMITS)
    outcome.assert_failed()
    assert "the same processors" in outcome.printed
    assert outcome.printed.count(" refused:") == 4


def test_processes_that_go_on_computing(attack):
    """What is left running when its cell ends, and when the notebook ends, is ended with it."""
    code = """
import os
for _ in range(8):
    if os.fork() == 0:
        os.setsid()
        while True: pass
print("spinning")
"""
    outcome = attack(code, limits=LIMITS)
    outcome.assert_failed()
    assert "spinning" in outcome.printed
