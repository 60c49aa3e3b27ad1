"""An ordinary kernel in a process of its own, cold and unconfined: for code that is trusted.

`course check` runs a learner's own notebook in it, on every platform, and `course grade --trust`
runs others' where nothing can confine them.
"""

import os
import sys
import tempfile
import time
from contextlib import suppress
from subprocess import DEVNULL

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager

from autograder.wire.pipe import called


class OwnKernelSpec(KernelSpecManager):
    """Knows one kernel: this interpreter's. A learner's kernelspec cannot choose another."""

    def get_kernel_spec(self, kernel_name):
        """Return the specification of `python3` whatever is asked for."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        command += ["--HistoryManager.enabled=False"]
        return KernelSpec(argv=command, display_name="Python 3", language="python")


class OrdinaryKernel:
    """A kernel in an empty folder. It has the methods of `ConfinedKernel`."""

    tier = "open"

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="grading-", ignore_cleanup_errors=True)
        self._manager = None
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self):
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("COURSE_")
        }
        work, settings = (os.path.join(self._folder.name, name) for name in ("work", "ipython"))
        os.makedirs(work)
        environment |= {"TF_CPP_MIN_LOG_LEVEL": "2", "IPYTHONDIR": settings}
        channels = {} if os.name == "nt" else {"transport": "ipc"}
        self.connection_file = os.path.join(self._folder.name, "kernel.json")
        self._manager = KernelManager(
            kernel_name="python3",
            kernel_spec_manager=OwnKernelSpec(),
            connection_file=self.connection_file,
            shutdown_wait_time=1.0,
            **channels,
        )
        self._manager.start_kernel(cwd=work, env=environment, stdout=DEVNULL, stderr=DEVNULL)

    def alive(self):
        """Return whether it runs."""
        return self._manager is not None and self._manager.is_alive()

    def interrupt(self):
        """Interrupt the cell that runs."""
        with suppress(Exception):
            self._manager.interrupt_kernel()

    def clock(self):
        """Return the time: here wall time counts."""
        return time.monotonic()

    def why(self):
        """Return an empty string: nobody watches this kernel."""
        return ""

    def wire(self, execute, seconds):
        """Open the wire to the learner's names; see `ConfinedKernel.wire`."""
        return called(self, execute, seconds)

    def kill(self):
        """End it at once."""
        with suppress(Exception):
            self._manager.shutdown_kernel(now=True)

    def close(self):
        """End it and remove its folder."""
        if self._manager is not None:
            self.kill()
            with suppress(Exception):
                self._manager.cleanup_resources()
        self._folder.cleanup()
