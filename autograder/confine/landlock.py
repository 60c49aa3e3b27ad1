"""Landlock: a list of what may be read and written, kept by the kernel for a process for good.

Covers: every file outside the list, also for programs that the learner's code starts; TCP (since
Linux 6.7); signals and abstract sockets to processes outside (since 6.12). Does not cover: files
that were open before, `stat` and names of files outside the list, rights, owners, dates and
attributes of files (see `seccomp`), cutting files off before version 3 (Linux 6.2), UDP and unix
sockets (see `seccomp` and `namespaces`).
"""

import ctypes
import os

from autograder.confine import identity, linux

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
REMOVE_FILE, MAKE_SOCKET = 1 << 5, 1 << 9
READ = EXECUTE | READ_FILE | READ_DIR
ALL = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | 1 << 14 | 1 << 15  # truncate, ioctl on devices
PATH_BENEATH = 1
VERSION = 1
ALONE = 3  # what must be spoken where nothing but Landlock keeps files from being changed


class _Ruleset(ctypes.Structure):
    _fields_ = [(n, ctypes.c_uint64) for n in ("files", "network", "scoped")]


class _Rule(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def version():
    """Return the version of Landlock that this kernel speaks; raise `OSError` where it has none."""
    return linux.call("landlock_create_ruleset", None, linux.long(0), linux.long(VERSION))


def restrict(readable, writable, sockets=(), least=1):
    """Restrict this thread, and all that it starts, to these paths.

    Args:
        readable: list of str. Files and folders to read and execute.
        writable: list of str. Files and folders to change as well.
        sockets: list of str. Folders to read, and to make and remove sockets in.
        least: int. The version of Landlock that must be spoken.

    Raises:
        OSError: this kernel speaks no Landlock, or not enough of it.
    """
    speaks = version()
    if speaks < least:
        raise OSError(38, f"Landlock {least} is needed (Linux 6.2) and this is {speaks}")
    everything = ALL[max(v for v in ALL if v <= speaks)]
    ruleset = _Ruleset(files=everything)
    size = 8
    if speaks >= 4:
        ruleset.network, size = 3, 16  # no TCP port may be bound or connected to
    if speaks >= 6:
        ruleset.scoped, size = 3, 24  # no abstract socket, no signal to the outside
    handle = linux.call(
        "landlock_create_ruleset", ctypes.byref(ruleset), linux.long(size), linux.long(0)
    )
    try:
        for paths, allowed in (
            (readable, READ),
            (writable, everything),
            (sockets, READ | MAKE_SOCKET | REMOVE_FILE),
        ):
            for path in paths:
                _allow(handle, path, allowed & everything)
        linux.prctl(identity.SET_NO_NEW_PRIVS, 1)
        linux.call("landlock_restrict_self", handle, linux.long(0))
    finally:
        os.close(handle)


def _allow(ruleset, path, allowed):
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):
            allowed &= OF_FILES
        rule = _Rule(allowed=allowed, parent=parent)
        linux.call("landlock_add_rule", ruleset, PATH_BENEATH, ctypes.byref(rule), linux.long(0))
    finally:
        os.close(parent)
