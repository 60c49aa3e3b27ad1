"""seccomp: a filter over system calls, for all threads, after the kernel has bound its sockets.

Covers, in both tiers:
- No socket can be made or connected, of whatever family, pairs within the process excepted, whose
  buffers stay as they are, and which carry no open files.
- No tracing, no reading of other processes' memory, no mounts or namespaces, no kernel keyring, no
  io_uring, no BPF, no change of clock, no modules; no other processors and priorities.
- No memory that belongs to no process: memfd, System V, shared anonymous, pages given to pipes. No
  thread with open files of its own, which would show in no process.
- No signal by way of a file: a file or socket has no other owner and no other signal.

Covers where the processes of others are in reach (fenced): signals go only to the process itself;
nothing asks to be told what others open; of `ioctl` only terminals' and the common ones are left.

Covers where the kernel is the grader's own user (shared): the rights, owners and dates of files
stay as they are, the grader's files' too, which Landlock does not guard. These calls are answered
with success. A refusal would break `shutil.copy`, `tar`, `cp -p` and `pip`, which set them on
files that they have just made; what is lost is small: `chmod +x` and `os.utime` have no effect, and
a file keeps the rights that it was made with. Attributes are answered as on a file system that has
none, which all of these pass over.

Does not cover: calls that ordinary programs need, so a bug of the kernel behind one of those stays
reachable; what a file that may be read can be asked, such as its dates.
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
    "open_tree": (428, 428), "open_tree_attr": (467, 467), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "mount_setattr": (442, 442), "unshare": (272, 97), "setns": (308, 268),
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
    # memory that no process's own count shows, or that outlives them all; another's by its number
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "vmsplice": (278, 75),
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "msgget": (68, 186),
    "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187), "semget": (64, 190),
    "semop": (65, 193), "semtimedop": (220, 192), "semctl": (66, 191), "mq_unlink": (241, 181),
    # a file in flight between two sockets is in no process's hands
    "sendmsg": (46, 211), "sendmmsg": (307, 269),
    # other processors than ours, and another's share of them
    "sched_setaffinity": (203, 122), "setpriority": (141, 140), "ioprio_set": (251, 30),
    "sched_setparam": (142, 118), "sched_setattr": (314, 274),
}  # fmt: skip
FENCED = {"inotify_add_watch": (254, 27), "fanotify_init": (300, 262), "fanotify_mark": (301, 263),
          "pidfd_send_signal": (424, 424), "tkill": (200, 130)}  # fmt: skip
SIGNALS = {"kill": (62, 129), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
           "rt_tgsigqueueinfo": (297, 240)}  # fmt: skip
RIGHTS = {
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
}  # fmt: skip
ATTRIBUTES = {
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "removexattrat": (466, 466), "file_setattr": (469, 469),
}  # fmt: skip
CLONE, CLONE3, SOCKETPAIR, PRLIMIT = (56, 220), (435, 435), (53, 199), (302, 261)
MMAP, MKNOD, MKNODAT, PRCTL = (9, 222), (133, None), (259, 33), (157, 167)
SCHEDULER, SCHED_OTHER = (144, 119), 0
SETSOCKOPT, BUFFERS = (54, 208), (7, 8, 32, 33)  # SO_SNDBUF, SO_RCVBUF, and both with FORCE
FCNTL, IOCTL, CLOSE_RANGE = (72, 25), (16, 29), (436, 436)
OWNERS = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX
OTHERS = (1024, 1040, 1031)  # F_SETLEASE, F_SETDELEG, which make others wait; F_SETPIPE_SZ
TERMINAL = (0x5400, 0x54FF)  # also FIONREAD, FIONBIO and FIOCLEX; not FIOSETOWN and SIOCSPGRP
NEW_NAMESPACES = 0x7E020000
CLONE_FILES, CLONE_THREAD, UNSHARE_FILES = 0x400, 0x10000, 2
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
EPERM, ENOTTY, ENOSYS, EOPNOTSUPP = 1, 25, 38, 95
AF_UNIX, SOCK_DGRAM, MAP_SHARED, MAP_ANONYMOUS = 1, 2, 1, 0x20  # SOCK_DGRAM's bit is SOCK_RAW's too
LOAD, JUMP_EQUAL, JUMP_GREATER, JUMP_SET, RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
SET_MODE_FILTER, TSYNC = 1, 1


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def program(architecture, signals_to=None, shared=False):
    """Return the filter as bytes.

    Args:
        architecture: str. "x86_64" or "aarch64".
        signals_to: int. The only process that may be signalled, where others are in reach.
        shared: bool. Whether files of the kernel's user belong to others.
    """
    which = 0 if architecture == "x86_64" else 1
    code = [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, AUDIT[architecture]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
    ]
    if architecture == "x86_64":  # the x32 calls are other numbers for the same things
        code += [(JUMP_GREATER, 0, 1, 0x3FFFFFFF), (RETURN, 0, 0, ERRNO | ENOSYS)]
    code += _refuse(DENIED, which)
    code += _refuse({"clone3": CLONE3}, which, ENOSYS)
    code += _in_both_tiers(which)
    if signals_to is not None:
        code += _among_others(which, signals_to)
    if shared:
        code += _refuse(RIGHTS, which, 0) + _refuse(ATTRIBUTES, which, EOPNOTSUPP)
    code.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("=HBBI", *line) for line in code)


def _in_both_tiers(which):
    """Return lines that refuse some uses of calls that are needed otherwise."""
    code = _refuse_if(CLONE[which], 0, has(NEW_NAMESPACES))
    code += _refuse_if(CLONE[which], 0, has(CLONE_THREAD), lacks(CLONE_FILES))
    code += _refuse_if(CLOSE_RANGE[which], 2, has(UNSHARE_FILES))
    code += _refuse_if(SOCKETPAIR[which], 0, isnt(AF_UNIX))
    code += _refuse_if(SOCKETPAIR[which], 1, has(SOCK_DGRAM))  # these can send to any address
    for option in BUFFERS:
        code += _refuse_if(SETSOCKOPT[which], 2, equals(option))
    for command in (*OWNERS, *OTHERS):
        code += _refuse_if(FCNTL[which], 1, equals(command))
    code += _refuse_if(PRLIMIT[which], 0, isnt(0))  # 0 is the caller
    code += _refuse_if(PRCTL[which], 0, equals(identity.SET_DUMPABLE))
    code += _refuse_if(SCHEDULER[which], 1, isnt(SCHED_OTHER))  # which ZMQ asks for, in vain
    code += _refuse_if(MMAP[which], 3, has(MAP_SHARED), has(MAP_ANONYMOUS))
    for number, mode in ((MKNOD[which], 1), (MKNODAT[which], 2)):
        if number is not None:  # a socket file is both bits, no other kind of file is
            code += _refuse_if(number, mode, has(0x8000), has(0x4000))
    return code


def _among_others(which, signals_to):
    """Return lines for a kernel that others' processes and files are in reach of."""
    code = _refuse(FENCED, which)
    for pair in SIGNALS.values():
        code += _refuse_if(pair[which], 0, isnt(signals_to))
    code += _refuse_if(IOCTL[which], 1, above(TERMINAL[1]), answer=ENOTTY)
    code += _refuse_if(IOCTL[which], 1, below(TERMINAL[0]), answer=ENOTTY)
    return code


def has(bits):
    """Return the condition that an argument has at least one of these bits."""
    return lambda past: (JUMP_SET, 0, past, bits)


def isnt(value):
    """Return the condition that an argument is another number."""
    return lambda past: (JUMP_EQUAL, past, 0, value)


def equals(value):
    """Return the condition that an argument is this number."""
    return lambda past: (JUMP_EQUAL, 0, past, value)


def lacks(bits):
    """Return the condition that an argument has none of these bits."""
    return lambda past: (JUMP_SET, past, 0, bits)


def above(value):
    """Return the condition that an argument is larger than this number."""
    return lambda past: (JUMP_GREATER, 0, past, value)


def below(value):
    """Return the condition that an argument is smaller than this number."""
    return lambda past: (JUMP_GREATER, past, 0, value - 1)


def _refuse(calls, which, answer=EPERM):
    """Return lines that answer calls with an error; 0 is success without doing anything."""
    numbers = [pair[which] for pair in calls.values() if pair[which] is not None]
    lines = [[(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, ERRNO | answer)] for number in numbers]
    return [line for pair in lines for line in pair]


def _refuse_if(number, argument, *conditions, answer=EPERM):
    """Return lines that refuse a call when one of its arguments meets all conditions."""
    tests = [test(len(conditions) - place) for place, test in enumerate(conditions)]
    return [
        (JUMP_EQUAL, 0, len(tests) + 3, number),
        (LOAD, 0, 0, FIRST_ARGUMENT + 8 * argument),
        *tests,
        (RETURN, 0, 0, ERRNO | answer),
        (LOAD, 0, 0, NUMBER),
    ]


def restrict(fenced=False, shared=False):
    """Put the filter over all threads of this process, for good.

    Args:
        fenced: bool. Processes and files of others are in reach.
        shared: bool. Some of these files belong to the user of this process.
    """
    architecture = linux.architecture()
    code = program(architecture, os.getpid() if fenced else None, shared)
    linux.prctl(identity.SET_NO_NEW_PRIVS, 1)
    filter_ = _Program(len(code) // 8, ctypes.cast(ctypes.create_string_buffer(code, len(code)),
                                                  ctypes.c_char_p))  # fmt: skip
    linux.call("seccomp", linux.long(SET_MODE_FILTER), linux.long(TSYNC), ctypes.byref(filter_))
