"""What processes use, read from `/proc`: memory, threads, processor time, and open files.

It is read as bytes: names in it are the learner's, and need not be text. A process is read by a
thread of it that lives: `/proc` shows of a process what its first thread has, and a thread that
has ended has nothing.
"""

import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass, field

TICKS = os.sysconf("SC_CLK_TCK")
FIELDS = re.compile(rb"^(RssAnon|RssShmem|VmPTE|VmSwap|Threads):\s+(\d+)", re.MULTILINE)
PIPE = 2**16  # what a pipe may hold
UNKNOWN = 1024  # open files where nobody says how many there are


def family(pid, enough=2**22):
    """Return a process and its descendants: all, or somewhat more than `enough`."""
    found = {pid: None}
    waiting = [pid]
    for one in waiting:
        new = [child for child in children(one) if child not in found]
        found.update(dict.fromkeys(new))
        waiting += new
        if len(found) > enough:
            break
    return list(found)


def children(pid):
    """Return the children of a process, of all its threads."""
    found = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            found += map(int, _read(f"/proc/{pid}/task/{task}/children").split())
    return found


def _read(path):
    """Return what stands in a file of `/proc`; nothing when its process is gone."""
    with suppress(OSError), open(path, "rb") as file:
        return file.read()
    return b""


@dataclass
class Used:
    """What processes use together.

    Attributes:
        memory: bytes of anonymous and shared memory, swapped or not, and of page tables.
        threads: processes and threads.
        files: open files; one that several processes hold is counted for each.
        places: where in `/proc` each process can be read.
    """

    memory: int = 0
    threads: int = 0
    files: int = 0
    places: dict = field(default_factory=dict)


def used(pids):
    """Return what processes use, as `Used`."""
    total = Used()
    for pid in pids:
        place, status = _living(pid)
        threads = 0
        for name, number in FIELDS.findall(status):
            if name == b"Threads":
                threads = int(number)
            else:
                total.memory += int(number) * 1024
        total.threads += max(1, threads)
        total.places[pid] = place
        total.files += _open_files(place)
    return total


def _living(pid):
    """Return where a living thread of a process stands in `/proc`, and its status."""
    place = f"/proc/{pid}"
    status = _read(f"{place}/status")
    if b"\nRssAnon:" not in status:
        with suppress(OSError):
            for task in os.listdir(f"{place}/task"):
                other = _read(f"{place}/task/{task}/status")
                if b"\nRssAnon:" in other:
                    return f"{place}/task/{task}", other
    return place, status


def _open_files(place):
    """Return how many files a process has open."""
    try:
        return os.stat(f"{place}/fd").st_size or len(os.listdir(f"{place}/fd"))
    except PermissionError:
        return UNKNOWN
    except OSError:
        return 0


@dataclass
class Held:
    """What processes hold by open files.

    Attributes:
        buffers: bytes that the sockets and pipes may hold.
        unlinked: bytes on disk of files that have no name.
        unseen: processes that do not let us look.
    """

    buffers: int = 0
    unlinked: int = 0
    unseen: frozenset = frozenset()


def socket_bytes():
    """Return the memory that one socket may take: its buffer, and the message that goes past it."""
    return int(_read("/proc/sys/net/core/wmem_default") or 212_992) * 3 // 2


def held(places, folder=None):
    """Return what processes hold, as `Held`.

    Args:
        places: where each process can be read, from `Used`.
        folder: a folder; files without a name that lie on its disk are looked for.
    """
    disk = os.stat(folder).st_dev if folder else None
    ends, files, unseen, buffers = {}, {}, set(), 0
    sizes = {stat.S_IFSOCK: socket_bytes(), stat.S_IFIFO: PIPE}
    for pid, place in places.items():
        try:
            for status in _statuses(place):
                kind = stat.S_IFMT(status.st_mode)
                if kind in sizes:
                    ends[status.st_dev, status.st_ino] = sizes[kind]
                elif kind == stat.S_IFREG and status.st_dev == disk and not status.st_nlink:
                    files[status.st_ino] = status.st_blocks * 512
            if folder:
                files |= _mapped(place, folder, files)
        except PermissionError:
            unseen.add(pid)
            buffers += _open_files(place) * sizes[stat.S_IFSOCK]
    return Held(buffers + sum(ends.values()), sum(files.values()), frozenset(unseen))


def _statuses(place):
    """Yield what `stat` says of each open file of a process; `PermissionError` where it hides."""
    try:
        numbers = os.listdir(f"{place}/fd")
    except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
        return
    for number in numbers:
        try:
            yield os.stat(f"{place}/fd/{number}")
        except PermissionError:
            raise
        except OSError:
            continue  # closed meanwhile


def _mapped(place, folder, known):
    """Return the mapped bytes, by inode, of files once below a folder that have no name now."""
    found, start = {}, os.fsencode(folder)
    try:
        with open(f"{place}/maps", "rb") as file:
            text = file.read()
    except PermissionError:
        raise
    except OSError:
        return found
    for line in text.split(b"\n") if b" (deleted)" in text else ():
        parts = line.split(maxsplit=5)
        if len(parts) < 6 or not (parts[5].startswith(start) and line.endswith(b" (deleted)")):
            continue
        inode = int(parts[4])
        if inode not in known:
            low, high = (int(end, 16) for end in parts[0].split(b"-"))
            found[inode] = found.get(inode, 0) + high - low
    return found


def cpu(pids):
    """Return the seconds of processor time that processes, and their ended children, have used."""
    ticks = 0
    for pid in pids:
        with suppress(ValueError, IndexError):
            fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / TICKS


def waited(pids):
    """Return the seconds that a kernel's threads stood in line for a processor.

    Of all threads the longest time, since they stand in line side by side; None where the kernel
    does not count it.
    """
    longest = None
    for pid in pids:
        with suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                with suppress(ValueError, IndexError):
                    line = int(_read(f"/proc/{pid}/task/{task}/schedstat").split()[1])
                    longest = max(longest or 0.0, line / 1e9)
    return longest
