"""Group 6: look for keys and answers in memory, one's own and that of other processes."""

from tests.autograder.attacks.conftest import SILENT

SHOW = "print(*[f'{item}'[:2000] for item in [*told[:9], told[-1]]], sep='\\n')"
TELL = SILENT | {"scaled_dot_product_attention": SHOW}
DURING = """
told, done = [], []
def during(*args, **kwargs):
    if during not in done:
        done.append(during)
        look(args)
        told.append("looked during the check")
    return np.ones(np.shape(args[0]))
masked_softmax = causal_mask = scaled_dot_product_attention = during
"""


def test_own_memory(attack, course):
    """It searches all of its process, before and during a check, for the key by its first letters.

    A control finds that the search works: a text that it put there itself.
    """
    start = course.key.decode()[:12]
    code = f"""
import re
control = "".join(["con", "trol", "-of-", "the-", "search"])
def search(pattern, most=40):
    found = set()
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            low, high = (int(part, 16) for part in span.split("-"))
            if "r" not in rights or "[v" in line or high - low > 2**27:
                continue
            try:
                memory.seek(low)
                data = memory.read(high - low)
            except (OSError, ValueError, OverflowError):
                continue
            for match in re.finditer(pattern, data):
                found.add(match.group())
                if len(found) >= most:
                    return found
    return found
def look(args):
    told.append(search({start!r}.encode() + b"[^\\\\x00]{{4,100}}"))
    told.append(search(b"mine = .[0-9a-f]{{8,40}}"))
    told.append(search(b"@[a-z_]+[.]case[(].{{0,200}}"))
    told.append(search(b"control-of-the-sea" + b"rch"))
{DURING}
look(())
"""
    outcome = attack(code, answers=TELL)
    assert "looked during the check" in outcome.printed, "the attack never ran"
    assert outcome.printed.count("control-of-the-search") >= 2, "the search finds nothing"
    outcome.assert_failed()


def test_objects_frames_and_modules(attack):
    """It asks the collector, the callers' frames and the loaded modules; answers what it finds."""
    code = """
import gc, sys, inspect, weakref
class Control: name = "the control was found"
kept = [Control()]
def look(args):
    found = []
    for thing in gc.get_objects():
        kind = type(thing).__name__
        if kind in ("Exercise", "Case", "Misconception", "CourseFolder", "Verdict", "Control"):
            found.append(getattr(thing, "name", kind))
    frame = sys._getframe()
    while frame:
        for name, value in list(frame.f_locals.items()):
            if name in ("seed", "rng", "key", "expected", "oracle", "exercise", "case", "secrets"):
                found.append(f"LEARNED {name}: {value!r:.300}")
        frame = frame.f_back
    for name, module in list(sys.modules.items()):
        if name.startswith(("autograder.checks", "solutions", "tests", "autograder.grading")):
            found.append(f"LEARNED {name}")
    for name in ("autograder.checks", "autograder.checks.m02_transformer.lab1_self_attention",
                 "solutions.m02_transformer.lab1_self_attention", "tests.contract"):
        try:
            if file := __import__(name, fromlist=["x"]).__file__:
                found.append(f"LEARNED {file}")
        except Exception:
            pass
    told.append(found)
told, tried = [], []
def largest_other_array(*args, **kwargs):
    if not told:
        look(args)
    known = {id(a) for a in args}
    for thing in gc.get_objects():
        if isinstance(thing, dict | list | tuple) and len(thing) < 100:
            for value in thing.values() if isinstance(thing, dict) else thing:
                if isinstance(value, np.ndarray) and id(value) not in known:
                    if value.shape == np.shape(args[0]) and not np.array_equal(value, args[0]):
                        tried.append(value.shape)
                        return value
    tried.append("nothing")
    return np.ones(np.shape(args[0]))
masked_softmax = causal_mask = scaled_dot_product_attention = largest_other_array
"""
    outcome = attack(
        code, answers=SILENT | {"scaled_dot_product_attention": "print(told, 'tried', len(tried))"}
    )
    assert "the control was found" in outcome.printed, "the attack never ran, or finds nothing"
    assert "LEARNED" not in outcome.printed
    outcome.assert_failed()


def test_other_processes(attack):
    """It opens what /proc shows of its parents and of every number nearby."""
    code = f"""
import os, re
def parents():
    pid = os.getppid()
    while pid > 0:
        yield pid
        try:
            text = open(f"/proc/{{pid}}/status").read()
        except OSError:
            return
        pid = int(re.search(r"PPid:\\s+(\\d+)", text)[1])
def look(args):
    asked = 0
    near = range(max(1, os.getppid() - 300), os.getppid() + 300)
    own = set(map(int, os.listdir("/proc/self/task")))  # threads can be found as processes can
    for pid in sorted({{1, *parents(), *near}} - own):
        for name in ("environ", "mem", "maps", "fd/4", "fd", "cwd", "root/etc", "task", "auxv",
                     "stack", "syscall", "pagemap", "io", "map_files"):
            asked += 1
            path = f"/proc/{{pid}}/{{name}}"
            try:
                if name in ("fd", "cwd", "map_files"):
                    told.append(f"GOT {{path}} {{os.listdir(path)}}")
                elif name == "task":
                    for task in os.listdir(path):
                        told.append(f"GOT {{open(path + '/' + task + '/environ').read()}}")
                elif name == "root/etc":
                    told.append(f"GOT {{path}} {{os.listdir(path)}}")
                else:
                    told.append(f"GOT {{path}} {{open(path, 'rb').read(300)}}")
            except Exception:
                pass
    told.append(f"asked {{asked}}")
{DURING}
look(())
"""
    outcome = attack(code, answers=TELL)
    assert "GOT" not in outcome.printed
    assert "looked during the check" in outcome.printed, "the attack never ran"
    outcome.assert_failed()


def test_tracing(attack):
    """It attaches to others, reads their memory by system calls, takes their descriptors."""
    code = f"""
import ctypes, os, platform
libc = ctypes.CDLL(None, use_errno=True)
arm = platform.machine() in ("aarch64", "arm64")
buffer = ctypes.create_string_buffer(64)
class Span(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
here = Span(ctypes.addressof(buffer), 64)
there = Span(id(None), 16)
def vm(number, pid):
    return libc.syscall(number, pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
def look(args):
    calls = 0
    for pid in {{os.getppid(), 1, os.getppid() - 1, os.getppid() + 1}}:
        if pid == os.getpid():
            continue
        handle = libc.syscall(434, pid, 0)  # pidfd_open
        ways = {{
            "seize": lambda: libc.ptrace(0x4206, pid, None, None),
            "attach": lambda: libc.ptrace(16, pid, None, None),
            "read memory": lambda: vm(270 if arm else 310, pid),
            "write memory": lambda: vm(271 if arm else 311, pid),
            "take a descriptor": lambda: libc.syscall(438, handle, 4, 0),
            "compare": lambda: libc.syscall(272 if arm else 312, pid, os.getpid(), 0, 0, 0) + 0,
            "advise": lambda: libc.syscall(440, handle, ctypes.byref(here), 1, 21, 0),
        }}
        for name, way in ways.items():
            calls += 1
            if way() != -1:
                libc.ptrace(17, pid, None, None)  # let go
                told.append(f"DID {{name}} {{pid}}")
    told.append(f"made {{calls}} calls")
{DURING}
look(())
"""
    outcome = attack(code, answers=TELL)
    assert "looked during the check" in outcome.printed, "the attack never ran"
    assert "made 0 calls" not in outcome.printed
    assert "DID" not in outcome.printed
    outcome.assert_failed()
