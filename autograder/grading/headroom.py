"""A bound on the grader's own memory while it works on what came from a learner.

Covers: reading and rebuilding a hand-in, judging it, and looking at its text. An oracle that odd
values lead to ask for far more than the values themselves have, or a text that takes far more to
be parsed, meets MemoryError, which costs the case, or the hand-in, its points. Does not cover:
other platforms than Linux, and memory that the process already has. What a kernel sends is
bounded where it is read (`autograder.kernels.zmtp`, `autograder.wire.channel`).
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
