"""Run a learner's cells in a kernel of their own, with limits on time and output.

A cell past its limit is interrupted; a kernel that ignores this, or dies, is replaced by a fresh
one in which the cells that went well before run again. The referee never runs here: it talks to
the kernel over the wire.
"""

import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from nbformat.v4 import output_from_msg

from autograder.confine import limits as confine
from autograder.errors import CourseError
from autograder.grading.headroom import bounded
from autograder.kernels.client import LOST, CellClient
from autograder.kernels.confined import ConfinedKernel
from autograder.kernels.ordinary import OrdinaryKernel
from autograder.kernels.shared import shared_zygote
from autograder.wire.channel import BUSY
from autograder.wire.client import LearnerError
from autograder.workers import own_cores

GRACE = 5.0
MAX_OUTPUT = 200_000
MAX_RESTARTS = 20  # more than a lab has exercises: the notebook's time bounds them too
KEPT_OUTPUTS = ("stream", "display_data", "execute_result", "error")


@dataclass(frozen=True)
class Limits:
    """What a notebook may use.

    Attributes:
        cell_seconds: seconds of one cell. Time that a kernel waits for a processor is not
            counted, up to five times as much wall time.
        call_seconds: seconds of one call of the referee.
        notebook_seconds: seconds of the whole notebook.
        memory: MB of all its processes together, beyond what the warm process has.
        disk: MB that it may write.
        processes: processes and threads.
    """

    cell_seconds: float = 60.0
    call_seconds: float = 30.0
    notebook_seconds: float = 900.0
    memory: int = 4096
    disk: int = 256
    processes: int = 512

    def as_dict(self):
        """Return the limits as JSON takes them."""
        return asdict(self)

    def confined(self):
        """Return the limits that a confined kernel takes."""
        return confine.Limits(
            self.memory,
            self.disk,
            self.processes,
            cpu=int(self.notebook_seconds) + 60,
            cores=own_cores(),
        )


@dataclass
class Ran:
    """What a cell did: its outputs, and a sentence when it did not end by itself."""

    outputs: list = field(default_factory=list)
    problem: str = ""


class Sandbox:
    """A kernel for one notebook; use it in a `with` block, in a thread without an event loop.

    Args:
        limits: the `Limits`.
        tier: str. How it is confined: see `autograder.confine.tiers`.
        secret_folders: paths that the kernel must not see, wherever they lie.
    """

    def __init__(self, limits, tier="open", secret_folders=()):
        self.limits, self.tier = limits, tier
        self.good = []  # sources that ran to their end, for a fresh kernel
        self.restarts = 0
        self.deadline = time.monotonic() + limits.notebook_seconds * BUSY
        self._secret_folders = secret_folders
        self._kernel = self._client = None

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *exception):
        self._stop()

    def run(self, source):
        """Run one cell and return what it did; never raises for what the cell does."""
        if not self._alive() and not self._replace():
            return Ran([], "This cell did not run: the kernel died too often.")
        if self._left() <= 0:
            return Ran([], "This cell did not run: the whole notebook took too long.")
        ran = self._run(source)
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
        seconds = min(self.limits.call_seconds, max(1.0, self._left()))
        submitted = []

        def execute(code):
            submitted.append(self._client.execute(code, quiet=True))

        try:
            with self._kernel.wire(execute, seconds) as transport, bounded():
                yield _Hasty(transport)
        finally:
            settled = submitted and self._collect(submitted[0], GRACE)[1]
            if not settled:
                self._kernel.kill()

    def _left(self):
        return self.deadline - time.monotonic()

    def _run(self, source):
        seconds = self.limits.cell_seconds
        request = self._client.execute(source)
        outputs, ended = self._until(request, seconds)
        if ended:
            return Ran(outputs)
        if not self._alive():
            return Ran(outputs, self._death())
        self._kernel.interrupt()
        more, ended = self._collect(request, GRACE)
        outputs += [output for output in more if output["output_type"] != "error"]
        if not ended:
            self._kernel.kill()
        return Ran(outputs, f"This cell ran for more than {seconds:.3g} seconds and was stopped.")

    def _death(self):
        """Say why the kernel is gone."""
        excess = self._kernel.why()
        if excess:
            return f"This cell used {excess}, so its kernel was ended."
        return "The kernel died while this cell ran."

    def _until(self, request, seconds):
        """Gather a cell's outputs while it has time left by the kernel's clock.

        Wall time may be five times as long, so that a busy machine costs nobody points.
        """
        start = self._kernel.clock()
        last = time.monotonic() + min(seconds * BUSY, max(0.1, self._left()))
        outputs, wait = [], seconds
        while True:
            wait = min(wait, last - time.monotonic())
            more, ended = self._collect(request, max(0.0, wait))
            for output in more:
                _add(outputs, output)
            used = self._kernel.clock() - start
            if ended or not self._alive() or used >= seconds or time.monotonic() >= last:
                return outputs, ended
            wait = seconds - used + 0.1

    def _collect(self, request, seconds):
        """Gather the outputs of a request until its cell is idle; return them and whether it is.

        Output past the limit is thrown away while the cell runs on.
        """
        outputs, size = [], 0
        messages = self._client.messages(request, seconds)
        while True:
            try:
                kind, _, message = next(messages)
            except StopIteration as stop:
                return outputs, stop.value
            if kind not in (*KEPT_OUTPUTS, LOST):
                continue
            output, length = _read(message) if kind != LOST else (None, 0)
            size += length
            if kind != LOST and size <= MAX_OUTPUT:
                if output is not None:
                    _add(outputs, output)
            elif not outputs or outputs[-1].get("text") != TRUNCATED["text"]:
                outputs.append(dict(TRUNCATED))

    def _start(self):
        if self.tier == "open":
            self._kernel = OrdinaryKernel()
        else:
            self._kernel = ConfinedKernel(
                shared_zygote(), self.tier, self.limits.confined(), self._secret_folders
            )
        self._client = CellClient(self._kernel.connection_file, self._alive)
        if not self._client.wait_until_ready():
            raise CourseError("The kernel did not start.")

    def _replace(self):
        """Start a fresh kernel and run the good cells again; return whether it is there."""
        if self.restarts >= MAX_RESTARTS:
            return False
        self.restarts += 1
        self._stop()
        self._start()
        for source in list(self.good):
            self._run(source)
            if not self._alive():
                return False
        return True

    def _alive(self):
        return self._kernel is not None and self._kernel.alive()

    def _stop(self):
        if self._client is not None:
            self._client.close()
        if self._kernel is not None:
            self._kernel.close()
        self._kernel = self._client = None


PARTS = {  # of outputs, whichever of them one has: their types
    "name": str,
    "text": str,
    "ename": str,
    "evalue": str,
    "traceback": list,
    "data": dict,
}
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


def _read(message):
    """Return the output in a message and its length; a forged or damaged one holds none."""
    try:
        output, length = output_from_msg(message), len(repr(message["content"]))
    except Exception:  # noqa: BLE001  a kernel may send anything
        return None, 0
    sound = all(isinstance(output.get(name, kind()), kind) for name, kind in PARTS.items())
    return output if sound else None, length


def _add(outputs, output):
    """Append an output; text of the same stream is joined."""
    last = outputs[-1] if outputs else {}
    same = output["output_type"] == "stream" == last.get("output_type")
    if same and last["name"] == output["name"]:
        last["text"] += output["text"]
    else:
        outputs.append(output)
