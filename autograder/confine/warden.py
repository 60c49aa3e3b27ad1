"""The warden: it stays outside with a confined kernel, watches what it uses, and ends it whole.

Covers: what all processes of a kernel use together (see `excess`), and processes that hide from
their parent. Whatever happens to it, it ends them all before it leaves; where it is killed, what
forked it does that (see `end_orphans`). It looks ten times a second, so a kernel may pass a limit
for that long.
"""

import fcntl
import json
import os
import select
import signal
import socket
import time
from contextlib import suppress

from autograder.confine.excess import Excess
from autograder.confine.usage import children, cpu, family, waited

SECONDS = 0.1
PRIORITY = -10  # where root may
SET_CHILD_SUBREAPER = 36


class OwnerGone(BaseException):
    """The owner has closed its end: whatever the warden is doing, it has to end the kernel now."""


def watch(control, news, child, limits, folder=None, uid=None):
    """Serve the owner and watch the kernel until it has ended; return its exit code.

    Args:
        control: socket to the owner: takes `{"signal": n}` and `{"ask": "time"}`.
        news: descriptor of a pipe on which the kernel says that it is ready, or why not.
        child: int. The process that stands for all: the first of a process namespace, or ours.
        limits: the `Limits`.
        folder: str. A folder whose size is watched, or None.
        uid: int. Who the kernel is.
    """
    with suppress(OSError):  # who watches a thousand processes must get its turn among them
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    try:
        try:
            _call_when_gone(control)
            _watch(control, news, child, Excess(limits, folder, uid), limits.processes)
        finally:
            signal.signal(signal.SIGIO, signal.SIG_IGN)
    except OwnerGone:
        pass
    finally:
        code = os.waitstatus_to_exitcode(end_all(child))
    return code if code >= 0 else 128 - code


def _call_when_gone(control):
    """Raise `OwnerGone` here as soon as the owner closes its end, also in the middle of a look."""

    def look(*_):
        watching = select.poll()
        watching.register(control, select.POLLRDHUP)
        if watching.poll(0):
            signal.signal(signal.SIGIO, signal.SIG_IGN)
            raise OwnerGone

    signal.signal(signal.SIGIO, look)
    fcntl.fcntl(control, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(control, fcntl.F_SETFL, fcntl.fcntl(control, fcntl.F_GETFL) | os.O_ASYNC)
    look()


def _watch(control, news, child, excess, most):
    """Return when the child has ended by itself, or has to be ended."""
    watching = select.poll()
    for descriptor in (control, news):
        watching.register(descriptor, select.POLLIN | select.POLLHUP | select.POLLRDHUP)
    os.set_blocking(news, False)
    told, waiting, next_look = b"", True, time.monotonic()
    try:
        while not _ended(child):
            for descriptor, _event in watching.poll(SECONDS * 1000):
                if descriptor == news:
                    part = _read(news)
                    told += part
                    if not part:
                        watching.unregister(news)
                        excess.begin(everything())
                        waiting = False
                        _pass_on(control, told)
                elif not _serve_owner(control, child):
                    return
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + SECONDS
                if reason := excess.found(everything(most)):
                    _tell(control, {"ended": reason})
                    return
    finally:
        if waiting:
            _pass_on(control, told + _read(news))


def _read(news):
    try:
        return os.read(news, 65536)
    except BlockingIOError:
        return b""


def _pass_on(control, told):
    """Tell the owner what the kernel said before it ran a cell."""
    try:
        message = json.loads(told)
    except ValueError:
        message = {"problem": "It ended before it was ready."}
    _tell(control, message)


def _serve_owner(control, child):
    """Carry out one request of the owner; return False when the owner is gone."""
    try:
        data = control.recv(65536)
    except OSError:
        return False
    if not data:
        return False
    request = json.loads(data)
    if "signal" in request:
        kernel = _kernel_of(child)
        with suppress(OSError):
            os.kill(kernel, request["signal"])
    elif request.get("ask") == "time":
        pids = everything()
        _tell(control, {"cpu": cpu(pids), "waited": waited(pids)})
    return True


def _tell(control, message):
    with suppress(OSError):
        control.send(json.dumps(message).encode(), socket.MSG_DONTWAIT)


def _kernel_of(child):
    """Return the process that runs the cells: the first child of a namespace's first process."""
    if not _is_first(child):
        return child
    return min(children(child), default=child)


def _is_first(pid):
    with suppress(OSError), open(f"/proc/{pid}/status", "rb") as file:
        for line in file:
            if line.startswith(b"NSpid:"):
                return len(line.split()) > 2 and line.split()[-1] == b"1"
    return False


def _ended(child):
    """Bury what has ended, orphans too, but not the child; return whether it is among them."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return True
        if ended is None or ended.si_pid == child:
            return ended is not None
        os.waitpid(ended.si_pid, 0)


def end_all(child):
    """End a kernel and everything that it started; return the child's status.

    However many they are: the child's process group goes at once; what has left it is stopped while
    it is found, so that nothing is born while others die.
    """
    with suppress(OSError):
        os.killpg(child, signal.SIGKILL)  # the child is not buried, so the number is still its own
    status = 1
    while True:
        for pid in _stopped():
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                status = ended[1] if ended[0] == child else status
        except ChildProcessError:
            return status
        time.sleep(0.002)


def end_orphans(known):
    """End what wardens that were killed have left to this process.

    Covers: a warden that the system ends, as for lack of memory. What it watched comes to the
    process that forked it, where that is a subreaper. Not covered: both are ended.

    Args:
        known: the children that are no orphans.
    """
    for pid in _stopped(known):
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def _stopped(besides=()):
    """Stop all processes below us, but some children and what is below them, and return them."""
    found = dict.fromkeys(one for one in children(os.getpid()) if one not in besides)
    waiting = list(found)
    for pid in waiting:
        with suppress(OSError):
            os.kill(pid, signal.SIGSTOP)
        new = [one for one in children(pid) if one not in found]
        found.update(dict.fromkeys(new))
        waiting += new
    return found


def everything(enough=2**22):
    """Return all processes of the kernel, also those whose parents have left them to us.

    Args:
        enough: int. How many must be known.
    """
    return family(os.getpid(), enough + 1)[1:]
