"""The warm process: it imports TensorFlow once and forks a kernel whenever one is asked for.

It holds no secret and nothing that a lab works with. It has one thread and runs no operation, for
both would make its forks unsafe. It ends when its owner's end of the socket closes, or after ten
idle minutes; its kernels live on, each on a socket of its own to the owner.

    owner  --socket-->  zygote  --fork-->  kernel
      `----------------socket----------------'   (one per kernel: its end ends the kernel)

Started by `autograder.kernels.owner`: `python -m autograder.kernels.zygote FD SECONDS [MODULE …]`.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress

MAX_REQUEST = 2**20
MAX_FDS = 8
WARM = (  # not matplotlib_inline.backend_inline: it looks for its notebook when it is imported
    "tensorflow", "keras", "matplotlib.pyplot", "matplotlib.font_manager",
    "matplotlib.backends.backend_agg", "ipykernel.kernelapp", "ipykernel.ipkernel",
    "ipykernel.debugger", "IPython.core.completer", "IPython.core.completerlib",
    "IPython.core.logger", "IPython.extensions.storemagic", "IPython.utils.wildcard",
    "tornado.platform.asyncio", "zmq.utils.garbage", "comm", "autograder.wire.probe",
    "autograder.kernels.fork", "autograder.confine.enter",
)  # fmt: skip


def warm_up(also=()):
    """Import what notebooks import, quietly and in one thread.

    Args:
        also: names of more modules.

    Raises:
        RuntimeError: an import has started a thread, so that forks would not be safe.
    """
    import importlib

    gc.disable()  # what is imported stays: looking for what could go takes a tenth of the time
    for name in (*WARM, *also):
        with suppress(ImportError):
            importlib.import_module(name)
    with suppress(ImportError):
        from matplotlib.backends.registry import backend_registry

        backend_registry.list_all()  # asks every installed package, which each fork else would
    gc.enable()
    threads = os.listdir("/proc/self/task")
    if len(threads) > 1:
        raise RuntimeError(f"The imports started {len(threads) - 1} threads; a fork is not safe.")
    gc.collect()
    gc.freeze()  # what is here now is shared with every fork; a collection would copy it


def serve(owner, idle_seconds):
    """Fork a kernel per request until the owner goes away or nothing happens for long.

    Args:
        owner: a SOCK_SEQPACKET socket; a request is JSON with file descriptors beside it.
        idle_seconds: float. Seconds without a kernel and without a request.
    """
    kernels = {}  # pid -> the socket that the kernel's owner holds the other end of
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    last, confines = time.monotonic(), False
    while True:
        if kernels:
            last = time.monotonic()
        left = last + idle_seconds - time.monotonic()
        if left <= 0:
            return
        ready, _, _ = select.select([owner, wake_read], [], [], left)
        if wake_read in ready:
            os.read(wake_read, 4096)
        if _reap(kernels) and confines:
            _end_orphans(kernels)
        if owner in ready:
            request, fds = _receive(owner)
            if request is None:
                return
            confines = confines or "tier" in request and _adopt()
            pid = os.fork()
            if pid == 0:
                _become(request, fds)
            control = socket.socket(fileno=fds[0])
            kernels[pid] = control
            with suppress(OSError):  # who asked has died; the kernel will see it and end
                control.send(json.dumps({"pid": pid}).encode())
            for fd in fds[1:]:
                os.close(fd)


def _receive(owner):
    """Return a request and its descriptors; None when the owner is gone."""
    try:
        data, fds, _, _ = socket.recv_fds(owner, MAX_REQUEST, MAX_FDS)
    except OSError:
        return None, []
    return (json.loads(data), fds) if data else (None, [])


def _reap(kernels):
    """Tell the owners of ended kernels how they ended; return whether any process has."""
    found = False
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        found = True
        control = kernels.pop(pid, None)
        if control is not None:
            try:
                control.send(json.dumps({"exit": os.waitstatus_to_exitcode(status)}).encode())
            except OSError:
                pass
            control.close()


def _adopt():
    """Become the parent of what a killed warden leaves behind; return True."""
    from autograder.confine import linux, warden

    linux.prctl(warden.SET_CHILD_SUBREAPER, 1)
    return True


def _end_orphans(kernels):
    """End what killed wardens have left; each death brings us back here, for what that one left."""
    from autograder.confine.warden import end_orphans

    end_orphans(kernels)


def _become(request, fds):
    """Turn this fork into a kernel; never returns."""
    code = 1
    try:
        from autograder.kernels import fork

        code = fork.become_kernel(request, fds) or 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


def main():
    """Warm up, say so, serve."""
    owner = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is for the server
    try:
        warm_up(sys.argv[3:])
    except Exception as error:
        owner.send(json.dumps({"problem": str(error)}).encode())
        return
    owner.send(json.dumps({"ready": os.getpid()}).encode())
    serve(owner, float(sys.argv[2]))
    os._exit(0)  # nothing is left to tidy up, and TensorFlow would take its time over it


if __name__ == "__main__":
    from autograder.kernels import zygote  # kernels empty `__main__`, which this module would be

    zygote.main()
