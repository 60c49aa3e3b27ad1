"""A small, wary client of one kernel: it runs cells, and takes nothing for true that comes back.

A message that is too large is passed over while it comes (and reported as `LOST`), one that is
damaged or signed by nobody is passed over too, and it never waits without an end.
"""

import json
import selectors
import time

from jupyter_client.session import Session

from autograder.kernels import zmtp

START_SECONDS = 60.0
QUIET = 0.5  # seconds without output after the reply, when the word "idle" was lost
PAUSE = 0.05  # seconds between two looks at a kernel that has closed its channels
LOST = "lost"  # the kind of what stands for output that was too large to be taken


class CellClient:
    """Runs cells in a kernel.

    Args:
        connection_file: str. As the kernel wrote or read it.
        alive: callable that says whether the kernel runs.
    """

    def __init__(self, connection_file, alive):
        with open(connection_file) as file:
            connection = json.load(file)
        self._alive = alive
        self._session = Session(
            key=connection["key"].encode(), signature_scheme=connection["signature_scheme"]
        )
        self._heard = 0.0
        self._shell = zmtp.Connection(_address(connection, "shell"), b"DEALER")
        self._iopub = zmtp.Connection(_address(connection, "iopub"), b"SUB")

    def wait_until_ready(self):
        """Wait until the kernel answers and its output is heard; return whether it does."""
        end = time.monotonic() + START_SECONDS
        answered = heard = False
        pause = 0.02
        while time.monotonic() < end and self._alive():
            if self._iopub.connect() and self._shell.connect():
                self._send("kernel_info_request", {})
            again = time.monotonic() + pause
            pause = min(1.0, pause * 1.5)
            while (left := again - time.monotonic()) > 0:
                channel, message = self._next(left)
                answered = answered or (channel == "shell" and message is not None)
                heard = heard or (channel == "iopub" and message is not None)
                if answered and heard:
                    return True
        return False

    def execute(self, source, quiet=False):
        """Submit a cell; return the id of the request."""
        content = {
            "code": source,
            "silent": False,
            "store_history": not quiet,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        return self._send("execute_request", content)

    def _send(self, kind, content):
        message = self._session.msg(kind, content)
        self._shell.send(self._session.serialize(message))
        return message["header"]["msg_id"]

    def messages(self, request, seconds):
        """Yield `(type, content, message)` of a request's output until it is done.

        Yields `(LOST, {}, None)` for output that was too large. Ends by returning True when the
        cell has ended, False when `seconds` are over or the kernel died.
        """
        end, replied = time.monotonic() + seconds, None
        while (left := end - time.monotonic()) > 0:
            channel, message = self._next(min(left, QUIET))
            if channel is None:
                if replied is not None and time.monotonic() - max(replied, self._heard) >= QUIET:
                    break
                if not self._alive():
                    return False
                continue
            if channel == LOST:
                yield LOST, {}, None
            if message is None or message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if channel == "shell":
                replied = time.monotonic()
            elif kind == "status":
                if content.get("execution_state") == "idle":
                    break
            elif isinstance(content, dict):
                yield kind, content, message
        else:
            return False
        return True

    def _next(self, seconds):
        """Return the channel and the message that come next; both None when none comes.

        The message is None where it is damaged or the channel is `LOST`.
        """
        last = time.monotonic() + seconds
        while True:
            for name, channel in (("iopub", self._iopub), ("shell", self._shell)):
                if (parts := channel.take()) is zmtp.LOST:
                    return LOST, None
                if parts is not None:
                    return name, self._read(parts)
            left = last - time.monotonic()
            if left <= 0:
                return None, None
            channels = [c for c in (self._iopub, self._shell) if c.end is not None]
            if not channels:
                time.sleep(min(left, PAUSE))
                return None, None
            with selectors.DefaultSelector() as ready:
                for channel in channels:
                    ready.register(channel.end, selectors.EVENT_READ, channel)
                for key, _ in ready.select(left):
                    key.data.receive()
                    self._heard = time.monotonic()  # also of a message that is passed over

    def _read(self, parts):
        """Return a message, or None where it is none."""
        try:
            message = self._session.deserialize(self._session.feed_identities(parts)[1])
        except Exception:  # noqa: BLE001  a kernel may send anything
            return None
        sound = isinstance(message.get("parent_header"), dict) and isinstance(
            message.get("content"), dict
        )
        return message if sound else None

    def close(self):
        """Let go of the kernel."""
        for channel in (self._iopub, self._shell):
            channel.close()


def _address(connection, channel):
    """Return where a kernel's channel is: a local socket's path, or host and port."""
    port = connection[f"{channel}_port"]
    local = connection["transport"] == "ipc"
    return f"{connection['ip']}-{port}" if local else (connection["ip"], port)
