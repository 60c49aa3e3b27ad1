"""How far a machine can confine a kernel, and why not further.

| tier | mechanisms |
|---|---|
| sealed | own processes, network, shared memory, mounts; Landlock; seccomp; limits; not root |
| fenced | Landlock; seccomp; limits; not root. Names of files and processes can be seen |
| open | none: only for code that you trust |
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache

from autograder.errors import CourseError

ORDER = ("sealed", "fenced", "open")
SAYS = {
    "sealed": "own processes, network and files; Landlock; seccomp; limits; not root",
    "fenced": "Landlock; seccomp; limits; not root",
    "open": "no confinement",
}


@dataclass(frozen=True)
class Reach:
    """What a machine reaches: the best tier, and a sentence for each one that it misses."""

    tier: str
    reasons: tuple[str, ...] = ()


@cache
def reach():
    """Try the tiers, the best one first, and return what this machine reaches."""
    if not sys.platform.startswith("linux"):
        reason = (
            f"sealed, fenced: confinement needs Linux; this is {sys.platform}. Use a container."
        )
        return Reach("open", (reason,))
    command = [sys.executable, "-P", "-m", "autograder.confine.trial"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd="/")
        found = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return Reach("open", (f"sealed, fenced: the trial failed ({type(error).__name__}).",))
    reasons = []
    for tier in ORDER[:-1]:
        if not found.get(tier, "not tried"):
            return Reach(tier, tuple(reasons))
        reasons.append(f"{tier}: {found[tier]}.")
    return Reach("open", tuple(reasons))


def report():
    """Return lines that say what this machine reaches, and why not more."""
    found = reach()
    return [f"{found.tier}: {SAYS[found.tier]}.", *(f"Not {reason}" for reason in found.reasons)]


def chosen(trust=False):
    """Return the tier to grade in.

    Args:
        trust: bool. The caller trusts the learners' code where nothing confines it.

    Raises:
        CourseError: nothing confines it here, and nobody said to trust it.
    """
    found = reach()
    if found.tier == "open" and not trust:
        raise CourseError(
            "This machine cannot confine learners' code, so nothing is graded. "
            + " ".join(found.reasons)
            + " Grade in a Linux container or virtual machine; or, if you trust every line of "
            "every submission, say so with --trust."
        )
    return found.tier
