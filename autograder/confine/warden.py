"""The warden: it stays outside with a confined kernel, watches what it uses, and ends it whole.

Covers: memory and number of all processes together, disk where there is no scratch space of its
own, and processes that hide from their parent. It looks ten times a second, so a kernel may pass
a limit for that long.
"""

import json
import os
import select
import signal
import socket
import time
from contextlib import suppress

from autograder.confine.usage import children, cpu, family, memory, size, unlinked, waited

SECONDS = 0.1
SET_CHILD_SUBREAPER = 36


def watch(control, news, child, limits, folder=None):
    """Serve the owner and watch the kernel until it has ended; return its exit code.

    Args:
        control: socket to the owner: takes `{"signal": n}` and `{"ask": "time"}`.
        news: descriptor of a pipe on which the kernel says that it is ready, or why not.
        child: int. The process that stands for all: the first of a process namespace, or ours.
        limits: the `Limits`.
        folder: str. A folder whose size is watched, or None.
    """
    watching = select.poll()
    for descriptor in (control, news):
        watching.register(descriptor, select.POLLIN | select.POLLHUP | select.POLLRDHUP)
    os.set_blocking(news, False)
    base, told, next_look, open_news = 0, b"", time.monotonic(), True
    reason = ""
    while True:
        for descriptor, _event in watching.poll(SECONDS * 1000):
            if descriptor == news:
                part = _read(news)
                told += part
                if not part:
                    open_news = False
                    watching.unregister(news)
                    _pass_on(control, told)
                    base = memory(everything())
            elif not _serve_owner(control, child):
                reason = "owner"
        status = _buried(child)
        if status is not None:
            break
        now = time.monotonic()
        if not reason and now >= next_look:
            next_look = now + SECONDS
            reason = _excess(limits, base, folder)
            if reason:
                _tell(control, {"ended": reason})
        if reason:
            end(child)
            _, status = os.waitpid(child, 0)
            break
    end_orphans()
    if open_news:
        _pass_on(control, told + _read(news))
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


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
    with suppress(OSError), open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("NSpid:"):
                return len(line.split()) > 2 and line.split()[-1] == "1"
    return False


def _buried(child):
    """Bury what has ended, orphans too; return the child's status when it is among them."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 1
        if pid in (0, child):
            return status if pid else None


def _excess(limits, base, folder):
    """Return what a kernel uses too much of, or an empty string."""
    pids = everything()
    if len(pids) > limits.processes:
        return "processes"
    if memory(pids) - base > limits.memory * 2**20:
        return "memory"
    enough = limits.disk * 2**20
    if folder and size(folder, enough) + unlinked(pids, folder) > enough:
        return "disk"
    return ""


def end(child):
    """End a kernel and everything that it started."""
    for _ in range(50):
        pids = family(child)
        for pid in pids:  # stopped first, so that nothing is born while others die
            with suppress(OSError):
                os.kill(pid, signal.SIGSTOP)
        for pid in family(child):
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if len(family(child)) <= 1:
            return
        time.sleep(0.01)


def end_orphans():
    """End processes that outlived the kernel and came to us, their subreaper."""
    while True:
        pids = children(os.getpid())
        for pid in pids:
            end(pid)
        try:
            if os.waitpid(-1, 0)[0] == 0:
                return
        except ChildProcessError:
            return


def everything():
    """Return all processes of the kernel, also those whose parents have left them to us."""
    return family(os.getpid())[1:]
