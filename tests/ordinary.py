"""Run Python as an ordinary user, or as root of a container, also where the tests run as root.

Root's Python may lie in a folder that nobody else may enter. So the process first leaves for mounts
of its own, in which the places that it needs are shown in folders that everybody may enter.
"""

import os
import sys

UID = 64_123  # nobody's
CONTAINER = (0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31)  # the capabilities that Docker leaves
BECOME = """
import ctypes, os, sys
uid, kept, count, *rest = sys.argv[1:]
places, command = rest[:int(count)], rest[int(count):]
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    if getattr(libc, name)(*arguments):
        sys.exit(f"{name}: {os.strerror(ctypes.get_errno())}")
def closed(path):
    return path != "/" and (closed(os.path.dirname(path)) or not os.stat(path).st_mode & 1 and path)
shut = {place: closed(os.path.dirname(place)) for place in places if closed(os.path.dirname(place))}
if shut:
    call("unshare", 0x20000)  # CLONE_NEWNS
    call("mount", None, b"/", None, ctypes.c_ulong(0x44000), None)  # MS_PRIVATE, MS_REC
    handles = {place: os.open(place, os.O_PATH) for place in shut}
    for folder in set(shut.values()):
        call("mount", b"none", folder.encode(), b"tmpfs", ctypes.c_ulong(0), b"mode=755")
    for place, handle in handles.items():
        os.makedirs(place)
        source = f"/proc/self/fd/{handle}".encode()
        call("mount", source, place.encode(), None, ctypes.c_ulong(0x5000), None)  # MS_BIND, MS_REC
        os.close(handle)
for capability in range(64):
    if capability not in map(int, kept.split()):
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
os.setgroups([])
os.setresgid(*[int(uid)] * 3)
os.setresuid(*[int(uid)] * 3)
os.execv(sys.executable, [sys.executable, *command])
"""


def ordinary(arguments, *places):
    """Return the command by which root runs Python with these arguments as an ordinary user.

    Args:
        arguments: list of str.
        places: folders that the user has to reach besides Python and its packages.
    """
    return _command(UID, (), arguments, places)


def contained(arguments, *places):
    """Return the command by which root runs Python as the root of a container; see `ordinary`."""
    return _command(0, CONTAINER, arguments, places)


def _command(uid, kept, arguments, places):
    needed = dict.fromkeys(map(os.path.realpath, (sys.base_prefix, sys.prefix, *places)))
    kept = " ".join(map(str, kept))
    return [sys.executable, "-c", BECOME, str(uid), kept, str(len(needed)), *needed, *arguments]
