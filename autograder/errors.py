"""The errors that end a command with one sentence; `course.errors` holds them."""

from course.errors import CourseError, UsageError

__all__ = ["CourseError", "UsageError"]
