"""What processes use, read from `/proc`: memory, processor time, disk, and who belongs to whom."""

import os
import stat
from contextlib import suppress

BLOCK = 4096  # what a file or folder takes at least
TICKS = os.sysconf("SC_CLK_TCK")


def family(pid):
    """Return a process and all its descendants."""
    found = [pid]
    for one in found:
        found += children(one)
    return found


def children(pid):
    """Return the children of a process, of all its threads."""
    found = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError), open(f"/proc/{pid}/task/{task}/children") as file:
                found += map(int, file.read().split())
    return found


def memory(pids):
    """Return the bytes of anonymous and shared memory, and of page tables, of processes."""
    total = 0
    for pid in pids:
        with suppress(OSError), open(f"/proc/{pid}/status") as file:
            for line in file:
                if line.startswith(("RssAnon:", "RssShmem:", "VmPTE:")):
                    total += int(line.split()[1]) * 1024
    return total


def cpu(pids):
    """Return the seconds of processor time that processes, and their ended children, have used."""
    ticks = 0
    for pid in pids:
        with suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/stat") as file:
            ticks += sum(map(int, file.read().rpartition(")")[2].split()[11:15]))
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
                with suppress(OSError, ValueError, IndexError):
                    with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                        longest = max(longest or 0.0, int(file.read().split()[1]) / 1e9)
    return longest


def size(folder, enough):
    """Return the bytes on disk below a folder, an empty file's too; stops counting at `enough`."""
    total = 0
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            with suppress(OSError):
                total += max(BLOCK, os.lstat(os.path.join(parent, name)).st_blocks * 512)
        if total > enough:
            break
    return total


def unlinked(pids, folder):
    """Return the bytes on a folder's disk of files that processes hold and that have no name."""
    disk, found = os.stat(folder).st_dev, {}
    for pid in pids:
        for path in _held(pid):
            with suppress(OSError):
                status = os.stat(path)
                if status.st_dev == disk and not status.st_nlink and stat.S_ISREG(status.st_mode):
                    found[status.st_ino] = status.st_blocks * 512
        found |= _mapped(pid, folder, found)
    return sum(found.values())


def _held(pid):
    """Return the paths of a process's open files."""
    try:
        return [f"/proc/{pid}/fd/{number}" for number in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return []


def _mapped(pid, folder, known):
    """Return the mapped bytes, by inode, of files once below a folder that have no name now."""
    found = {}
    with suppress(OSError), open(f"/proc/{pid}/maps", errors="replace") as file:
        text = file.read()
        for line in text.splitlines() if " (deleted)" in text else ():
            area, _, _, _, inode, *path = line.split(maxsplit=5)
            if path and path[0].startswith(folder) and int(inode) not in known:
                start, end = (int(place, 16) for place in area.split("-"))
                found[int(inode)] = found.get(int(inode), 0) + end - start
    return found
