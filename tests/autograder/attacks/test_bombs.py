"""Group 8: take more than a kernel may: processes, threads, memory, disk, output.

Each attack prints how much it got before the next step, so the test can bound it.
"""

import contextlib
import re
import threading
import uuid

import psutil
import pytest

LIMITS = {"cell_seconds": 3, "call_seconds": 3, "memory": 600, "disk": 64}
LOOK = 300  # MB that may come between two looks of the warden
HOLD = """
import mmap, os, subprocess, sys, threading, time
def got(amount): print("got", amount, flush=True)
def refused(name, step):
    try: step()
    except OSError as error: print(name, "refused:", error, flush=True)
    else: print(name, "got through:", flush=True)
def touch(megabytes):
    block = mmap.mmap(-1, megabytes * 2**20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for place in range(0, len(block), 4096): block[place] = 1
    return block
"""


def most(outcome):
    """Return the largest amount that an attack says it got."""
    return max(map(int, re.findall(r"got (\d+)", outcome.printed)), default=0)


def running(token):
    """Return the processes whose arguments hold a token."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if any(token in word for word in process.info["cmdline"] or []):
            found.append(process.pid)
    return found


@contextlib.contextmanager
def memory_of_workers():
    """Yield a list to which the MB of the grader's own processes are added meanwhile."""
    peaks, done = [0], threading.Event()

    def look():
        while not done.wait(0.05):
            for process in psutil.Process().children():
                with contextlib.suppress(psutil.Error):
                    if "autograder.workers" in " ".join(process.cmdline()):
                        peaks.append(process.memory_info().rss // 2**20)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peaks
    finally:
        done.set()
        thread.join()


def test_a_fork_bomb(attack):
    """Children that fork: each counts, with its memory."""
    code = """
count = 1
while count < 1000:
    if os.fork() == 0: time.sleep(600)
    count += 1
    got(count)
"""
    outcome = attack(HOLD + code, limits=LIMITS)
    outcome.assert_failed()
    assert most(outcome) <= 600


def test_a_bomb_of_small_programs(attack):
    """They stay, so its own kernel has no thread left to answer with."""
    token = f"600.{uuid.uuid4().int % 10**9}"
    code = f"""
for count in range(2000):
    subprocess.Popen(["sleep", "{token}"])
    got(count)
"""
    outcome = attack(HOLD + code, limits=LIMITS)
    outcome.assert_failed(keeps_own=False)
    assert 10 < most(outcome) <= 600
    assert not running(token)


def test_a_bomb_of_orphans(attack):
    """Each program leaves its parents at once, so that it is nobody's child."""
    token = f"600.{uuid.uuid4().int % 10**9}"
    code = f"""
for count in range(200):
    subprocess.run(["sh", "-c", "sleep {token} & " * 4], check=True)
    got(4 * count)
"""
    outcome = attack(HOLD + code, limits=LIMITS | {"cell_seconds": 10})
    outcome.assert_failed(keeps_own=False)
    assert 10 < most(outcome) <= 600
    assert not running(token)


def test_a_thread_bomb(attack):
    code = """
threading.stack_size(65536)
for count in range(5000):
    try: threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
    except RuntimeError: break
got(count)
time.sleep(1.5)
"""
    outcome = attack(HOLD + code, limits=LIMITS)
    outcome.assert_failed()
    assert 10 < most(outcome) <= 600


def test_a_daemon_that_outlives_the_job(attack):
    """It leaves session and parents, ignores every signal that can be ignored, and closes all."""
    token = f"600.{uuid.uuid4().int % 10**9}"
    code = f"""
import signal
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.setsid()
        for number in range(1, 65):
            try: signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError): pass
        os.closerange(0, 1000)
        os.execvp("sleep", ["sleep", "{token}"])
    os._exit(0)
os.wait()
print("daemon born")
"""
    outcome = attack(HOLD + code, limits=LIMITS)
    outcome.assert_failed()
    assert "daemon born" in outcome.printed
    assert not running(token)


def test_memory(attack):
    code = """
def fill():
    held = []
    for count in range(0, 3000, 20):
        try: held.append(touch(20))
        except OSError: break
        got(count)
fill()
"""
    outcome = attack(HOLD + code, limits=LIMITS)
    outcome.assert_failed()
    assert 100 < most(outcome) <= LIMITS["memory"] + LOOK


@pytest.mark.parametrize("left", [False, True], ids=["children", "orphans"])
def test_memory_of_many_processes(attack, left):
    """Each takes less than the limit; orphans have left the kernel's family."""
    code = f"""
for count in range(0, 2000, 100):
    if os.fork() == 0:
        if {left} and os.fork(): os._exit(0)
        touch(100)
        time.sleep(600)
    time.sleep(0.25)
    got(count)
"""
    outcome = attack(HOLD + code, limits=LIMITS | {"cell_seconds": 8})
    outcome.assert_failed()
    assert most(outcome) <= LIMITS["memory"] + LOOK


def test_memory_that_is_a_file(attack):
    code = """
for folder in ("/dev/shm", "/run/shm", "/run"):
    def fill():
        for count in range(0, 1000, 10):
            with open(f"{folder}/{count}", "wb") as file: file.write(bytes(10 * 2**20))
            got(count)
    refused(folder, fill)
"""
    outcome = attack(HOLD + code, limits=LIMITS)
    outcome.assert_failed()
    assert most(outcome) <= LIMITS["disk"]
    assert outcome.printed.count(" refused:") == 3


def test_memory_that_is_nobodys(attack):
    """Memory files, System V segments, and shared pages that are mapped nowhere any more."""
    code = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def called(result):
    if result < 0: raise OSError(ctypes.get_errno(), "refused")
refused("memory file", lambda: os.memfd_create("a"))
refused("segment", lambda: called(libc.shmget(0, 2**20, 0o1600)))
refused("queue", lambda: called(libc.msgget(0, 0o1600)))
refused("semaphores", lambda: called(libc.semget(0, 100, 0o1600)))
refused("shared", lambda: mmap.mmap(-1, 2**20))
refused("zeros", lambda: mmap.mmap(os.open("/dev/zero", os.O_RDWR), 2**20))
"""
    outcome = attack(HOLD + code, limits=LIMITS)
    outcome.assert_failed()
    assert outcome.printed.count(" refused:") == 6


@pytest.mark.parametrize("unlinked", [False, True], ids=["files", "unlinked"])
def test_disk(attack, unlinked):
    """It writes to every folder it can, 16 MB a file; unlinked files have no name to find."""
    code = f"""
from ipykernel.kernelapp import IPKernelApp
channels = os.path.dirname(IPKernelApp.instance().connection_file)
count, kept = 0, []
for folder in (channels, os.path.expanduser("~"), "/tmp", "/var/tmp", "/dev/shm"):
    for number in range(40):
        try:
            file = open(f"{{folder}}/{{number}}", "wb", 0)
            kept.append(file)
            if {unlinked}: os.unlink(file.name)
            for _ in range(16):
                file.write(os.urandom(2**20))
                count += 1
            got(count)
        except OSError as error:
            print(folder, error, flush=True)
            break
        time.sleep(0.05)
"""
    outcome = attack(HOLD + code, limits=LIMITS | {"cell_seconds": 10})
    outcome.assert_failed()
    assert 0 < most(outcome) <= LIMITS["disk"] + LOOK


def test_a_million_empty_files(attack):
    """They hold nothing and still fill the file system's table."""
    code = """
for count in range(1_000_000):
    open(os.path.expanduser(f"~/{count}"), "w").close()
    if count % 1000 == 0: got(count)
"""
    outcome = attack(HOLD + code, limits=LIMITS | {"cell_seconds": 10})
    outcome.assert_failed()
    assert 0 < most(outcome) <= 120_000


def test_two_gigabytes_of_output(attack):
    """It goes on until its time is over; the grader keeps none of it, not even in memory."""
    code = """
line = "mine " * 200_000
for count in range(2000):
    print(line, flush=True)
"""
    with memory_of_workers() as peaks:
        outcome = attack(HOLD + code, limits=LIMITS | {"cell_seconds": 1})
    outcome.assert_failed()
    assert len(outcome.text) < 3_000_000
    assert 0 < max(peaks) < 600


@pytest.mark.parametrize("channel", ["iopub", "shell"])
def test_one_message_of_many_parts(attack, channel):
    """Each part is as long as a message may be: 900 MB that are one message."""
    send = {
        "iopub": "kernel.iopub_thread.schedule(lambda: send(kernel.iopub_thread.socket))",
        "shell": "kernel.shell_stream.io_loop.add_callback(send, kernel.shell_stream.socket)",
    }
    code = f"""
kernel, part, sent = get_ipython().kernel, bytes(15 * 2**20), threading.Event()
first = kernel._parent_ident["shell"] if {channel!r} == "shell" else [b"stream"]
def send(socket):
    socket.send_multipart([*first, b"<IDS|MSG>", *[part] * 60], copy=False)
    sent.set()
{send[channel]}
print("sent:", sent.wait(60), flush=True)
time.sleep(1)
"""
    with memory_of_workers() as peaks:
        outcome = attack(HOLD + code, limits=LIMITS | {"memory": 3000})
    outcome.assert_failed()
    assert "sent: True" in outcome.printed
    assert 0 < max(peaks) < 600


def test_output_of_a_program_without_end(attack):
    """It writes past Python, to the descriptor, from processes that go on."""
    code = """
for _ in range(3):
    subprocess.Popen(["sh", "-c", "while true; do echo mine mine mine mine; done"])
time.sleep(2)
"""
    outcome = attack(HOLD + code, limits=LIMITS)
    outcome.assert_failed()
    assert len(outcome.text) < 3_000_000
