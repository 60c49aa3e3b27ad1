"""What a kernel uses too much of: all its processes together, beyond what it had when it began.

Covers: memory, that of sockets and pipes too, which stands in no process's count; processes and
threads; where there is no scratch space of its own also the disk, with files that have no name.
Does not cover: what Linux itself keeps for a process, such as the list of its mappings (at most
13 MB a process), watched files and file locks; cached pages of files that were cut off.
"""

import os
from contextlib import contextmanager

from autograder.confine import linux
from autograder.confine.folders import size
from autograder.confine.usage import held, socket_bytes, used

PATIENCE = 10  # looks that a process may hide its open files for, as those that start and end do


class Excess:
    """Compares what processes use with the limits.

    Args:
        limits: the `Limits`.
        folder: str. A folder whose size is watched, or None.
        uid: int. Whose processes they are, if not ours: where we may not look into them, their
            own user may.
    """

    def __init__(self, limits, folder=None, uid=None):
        self._limits, self._folder = limits, folder
        self._uid = self._hides = None
        self._before = self._held_before = None
        self._looks_in_vain = 0
        self._other = uid if uid is not None and uid != os.geteuid() else None

    def begin(self, pids):
        """Take what processes use now as what they may use besides the limits."""
        self._before = used(pids)
        self._held_before = self._held(self._before.places)
        if self._held_before.unseen and self._other is not None:
            self._uid = self._other
            self._held_before = self._held(self._before.places)
        self._hides = self._held_before.unseen

    def found(self, pids):
        """Return "processes", "memory", "disk", or an empty string; looks only after `begin`."""
        if self._before is None:
            return ""
        limits = self._limits
        if len(pids) > limits.processes:
            return "processes"
        now = used(pids)
        if now.threads > limits.processes:
            return "processes"
        left = limits.memory * 2**20 - (now.memory - self._before.memory)
        files = now.files - self._before.files
        if left < 0:
            return "memory"
        if not self._folder and files * socket_bytes() <= left:
            return ""  # even if all were full sockets
        open_now = self._held(now.places)
        if open_now.buffers - self._held_before.buffers > left:
            return "memory"
        return self._disk(open_now) if self._folder else ""

    def _disk(self, open_now):
        hidden = open_now.unseen - self._hides
        self._looks_in_vain = self._looks_in_vain + 1 if hidden else 0
        if self._looks_in_vain > PATIENCE:
            return "disk"
        enough = self._limits.disk * 2**20 - open_now.unlinked
        return "disk" if size(self._folder, enough) > enough else ""

    def _held(self, places):
        with _seeing_as(self._uid):
            return held(places, self._folder)


@contextmanager
def _seeing_as(uid):
    """Have another user's rights to files for a `with` block, not more; nothing for None."""
    if uid is None:
        yield
        return
    linux.libc("setfsuid", uid)
    try:
        yield
    finally:
        linux.libc("setfsuid", os.geteuid())
