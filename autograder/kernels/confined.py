"""Confined kernels for grading: forks of a zygote without secrets, each in a room of its own."""

import os
import secrets
import socket
import tempfile
import time
from contextlib import contextmanager, suppress

from jupyter_client.connect import write_connection_file

from autograder.confine.folders import remove_room
from autograder.confine.limits import Limits
from autograder.kernels import WIRE
from autograder.kernels.owner import ZygoteError
from autograder.kernels.room import hidden, make_room, readable
from autograder.kernels.shared import environment
from autograder.wire.channel import SERVE, Wire

SECONDS = 30
END_SECONDS = 300  # for a warden to end all that is there: killed, it would leave them behind
FRESH = 0.05
WHY = {
    "memory": "more memory than the limit",
    "processes": "more processes than the limit",
    "disk": "more disk than the limit",
}


class ConfinedKernel:
    """A confined kernel.

    Args:
        zygote: the `Zygote` to fork from.
        tier: str. "sealed" or "fenced".
        limits: the `Limits`.
        secret_folders: paths that must not be seen.

    Attributes:
        connection_file: str. For a client.

    Raises:
        ZygoteError: no kernel could be started.
    """

    def __init__(self, zygote, tier, limits=None, secret_folders=()):
        self.tier = tier
        self._kernel = self._end = None
        self._clock, self._waited, self._asked = 0.0, None, 0.0
        self._room = tempfile.TemporaryDirectory(prefix="grading-", ignore_cleanup_errors=True)
        try:
            self._start(zygote, tier, limits or Limits(), secret_folders)
        except BaseException:
            self.close()
            raise

    def _start(self, zygote, tier, limits, secret_folders):
        channels, room = make_room(self._room.name)
        self.connection_file, _ = write_connection_file(
            os.path.join(channels, "kernel.json"),
            transport="ipc",
            ip=os.path.join(channels, "s"),
            key=secrets.token_hex(32).encode(),
        )
        self._end, theirs = socket.socketpair()
        self._wire = Wire(self._end, self)
        try:
            self._kernel = zygote.fork(
                ["-f", self.connection_file, "--HistoryManager.enabled=False"],
                room,
                environment(),
                [theirs.fileno()],
                tier=tier,
                room=room,
                channels=channels,
                readable=readable(),
                hidden=hidden(*secret_folders),
                limits=limits.as_dict(),
            )
        finally:
            theirs.close()
        message = self._kernel.receive(SECONDS)
        if "bound" not in message:
            raise ZygoteError(message.get("problem", "The confined kernel did not start."))

    def alive(self):
        """Return whether it runs."""
        return self._kernel is not None and self._kernel.poll() is None

    def interrupt(self):
        """Interrupt the cell that runs."""
        self._kernel.send({"signal": 2})

    def clock(self):
        """Return a time that stands still while the kernel waits for a processor.

        Limits are kept by it, so that a busy machine costs nobody points. Where Linux does not
        say how long a process waited, it is the processor time used. What the kernel's warden
        said is good for a twentieth of a second: most calls are shorter than its answer.
        """
        now = time.monotonic()
        if now >= self._asked + FRESH and self.alive():
            self._kernel.send({"ask": "time"})
            message = self._receive("cpu", 2)
            now = self._asked = time.monotonic()
            self._waited = message.get("waited")
            if self._waited is None:
                self._clock = message.get("cpu", self._clock)
        if self._waited is not None:
            self._clock = max(self._clock, now - self._waited)
        return self._clock

    @contextmanager
    def wire(self, execute, seconds):
        """Open the wire to the learner's names for a `with` block.

        Args:
            execute: callable that submits a cell to the kernel without waiting for it.
            seconds: float. Seconds, by `clock`, that one request may take.
        """
        execute(SERVE.format(number=WIRE))
        self._wire.seconds = seconds
        try:
            yield self._wire
        finally:
            self._wire.finish()
            if self._end.fileno() < 0:  # it broke, and this kernel has no other
                self.kill()

    def kill(self):
        """End it at once."""
        if self._kernel is not None:
            self._kernel.send({"signal": 9})
            self._kernel.wait(5)

    def why(self):
        """Return why the warden ended it, as part of a sentence, or an empty string."""
        if not self._kernel.ended:
            self._receive("ended", 0.2)
        return WHY.get(self._kernel.ended, "")

    def _receive(self, wanted, seconds):
        message = self._kernel.receive(seconds)
        while message:
            if wanted in message:
                return message
            message = self._kernel.receive(seconds)
        return {}

    def close(self):
        """End it and remove its room."""
        if self._kernel is not None:
            self._kernel.close()
            self._kernel.wait_gone(END_SECONDS)
        if self._end is not None:
            self._end.close()
        remove_room(self._room.name)
        with suppress(OSError):
            self._room.cleanup()
