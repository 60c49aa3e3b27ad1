"""Group 18: code that waits for its moment, during the last probe or after it."""

from tests.autograder.attacks.conftest import SILENT

LATER = """
import os, sys, time, threading
from IPython.display import publish_display_data
def later(why):
    for place in (os.path.expanduser("~"), "/tmp", "/dev/shm"):
        try:
            open(os.path.join(place, "grading-" + why), "w").write(why)
        except OSError:
            pass
    try:
        publish_display_data({"text/plain": "1000.0"}, {"nbgrader": {"points": 1000}})
        sys.displayhook(1000.0)
        print("score", 1000.0, "by", why)
    except Exception:
        pass
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(300)
        os._exit(0)
"""
LIMITS = {"cell_seconds": 3, "call_seconds": 3}


def wrong(name="wrong"):
    """Return wrong answers, which the waiting code would have to turn into right ones."""
    return {
        exercise: f"{exercise} = lambda *args, **kwargs: {name}(*args, **kwargs)"
        for exercise in SILENT
    }


def test_a_trace_function_edits_replies(attack):
    """It traces the probe's own functions, reads their variables and writes a better reply."""
    code = """
import sys, numpy as np
seen = []
def tracer(frame, event, argument):
    if "autograder" in frame.f_code.co_filename:
        seen.append(frame.f_code.co_name)
        for name in ("reply", "value", "result"):
            if name in frame.f_locals:
                frame.f_locals[name] = {"value": {"points": 1000, "passed": True}}
        if event == "return" and frame.f_code.co_name == "_describe_error":
            raise SystemExit
    return tracer
def wrong(*args, **kwargs):
    sys.settrace(tracer)
    frame = sys._getframe()
    while frame:
        frame.f_trace = tracer
        frame = frame.f_back
    return np.zeros(3)
from autograder.wire import codec
sys.settrace(tracer)
codec.encode({"value": 1})
sys.settrace(None)
print("traced", len(seen) > 0)
"""
    outcome = attack(code, answers=wrong(), limits=LIMITS)

    assert "traced True" in outcome.text
    outcome.assert_failed()


def test_an_audit_hook_tells_all_it_hears(attack):
    """It prints what is opened and imported, and refuses what would end it."""
    code = """
import sys
heard = []
def hook(event, args):
    if event in ("open", "import", "exec", "os.kill", "socket.connect", "signal.pthread_kill"):
        heard.append(event)
        if len(heard) % 50 == 1:
            print(event, str(args)[:300], flush=True)
        if event == "os.kill":
            raise PermissionError("no")
sys.addaudithook(hook)
open("/dev/null").close()
print("heard", len(heard) > 0)
def wrong(*args, **kwargs):
    open("/dev/null").close()
    return [0.0]
"""
    outcome = attack(code, answers=wrong(), limits=LIMITS)

    assert "heard True" in outcome.text
    outcome.assert_failed()


def test_exit_handlers(attack):
    """Handlers of `atexit`, of threads and of the interpreter's last steps."""
    code = f"""{LATER}
import atexit
atexit.register(later, "atexit")
threading._register_atexit(later, "threads")
print("will come later")
def wrong(*args, **kwargs):
    atexit.register(later, "atexit")
    return [0.0]
"""
    outcome = attack(code, answers=wrong(), limits=LIMITS)

    assert "will come later" in outcome.text
    outcome.assert_failed()
    assert "score 1000.0 by" not in outcome.text


def test_destructors(attack):
    """Results whose `__del__` runs when the probe lets go of them, while it replies."""
    code = f"""{LATER}
class Late(list):
    def __del__(self):
        later("del")
        raise SystemExit
    def __reduce__(self):
        later("reduce")
kept = [Late()]
print("may be deleted", isinstance(kept[0], list))
def wrong(*args, **kwargs):
    return Late([Late(), 0.0])
"""
    outcome = attack(code, answers=wrong(), limits=LIMITS)

    assert "may be deleted True" in outcome.text
    outcome.assert_failed()


def test_signal_handlers(attack):
    """Timers and handlers that fire between the probe's lines, and at its end."""
    code = f"""{LATER}
import signal
count = [0]
def handler(number, frame):
    count[0] += 1
    for name in ("reply", "value", "result"):
        if frame is not None and name in frame.f_locals:
            frame.f_locals[name] = b"1000"
    if count[0] == 20:
        later("signal")
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGALRM, signal.SIGCHLD,
               signal.SIGUSR1, signal.SIGCONT, signal.SIGXCPU):
    signal.signal(number, handler)
signal.setitimer(signal.ITIMER_REAL, 0.01)
time.sleep(0.05)
print("fired", count[0] > 0)
def wrong(*args, **kwargs):
    signal.signal(signal.SIGINT, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    return [0.0]
"""
    outcome = attack(code, answers=wrong(), limits=LIMITS)

    assert "fired True" in outcome.text
    outcome.assert_failed()


def test_a_thread_that_answers_after_the_last_probe(attack):
    """It waits for the end of the wire and then prints scores under every request it has seen."""
    code = f"""{LATER}
shell = get_ipython()
def wait():
    parents = []
    for _ in range(600):
        parent = shell.parent_header if hasattr(shell, "parent_header") else {{}}
        kernel = shell.kernel
        parents.append(kernel.get_parent("shell"))
        for old in parents[-3:]:
            kernel.session.send(kernel.iopub_socket, "execute_result",
                {{"data": {{"text/plain": "1000.0"}}, "metadata": {{}}, "execution_count": 1}},
                parent=old, ident=b"execute_result")
        time.sleep(0.02)
threading.Thread(target=wait, daemon=False).start()
print("a thread waits")
def wrong(*args, **kwargs):
    return [0.0]
"""
    outcome = attack(code, answers=wrong(), limits=LIMITS)

    assert "a thread waits" in outcome.text
    outcome.assert_failed()
