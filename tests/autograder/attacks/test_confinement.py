"""Groups 8 and 10, against the confinement itself: get past what counts, or break who counts.

The limits hold for what a kernel causes, not only for what shows in its processes' own memory; and
the warden, which reads what learners' processes make of `/proc` and of folders, must survive it.
"""

import os
import re
import uuid

import psutil
import pytest

LIMITS = {"cell_seconds": 6, "call_seconds": 3, "memory": 600, "disk": 20}
LOOK = 300  # MB that may come between two looks of the warden
TOOLS = """
import ctypes, mmap, os, signal, socket, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
arm = os.uname().machine in ("aarch64", "arm64")
def got(amount): print("got", amount, flush=True)
def touch(megabytes):
    block = mmap.mmap(-1, megabytes * 2**20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for place in range(0, len(block), 4096): block[place] = 1
    return block
def attempt(name, step):
    try: print(name, "got through:", step(), flush=True)
    except OSError as error: print(name, "refused:", error, flush=True)
def called(*arguments):
    result = libc.syscall(*arguments)
    if result < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
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


@pytest.fixture
def token():
    """A number of seconds that no other program sleeps."""
    return f"600.{uuid.uuid4().int % 10**9}"


# Memory that stands in no process's own count


def test_memory_in_sockets(attack):
    """A pair takes what its sender may have under way, which its options raise."""
    code = """
held, total = [], 0
while total < 3000 * 2**20 and len(held) < 900:
    pair = socket.socketpair()
    for end in pair:
        try: end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**26)
        except OSError: pass
        end.setblocking(False)
        held.append(end)
        try:
            while True: total += end.send(bytes(2**16))
        except OSError: pass
    got(total // 2**20)
"""
    outcome = attack(TOOLS + code, limits=LIMITS)
    outcome.assert_failed(keeps_own=False)
    assert 50 < most(outcome) <= LIMITS["memory"] + LOOK


def test_memory_in_the_sockets_of_many_processes(attack):
    """Each process holds as many pairs as it may open, filled as far as is ordinary."""
    code = """
for count in range(40):
    if os.fork() == 0:
        held = []
        try:
            while True: held += socket.socketpair()
        except OSError: pass
        for end in held:
            end.setblocking(False)
            try:
                while True: end.send(bytes(2**16))
            except OSError: pass
        time.sleep(600)
    time.sleep(0.3)
    available = next(line for line in open("/proc/meminfo") if line.startswith("MemAvailable"))
    print("available", int(available.split()[1]) // 1024, flush=True)
"""
    outcome = attack(TOOLS + code, limits=LIMITS | {"cell_seconds": 8})
    outcome.assert_failed(keeps_own=False)
    left = [int(amount) for amount in re.findall(r"available (\d+)", outcome.printed)]
    assert left, "the attack never ran"
    assert max(left) - min(left) <= LIMITS["memory"] + LOOK


def test_memory_in_pipes(attack):
    """One byte in a pipe holds the two megabytes of the huge page that it lies in."""
    code = """
HUGE = 2**21
class Span(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.munmap.argtypes = libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.madvise.argtypes += [ctypes.c_int]
def fill(writing):
    place = libc.mmap(None, 18 * HUGE, 3, 0x22, -1, 0)
    start = (place + HUGE - 1) // HUGE * HUGE
    libc.madvise(start, 16 * HUGE, 14)
    for number in range(16):
        ctypes.memset(start + number * HUGE, 1, HUGE)
        called(75 if arm else 278, writing, ctypes.byref(Span(start + number * HUGE, 1)), 1, 0)
    libc.munmap(place, 18 * HUGE)
held = []
def pipes():
    for count in range(1, 61):
        held.append(os.pipe())
        fill(held[-1][1])
        got(32 * count)
    return "done"
attempt("pages", pipes)
"""
    outcome = attack(TOOLS + code, limits=LIMITS)
    outcome.assert_failed(keeps_own=False)
    assert "pages refused:" in outcome.printed or 0 < most(outcome) <= LIMITS["memory"] + LOOK


def test_memory_of_a_process_whose_first_thread_has_ended(attack):
    """What /proc says of a process, it says of its first thread, and an ended one has nothing."""
    code = """
for count in range(0, 2000, 100):
    if os.fork() == 0:
        threading.Thread(target=lambda: [touch(100), time.sleep(600)]).start()
        libc.syscall(93 if arm else 60, 0)
    time.sleep(0.3)
    got(count)
"""
    outcome = attack(TOOLS + code, limits=LIMITS | {"cell_seconds": 8})
    outcome.assert_failed(keeps_own=False)
    assert most(outcome) <= LIMITS["memory"] + LOOK
    assert "got 0" in outcome.printed


def test_threads_count_as_processes(attack):
    code = """
threading.stack_size(65536)
for count in range(1, 1501):
    try: threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
    except RuntimeError: break
    if count % 10 == 0: got(count)
time.sleep(1)
got(10 * count)
"""
    outcome = attack(TOOLS + code, limits=LIMITS)
    outcome.assert_failed(keeps_own=False)
    assert 10 < most(outcome)
    assert "got 15000" not in outcome.printed, "1,500 threads ran for a second"


def test_a_bomb_of_shells(attack, token):
    """It doubles as fast as the machine can, and is ended whole."""
    code = f"""
bomb = "bomb() {{ bomb | bomb & }}; bomb"
got(0)
time.sleep(0.5)
subprocess.Popen(["bash", "-c", bomb, {token!r}], stderr=subprocess.DEVNULL)
time.sleep(1)
"""
    few = {"cell_seconds": 2, "call_seconds": 1}
    outcome = attack(TOOLS + code, limits=LIMITS | few)
    outcome.assert_failed(keeps_own=False)
    assert "got 0" in outcome.printed
    assert not running(token)


# Files that are nowhere in the tree, or where it cannot be walked


FILL = """
def fill(folder, megabytes):
    handle = os.open("file", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=folder)
    for _ in range(megabytes): os.write(handle, os.urandom(2**20))
    os.close(handle)
written = 0
"""
PLACES = {
    "beyond the longest path": """
    for _ in range(40):
        os.mkdir("x" * 200, dir_fd=folder)
        folder = os.open("x" * 200, os.O_RDONLY, dir_fd=folder)
    """,
    "in a folder that may not be listed": """
    os.mkdir("closed", 0o700, dir_fd=folder)
    inner = os.open("closed", os.O_RDONLY, dir_fd=folder)
    os.fchmod(inner, 0o300)
    os.mkdir("born", 0o300, dir_fd=folder)
    os.close(folder)
    folder = inner
    """,
    "below a thousand folders": """
    for _ in range(1000):
        os.mkdir("d", dir_fd=folder)
        inner = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    """,
}


@pytest.mark.parametrize("where", PLACES)
def test_files_that_are_not_found(attack, where, token):
    """A program that left its session must not outlive a warden that breaks on the folders."""
    code = f"""
child = subprocess.Popen(["sleep", {token!r}], start_new_session=True)
for count in range(8):
    top = os.path.expanduser(f"~/top{{count}}")
    os.mkdir(top)
    folder = os.open(top, os.O_RDONLY)
    {PLACES[where].strip()}
    time.sleep(0.3)
    try:
        fill(folder, 10)
    except OSError as error:
        print("refused:", error)
        break
    got(10 * (count + 1))
    time.sleep(0.3)
"""
    outcome = attack(TOOLS + FILL + code, limits=LIMITS | {"cell_seconds": 20})
    outcome.assert_failed(keeps_own=False)
    ended = any("more disk" in note for note in [outcome.text, *outcome.notes])
    assert ended or "refused:" in outcome.printed
    assert most(outcome) <= LIMITS["disk"] + 20
    assert not running(token)


def test_files_of_a_program_that_hides_them(attack):
    """A program that may be run and not read shows nobody its open files, which have no name."""
    code = """
program = os.path.expanduser("~/hidden")
with open("/bin/dd", "rb") as file:
    handle = os.open(program, os.O_WRONLY | os.O_CREAT, 0o111)
    os.write(handle, file.read())
    os.close(handle)
reading, writing = os.pipe()
for count in range(8):
    path = os.path.expanduser(f"~/{count}")
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.unlink(path)
    filling = subprocess.run([program, "if=/dev/urandom", "bs=1M", "count=10"], stdout=handle,
                             stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    # the next one keeps it open and waits for a byte that never comes
    subprocess.Popen([program, "bs=1"], stdin=reading, stdout=handle, stderr=subprocess.DEVNULL)
    os.close(handle)
    if filling.returncode:
        print("refused:", filling.stderr[-60:], flush=True)
        break
    got(10 * (count + 1))
    time.sleep(0.6)
"""
    outcome = attack(TOOLS + code, limits=LIMITS | {"cell_seconds": 12})
    outcome.assert_failed(keeps_own=False)
    assert 0 < most(outcome) <= LIMITS["disk"] + 25


# Who watches must survive what it looks at


BREAKERS = {
    "a name that is no text": """
libc.prctl(15, b"\\xff\\xfe)\\xff", 0, 0, 0)
try: open("/proc/self/comm", "wb").write(b"\\xff\\xfe)\\xff")
except OSError: pass
""",
    "a mapped file whose name ends the line": """
for name in ("a\\x0cb", "a\\x1cb", "a\\u2028b", "a\\nb", b"a\\xff\\x85b"):
    with open(name, "w+b") as file:
        file.write(bytes(4096)); file.flush()
        globals().setdefault("kept", []).append(mmap.mmap(file.fileno(), 4096))
    os.unlink(name)
""",
    "folders below folders": """
folder = os.open(os.path.expanduser("~"), os.O_RDONLY)
for _ in range(1500):
    os.mkdir("d", dir_fd=folder)
    inner = os.open("d", os.O_RDONLY, dir_fd=folder)
    os.close(folder)
    folder = inner
""",
}


@pytest.mark.parametrize("way", BREAKERS)
def test_breaking_the_warden(attack, way, token):
    """A program that left its session ends with the kernel, whatever the warden came across."""
    code = f"""
subprocess.Popen(["sleep", {token!r}], start_new_session=True)
print("born", flush=True)
{BREAKERS[way].strip()}
time.sleep(1)
print("still here", flush=True)
"""
    outcome = attack(TOOLS + code, limits=LIMITS | {"disk": 64})
    deep = way == "folders below folders"
    outcome.assert_failed(keeps_own=not deep)
    assert "born" in outcome.printed
    assert deep or "still here" in outcome.printed, "the kernel ended with its warden"
    assert not running(token)


# What belongs to others, reached past Landlock


def test_a_signal_to_the_owner_of_a_file(attack):
    """The grader and a program of the same user are sent signals through files and sockets."""
    process = psutil.Popen(["sleep", "600"])
    try:
        code = f"""
import fcntl, struct
reading, writing = socket.socketpair()
for pid in (os.getppid(), {os.getpid()}, {process.pid}):
    attempt("owner", lambda: fcntl.fcntl(reading, 8, pid))
    attempt("extended owner", lambda: fcntl.fcntl(reading, 15, struct.pack("ii", 1, pid)))
    attempt("signal", lambda: fcntl.fcntl(reading, 10, signal.SIGSTOP))
    for number in (0x8901, 0x8902):
        attempt("ioctl", lambda: fcntl.ioctl(reading, number, struct.pack("i", pid)))
    try:
        fcntl.fcntl(reading, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
        writing.send(b"x")
    except OSError: pass
print("asked", flush=True)
"""
        outcome = attack(TOOLS + code, limits=LIMITS)
        outcome.assert_failed()
        assert "asked" in outcome.printed
        assert "owner got through:" not in outcome.printed
        assert process.status() not in ("stopped", "zombie")
    finally:
        process.kill()
        process.wait()


def test_rights_dates_and_attributes_of_files(attack, course, tmp_path):
    """Landlock lists what may be opened; rights, owners and dates of the rest change by name.

    The attack says what it changed by looking again, and this test looks too.
    """
    mine = tmp_path / "mine"
    mine.write_text("text")
    public = [os.__file__, psutil.__file__]  # what the kernel may read and open
    paths = [course.path / "grading.key", mine]
    paths += map(type(mine), public)
    before = [_metadata(path) for path in paths]
    code = f"""
import shutil
def changed(name, path, change):
    try:
        before = os.stat(path)
        change()
    except OSError as error: return print(name, "refused:", error, flush=True)
    after = os.stat(path)
    same = all(getattr(before, n) == getattr(after, n)
               for n in ("st_mode", "st_uid", "st_gid", "st_mtime_ns", "st_ctime_ns"))
    print(name, "changed nothing" if same else f"CHANGED {{path}}", flush=True)
for path in {[str(path) for path in paths]!r}:
    if {str(mine)!r} != path and not {os.getuid()}: continue  # harmless, were it to succeed
    for name, change in {{
        "chmod": lambda: os.chmod(path, os.stat(path).st_mode & 0o7777 ^ 0o010),
        "chown": lambda: os.chown(path, os.getuid(), os.getgid()),
        "utime": lambda: os.utime(path, (1e9, 1e9)),
        "attribute": lambda: os.setxattr(path, "user.a", b"1"),
        "by descriptor": lambda: os.fchmod(os.open(path, os.O_RDONLY), 0o640),
        "flags": lambda: __import__("fcntl").ioctl(os.open(path, os.O_RDONLY), 0x40086602,
                                                   (64).to_bytes(8, "little")),
    }}.items():
        changed(name, path, change)
print("tried", flush=True)
"""
    outcome = attack(TOOLS + code, limits=LIMITS)
    outcome.assert_failed()
    assert "tried" in outcome.printed
    assert "CHANGED" not in outcome.printed
    assert [_metadata(path) for path in paths] == before


def _metadata(path):
    found = os.stat(path)
    return found.st_mode, found.st_uid, found.st_gid, found.st_mtime_ns, os.listxattr(path)


def test_holding_up_who_opens_a_file(attack):
    """Who owns a file may ask to be told before others open it, and they wait for 45 seconds."""
    code = f"""
import fcntl, json
for path in {[os.__file__, psutil.__file__]!r}:
    handle = os.open(path, os.O_RDONLY)
    for kind in (fcntl.F_WRLCK, fcntl.F_RDLCK):
        attempt("lease", lambda: fcntl.fcntl(handle, 1024, kind))
print("asked", flush=True)
"""
    outcome = attack(TOOLS + code, limits=LIMITS)
    outcome.assert_failed()
    assert "asked" in outcome.printed
    assert "lease got through:" not in outcome.printed


def test_shared_memory_of_others_by_number(attack):
    """System V segments, queues and semaphores are found by trying numbers."""
    numbers = "(30, 196, 31, 195, 71, 187, 70, 188, 66, 191)"  # (x86_64, aarch64) in turn
    code = f"""
numbers = {numbers}[int(arm)::2]
attempt("attach", lambda: called(numbers[0], 0, 0, 0))
attempt("remove a segment", lambda: called(numbers[1], 10**8, 0, 0))
attempt("remove a queue", lambda: called(numbers[2], 10**8, 0, 0))
attempt("read a queue", lambda: called(numbers[3], 10**8, 0, 0, 0, 0))
attempt("remove semaphores", lambda: called(numbers[4], 10**8, 0, 0, 0))
"""
    outcome = attack(TOOLS + code, limits=LIMITS)
    outcome.assert_failed()
    assert outcome.printed.count(" refused: [Errno 1]") == 5
