"""Each mechanism alone: a fork enters it and reports what it may still do."""

import json
import subprocess
import sys

import pytest

from autograder.confine import linux, seccomp
from autograder.confine.limits import Limits
from autograder.confine.tiers import reach

pytestmark = pytest.mark.skipif(reach().tier == "open", reason="this machine confines nothing")
TRY = """
import json, os, sys
def attempt(function):
    try:
        function()
        return "done"
    except BaseException as error:
        return type(error).__name__
"""


def in_process(code):
    """Run code in a process of its own; return what it prints, as JSON."""
    command = [sys.executable, "-c", TRY + code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_seccomp_refuses_sockets_in_every_thread_and_leaves_pairs():
    code = """
import socket, threading
from autograder.confine import seccomp
before, after, results = threading.Event(), threading.Event(), {}
def other():
    before.set(); after.wait()
    results["thread"] = attempt(socket.socket)
thread = threading.Thread(target=other); thread.start(); before.wait()
results["before"] = attempt(lambda: socket.socket().close())
seccomp.restrict()
after.set(); thread.join()
results["inet"] = attempt(socket.socket)
results["unix"] = attempt(lambda: socket.socket(socket.AF_UNIX))
results["pair"] = attempt(lambda: [end.close() for end in socket.socketpair()])
results["process"] = attempt(lambda: __import__("subprocess").run(["true"], check=True))
print(json.dumps(results))
"""
    assert in_process(code) == {
        "before": "done", "thread": "PermissionError", "inet": "PermissionError",
        "unix": "PermissionError", "pair": "done", "process": "done",
    }  # fmt: skip


def test_seccomp_lets_a_process_signal_only_itself():
    code = """
import signal
from autograder.confine import seccomp
seccomp.restrict(only_own_signals=True)
print(json.dumps([attempt(lambda: os.kill(pid, 0)) for pid in (os.getpid(), os.getppid(), -1)]))
"""
    assert in_process(code) == ["done", "PermissionError", "PermissionError"]


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_the_filter_is_whole(architecture):
    """Every jump lands inside, and the last word is an answer."""
    code = seccomp.program(architecture, signals_to=42)
    lines = [code[i : i + 8] for i in range(0, len(code), 8)]
    assert len(lines) < 4096
    for number, line in enumerate(lines):
        if line[0] & 0x07 == 0x05:
            assert number + 1 + max(line[2], line[3]) < len(lines)
    assert lines[-1][0] == seccomp.RETURN


def test_landlock_shows_what_is_listed_and_nothing_else(tmp_path):
    shown, hidden = tmp_path / "shown", tmp_path / "hidden"
    for folder in (shown, hidden):
        folder.mkdir()
        (folder / "file").write_text("text")
    code = f"""
from autograder.confine import landlock
landlock.restrict([{str(shown)!r}], [])
shown, hidden = {str(shown / "file")!r}, {str(hidden / "file")!r}
print(json.dumps([attempt(lambda: open(shown).close()), attempt(lambda: open(shown, "w")),
                  attempt(lambda: open(hidden)), attempt(lambda: os.listdir({str(hidden)!r}))]))
"""
    assert in_process(code) == ["done"] + ["PermissionError"] * 3


def test_limits_bound_memory_files_and_cores():
    code = """
from autograder.confine import limits
limits.apply(limits.Limits(memory=64, disk=1, processes=50, cores=(0,)), alone=False)
import tempfile
def write():
    with tempfile.TemporaryFile() as file:
        import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        file.write(b"x" * 2**21); file.flush()
print(json.dumps([attempt(lambda: bytearray(2**30)), attempt(lambda: bytearray(2**20)),
                  attempt(write), len(os.sched_getaffinity(0))]))
"""
    assert in_process(code) == ["MemoryError", "done", "OSError", 1]


def test_a_system_call_that_fails_says_which():
    with pytest.raises(OSError, match="mount_setattr"):
        linux.call("mount_setattr", -1, b"/nowhere", linux.long(0), None, linux.long(0))


def test_limits_travel_as_json():
    assert Limits(**json.loads(json.dumps(Limits(memory=7).as_dict()))).memory == 7
