"""Folders that a learner filled: how much they take, and how they are removed.

A tree may be deeper than a path is long, hold folders that cannot be listed, and change while it is
walked. So it is walked by descriptors of folders, no path is put together, no link is followed,
and nothing calls itself.
"""

import itertools
import os
from contextlib import ExitStack, suppress

BLOCK = 4096  # what a file or folder takes at least
DEEPEST = 100  # folders below each other
BATCH = 1000  # names that are removed before the next ones are read
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
HANDLE = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def size(folder, enough):
    """Return the bytes on disk below a folder, an empty file's too; stops counting past `enough`.

    What cannot be counted is too much: a folder that may not be listed, and more than `DEEPEST`
    folders below each other.
    """
    total, walk = 0, []
    try:
        walk.append(_Open(os.open(folder, FOLDER)))
        while walk and total <= enough:
            entry = next(walk[-1].entries, None)
            if entry is None:
                walk.pop().close()
                continue
            try:
                total += max(BLOCK, entry.stat(follow_symlinks=False).st_blocks * 512)
                if entry.is_dir(follow_symlinks=False):
                    if len(walk) > DEEPEST:
                        return enough + 1
                    walk.append(_Open(os.open(entry.name, FOLDER, dir_fd=walk[-1].number)))
            except (FileNotFoundError, NotADirectoryError):
                continue  # removed or replaced meanwhile
    except OSError:
        return enough + 1
    finally:
        while walk:
            walk.pop().close()
    return total


class _Open:
    """An open folder and its entries that are still to be seen."""

    def __init__(self, number):
        self.number = number
        try:
            self.entries = os.scandir(number)
        except BaseException:
            os.close(number)
            raise

    def close(self):
        self.entries.close()
        os.close(self.number)


def remove_room(path):
    """Remove a folder with all that is in it, as far as that is allowed; return whether it is gone.

    A folder that is not empty is first moved to the top, so that nothing is ever deep.
    """
    with suppress(OSError), ExitStack() as stack:
        top = os.open(path, FOLDER)
        stack.callback(os.close, top)
        names = (f".{number}" for number in itertools.count())
        stuck = set()
        while waiting := [name for name in _some(top) if name not in stuck]:
            for name in waiting:
                if not _removed(top, name) and not _emptied(top, name, names):
                    stuck.add(name)
    with suppress(OSError):
        os.rmdir(path)
    return not os.path.lexists(path)


def _some(number):
    """Return some names that are in an open folder."""
    with os.scandir(number) as entries:
        return [entry.name for entry in itertools.islice(entries, BATCH)]


def _removed(number, name):
    """Remove a file or an empty folder; return whether it has gone."""
    try:
        os.unlink(name, dir_fd=number)
    except FileNotFoundError:
        return True
    except OSError:  # a folder, or one that lets nothing be removed
        try:
            os.rmdir(name, dir_fd=number)
        except FileNotFoundError:
            return True
        except OSError:
            return False
    return True


def _emptied(top, name, names):
    """Empty a folder that lies in `top` by moving its folders to `top`; return whether it helped.

    Args:
        top: descriptor of the folder that takes what is moved.
        name: the folder's name there.
        names: iterator of new names.
    """
    with suppress(OSError), ExitStack() as stack:
        _open_up(top, name)
        number = os.open(name, FOLDER, dir_fd=top)
        stack.callback(os.close, number)
        done = True
        while done and (inner := _some(number)):
            done = False
            for entry in inner:
                done = _removed(number, entry) or _moved(number, entry, top, names) or done
        if not inner:
            os.rmdir(name, dir_fd=top)
            return True
    return False


def _moved(number, name, top, names):
    """Move a folder to the top under a new name; return whether that was possible."""
    with suppress(OSError):
        _open_up(number, name)  # its entry for the folder above it will change
        for new in names:
            try:
                os.stat(new, dir_fd=top, follow_symlinks=False)
            except FileNotFoundError:
                os.rename(name, new, src_dir_fd=number, dst_dir_fd=top)
                return True
    return False


def _open_up(number, name):
    """Let its owner list and change a folder."""
    with suppress(OSError):
        handle = os.open(name, HANDLE, dir_fd=number)
        try:
            os.chmod(f"/proc/self/fd/{handle}", 0o700)
        finally:
            os.close(handle)
