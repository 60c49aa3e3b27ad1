"""Limits that the kernel itself keeps on one process: memory, files, processes, core dumps, cores.

Covers: a memory request past the limit fails with MemoryError, a fork or thread bomb stops at the
number of processes, no file grows past the scratch space, no core is dumped. Does not cover: the
sum over processes (see `warden`), and CPU time per cell (see the referee).
"""

import os
from dataclasses import asdict, dataclass

A_KERNELS_THREADS = 128  # that others of the same user may start, one for each processor


@dataclass(frozen=True)
class Limits:
    """What a confined kernel may use, all its processes together.

    Attributes:
        memory: MB beyond what the warm process had.
        disk: MB in home, /tmp and /dev/shm together.
        processes: processes and threads.
        files: open files of one process.
        cpu: seconds of processor time for the whole notebook.
        cores: the processors it may use; None for all.
    """

    memory: int = 4096
    disk: int = 256
    processes: int = 512
    files: int = 1024
    cpu: int = 3600
    cores: tuple | None = None

    def as_dict(self):
        """Return the limits as JSON takes them."""
        return asdict(self)


def apply(limits, alone=True):
    """Set the limits for this process and all that it starts.

    Args:
        limits: the `Limits`.
        alone: bool. Whether only this kernel's processes count for its user id. Else their number
            is left to the warden, and bounded so far above that only a bomb comes near: Linux
            counts all of the user's.
    """
    import resource

    if limits.cores:
        os.sched_setaffinity(0, set(limits.cores) & os.sched_getaffinity(0) or {0})
    megabyte = 2**20
    bounds = [
        (resource.RLIMIT_DATA, data_size() + limits.memory * megabyte),
        (resource.RLIMIT_FSIZE, limits.disk * megabyte),
        (resource.RLIMIT_NOFILE, limits.files),
        (resource.RLIMIT_CPU, limits.cpu),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_MEMLOCK, 64 * 1024),
    ]
    others = 0 if alone else threads_of_all() + A_KERNELS_THREADS * (os.cpu_count() or 1)
    bounds.append((resource.RLIMIT_NPROC, limits.processes + others))
    for kind, value in bounds:
        _, hard = resource.getrlimit(kind)
        least = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (least, least))


def threads_of_all():
    """Return how many threads there are on the machine."""
    with open("/proc/loadavg") as file:
        return int(file.read().split()[3].partition("/")[2])


def data_size():
    """Return the bytes of private writable memory that this process has mapped."""
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    return 0
