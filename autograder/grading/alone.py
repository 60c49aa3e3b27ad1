"""One run at a time in a course folder: two would write the same notebooks and grades."""

from contextlib import contextmanager

from autograder.errors import CourseError

LOCK = ".grading.lock"


@contextmanager
def alone(folder):
    """Hold a course folder for a `with` block; the system lets go of it when the process ends.

    Args:
        folder: the `CourseFolder`.

    Raises:
        CourseError: another run holds it.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder.path / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise CourseError(
            f"Another run is grading in {folder.path}. Wait until it has ended, then run the "
            "command again."
        ) from None
    try:
        yield
    finally:
        lock.release()
