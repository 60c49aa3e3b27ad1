"""A small, wary client of one kernel: it runs cells, and takes nothing for true that comes back.

A message that is too large never reaches it (the socket breaks the connection and makes another
one, which is reported as `LOST`), one that is damaged or signed by nobody is passed over, and it
never waits without an end.
"""

import json
import time
from contextlib import suppress

import zmq
from jupyter_client.session import Session

MAX_MESSAGE = 16 * 2**20
MAX_WAITING = 8  # messages held here until they are looked at; the others stay with the kernel
START_SECONDS = 60.0
QUIET = 0.5  # seconds without output after the reply, when the word "idle" was lost
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
        self._context = zmq.Context()
        self._shell = self._connect(zmq.DEALER, connection, "shell")
        self._iopub = self._connect(zmq.SUB, connection, "iopub")
        self._iopub.subscribe(b"")
        self._breaks = self._iopub.get_monitor_socket(zmq.EVENT_DISCONNECTED)

    def _connect(self, kind, connection, channel):
        end = self._context.socket(kind)
        end.linger = 0
        end.maxmsgsize = MAX_MESSAGE
        end.rcvhwm = MAX_WAITING
        joint = "-" if connection["transport"] == "ipc" else ":"
        port = connection[f"{channel}_port"]
        end.connect(f"{connection['transport']}://{connection['ip']}{joint}{port}")
        return end

    def wait_until_ready(self):
        """Wait until the kernel answers and its output is heard; return whether it does."""
        end = time.monotonic() + START_SECONDS
        answered = heard = False
        pause = 0.02
        while time.monotonic() < end and self._alive():
            self._session.send(self._shell, "kernel_info_request", {})
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
        return self._session.send(self._shell, "execute_request", content)["header"]["msg_id"]

    def messages(self, request, seconds):
        """Yield `(type, content, message)` of a request's output until it is done.

        Ends by returning True when the cell has ended, after a last `(LOST, {}, None)` where
        output was too large; by returning False when `seconds` are over or the kernel died.
        """
        end, replied, lost = time.monotonic() + seconds, None, False
        while (left := end - time.monotonic()) > 0:
            channel, message = self._next(min(left, QUIET))
            if channel is None:
                if replied is not None and time.monotonic() - replied >= QUIET:
                    break
                if not self._alive():
                    return False
                continue
            lost = lost or channel == LOST
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
        if lost:
            yield LOST, {}, None
        return True

    def _next(self, seconds):
        """Return the channel and the message that come next; both None when none comes."""
        ready = zmq.select([self._breaks, self._shell, self._iopub], [], [], seconds)[0]
        if not ready:
            return None, None
        end = ready[-1]
        if end is self._breaks:
            self._breaks.recv_multipart(zmq.NOBLOCK)
            return LOST, None
        channel = "shell" if end is self._shell else "iopub"
        try:
            _, parts = self._session.feed_identities(end.recv_multipart(zmq.NOBLOCK))
            message = self._session.deserialize(parts)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError,
                zmq.ZMQError):  # fmt: skip
            return channel, None
        sound = isinstance(message.get("parent_header"), dict) and isinstance(
            message.get("content"), dict
        )
        return channel, message if sound else None

    def close(self):
        """Let go of the sockets."""
        self._iopub.disable_monitor()
        for end in (self._breaks, self._shell, self._iopub):
            with suppress(zmq.ZMQError):
                end.close(0)
        with suppress(zmq.ZMQError):
            self._context.term()
