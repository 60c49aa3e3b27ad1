"""Each mechanism alone: a fork enters it and reports what it may still do."""

import json
import subprocess
import sys

import pytest

from autograder.confine import landlock, linux, seccomp
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
seccomp.restrict(fenced=True)
print(json.dumps([attempt(lambda: os.kill(pid, 0)) for pid in (os.getpid(), os.getppid(), -1)]))
"""
    assert in_process(code) == ["done", "PermissionError", "PermissionError"]


def test_seccomp_leaves_buffers_owners_and_leases_as_they_are():
    """The calls themselves go on working, for what programs need of them."""
    code = """
import ctypes, fcntl, socket, struct
from autograder.confine import landlock, linux, seccomp
seccomp.restrict(fenced=True)
one, other = socket.socketpair()
with open(__import__("os").__file__) as file:
    results = {
        "sending": attempt(lambda: one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**20)),
        "receiving": attempt(lambda: one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)),
        "credentials": attempt(lambda: one.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)),
        "owner": attempt(lambda: fcntl.fcntl(one, fcntl.F_SETOWN, os.getpid())),
        "owner by ioctl": attempt(lambda: fcntl.ioctl(one, 0x8901, struct.pack("i", os.getpid()))),
        "signal": attempt(lambda: fcntl.fcntl(one, 10, 12)),
        "lease": attempt(lambda: fcntl.fcntl(file, 1024, fcntl.F_RDLCK)),
        "flags": attempt(lambda: fcntl.fcntl(one, fcntl.F_SETFL, os.O_NONBLOCK)),
        "blocking": attempt(lambda: one.setblocking(True)),
        "unread": attempt(lambda: fcntl.ioctl(one, 0x541B, bytes(4))),
        "a file's flags": attempt(lambda: fcntl.ioctl(file, 0x80086601, bytes(8))),
        "files": attempt(lambda: socket.send_fds(one, [b"x"], [0])),
        "hiding": attempt(lambda: linux.prctl(4, 0)),
    }
print(json.dumps(results))
"""
    done = ("credentials", "flags", "blocking", "unread")
    results = in_process(code)
    expected = {name: "done" if name in done else "PermissionError" for name in results}
    assert results == expected | {"owner by ioctl": "OSError", "a file's flags": "OSError"}


def test_seccomp_lets_no_thread_have_files_of_its_own():
    code = """
import ctypes, threading
from autograder.confine import landlock, linux, seccomp
libc = ctypes.CDLL(None, use_errno=True)
def made(result):
    if result < 0: raise OSError(ctypes.get_errno(), "refused")
arm = linux.architecture() == "aarch64"
seccomp.restrict()
thread = threading.Thread(target=lambda: None)
print(json.dumps([
    attempt(lambda: made(libc.syscall(220 if arm else 56, 0x10900, 0, 0, 0, 0))),
    attempt(lambda: made(libc.syscall(436, 1000, 1001, 2))),
    attempt(lambda: made(libc.syscall(436, 1000, 1001, 0))),
    attempt(lambda: [thread.start(), thread.join()]),
]))
"""
    assert in_process(code) == ["PermissionError", "PermissionError", "done", "done"]


SHARED = """
import shutil, stat, tarfile, tempfile, zipfile
from pathlib import Path
from autograder.confine import seccomp
folder = Path(tempfile.mkdtemp())
one = folder / "one"
one.write_text("text")
one.chmod(0o640)
os.utime(one, (1e9, 1e9))
def metadata():
    found = one.stat()
    return [found.st_mode, found.st_uid, found.st_gid, found.st_mtime_ns, found.st_ctime_ns]
before = metadata()
seccomp.restrict(fenced=True, shared=True)
"""


def test_where_the_user_is_shared_rights_owners_and_dates_stay():
    code = (
        SHARED
        + """
changes = [
    lambda: os.chmod(one, 0), lambda: os.chown(one, os.getuid(), os.getgid()),
    lambda: os.utime(one), lambda: os.utime(one, ns=(5, 5), follow_symlinks=False),
    lambda: os.fchmod(os.open(one, os.O_RDONLY), 0o777), lambda: os.setxattr(one, "user.a", b"1"),
    lambda: os.chmod("one", 0, dir_fd=os.open(folder, os.O_RDONLY)),
    lambda: os.removexattr(one, "user.a"),
]
results = [attempt(change) for change in changes]
after = metadata()
shutil.rmtree(folder)
print(json.dumps([results, after == before]))
"""
    )
    results, same = in_process(code)
    assert same
    assert results == ["done"] * 5 + ["OSError", "done", "OSError"]


def test_where_the_user_is_shared_files_are_copied_and_unpacked():
    """Programs that set rights and dates of what they have just made go on working."""
    code = (
        SHARED
        + """
import subprocess
def run(*command): subprocess.run(command, check=True, capture_output=True)
with zipfile.ZipFile(folder / "a.zip", "w") as file: file.write(one, "one")
with tarfile.open(folder / "a.tar", "w") as file: file.add(one, "one")
results = {
    "copy": attempt(lambda: shutil.copy(one, folder / "copy")),
    "copy2": attempt(lambda: shutil.copy2(one, folder / "copy2")),
    "tree": attempt(lambda: shutil.copytree(folder, folder / "tree")),
    "zip": attempt(lambda: zipfile.ZipFile(folder / "a.zip").extractall(folder / "zip")),
    "tar": attempt(lambda: tarfile.open(folder / "a.tar").extractall(folder / "tar")),
    "touch": attempt(one.touch),
    "cp": attempt(lambda: run("cp", "-a", folder / "tree", folder / "cp")),
    "tar program": attempt(lambda: run("tar", "-C", folder / "tar", "-xf", folder / "a.tar")),
    "install": attempt(lambda: run("install", "-m", "600", one, folder / "installed")),
    "temporary": attempt(lambda: tempfile.TemporaryDirectory().cleanup()),
}
texts = [(folder / name / "one").read_text() for name in ("tree", "zip", "tar", "cp")]
texts += [(folder / name).read_text() for name in ("copy", "copy2", "installed")]
shutil.rmtree(folder)
print(json.dumps([results, texts]))
"""
    )
    results, texts = in_process(code)
    assert set(results.values()) == {"done"}, results
    assert set(texts) == {"text"}


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_the_filter_is_whole(architecture):
    """Every jump lands inside, and the last word is an answer."""
    code = seccomp.program(architecture, signals_to=42, shared=True)
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


def test_landlock_says_when_it_is_too_old():
    with pytest.raises(OSError, match=r"Landlock 99 is needed .* this is \d"):
        landlock.restrict([], [], least=99)


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
