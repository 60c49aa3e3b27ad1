"""seccomp: a filter over system calls, for all threads, after the kernel has bound its sockets.

Covers: no socket can be made or connected, of whatever family (pairs within the process
excepted); no tracing, no reading of other processes' memory, no mounts or namespaces, no kernel
keyring, no io_uring, no BPF, no change of clock, no modules; no memory that belongs to no process
(memfd, System V, shared anonymous); no change of processors and priorities. Does not cover: calls
that ordinary programs need, so a bug of the kernel behind one of those stays reachable.
"""

import ctypes
import os
import struct

from autograder.confine import identity, linux

DENIED = {  # name: (x86_64, aarch64); None where the architecture has no such call
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kcmp": (312, 272), "pidfd_getfd": (438, 438), "process_madvise": (440, 440),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "unshare": (272, 97), "setns": (308, 268),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171),
    "clock_adjtime": (305, 266), "sethostname": (170, 161), "setdomainname": (171, 162),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "syslog": (103, 116),
    "personality": (135, 92), "iopl": (172, None), "ioperm": (173, None),
    "modify_ldt": (154, None), "uselib": (134, None), "mq_open": (240, 180),
    "move_pages": (279, 239), "migrate_pages": (256, 238),
    # memory that no process's own count shows, or that outlives them all
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194),
    "msgget": (68, 186), "semget": (64, 190),
    # other processors than ours, and another's share of them
    "sched_setaffinity": (203, 122), "setpriority": (141, 140), "ioprio_set": (251, 30),
    "sched_setparam": (142, 118), "sched_setattr": (314, 274),
}  # fmt: skip
SIGNALS = {"kill": (62, 129), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
           "rt_tgsigqueueinfo": (297, 240), "pidfd_send_signal": (424, 424),
           "tkill": (200, 130)}  # fmt: skip
CLONE, CLONE3, SOCKETPAIR, PRLIMIT = (56, 220), (435, 435), (53, 199), (302, 261)
MMAP, MKNOD, MKNODAT, PRCTL = (9, 222), (133, None), (259, 33), (157, 167)
SCHEDULER, SCHED_OTHER = (144, 119), 0
SENDMSG, SENDMMSG = (46, 211), (307, 269)
NEW_NAMESPACES = 0x7E020000
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
EPERM, ENOSYS = 1, 38
AF_UNIX, SOCK_DGRAM, MAP_SHARED, MAP_ANONYMOUS = 1, 2, 1, 0x20  # SOCK_DGRAM's bit is SOCK_RAW's too
LOAD, JUMP_EQUAL, JUMP_GREATER, JUMP_SET, RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
SET_MODE_FILTER, TSYNC = 1, 1


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def program(architecture, signals_to=None):
    """Return the filter as bytes.

    Args:
        architecture: str. "x86_64" or "aarch64".
        signals_to: int. The only process that may be signalled; None leaves signals alone.
    """
    which = 0 if architecture == "x86_64" else 1
    denied = [pair[which] for pair in DENIED.values() if pair[which] is not None]
    code = [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, AUDIT[architecture]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
    ]
    if architecture == "x86_64":  # the x32 calls are other numbers for the same things
        code += [(JUMP_GREATER, 0, 1, 0x3FFFFFFF), (RETURN, 0, 0, ERRNO | ENOSYS)]
    for number in denied:
        code += [(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, ERRNO | EPERM)]
    code += [(JUMP_EQUAL, 0, 1, CLONE3[which]), (RETURN, 0, 0, ERRNO | ENOSYS)]
    code += _refuse_if(CLONE[which], 0, has(NEW_NAMESPACES))
    code += _refuse_if(SOCKETPAIR[which], 0, isnt(AF_UNIX))
    code += _refuse_if(SOCKETPAIR[which], 1, has(SOCK_DGRAM))  # these can send to any address
    code += _refuse_if(PRLIMIT[which], 0, isnt(0))  # 0 is the caller
    code += _refuse_if(SCHEDULER[which], 1, isnt(SCHED_OTHER))  # which ZMQ asks for, in vain
    code += _refuse_if(MMAP[which], 3, has(MAP_SHARED), has(MAP_ANONYMOUS))
    for number, mode in ((MKNOD[which], 1), (MKNODAT[which], 2)):
        if number is not None:  # a socket file is both bits, no other kind of file is
            code += _refuse_if(number, mode, has(0x8000), has(0x4000))
    if signals_to is not None:  # a file in flight between two sockets is in no process's hands
        for number in (SENDMSG[which], SENDMMSG[which]):
            code += [(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, ERRNO | EPERM)]
        code += _refuse_if(PRCTL[which], 0, equals(identity.SET_DUMPABLE))
        for name, pair in SIGNALS.items():
            if name in ("pidfd_send_signal", "tkill"):
                code += [(JUMP_EQUAL, 0, 1, pair[which]), (RETURN, 0, 0, ERRNO | EPERM)]
            else:
                code += _refuse_if(pair[which], 0, isnt(signals_to))
    code.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("=HBBI", *line) for line in code)


def has(bits):
    """Return the condition that an argument has at least one of these bits."""
    return lambda past: (JUMP_SET, 0, past, bits)


def isnt(value):
    """Return the condition that an argument is another number."""
    return lambda past: (JUMP_EQUAL, past, 0, value)


def equals(value):
    """Return the condition that an argument is this number."""
    return lambda past: (JUMP_EQUAL, 0, past, value)


def _refuse_if(number, argument, *conditions):
    """Return lines that refuse a call when one of its arguments meets all conditions."""
    tests = [test(len(conditions) - place) for place, test in enumerate(conditions)]
    return [
        (JUMP_EQUAL, 0, len(tests) + 3, number),
        (LOAD, 0, 0, FIRST_ARGUMENT + 8 * argument),
        *tests,
        (RETURN, 0, 0, ERRNO | EPERM),
        (LOAD, 0, 0, NUMBER),
    ]


def restrict(only_own_signals=False):
    """Put the filter over all threads of this process, for good.

    Args:
        only_own_signals: bool. Also refuse signals to other processes.
    """
    architecture = linux.architecture()
    code = program(architecture, os.getpid() if only_own_signals else None)
    linux.prctl(identity.SET_NO_NEW_PRIVS, 1)
    filter_ = _Program(len(code) // 8, ctypes.cast(ctypes.create_string_buffer(code, len(code)),
                                                  ctypes.c_char_p))  # fmt: skip
    linux.call("seccomp", linux.long(SET_MODE_FILTER), linux.long(TSYNC), ctypes.byref(filter_))
