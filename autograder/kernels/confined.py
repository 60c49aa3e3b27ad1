"""Confined kernels for grading: forks of a zygote without secrets, each in a room of its own."""

import atexit
import os
import secrets
import socket
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from jupyter_client.connect import write_connection_file

from autograder.confine.limits import Limits
from autograder.kernels import WIRE
from autograder.kernels.owner import Zygote, ZygoteError
from autograder.wire.channel import SERVE, Wire

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 30
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "KERAS_BACKEND", "LD_LIBRARY_PATH")
WHY = {
    "memory": "more memory than the limit",
    "processes": "more processes than the limit",
    "disk": "more disk than the limit",
}


def environment():
    """Return the environment of grading kernels: nothing of the grader's that could be private.

    `python` is this interpreter there, also where the grader's environment is not activated.
    """
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    own = os.path.dirname(sys.executable)
    others = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return kept | {
        "PATH": os.pathsep.join([own, *(place for place in others if place != own)]),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }


def grading_zygote():
    """Return a zygote for grading kernels."""
    return Zygote(environment())


def readable():
    """Return what a grading kernel may read besides the system: Python and the course's code."""
    places = [sys.prefix, sys.base_prefix, *map(str, (ROOT / "course", ROOT / "autograder"))]
    places += [os.path.realpath(sys.executable)]
    for path in sys.path:
        if path and os.path.isdir(path) and Path(path).resolve() != ROOT:
            places.append(path)
    found = []
    for place in dict.fromkeys(map(os.path.abspath, places)):
        if not any(Path(place).is_relative_to(other) for other in found):
            found.append(place)
    return found


def hidden(*more):
    """Return what must stay unseen although it lies in something readable."""
    return [str(ROOT / "autograder" / "checks"), str(ROOT / "solutions"), *map(str, more)]


def make_room(folder):
    """Make the folders of one kernel: that of its sockets, and the room that it lives in."""
    channels, room = (os.path.join(folder, name) for name in ("channels", "room"))
    for place in (channels, room, os.path.join(room, "home")):
        os.mkdir(place, 0o700)
    return channels, room


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
        self._clock = 0.0
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
        say how long a process waited, it is the processor time used.
        """
        if self.alive():
            self._kernel.send({"ask": "time"})
            message = self._receive("cpu", 2)
            if message.get("waited") is not None:
                self._clock = max(self._clock, time.monotonic() - message["waited"])
            elif "cpu" in message:
                self._clock = message["cpu"]
        return self._clock

    @contextmanager
    def wire(self, execute, seconds):
        """Open the wire to the learner's names for a `with` block.

        Args:
            execute: callable that submits a cell to the kernel without waiting for it.
            seconds: float. Seconds, by `clock`, that one request may take.
        """
        execute(SERVE.format(number=WIRE))
        wire = Wire(self._end, self, seconds)
        try:
            yield wire
        finally:
            wire.finish()

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
            self._kernel.wait_gone(5)
        if self._end is not None:
            self._end.close()
        with suppress(OSError):
            self._room.cleanup()


_shared = None


def attach(number):
    """Fork this process's grading kernels from a zygote whose socket was inherited."""
    global _shared
    if _shared is None:
        _shared = Zygote(environment(), inherited=number)
        atexit.register(_shared.stop)


def shared_zygote():
    """Return the zygote of this process for grading kernels."""
    global _shared
    if _shared is None:
        _shared = grading_zygote()
        atexit.register(_shared.stop)
    _shared.start()
    return _shared
