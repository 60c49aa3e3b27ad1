"""Run a learner's cells in a kernel of their own, with limits on time and output.

A cell past its limit is interrupted; a kernel that ignores this, or dies, is replaced by a fresh
one in which the cells that went well before run again. The referee never runs here: it talks to
the kernel over the wire (`autograder.wire.pipe`).
"""

import asyncio
import os
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import Empty
from subprocess import DEVNULL

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager
from jupyter_core.utils import ensure_event_loop
from nbformat.v4 import output_from_msg

from autograder.wire.client import LearnerError
from autograder.wire.pipe import KernelProbe

GRACE = 5.0
MAX_OUTPUT = 200_000
MAX_RESTARTS = 3
START_SECONDS = 120
KEPT_OUTPUTS = ("stream", "display_data", "execute_result", "error")


@dataclass(frozen=True)
class Limits:
    """Seconds that a cell, a call of the referee and a whole notebook may take."""

    cell_seconds: float = 60.0
    call_seconds: float = 30.0
    notebook_seconds: float = 900.0


@dataclass
class Ran:
    """What a cell did: its outputs, and a sentence when it did not end by itself."""

    outputs: list = field(default_factory=list)
    problem: str = ""


class OwnKernelSpec(KernelSpecManager):
    """Knows one kernel: this interpreter's. A learner's kernelspec cannot choose another."""

    def get_kernel_spec(self, kernel_name):
        """Return the specification of `python3` whatever is asked for."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        command += ["--HistoryManager.enabled=False"]
        return KernelSpec(argv=command, display_name="Python 3", language="python")


class Sandbox:
    """A kernel in an empty folder; use it in a `with` block, in a thread without an event loop.

    Args:
        limits: the `Limits`.
    """

    def __init__(self, limits):
        self.limits = limits
        self.good = []  # sources that ran to their end, for a fresh kernel
        self.restarts = 0
        self.deadline = time.monotonic() + limits.notebook_seconds
        self._manager = self._client = None

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="grading-", ignore_cleanup_errors=True)
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception):
        self._stop()
        self._folder.cleanup()
        ensure_event_loop().close()  # jupyter_client made one for this thread
        asyncio.set_event_loop(None)

    def run(self, source):
        """Run one cell and return what it did; never raises for what the cell does."""
        if not self._alive() and not self._replace():
            return Ran([], "This cell did not run: the kernel died too often.")
        left = self.deadline - time.monotonic()
        if left <= 0:
            return Ran([], "This cell did not run: the whole notebook took too long.")
        ran = self._run(source, min(self.limits.cell_seconds, left))
        if not ran.problem:
            self.good.append(source)
        elif not self._alive():
            self._replace()
        return ran

    @contextmanager
    def probe(self):
        """Open the wire to the learner's names for a `with` block.

        Raises:
            LearnerError: no kernel answers.
        """
        if not self._alive() and not self._replace():
            raise LearnerError("KernelDied", "The kernel died too often to check this exercise.")
        left = max(1.0, self.deadline - time.monotonic())
        submitted = []

        def execute(code):
            submitted.append(self._client.execute(code, store_history=False, allow_stdin=False))

        probe = KernelProbe(
            execute, self._manager.interrupt_kernel, self._alive,
            seconds=min(self.limits.call_seconds, left),
        )  # fmt: skip
        try:
            with probe:
                yield _Hasty(probe)
        finally:
            settled = submitted and self._collect(submitted[0], GRACE)[1]
            if not settled:
                self._kill()

    def _run(self, source, seconds):
        message = self._client.execute(source, allow_stdin=False, stop_on_error=False)
        outputs, ended = self._collect(message, seconds)
        if ended:
            return Ran(outputs)
        if not self._alive():
            return Ran(outputs, "The kernel died while this cell ran.")
        self._manager.interrupt_kernel()
        more, ended = self._collect(message, GRACE)
        outputs += [output for output in more if output["output_type"] != "error"]
        if not ended:
            self._kill()
        return Ran(outputs, f"This cell ran for more than {seconds:.3g} seconds and was stopped.")

    def _collect(self, message, seconds):
        """Gather the outputs of a request until its cell is idle; return them and whether it is.

        Output past the limit is thrown away while the cell runs on.
        """
        outputs, size, end = [], 0, time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                received = self._client.get_iopub_msg(timeout=min(0.5, seconds))
            except Empty:
                if not self._alive():
                    return outputs, False
                continue
            except Exception:  # a forged or damaged message is not the learner's answer
                continue
            if received["parent_header"].get("msg_id") != message:
                continue
            kind, content = received["msg_type"], received["content"]
            if kind == "status" and content.get("execution_state") == "idle":
                return outputs, True
            if kind in KEPT_OUTPUTS:
                size += len(repr(content))
                if size <= MAX_OUTPUT:
                    _add(outputs, output_from_msg(received))
                elif not outputs or outputs[-1].get("text") != TRUNCATED["text"]:
                    outputs.append(dict(TRUNCATED))
        return outputs, False

    def _start(self):
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("COURSE_")
        }
        work, settings = (os.path.join(self._folder.name, name) for name in ("work", "ipython"))
        os.makedirs(work, exist_ok=True)
        environment |= {"TF_CPP_MIN_LOG_LEVEL": "2", "IPYTHONDIR": settings}
        channels = {} if os.name == "nt" else {"transport": "ipc"}
        connection = os.path.join(self._folder.name, f"kernel-{self.restarts}.json")
        self._manager = KernelManager(
            kernel_name="python3",
            kernel_spec_manager=OwnKernelSpec(),
            connection_file=connection,
            shutdown_wait_time=1.0,
            **channels,
        )
        self._manager.start_kernel(cwd=work, env=environment, stdout=DEVNULL, stderr=DEVNULL)
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=START_SECONDS)

    def _replace(self):
        """Start a fresh kernel and run the good cells again; return whether it is there."""
        if self.restarts >= MAX_RESTARTS:
            return False
        self.restarts += 1
        self._stop()
        self._start()
        for source in list(self.good):
            self._run(source, self.limits.cell_seconds)
            if not self._alive():
                return False
        return True

    def _alive(self):
        return self._manager is not None and self._manager.is_alive()

    def _kill(self):
        with suppress(Exception):
            self._manager.shutdown_kernel(now=True)

    def _stop(self):
        if self._client is not None:
            with suppress(Exception):
                self._client.stop_channels()
        if self._manager is not None:
            self._kill()
            with suppress(Exception):
                self._manager.cleanup_resources()
        self._manager = self._client = None


TRUNCATED = {
    "output_type": "stream",
    "name": "stdout",
    "text": "\n… the rest of the output was left out.\n",
}


class _Hasty:
    """A transport that waits only briefly once a call ran past its limit.

    A function that never returns would else take the limit once per case.
    """

    def __init__(self, probe):
        self._probe = probe

    def request(self, message):
        """Pass one message on."""
        try:
            return self._probe.request(message)
        except LearnerError as error:
            if error.kind == "TimeLimit":
                self._probe.seconds = min(self._probe.seconds, 2.0)
            raise


def _add(outputs, output):
    """Append an output; text of the same stream is joined."""
    last = outputs[-1] if outputs else {}
    same = output["output_type"] == "stream" == last.get("output_type")
    if same and last["name"] == output["name"]:
        last["text"] += output["text"]
    else:
        outputs.append(output)
