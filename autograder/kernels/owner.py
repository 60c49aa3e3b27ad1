"""The side of a zygote that asks for kernels: `Zygote.fork` returns a `ForkedKernel`."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

START_SECONDS = 120
IDLE_SECONDS = 600
LEAVE_SECONDS = 0.5
READ_AT_IMPORT = ("KERAS_", "TF_", "XLA_", "OMP_", "OPENBLAS_", "MKL_", "KMP_", "CUDA_", "PYTHON",
                  "LD_", "MPL", "VIRTUAL_ENV", "LC_", "LANG")  # fmt: skip


class ZygoteError(Exception):
    """No zygote can serve here; the sentence says why."""


def supported():
    """Return why this platform has no warm kernels, or an empty string."""
    if not sys.platform.startswith("linux"):
        return f"Warm kernels need Linux; on {sys.platform} kernels start cold."
    if not hasattr(os, "pidfd_open"):
        return "Warm kernels need pidfd_open; here kernels start cold."
    return ""


class Zygote:
    """A warm process of ours, started when first needed and again after it has left.

    Args:
        environment: dict. Of the warm process; forks may differ only in what no import reads.
        inherited: int. The socket of a warm process that another one started and shares with us;
            when it has gone, we start our own.
        idle_seconds: float. After so long without a kernel and without a request it leaves.
        also: names of modules that it imports besides what every notebook needs.
    """

    def __init__(self, environment=None, inherited=None, idle_seconds=IDLE_SECONDS, also=()):
        self.environment = dict(os.environ if environment is None else environment)
        self._idle_seconds, self._also = idle_seconds, also
        self._lock = threading.Lock()
        self._process = self._socket = None
        self._ready = False
        if inherited is not None:
            self._socket, self._ready = socket.socket(fileno=os.dup(inherited)), True

    def start(self):
        """Start it without waiting until it is warm; does nothing while it runs.

        Raises:
            ZygoteError: this platform has none.
        """
        reason = supported()
        if reason:
            raise ZygoteError(reason)
        with self._lock:
            self._start()

    def running(self):
        """Return whether the warm process is there, as far as we know."""
        if self._process is None:
            return self._socket is not None
        return self._process.poll() is None

    def fileno(self):
        """Return the socket on which the warm process takes requests, for others to inherit."""
        return self._socket.fileno()

    def fits(self, environment):
        """Return whether a fork would read the same environment as a process of its own."""
        return _read_at_import(environment) == _read_at_import(self.environment)

    def fork(self, argv, cwd, environment, streams=(), **more):
        """Fork a kernel.

        Args:
            argv: list of str. ipykernel's arguments.
            cwd: str. Its folder.
            environment: dict. All of its environment.
            streams: file descriptors for standard input, output and error.
            more: further parts of the request.

        Returns:
            `ForkedKernel`.

        Raises:
            ZygoteError: no fork could be made.
        """
        request = {"argv": list(argv), "cwd": str(cwd), "environment": dict(environment), **more}
        for _attempt in (1, 2):  # it may have left just now, after its idle time
            with self._lock:
                self._start()
                self.wait_until_warm()
                ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                try:
                    socket.send_fds(
                        self._socket, [json.dumps(request).encode()], [theirs.fileno(), *streams]
                    )
                except OSError:
                    ours.close()
                    self._forget()
                    continue
                finally:
                    theirs.close()
            kernel = ForkedKernel._born(ours)
            if kernel is not None:
                return kernel
            self.stop()
        raise ZygoteError("The warm process ended while it was asked for a kernel.")

    def stop(self):
        """End the warm process; its kernels live on."""
        with self._lock:
            self._forget()

    def _start(self):
        if self.running():
            return
        self._forget()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = self.environment | {"OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, "-P", "-m", "autograder.kernels.zygote", str(theirs.fileno())]
        command += [str(self._idle_seconds), *self._also]
        with theirs:
            self._process = subprocess.Popen(
                command,
                cwd="/",
                env=environment,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._socket, self._ready = ours, False

    def wait_until_warm(self):
        """Wait until it can fork.

        Raises:
            ZygoteError: it could not start.
        """
        if self._ready:
            return
        self._socket.settimeout(START_SECONDS)
        try:
            message = json.loads(self._socket.recv(65536) or b"{}")
        except (OSError, ValueError) as error:
            raise ZygoteError(f"The warm process does not answer: {error}.") from None
        if "ready" not in message:
            raise ZygoteError(message.get("problem", "The warm process could not start."))
        self._ready = True

    def _forget(self):
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            try:
                self._process.wait(LEAVE_SECONDS)
            except subprocess.TimeoutExpired:  # still importing: it has no kernel yet
                self._process.kill()
                self._process.wait()
        self._socket = self._process = None
        self._ready = False


class ForkedKernel:
    """A kernel that a zygote forked. It ends when `close` is called or this process ends.

    Attributes:
        pid: int.
        exit_code: int, negative for a signal; None while it runs or when nobody knows.
        ended: str. Why its warden ended it, or an empty string.
    """

    def __init__(self, control, pid):
        self.pid, self.exit_code, self.ended = pid, None, ""
        self._control = control
        self._pidfd = os.pidfd_open(pid)

    @classmethod
    def _born(cls, control):
        control.settimeout(START_SECONDS)
        try:
            message = json.loads(control.recv(65536) or b"{}")
            return cls(control, message["pid"])
        except (OSError, ValueError, KeyError):
            control.close()
            return None

    def poll(self):
        """Return None while it runs, else its exit code (1 when the zygote died before it)."""
        if self._pidfd is None:
            return self.exit_code
        if not select.select([self._pidfd], [], [], 0)[0]:
            return None
        self.exit_code = self._last_word()
        os.close(self._pidfd)
        self._pidfd = None
        self._control.close()
        return self.exit_code

    def wait(self, seconds):
        """Wait for its end; return the exit code or None."""
        end = time.monotonic() + seconds
        while self.poll() is None and time.monotonic() < end:
            select.select([self._pidfd], [], [], max(0.0, end - time.monotonic()))
        return self.poll()

    def signal(self, number, group=True):
        """Send a signal to it, or to its whole process group."""
        if self._pidfd is None:
            return
        with suppress(ProcessLookupError):
            if group:
                os.killpg(self.pid, number)
            else:
                signal.pidfd_send_signal(self._pidfd, number)

    def send(self, message):
        """Send one message to the kernel's warden."""
        with suppress(OSError):
            self._control.send(json.dumps(message).encode())

    def receive(self, seconds):
        """Return the next message about the kernel; an empty dictionary when none comes."""
        try:
            self._control.settimeout(seconds)
            message = json.loads(self._control.recv(65536) or b"{}")
        except (OSError, ValueError):
            return {}
        self.ended = message.get("ended", self.ended)
        return message

    def close(self):
        """Let it go: a kernel that still runs ends."""
        self._control.close()

    def wait_gone(self, seconds):
        """Wait until it has ended; kill it when it does not."""
        if self._pidfd is None:
            return
        if not select.select([self._pidfd], [], [], seconds)[0]:
            with suppress(OSError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        os.close(self._pidfd)
        self._pidfd = None

    def _last_word(self):
        """Return the exit code that the zygote reports, 1 when it reports none."""
        while message := self.receive(1):
            if "exit" in message:
                return message["exit"]
        return 1


def _read_at_import(environment):
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(READ_AT_IMPORT) and name != "LC_CTYPE"
    }
