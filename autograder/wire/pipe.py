"""The wire to a kernel that inherits nothing: a local socket on which it calls the referee.

Where there are no local sockets it is one of this machine's own network. Whoever calls says the
key first, which only the kernel was told. The rest is `autograder.wire.channel`.
"""

import hmac
import os
import socket
import tempfile
import time
from contextlib import closing, contextmanager, suppress

from autograder.wire.channel import Wire, answer
from autograder.wire.client import LearnerError

KEY = 32  # bytes
LOOK = 0.5  # seconds between two looks at a kernel that has not called yet
SERVE = """
from autograder.wire import pipe as __pipe
__pipe.serve({address!r}, {key!r}, globals())
del __pipe
"""


def serve(address, key, namespace):
    """Call the referee and answer its requests until it is done.

    Args:
        address: str, a local socket's path, or the pair of a host and a port.
        key: bytes.
        namespace: dict. The learner's global names.
    """
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as end:
        end.connect(address)
        end.sendall(key)
        with end.makefile("rb") as requests:
            answer(requests.read, end.sendall, namespace)


@contextmanager
def called(kernel, execute, seconds):
    """Have a kernel call us; the wire to it for a `with` block.

    Args:
        kernel: object with `alive()`, `interrupt()` and `clock()`.
        execute: callable that submits a cell to the kernel without waiting for it.
        seconds: float. Time that one request may take, and the call.

    Raises:
        LearnerError: the kernel does not call.
    """
    key = os.urandom(KEY)
    with tempfile.TemporaryDirectory(prefix="probe-") as folder, _listener(folder) as listener:
        execute(SERVE.format(address=listener.getsockname(), key=key))
        with closing(_caller(listener, key, kernel, seconds)) as end:
            wire = Wire(end, kernel, seconds)
            try:
                yield wire
            finally:
                wire.finish()


def _listener(folder):
    """Return a socket that listens where only this machine, or only this user, reaches it."""
    if not hasattr(socket, "AF_UNIX"):
        return socket.create_server(("127.0.0.1", 0))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.join(folder, "socket"))
    listener.listen()
    return listener


def _caller(listener, key, kernel, seconds):
    """Return the connection of the first caller that knows the key."""
    last = time.monotonic() + seconds
    listener.settimeout(LOOK)
    while time.monotonic() < last and kernel.alive():
        with suppress(OSError):
            end = listener.accept()[0]
            end.settimeout(seconds)
            if hmac.compare_digest(_said(end), key):
                return end
            end.close()
    raise LearnerError("KernelDied", "The kernel does not answer.")


def _said(end):
    said = b""
    while len(said) < KEY and (part := end.recv(KEY - len(said))):
        said += part
    return said
