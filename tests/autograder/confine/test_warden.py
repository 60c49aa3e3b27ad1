"""What the warden reads of processes, and that it ends them all whatever happens to it."""

import json
import os
import subprocess
import sys

import psutil
import pytest

from autograder.confine.excess import RARELY, Excess
from autograder.confine.limits import Limits
from autograder.confine.tiers import ORDER, reach
from autograder.confine.usage import PIPE, children, cpu, family, held, socket_bytes, used
from autograder.grading.execute import Limits as SandboxLimits
from autograder.grading.execute import Sandbox

WAIT = "print('there', flush=True); sys.stdin.read()"


@pytest.fixture
def process():
    """Return the function that runs code in a process that then waits."""
    started = []

    def start(code, wait=WAIT):
        program = f"import ctypes, mmap, os, socket, sys, threading, time\n{code}\n{wait}"
        command = [sys.executable, "-c", program]
        one = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(one)
        assert one.stdout.readline() == b"there\n"
        return one.pid

    yield start
    for one in started:
        for child in family(one.pid)[1:]:
            psutil.Process(child).kill()
        one.communicate()


def test_memory_is_counted(process):
    small, large = process(""), process("kept = b'x' * (50 * 2**20)")
    assert 48 * 2**20 < used([large]).memory - used([small]).memory < 60 * 2**20
    assert used([small, large]).memory > 50 * 2**20


def test_threads_and_processes_are_counted(process):
    code = (
        "for _ in range(7): threading.Thread(target=time.sleep, args=(600,), daemon=True).start()"
    )
    assert used([process(code)]).threads == 8
    code = "for _ in range(3):\n    if os.fork() == 0: time.sleep(600)"
    pid = process(code)
    assert used(family(pid)).threads == len(family(pid)) == 4
    assert sorted(family(pid)[1:]) == sorted(children(pid))


def test_a_process_whose_first_thread_has_ended_is_read_by_another(process):
    end = "libc = ctypes.CDLL(None)\nlibc.syscall(60 if os.uname().machine == 'x86_64' else 93, 0)"
    code = """
kept = b'x' * (50 * 2**20)
ends = socket.socketpair()
def other():
    while open("/proc/self/stat").read().rpartition(")")[2].split()[0] != "Z": time.sleep(0.01)
    print("there", flush=True)
    time.sleep(600)
threading.Thread(target=other).start()
"""
    pid = process(code, wait=end)
    found = used([pid])
    assert found.memory > 50 * 2**20
    assert found.threads >= 1
    assert found.files >= 5
    assert held(found.places).buffers >= 2 * socket_bytes()
    psutil.Process(pid).kill()


@pytest.mark.parametrize("name", [b"\xff\xfe", b") R 1 (", b"RssAnon: 1\n"])
def test_a_name_that_is_no_text(process, name):
    pid = process(f"kept = b'x' * (50 * 2**20)\nctypes.CDLL(None).prctl(15, {name!r}, 0, 0, 0)")
    assert used([pid]).memory > 50 * 2**20
    assert used([pid]).threads == 1
    assert cpu([pid]) > 0


def test_sockets_and_pipes_are_counted_once_each(process):
    empty = process("")
    full = process("kept = [socket.socketpair() for _ in range(11)], [os.pipe() for _ in range(5)]")
    forks = "if os.fork() == 0: time.sleep(600)"
    more = process(f"kept = [socket.socketpair() for _ in range(11)]\n{forks}")
    before = held(used([empty]).places).buffers
    assert held(used([full]).places).buffers - before == 22 * socket_bytes() + 5 * PIPE
    shared = family(more)
    assert len(shared) == 2
    assert held(used(shared).places).buffers - before == 22 * socket_bytes()
    assert used(shared).files - 2 * used([empty]).files == 44


def test_what_has_ended_counts_nothing():
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    dead, gone = used([process.pid]), used([2**22 + 1])
    assert (dead.memory, gone.memory, gone.files) == (0, 0, 0)
    assert held(dead.places | gone.places).buffers == 0
    process.wait()


@pytest.mark.parametrize(
    ("code", "limit", "reason"),
    [
        ("kept = b'x' * (80 * 2**20)", {"memory": 60}, "memory"),
        ("kept = [socket.socketpair() for _ in range(400)]", {"memory": 60}, "memory"),
        ("kept = [threading.Thread(target=time.sleep, args=(600,), daemon=True)"
         " for _ in range(30)]\nfor one in kept: one.start()", {"processes": 20}, "processes"),
        ("open('{folder}/file', 'wb').write(bytes(3 * 2**20))", {"disk": 2}, "disk"),
        ("file = open('{folder}/file', 'wb', 0)\nfile.write(bytes(3 * 2**20))\n"
         "os.unlink(file.name)", {"disk": 2}, "disk"),
    ],
    ids=["memory", "sockets", "threads", "files", "unlinked"],
)  # fmt: skip
def test_what_is_too_much(process, tmp_path, code, limit, reason):
    """It is found where it is beyond the limit, not where the limit is larger."""
    begun, after = process(""), process(code.replace("{folder}", str(tmp_path)))
    for limits, expected in ((limit, reason), ({}, "")):
        excess = Excess(Limits(**limits), str(tmp_path))
        assert excess.found([after]) == "", "nothing is too much before it begins"
        excess.begin([begun])
        assert excess.found([after]) == expected


def test_a_file_that_loses_its_name_later_is_found(tmp_path):
    """At once where the disk's free space says so, and at the latest some looks later."""
    me, excess = [os.getpid()], Excess(Limits(disk=20), str(tmp_path))
    excess.begin(me)
    assert [excess.found(me) for _ in range(3)] == [""] * 3
    with open(tmp_path / "file", "wb") as file:
        (tmp_path / "file").unlink()
        file.write(b"x" * (30 * 2**20))
        file.flush()
        assert "disk" in [excess.found(me) for _ in range(RARELY + 1)]
    for _ in range(RARELY + 1):
        left = excess.found(me)
    assert left == ""


WATCH = """
import json, os, socket, subprocess, sys, time
from autograder.confine import linux, warden
from autograder.confine.limits import Limits
from autograder.confine.tiers import ORDER, reach
linux.prctl(warden.SET_CHILD_SUBREAPER, 1)
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
reading, writing = os.pipe()
ready, born = os.pipe()
child = os.fork()
if child == 0:
    one = subprocess.Popen(["sleep", "600"], start_new_session=True)
    left = subprocess.run(["sh", "-c", "sleep 600 >/dev/null 2>&1 & echo $!"],
                          capture_output=True, text=True)
    print(json.dumps([os.getpid(), one.pid, int(left.stdout)]), flush=True)
    os.write(writing, b'{"bound": 1}')
    os.close(writing)
    os.close(born)
    time.sleep({seconds})
    os._exit(7)
os.close(writing)
os.close(born)
os.read(ready, 1)
{before}
code = warden.watch(theirs, reading, child, {limits})
theirs.close()
print(json.dumps([code, ours.recv(100).decode()]))
"""


def watched(limits="Limits()", seconds=600, before=""):
    """Run a warden over a process with a child and an orphan; return what was said, and pids."""
    code = WATCH.replace("{limits}", limits).replace("{seconds}", str(seconds))
    done = subprocess.run(
        [sys.executable, "-c", code.replace("{before}", before)], capture_output=True, text=True
    )
    pids, *rest = map(json.loads, done.stdout.splitlines())
    return rest[0] if rest else done.stderr, pids


def assert_gone(pids):
    assert len(pids) == 3
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


def test_all_processes_end_with_the_first_one():
    said, pids = watched(seconds=0.3)
    assert said == [7, '{"bound": 1}']
    assert_gone(pids)


def test_all_processes_end_with_their_owner():
    said, pids = watched(before="ours.shutdown(socket.SHUT_WR)")
    assert said[0] == 128 + 9
    assert_gone(pids)


def test_the_owner_is_missed_in_the_middle_of_a_look():
    """A look can take long, where there are many processes and folders; the end need not wait."""
    endless = """
from autograder.confine import excess
def used(pids):
    print(json.dumps("looking"), flush=True)
    ours.shutdown(socket.SHUT_WR)
    while True: pass
excess.used = used
"""
    said, pids = watched(before=endless)
    assert said == "looking"
    assert_gone(pids)


def test_all_processes_end_at_a_limit():
    said, pids = watched(limits="Limits(processes=2)")
    assert said == [128 + 9, '{"bound": 1}']
    assert_gone(pids)


def test_all_processes_end_when_the_warden_breaks():
    """A look at them that raises, whatever it is, leaves nobody behind."""
    said, pids = watched(limits="None")
    assert "AttributeError" in said
    assert_gone(pids)


def test_a_request_that_cannot_be_read_leaves_nobody_behind():
    said, pids = watched(before="ours.send(b'no JSON')")
    assert "JSONDecodeError" in said
    assert_gone(pids)


@pytest.mark.parametrize("detached", [False, True])
def test_what_a_killed_warden_leaves_is_ended(detached):
    """The system may end a warden, as for lack of memory; in the fenced tier nothing else would."""
    found = reach().tier
    if found == "open":
        pytest.skip("nothing confines kernels on this machine")
    code = f"import subprocess as s; s.Popen(['sleep', '600'], start_new_session={detached})"
    tier = "fenced" if found in ORDER[: ORDER.index("fenced") + 1] else found
    with Sandbox(SandboxLimits(), tier) as sandbox:
        assert not sandbox.run(f"{code}\ns.Popen(['sleep', '600'])").problem
        warden = psutil.Process(sandbox._kernel._kernel.pid)
        below = warden.children(recursive=True)
        assert len([one for one in below if one.name() == "sleep"]) == 2
        warden.kill()
        gone, alive = psutil.wait_procs(below, timeout=30)
        assert alive == []
        assert not sandbox.run("done = 1").problem
