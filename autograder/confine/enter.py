"""A fork of the zygote becomes a confined kernel, and its warden.

zygote -> warden -> first process of the namespaces -> kernel     (sealed)
zygote -> warden -> kernel                                        (fenced)
"""

import json
import os
import signal
import sys

from autograder.confine import identity, landlock, limits, linux, mounts, namespaces, seccomp
from autograder.confine import warden as wardens
from autograder.kernels import CONTROL, WIRE

NEWS = WIRE + 1
DEVICES = [f"/dev/{name}" for name in mounts.DEVICES]
PROC = [
    f"/proc/{name}"
    for name in "cpuinfo meminfo stat uptime loadavg filesystems version".split()
    + ["sys/vm/overcommit_memory"]
]


def become_warden(request, start_kernel):
    """Fork the confined kernel and watch it; return its exit code.

    The socket to the owner lies at `CONTROL`, the wire to the referee at `WIRE`.

    Args:
        request: dict. `tier`, `room`, `channels`, `readable`, `hidden`, `limits`, and what
            `start_kernel` needs.
        start_kernel: called in the kernel with the request and a function to call when its
            sockets are bound.
    """
    import socket

    bounds = limits.Limits(**request["limits"])
    uid, gid = identity.choose()
    sealed = request["tier"] == "sealed"
    if sealed and "argv" in request:
        request = request | {"argv": _seen_inside(request["argv"])}
    for folder in (request["channels"], os.path.join(request["room"], "home")):
        _hand_over(folder, uid, gid)
    if os.getuid() == 0 and not (sealed or identity.may(identity.DAC_READ_SEARCH)):
        for folder in (request["room"], os.path.dirname(request["room"])):
            os.chmod(folder, 0o711)  # else nobody but root comes as far as these two
    linux.prctl(wardens.SET_CHILD_SUBREAPER, 1)
    news_read, news_write = os.pipe()
    control = socket.socket(fileno=CONTROL)
    try:
        if sealed:
            namespaces.enter_outer()
    except OSError as error:
        control.send(json.dumps({"problem": str(error)}).encode())
        return 1
    child = os.fork()
    if child == 0:
        _in_child(request, start_kernel, bounds, (uid, gid), news_write)
    os.close(news_write)
    os.close(WIRE)
    folder = None if sealed else request["room"]
    return wardens.watch(control, news_read, child, bounds, folder, uid)


def _seen_inside(argv):
    """Return ipykernel's arguments with a connection file that has its sockets' inner place."""
    option, path, *rest = argv
    with open(path) as file:
        connection = json.load(file)
    connection["ip"] = f"{mounts.CHANNELS}/{os.path.basename(connection['ip'])}"
    with open(os.path.join(os.path.dirname(path), "inside.json"), "w") as file:
        json.dump(connection, file)
    return [option, f"{mounts.CHANNELS}/inside.json", *rest]


def _in_child(request, start_kernel, bounds, who, news):
    """Confine this process and run the kernel in it, or in a child of it; never returns."""
    code = 1
    try:
        os.close(CONTROL)
        os.setsid()  # so that the warden need not share its turns with what this one starts
        os.dup2(news, NEWS, inheritable=False)
        os.closerange(NEWS + 1, 65536)
        if request["tier"] == "sealed":
            code = _sealed(request, start_kernel, bounds, who)
        else:
            code = _kernel(request, start_kernel, bounds, who)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException as error:
        _say({"problem": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(code or 0)


def _sealed(request, start_kernel, bounds, who):
    """Build the namespaces, then stay as their first process, which buries the others."""
    namespaces.enter_inner()
    mounts.enter(
        request["room"], request["readable"], request["hidden"], request["channels"],
        bounds.disk, *who,
    )  # fmt: skip
    kernel = os.fork()
    if kernel == 0:
        return _kernel(request, start_kernel, bounds, who)
    os.close(WIRE)
    os.close(NEWS)
    identity.drop(*who)
    linux.prctl(identity.SET_DUMPABLE, 0)
    identity.die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        pid, status = os.wait()
        if pid == kernel:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _kernel(request, start_kernel, bounds, who):
    """Put every mechanism over this process, then run the kernel."""
    sealed = request["tier"] == "sealed"
    identity.drop(*who, reads_all=not sealed)
    identity.die_with_parent()
    limits.apply(bounds, alone=sealed or who[0] >= identity.FIRST_UID)
    home = mounts.HOME if sealed else os.path.join(request["room"], "home")
    environment = request["environment"] | {
        "HOME": home, "TMPDIR": "/tmp" if sealed else home, "IPYTHONDIR": f"{home}/.ipython",
    }  # fmt: skip
    if sealed:
        landlock.restrict(["/"], [home, "/tmp", "/dev/shm", *DEVICES], [mounts.CHANNELS])
    else:
        readable = [*mounts.SYSTEM, *mounts.SYS, *request["readable"], *PROC]
        readable += [f"/etc/{name}" for name in (*mounts.ETC, "passwd", "group", "hosts")]
        own = [f"/proc/{os.getpid()}"]  # by number: /proc/self would be whoever looks
        landlock.restrict(
            [*_without(readable, request["hidden"]), *own],
            [home, *DEVICES],
            [request["channels"]],
            landlock.ALONE,
        )

    def bound():
        seccomp.restrict(fenced=not sealed, shared=not sealed and who[0] < identity.FIRST_UID)
        _say({"bound": os.getpid()})

    return start_kernel(request | {"environment": environment, "cwd": home}, bound)


def _without(paths, hidden):
    """Return the paths, with folders that hold something hidden replaced by what else they hold."""
    found = []
    for path in paths:
        inside = [h for h in hidden if h == path or h.startswith(path.rstrip("/") + "/")]
        if not inside:
            found.append(path)
        elif path not in inside:
            entries = [os.path.join(path, name) for name in sorted(os.listdir(path))]
            found += _without(entries, hidden)
    return found


def _hand_over(folder, uid, gid):
    """Give the folder of the kernel's sockets to the kernel's user."""
    if os.getuid() == 0:
        for path in (folder, *(os.path.join(folder, name) for name in os.listdir(folder))):
            os.chown(path, uid, gid, follow_symlinks=False)


def _say(message):
    """Say one thing to the warden, the only one that can be said."""
    try:
        os.write(NEWS, json.dumps(message).encode())
        os.close(NEWS)
    except OSError:
        print(message, file=sys.stderr)
