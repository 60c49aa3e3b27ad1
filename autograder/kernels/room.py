"""Where a grading kernel lives: its folders, what it may read, and what stays unseen."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def readable():
    """Return what a grading kernel may read besides the system: Python and the course's code."""
    places = [sys.prefix, sys.base_prefix, *map(str, (ROOT / "course", ROOT / "autograder"))]
    places += [os.path.realpath(sys.executable)]
    for path in sys.path:
        if path and os.path.isdir(path) and Path(path).resolve() != ROOT:
            places.append(path)
    found = []
    for place in dict.fromkeys(map(os.path.abspath, places)):
        if not any(Path(place).is_relative_to(other) for other in found):
            found.append(place)
    return found


def hidden(*more):
    """Return what must stay unseen although it lies in something readable."""
    return [str(ROOT / "autograder" / "checks"), str(ROOT / "solutions"), *map(str, more)]


def make_room(folder):
    """Make the folders of one kernel: that of its sockets, and the room that it lives in."""
    channels, room = (os.path.join(folder, name) for name in ("channels", "room"))
    for place in (channels, room, os.path.join(room, "home")):
        os.mkdir(place, 0o700)
    return channels, room
