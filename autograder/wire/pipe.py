"""The wire to another process: a local socket beside the kernel's own channels.

The kernel runs `serve` as an ordinary cell, so requests are answered on its main thread and an
interrupt reaches the learner's code. Messages are bounded and hold no pickles.
"""

import os
import tempfile
from contextlib import suppress
from multiprocessing.connection import Client, Listener

from autograder.wire.client import LearnerError
from autograder.wire.codec import MAX_BYTES, MAX_HEADER

SERVE = """
from autograder.wire import pipe as __pipe
__pipe.serve({address!r}, bytes.fromhex({key!r}), globals())
del __pipe
"""


def serve(address, key, namespace):
    """Answer requests until the referee closes the connection."""
    from autograder.wire.probe import Probe

    probe = Probe(namespace)
    with Client(address, authkey=key) as connection:
        while True:
            try:
                message = connection.recv_bytes(MAX_BYTES + MAX_HEADER)
            except (EOFError, OSError):
                return
            if not message:
                return
            connection.send_bytes(probe.handle(message))


class KernelProbe:
    """Transport to a running kernel; use it in a `with` block.

    Args:
        execute: callable that submits code to the kernel without waiting for it.
        interrupt: callable that interrupts the kernel.
        alive: callable that says whether the kernel still runs.
        seconds: float. Time limit of one request.
    """

    def __init__(self, execute, interrupt, alive, seconds=30.0):
        self._execute, self._interrupt, self._alive = execute, interrupt, alive
        self.seconds = seconds
        self._listener = self._connection = None

    def __enter__(self):
        key = os.urandom(32)
        self._folder = tempfile.TemporaryDirectory(prefix="probe-")
        address = None if os.name == "nt" else os.path.join(self._folder.name, "socket")
        self._listener = Listener(address, authkey=key)
        self._execute(SERVE.format(address=self._listener.address, key=key.hex()))
        self._connection = self._accept()
        return self

    def __exit__(self, *exception):
        with suppress(OSError, AttributeError):
            self._connection.send_bytes(b"")
        for end in (self._connection, self._listener):
            with suppress(OSError, AttributeError):
                end.close()
        self._folder.cleanup()

    def request(self, message):
        """Send one message and wait for its reply.

        Raises:
            LearnerError: the learner's code ran past the limit, or its kernel died.
        """
        try:
            self._connection.send_bytes(message)
            if self._wait(self.seconds):
                return self._connection.recv_bytes(MAX_BYTES + MAX_HEADER)
        except (EOFError, OSError):
            raise LearnerError("KernelDied", "The kernel died while your code ran.") from None
        self._interrupt()
        text = f"Your code ran for more than {self.seconds:g} seconds and was stopped."
        with suppress(EOFError, OSError):
            if self._wait(5.0):  # the interrupted call still sends its reply
                self._connection.recv_bytes(MAX_BYTES + MAX_HEADER)
                raise LearnerError("TimeLimit", text)
        self._connection.close()
        raise LearnerError("TimeLimit", text)

    def _wait(self, seconds):
        """Wait for a reply, and notice a kernel that has died."""
        waited = 0.0
        while waited < seconds:
            if self._connection.poll(0.5):
                return True
            waited += 0.5
            if not self._alive():
                raise EOFError
        return False

    def _accept(self):
        """Accept the kernel's connection; a kernel that never connects is a dead one."""
        with suppress(AttributeError):
            self._listener._listener._socket.settimeout(self.seconds)
        try:
            connection = self._listener.accept()
        except OSError:
            raise LearnerError("KernelDied", "The kernel does not answer.") from None
        return connection
