"""The wire to a kernel: a pair of connected sockets, one end on each side.

    frame = request number (8 bytes) + length (8 bytes) + message (`autograder.wire.codec`)

A confined kernel inherits its end; `pipe` connects any other. The kernel runs `serve` as an
ordinary cell, so requests are answered on its main thread and an interrupt reaches the learner's
code. The referee trusts nothing that comes back: lengths are bounded, every reply has a deadline,
and what has not the number of the present request, which nobody can guess, is dropped. A wire on
which anything went wrong is closed: what would follow on it could not be told apart.
"""

import os
import signal
import struct
import time
from contextlib import suppress
from functools import partial

from autograder.wire.client import LearnerError
from autograder.wire.codec import MAX_BYTES, MAX_HEADER

FRAME = struct.Struct(">QQ")
LONGEST = MAX_BYTES + MAX_HEADER + 4
BUSY = 5  # wall seconds allowed for each second that counts
GRACE = 5.0
SERVE = """
from autograder.wire import channel as __channel
__channel.serve({number}, globals())
del __channel
"""


def serve(number, namespace):
    """Answer requests on a descriptor until the referee says that it is done."""
    answer(partial(_read, number), partial(_write, number), namespace)


def answer(read, write, namespace):
    """Answer requests until the referee says that it is done.

    An interrupt counts only while the learner's code runs, never between bytes of the wire.

    Args:
        read: callable that returns so many bytes; fewer when the wire has ended.
        write: callable that sends bytes.
        namespace: dict. The learner's global names.
    """
    from autograder.wire.probe import Probe

    probe = Probe(namespace)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        while len(frame := read(FRAME.size)) == FRAME.size:
            request, size = FRAME.unpack(frame)
            if not size:
                return
            message = read(size)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            try:
                reply = probe.handle(message)
            finally:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            write(FRAME.pack(request, len(reply)) + reply)
    finally:
        signal.signal(signal.SIGINT, before)


def _read(number, size):
    parts = bytearray()
    while len(parts) < size:
        part = os.read(number, min(size - len(parts), 2**20))
        if not part:
            return b""
        parts += part
    return bytes(parts)


def _write(number, data):
    view = memoryview(data)
    while view:
        view = view[os.write(number, view) :]


def _new_number():
    return int.from_bytes(os.urandom(8))


class Wire:
    """Transport to a kernel that runs `serve`.

    Args:
        end: socket. Our end of the pair; it is closed when the wire breaks.
        kernel: object with `alive()`, `interrupt()` and `clock()`.
        seconds: float. Time that one request may take, by the kernel's clock; wall time may be
            five times as long, so that a busy machine costs nobody points.
    """

    def __init__(self, end, kernel, seconds=30.0):
        self._end, self._kernel = end, kernel
        self.seconds = seconds
        self._number = 0
        self._came = bytearray()

    def request(self, message):
        """Send one message and wait for its reply.

        Raises:
            LearnerError: the learner's code ran past the limit, or its kernel died.
        """
        self._number = _new_number()
        start = self._kernel.clock()
        deadline = time.monotonic() + self.seconds
        last = time.monotonic() + self.seconds * BUSY
        try:
            self._send(FRAME.pack(self._number, len(message)) + message, last)
            while True:
                try:
                    return self._reply(deadline)
                except TimeoutError:
                    used = self._kernel.clock() - start
                    if time.monotonic() >= last or used >= self.seconds:
                        break
                    deadline = min(last, time.monotonic() + self.seconds - used + 0.1)
            return self._stop()
        except (OSError, EOFError):
            self._end.close()
            raise LearnerError("KernelDied", "The kernel died while your code ran.") from None

    def finish(self):
        """Tell the kernel that no more requests come."""
        self._number = _new_number()
        with suppress(OSError, EOFError):  # the kernel may have died
            self._send(FRAME.pack(self._number, 0), time.monotonic() + 1)

    def _stop(self):
        """Interrupt the call that ran past its limit; drop the reply that it then still sends."""
        self._kernel.interrupt()
        text = f"Your code ran for more than {self.seconds:g} seconds and was stopped."
        try:
            self._reply(time.monotonic() + GRACE)
        except (OSError, EOFError):  # it catches interrupts, or has died
            self._end.close()
        raise LearnerError("TimeLimit", text)

    def _reply(self, deadline):
        """Return the reply to the present request; what came before the deadline is kept."""
        while True:
            if len(self._came) >= FRAME.size:
                number, size = FRAME.unpack_from(self._came)
                if size > LONGEST:
                    self._end.close()
                    raise LearnerError("WireError", "The answer is too large to check.")
                if len(self._came) >= FRAME.size + size:
                    with memoryview(self._came) as came:
                        message = bytes(came[FRAME.size : FRAME.size + size])
                    del self._came[: FRAME.size + size]
                    if number == self._number:
                        return message
                    continue  # an answer to nothing that was asked
            self._receive(deadline)

    def _receive(self, deadline):
        """Wait for more bytes.

        Raises:
            TimeoutError: none came before the deadline.
            EOFError: the kernel has ended.
        """
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._end.settimeout(min(left, 0.5))
            try:
                part = self._end.recv(2**20)
            except TimeoutError:
                if not self._kernel.alive():
                    raise EOFError from None
                continue
            if not part:
                raise EOFError
            self._came += part
            return

    def _send(self, data, deadline):
        """Send all of it, though the kernel may be slow to read."""
        view = memoryview(data)
        while view:
            left = deadline - time.monotonic()
            if left <= 0 or not self._kernel.alive():
                raise EOFError
            self._end.settimeout(min(left, 0.5))
            with suppress(TimeoutError):
                view = view[self._end.send(view) :]
