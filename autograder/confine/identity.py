"""Who the kernel is: never the superuser, without capabilities, and with no way to regain them.

Covers: set-user-id programs, capabilities, the powers of root; where the grader runs as root, a
user id that owns nothing. Does not cover: what every user of the machine may do.
"""

import ctypes
import os

from autograder.confine import linux

SET_DUMPABLE, CAPBSET_DROP, SET_NO_NEW_PRIVS, SET_PDEATHSIG = 4, 24, 38, 1
SET_KEEPCAPS, DAC_READ_SEARCH = 8, 2
CAP_AMBIENT, AMBIENT_RAISE = 47, 2
CAPABILITY_VERSION = 0x20080522
FIRST_UID = 1_879_000_000  # far from any user of the machine


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


def choose():
    """Return the user and group id that a kernel runs under: our own unless we are root."""
    if os.getuid() != 0:
        return os.getuid(), os.getgid()
    chosen = FIRST_UID + os.getpid() % 4_000_000  # one of its own, so that limits count it alone
    return chosen, chosen


def drop(uid, gid, reads_all=False):
    """Become this user for good.

    Args:
        uid: int.
        gid: int.
        reads_all: bool. Keep the one capability to read what Landlock shows, whoever owns it, also
            in programs: root's Python may lie where no other user can go. A root that has not got
            it, as in many containers, cannot keep it.
    """
    reads_all = reads_all and os.getuid() == 0 and may(DAC_READ_SEARCH)
    for capability in range(64):
        if reads_all and capability == DAC_READ_SEARCH:
            continue
        try:
            linux.prctl(CAPBSET_DROP, capability)
        except OSError:
            break  # past the last one, or not ours to drop; those we hold go below
    if reads_all:
        linux.prctl(SET_KEEPCAPS, 1)
    if os.getuid() == 0 and uid != 0:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    if 0 in os.getresuid():
        raise PermissionError("A kernel must not run as root.")
    linux.prctl(SET_NO_NEW_PRIVS, 1)
    header = _Header(CAPABILITY_VERSION, 0)
    kept = 1 << DAC_READ_SEARCH if reads_all else 0
    # effective, permitted, inheritable; twice 32 bits
    sets = (ctypes.c_uint32 * 6)(kept, kept, kept, 0, 0, 0)
    linux.call("capset", ctypes.byref(header), ctypes.byref(sets))
    if reads_all:
        linux.prctl(CAP_AMBIENT, AMBIENT_RAISE, DAC_READ_SEARCH)
    linux.prctl(SET_DUMPABLE, 1)  # else its own /proc/self/fd is closed to it


def may(capability):
    """Return whether this process has a capability."""
    with open("/proc/self/status") as file:
        held = next(line for line in file if line.startswith("CapEff:"))
    return bool(int(held.split()[1], 16) >> capability & 1)


def die_with_parent():
    """Let the kernel end when its parent does."""
    linux.prctl(SET_PDEATHSIG, 9)
