"""What a kernel uses too much of: all its processes together, beyond what it had when it began.

Covers: memory, that of sockets and pipes too, which stands in no process's count; processes and
threads; where there is no scratch space of its own also the disk, with files that have no name.
Does not cover: what Linux itself keeps for a process, such as the list of its mappings (at most
13 MB a process), watched files and file locks; cached pages of files that were cut off.
"""

import os
import time
from contextlib import contextmanager

from autograder.confine import linux
from autograder.confine.folders import size
from autograder.confine.usage import held, socket_bytes, used

RARELY = 20  # looks between two for files without a name: a process's mappings take 10 ms to read
STEP = 16  # MB by which the disk's free space may shrink without such a look
PATIENCE = 1.0  # seconds that a process may hide its open files for, as some that start do


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
        self._before = self._held_before = self._uid = None
        self._other = uid if uid is not None and uid != os.geteuid() else None
        self._unlinked = self._free = self._wait = 0
        self._hidden_since = None

    def begin(self, pids):
        """Take what processes use now as what they may use besides the limits."""
        self._before = used(pids)
        self._held_before = self._held(self._before.places)
        if self._held_before.unseen and self._other is not None:
            self._uid = self._other
            self._held_before = self._held(self._before.places)

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
        if files * socket_bytes() > left:  # it would be too much if all were full sockets
            buffers = self._held(now.places).buffers
            if buffers - self._held_before.buffers > left:
                return "memory"
        return self._disk(now.places) if self._folder else ""

    def _disk(self, places):
        """Return "disk" or an empty string; looks for files without a name where there is cause."""
        enough = self._limits.disk * 2**20
        self._wait -= 1
        if self._wait <= 0 or self._hidden_since is not None or self._shrank():
            self._wait = RARELY
            found = self._held(places, self._folder)
            self._unlinked = found.unlinked
            if not found.unseen - self._held_before.unseen:
                self._hidden_since = None
            elif self._hidden_since is None:
                self._hidden_since = time.monotonic()
            elif time.monotonic() - self._hidden_since > PATIENCE:
                return "disk"
        left = enough - self._unlinked
        return "disk" if size(self._folder, left) > left else ""

    def _shrank(self):
        """Return whether somebody has written much to the disk since this was last so."""
        now = os.statvfs(self._folder)
        free = now.f_bfree * now.f_frsize
        shrank = self._free - free > min(STEP, self._limits.disk / 8) * 2**20
        if shrank or free > self._free:
            self._free = free
        return shrank

    def _held(self, places, folder=None):
        with _seeing_as(self._uid):
            return held(places, folder)


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
