"""Errors that a person at the keyboard reads: one sentence, no traceback."""


class CourseError(Exception):
    """What happened, where, and the next step, in one sentence.

    The command line prints it to standard error and ends with `exit_code`.
    """

    exit_code = 1


class UsageError(CourseError):
    """The command was called with something that does not exist: exit code 2."""

    exit_code = 2
