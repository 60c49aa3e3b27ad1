"""A full disk ends a run with one sentence: no further grade could be recorded.

What was graded before is kept, and the next run goes on where this one was.
"""

import errno
from contextlib import contextmanager

from autograder.gradebook import Locked

NO_SPACE = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


class Full(Locked):
    """The disk of the course folder is full: no further grade can be recorded."""


@contextmanager
def needed(place):
    """Raise `Full` where a `with` block finds no space on the disk of `place`."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        raise Full(
            f"The disk of {place} is full, so no further grade can be recorded. "
            "Make space, then run the command again: it goes on where it was."
        ) from error
