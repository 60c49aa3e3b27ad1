"""Try what this machine can do: `python -m autograder.confine.trial` prints a reason per tier.

Each tier is entered as a grading kernel enters it, by a small process that then ends.
"""

import json
import os
import select
import socket
import sys
import tempfile

from autograder.kernels import CONTROL, WIRE

TIERS = ("sealed", "fenced")


def attempt(tier):
    """Enter a tier in a fork; return an empty string, or why it cannot be entered."""
    with tempfile.TemporaryDirectory(prefix="trial-", ignore_cleanup_errors=True) as folder:
        return _attempt(tier, folder)


def _attempt(tier, folder):
    from autograder.confine.limits import Limits
    from autograder.kernels.room import make_room, readable

    channels, room = make_room(folder)
    request = {
        "tier": tier, "room": room, "channels": channels, "readable": readable(), "hidden": [],
        "limits": Limits().as_dict(), "environment": {},
    }  # fmt: skip
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        _warden(request, theirs)
    theirs.close()
    message = b""
    if select.select([ours], [], [], 20)[0]:
        message = ours.recv(65536)
    ours.close()
    os.waitpid(pid, 0)
    said = json.loads(message or b'{"problem": "It ended without a word."}')
    return "" if "bound" in said else said.get("problem", "unknown")


def _warden(request, control):
    from autograder.confine import enter

    try:
        for number, fd in ((CONTROL, control.fileno()), (WIRE, os.pipe()[1])):
            os.dup2(os.dup2(fd, number + 50), number)
        os.closerange(WIRE + 1, 256)
        enter.become_warden(request, _stay)
    finally:
        os._exit(1)


def _stay(request, bound):
    bound()
    return 0


def main():
    """Print a reason for each tier, as JSON."""
    print(json.dumps({tier: attempt(tier) for tier in TIERS}))


if __name__ == "__main__":
    sys.exit(main())
