"""A bound on the referee's own memory while it judges what came from a learner's code.

Covers: an oracle or a comparison that a learner's odd values lead to ask for far more memory than
the values themselves have; NumPy then raises MemoryError, which costs the case its points. Does
not cover: other platforms than Linux, and memory that the process already has.
"""

import sys
from contextlib import contextmanager

from autograder.confine.limits import data_size

MEGABYTES = 2048


@contextmanager
def bounded(megabytes=MEGABYTES):
    """Let this process take at most so much more memory in a `with` block."""
    if not sys.platform.startswith("linux"):
        yield
        return
    import resource

    before, hard = resource.getrlimit(resource.RLIMIT_DATA)
    bound = data_size() + megabytes * 2**20
    if before != resource.RLIM_INFINITY:
        bound = min(bound, before)
    resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (before, hard))
