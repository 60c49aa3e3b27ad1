"""Warm kernels in JupyterLab: `JUPYTER_DEFAULT_PROVISIONER_NAME=course-warm` chooses them.

Labs keep the kernelspec `python3`. A kernel that must not be a fork (another language or
interpreter, another environment, packages installed since) starts as an ordinary process.
"""

import asyncio
import os
import sys
from pathlib import Path

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from autograder.kernels.owner import Zygote, ZygoteError

LAUNCHERS = ("ipykernel_launcher", "ipykernel")
OWN_TO_PROCESS = ("JPY_PARENT_PID", "JPY_INTERRUPT_EVENT", "IPY_INTERRUPT_EVENT")


class WarmProvisioner(LocalProvisioner):
    """Forks Python kernels from a warm process; starts all others as `LocalProvisioner` does."""

    async def launch_kernel(self, cmd, **kwargs):
        """Launch a kernel, warm where that is the same kernel."""
        environment = kwargs.get("env") or dict(os.environ)
        reason = cold_reason(cmd, environment)
        if not reason:
            try:
                return await self._fork(cmd, environment, kwargs)
            except ZygoteError as error:
                reason = str(error)
        self.log.info("A cold kernel start: %s", reason)
        return await super().launch_kernel(cmd, **kwargs)

    async def _fork(self, cmd, environment, kwargs):
        environment = {k: v for k, v in environment.items() if k not in OWN_TO_PROCESS}
        self.cwd = kwargs.get("cwd") or Path.cwd()
        kernel = await asyncio.get_running_loop().run_in_executor(
            None, lambda: zygote().fork(cmd[3:], self.cwd, environment, _streams(kwargs))
        )
        self.process = ForkedProcess(kernel)
        self.pid = self.pgid = kernel.pid
        return self.connection_info


class ForkedProcess:
    """A `ForkedKernel` with the methods of `subprocess.Popen` that a provisioner calls."""

    stdin = stdout = stderr = None

    def __init__(self, kernel):
        self._kernel = kernel
        self.pid = kernel.pid

    def poll(self):
        """Return None while it runs, else its exit code."""
        return self._kernel.poll()

    def wait(self, timeout=5):
        """Wait for its end and return the exit code."""
        return self._kernel.wait(timeout)

    def send_signal(self, number):
        """Send a signal to the process."""
        self._kernel.signal(number, group=False)

    def kill(self):
        """End it at once."""
        self._kernel.signal(9)

    def terminate(self):
        """Ask it to end."""
        self._kernel.signal(15)


_zygote = None
_installed_at_start = None


def zygote():
    """Return this process's zygote, started for the packages that are installed now."""
    global _zygote, _installed_at_start
    now = installed()
    if _zygote is None or now != _installed_at_start:
        if _zygote is not None:
            _zygote.stop()
        _zygote, _installed_at_start = Zygote(), now
    _zygote.start()
    return _zygote


def cold_reason(cmd, environment):
    """Return why a command cannot be a fork of the zygote, or an empty string."""
    python, option, launcher = [*cmd, "", "", ""][:3]
    if not _same_python(python) or option != "-m" or launcher not in LAUNCHERS:
        return "it is not the course's own Python kernel."
    warm = zygote_or_none()
    if warm is None:
        return "there are no warm kernels on this platform."
    if not warm.fits(environment):
        return "its environment differs from the one that the warm process has read."
    return ""


def zygote_or_none():
    """Return the zygote, or None where there can be none."""
    try:
        return zygote()
    except (ZygoteError, OSError):
        return None


def installed():
    """Return what changes when a package is installed, updated or removed."""
    found = []
    for place in sys.path:
        if place and os.path.isdir(place) and place.endswith("-packages"):
            found.append((place, os.stat(place).st_mtime_ns))
    return found


def _same_python(path):
    """Return whether a path is this environment's Python, under whatever name it has there."""
    same_place = os.path.dirname(path) == os.path.dirname(sys.executable)
    return same_place and os.path.realpath(path) == os.path.realpath(sys.executable)


def _streams(kwargs):
    """Return the descriptors for standard input, output and error, as Popen would take them."""
    nothing = _null()
    found = []
    for name, own in (("stdin", nothing), ("stdout", 1), ("stderr", 2)):
        given = kwargs.get(name)
        if given is None:
            found.append(own)
        elif isinstance(given, int):
            found.append(nothing if given < 0 else given)
        else:
            found.append(given.fileno())
    return found


_null_descriptor = None


def _null():
    global _null_descriptor
    if _null_descriptor is None:
        _null_descriptor = os.open(os.devnull, os.O_RDWR)
    return _null_descriptor
