"""Calls of the Linux kernel that Python does not offer, as functions that raise `OSError`."""

import ctypes
import os
import platform

_libc = ctypes.CDLL(None, use_errno=True)

# Numbers that are the same on every architecture since Linux 5.1, or given for both we know.
_NUMBERS = {
    "x86_64": {"pivot_root": 155, "capset": 126, "seccomp": 317},
    "aarch64": {"pivot_root": 41, "capset": 91, "seccomp": 277},
}
COMMON = {
    "mount_setattr": 442,
    "landlock_create_ruleset": 444,
    "landlock_add_rule": 445,
    "landlock_restrict_self": 446,
}


def architecture():
    """Return the name of the processor's architecture, or raise `OSError` for an unknown one."""
    name = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    if name not in _NUMBERS:
        raise OSError(38, f"Confinement is not written for {name} processors")
    return name


def call(name, *arguments):
    """Make a system call by name and return its result.

    Raises:
        OSError: the kernel refused, or does not know the call.
    """
    number = COMMON[name] if name in COMMON else _NUMBERS[architecture()][name]
    return _checked(_libc.syscall(ctypes.c_long(number), *arguments), name)


def libc(name, *arguments):
    """Call a function of the C library that returns -1 on failure."""
    return _checked(getattr(_libc, name)(*arguments), name)


def _checked(result, name):
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def long(value):
    """Return an argument as a C long, which variadic calls need."""
    return ctypes.c_ulong(value)


def prctl(option, *arguments):
    """Call prctl."""
    values = [long(a) if isinstance(a, int) else a for a in arguments]
    return libc("prctl", option, *values, *[long(0)] * (4 - len(values)))


def mount(source, target, kind=None, flags=0, data=None):
    """Call mount."""
    texts = [None if t is None else os.fsencode(t) for t in (source, target, kind, data)]
    libc("mount", texts[0], texts[1], texts[2], long(flags), texts[3])
