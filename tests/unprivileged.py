"""Run Python as a user for whom file permissions count, also where the tests run as root.

Root reads everything because it has the capabilities to override permissions. Without those two,
and they cannot come back, root is refused like anybody.
"""

import sys

DROP = """
import ctypes, os, sys
if os.geteuid() == 0:
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
        if libc.prctl(24, capability, 0, 0, 0):  # PR_CAPBSET_DROP
            sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def unprivileged(code):
    """Return the command that runs Python code so."""
    return [sys.executable, "-c", DROP, "-c", code]
