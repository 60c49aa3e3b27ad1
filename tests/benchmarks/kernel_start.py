"""Seconds from asking for a kernel to the result of its first Keras operation: stock against ours.

    python -m tests.benchmarks.kernel_start [ROUNDS]

Each round starts a stock ipykernel, a fork in the way JupyterLab does (open), and a confined fork
in each tier that this machine reaches, one after the other. The warm process's own start is told
apart: it happens once, with the server. `confinement_ms` is what the best tier adds to an open
fork. The last line is JSON.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager

from jupyter_client.connect import write_connection_file

from autograder.confine.tiers import ORDER, reach
from autograder.kernels.client import CellClient
from autograder.kernels.confined import ConfinedKernel
from autograder.kernels.ordinary import OrdinaryKernel
from autograder.kernels.shared import grading_zygote

OPERATION = (
    "import keras; print(float(keras.ops.sum(keras.ops.matmul([[1.0, 2.0]], [[3.0], [4.0]]))))"
)


class OpenFork:
    """A fork without confinement, as in JupyterLab."""

    def __init__(self, zygote):
        self._folder = tempfile.TemporaryDirectory(prefix="kernel-start-")
        place = os.path.join(self._folder.name, "kernel.json")
        self.connection_file, _ = write_connection_file(
            place, transport="ipc", ip=os.path.join(self._folder.name, "s"), key=b"benchmark"
        )
        settings = os.environ | {"IPYTHONDIR": self._folder.name, "TF_CPP_MIN_LOG_LEVEL": "3"}
        self._kernel = zygote.fork(["-f", place], self._folder.name, settings)

    def alive(self):
        """Return whether it runs."""
        return self._kernel.poll() is None

    def close(self):
        """End it."""
        self._kernel.close()
        self._kernel.wait_gone(5)
        self._folder.cleanup()


@contextmanager
def closing(kernel):
    """End a kernel with the block."""
    try:
        yield kernel
    finally:
        kernel.close()


def seconds(make):
    """Return the seconds until the first operation's result is here."""
    begun = time.perf_counter()
    with closing(make()) as kernel, closing(CellClient(kernel.connection_file, kernel.alive)) as c:
        assert c.wait_until_ready()
        said = [content.get("text") for kind, content, _ in c.messages(c.execute(OPERATION), 120)]
        took = time.perf_counter() - begun
    assert any(text and "11.0" in text for text in said), said
    return took


def main():
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    zygote = grading_zygote()
    begun = time.perf_counter()
    zygote.start()
    zygote.wait_until_warm()
    warm_up = time.perf_counter() - begun
    makers = {"stock": OrdinaryKernel, "open": lambda: OpenFork(zygote)}
    best = reach().tier
    for tier in ORDER[ORDER.index(best) : -1]:
        makers[tier] = lambda tier=tier: ConfinedKernel(zygote, tier)
    times = {name: [] for name in makers}
    for number in range(rounds):
        for name, make in makers.items():
            times[name].append(seconds(make))
        print(f"round {number + 1}:", {n: round(t[-1], 3) for n, t in times.items()}, flush=True)
    zygote.stop()
    medians = {name: statistics.median(values) for name, values in times.items()}
    ratios = {
        name: statistics.median(s / o for s, o in zip(times["stock"], times[name], strict=True))
        for name in makers
    }
    result = {
        "benchmark": "kernel_start", "rounds": rounds, "warm_up_seconds": round(warm_up, 2),
        "seconds": {name: round(value, 3) for name, value in medians.items()},
        "ratios": {name: round(value, 1) for name, value in ratios.items()},
        "ratio": round(ratios["open"], 1),
        "confinement_ms": round(1000 * (medians.get(best, medians["open"]) - medians["open"])),
    }  # fmt: skip
    print(json.dumps(result))


if __name__ == "__main__":
    main()
