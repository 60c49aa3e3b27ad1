"""The zygote that all grading kernels of a process are forked from.

It is quick to import, so that a command can have it warmed while it imports the rest.
"""

import atexit
import os
import sys
from contextlib import suppress

from autograder.kernels.owner import Zygote, ZygoteError

PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "KERAS_BACKEND", "LD_LIBRARY_PATH")
ALSO = ("autograder.check",)  # the first line of every lab imports it


def environment():
    """Return the environment of grading kernels: nothing of the grader's that could be private.

    `python` is this interpreter there, also where the grader's environment is not activated.
    """
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    own = os.path.dirname(sys.executable)
    others = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return kept | {
        "PATH": os.pathsep.join([own, *(place for place in others if place != own)]),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }


def grading_zygote():
    """Return a zygote for grading kernels."""
    return Zygote(environment(), also=ALSO)


_shared = None


def attach(number):
    """Fork this process's grading kernels from a zygote whose socket was inherited."""
    global _shared
    if _shared is None:
        _shared = Zygote(environment(), inherited=number)
        atexit.register(_shared.stop)


def shared_zygote():
    """Return the zygote of this process for grading kernels, started if it was not."""
    global _shared
    if _shared is None:
        _shared = grading_zygote()
        atexit.register(_shared.stop)
    _shared.start()
    return _shared


def warm_early():
    """Start the zygote of this process now, where there can be one; it warms up by itself."""
    with suppress(ZygoteError):
        shared_zygote()
