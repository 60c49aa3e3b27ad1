"""What the commands of `course` share: arguments, options, and how a mistake ends."""

import errno
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option
from typer.core import TyperGroup

from course.errors import CourseError

Folder = Annotated[Path, Argument(help="The course folder that `course init` made.")]
Assignments = Annotated[
    list[str], Option("--assignment", "-a", help="Only this assignment; may be repeated.")
]
Learners = Annotated[list[str], Option("--learner", "-l", help="Only this learner, by id.")]
Module = Annotated[str | None, Argument(help="A module: m02_transformer, m02 or 2.")]


class Group(TyperGroup):
    """Ends every mistake of a user with one sentence instead of a traceback."""

    def invoke(self, ctx):
        """Run the command; exit code 2 for what does not exist, 1 for what went wrong."""
        try:
            return super().invoke(ctx)
        except CourseError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(error.exit_code) from None
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC):
                raise
            typer.echo(f"{error.filename or 'The disk'}: {error.strerror}.", err=True)
            raise typer.Exit(1) from None
