"""`course init DIR`: make a course folder."""

import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from autograder.build.assignments import ROOT, SOLUTIONS, assignments, slugs
from autograder.build.release import write_source
from autograder.errors import CourseError
from autograder.exercise import load_module
from autograder.gradebook import create
from autograder.grading.config import EXCHANGE, TEMPLATE
from autograder.grading.folder import CONFIG, KEY, ROSTER, ROSTER_COLUMNS


@dataclass
class Made:
    """What `init` made: the folder and the names of its assignments."""

    folder: Path
    assignments: list[str]


def init(folder, solutions=SOLUTIONS, registry=load_module):
    """Make a course folder with every assignment, an empty gradebook and a secret key.

    It is built beside its place and then moved there, so it is there whole or not at all.

    Args:
        folder: where to make it; it must be empty or not exist, outside the clone.
        solutions: the folder of lab sources.
        registry: function from slug to the module's exercises.

    Returns:
        `Made`.

    Raises:
        CourseError: the folder cannot be made there.
    """
    folder = Path(folder).expanduser().absolute()
    _refuse_bad_place(folder)
    found = [a for slug in slugs(None, solutions) for a in assignments(slug, solutions, registry)]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    except OSError as error:
        raise CourseError(f"{folder} cannot be made: {error.strerror}.") from None
    try:
        _fill(building, found)
        building.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        building.rename(folder)
    except OSError as error:
        raise CourseError(f"{folder} cannot be made: {error.strerror}.") from None
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return Made(folder, [assignment.name for assignment in found])


def _refuse_bad_place(folder):
    if folder.resolve().is_relative_to(ROOT):
        raise CourseError(
            f"{folder} lies in the course's own repository, where keys and grades "
            "could be published; choose a folder outside it."
        )
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise CourseError(f"{folder} exists and is not a folder; choose another name.")
    if folder.exists() and any(folder.iterdir()):
        raise CourseError(f"{folder} is not empty; choose an empty or a new folder.")


def _fill(folder, found):
    for assignment in found:
        write_source(folder, assignment)
    for name in ("release", "submitted", "inbox", EXCHANGE):
        (folder / name).mkdir()
    (folder / CONFIG).write_text(TEMPLATE)
    (folder / ROSTER).write_text(",".join(ROSTER_COLUMNS) + "\n")
    key = os.open(folder / KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(key, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
    create(f"sqlite:///{folder}/gradebook.db")
