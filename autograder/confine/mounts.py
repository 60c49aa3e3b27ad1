"""A file system of its own: what a kernel needs, read-only, and one small scratch space.

Covers: files that are not listed do not exist for the kernel (`solutions/`, checks, keys, the
gradebook, other submissions, home folders, other `/tmp`, `/proc` of other processes); nothing
listed can be changed; what is written is bounded and gone afterwards. Does not cover: what the
listed folders hold, such as the installed packages, which are public.
"""

import ctypes
import os
from contextlib import suppress
from pathlib import Path

from autograder.confine import linux

RDONLY, NOSUID, NODEV, NOEXEC, BIND, REC, PRIVATE = 1, 2, 4, 8, 4096, 16384, 1 << 18
DETACH = 2
AT_FDCWD = -100
DEVICES = ("null", "full", "random", "urandom")  # pages of /dev/zero, shared, are nobody's memory
ETC = ("ld.so.cache", "localtime", "fonts", "mime.types", "nsswitch.conf", "alternatives")
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SYS = ("/sys/devices/system/cpu", "/sys/devices/system/node")
HOME = "/home/learner"
CHANNELS = "/run/channels"  # apart from what can be written


class _Attributes(ctypes.Structure):
    _fields_ = [(n, ctypes.c_uint64) for n in ("set", "clear", "propagation", "userns_fd")]


def enter(room, readable, hidden, channels, megabytes, uid, gid):
    """Make the file system in the present mount namespace and move into it.

    Args:
        room: str. An empty folder to build in.
        readable: list of str. Files and folders to show read-only, at their own paths.
        hidden: list of str. Folders among them to show empty.
        channels: str. A folder that stays shared with the outside, for the kernel's sockets;
            shown as `CHANNELS`.
        megabytes: int. Size of all that can be written.
        uid: int. Owner of what can be written.
        gid: int. Its group.
    """
    os.umask(0o022)
    linux.mount(None, "/", None, REC | PRIVATE)
    linux.mount("root", room, "tmpfs", NOSUID | NODEV, "size=4m,mode=755")
    _scratch(room, megabytes, uid, gid)  # first: Python itself may lie below /tmp or /home
    for path in (*SYSTEM, *SYS, *readable, *(f"/etc/{name}" for name in ETC)):
        if os.path.lexists(path):
            _show(room, path)
    for path in hidden:
        if os.path.isdir(room + path):
            linux.mount("hidden", room + path, "tmpfs", NOSUID | NODEV | RDONLY, "size=4k")
    _devices(room)
    _accounts(room, uid, gid)
    _make(room, CHANNELS, True)
    linux.mount(channels, room + CHANNELS, None, BIND)
    os.makedirs(f"{room}/proc", exist_ok=True)
    linux.mount("proc", f"{room}/proc", "proc", NOSUID | NODEV | NOEXEC)
    _pivot(room)


def _show(room, path):
    """Bind a path read-only; what is already there is left."""
    if os.path.islink(path):
        target = room + path
        if not os.path.lexists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.symlink(os.readlink(path), target)
        real = os.path.realpath(path)
        if not any(_within(real, p) for p in SYSTEM):
            _show(room, real)
        return
    if os.path.exists(room + path) and os.path.ismount(room + path):
        return
    if os.path.exists(room + path) and _same(room + path, path):
        return  # lies in a folder that is shown already
    _make(room, path, os.path.isdir(path))
    linux.mount(path, room + path, None, BIND)
    restrict(room + path)


def _within(path, folder):
    return path == folder or path.startswith(folder + "/")


def _same(one, other):
    a, b = os.stat(one), os.stat(other)
    return (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)


def restrict(target):
    """Make a mount read-only, without devices and set-user-id programs."""
    attributes = _Attributes(set=RDONLY | NOSUID | NODEV)
    size = linux.long(ctypes.sizeof(attributes))
    path = os.fsencode(target)
    linux.call("mount_setattr", AT_FDCWD, path, linux.long(0), ctypes.byref(attributes), size)


def _make(room, path, folder):
    """Make the place where something is mounted."""
    target = room + path
    if folder:
        os.makedirs(target, exist_ok=True)
    elif not os.path.lexists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        Path(target).touch()


def _devices(room):
    os.makedirs(f"{room}/dev", exist_ok=True)
    for name in DEVICES:
        if os.path.exists(f"/dev/{name}"):
            _make(room, f"/dev/{name}", False)
            linux.mount(f"/dev/{name}", f"{room}/dev/{name}", None, BIND)
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(f"/proc/self/{target}", f"{room}/dev/{name}")


def _accounts(room, uid, gid):
    """Write the few names that programs look up."""
    os.makedirs(f"{room}/etc", exist_ok=True)
    files = {
        "passwd": f"learner:x:{uid}:{gid}:learner:{HOME}:/bin/sh\n",
        "group": f"learner:x:{gid}:\n",
        "hosts": "127.0.0.1 localhost\n",
    }
    for name, text in files.items():
        with open(f"{room}/etc/{name}", "w") as file:
            file.write(text)


def _scratch(room, megabytes, uid, gid):
    """Make home, /tmp and /dev/shm: three folders of one bounded space."""
    base = f"{room}/scratch"
    os.mkdir(base)
    options = f"size={megabytes}m,mode=755,nr_inodes=100k"
    linux.mount("scratch", base, "tmpfs", NOSUID | NODEV, options)
    for name, place in (("home", HOME), ("tmp", "/tmp"), ("shm", "/dev/shm")):
        os.mkdir(f"{base}/{name}")
        os.chmod(f"{base}/{name}", 0o700)
        os.chown(f"{base}/{name}", uid, gid)
        os.makedirs(room + place, exist_ok=True)
        linux.mount(f"{base}/{name}", room + place, None, BIND)
    linux.libc("umount2", os.fsencode(base), DETACH)
    with suppress(OSError):
        os.rmdir(base)


def _pivot(room):
    """Make the room the root of all paths, and let go of the old root."""
    old = f"{room}/old"
    os.mkdir(old)
    linux.call("pivot_root", os.fsencode(room), os.fsencode(old))
    os.chdir("/")
    linux.libc("umount2", b"/old", DETACH)
    os.rmdir("/old")
    restrict("/")
