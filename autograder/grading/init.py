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
from autograder.gradebook import create, opened, shown
from autograder.grading.config import EXCHANGE, template
from autograder.grading.folder import CONFIG, KEY, ROSTER, ROSTER_COLUMNS


@dataclass
class Made:
    """What `init` made: the folder and the names of its assignments."""

    folder: Path
    assignments: list[str]


def init(folder, solutions=SOLUTIONS, registry=load_module, db_url=None):
    """Make a course folder with every assignment, an empty gradebook and a secret key.

    It is built beside its place and then moved there, so it is there whole or not at all.

    Args:
        folder: where to make it; it must be empty or not exist, outside the clone.
        solutions: the folder of lab sources.
        registry: function from slug to the module's exercises.
        db_url: address of the gradebook's database; `gradebook.db` in the folder by default.

    Returns:
        `Made`.

    Raises:
        CourseError: the folder cannot be made there, or its database cannot be used.
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
        _fill(building, found, db_url)
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


def _fill(folder, found, db_url):
    for assignment in found:
        write_source(folder, assignment)
    for name in ("release", "submitted", "inbox", EXCHANGE):
        (folder / name).mkdir()
    _write_private(folder / CONFIG, template(db_url), 0o600 if db_url else 0o666)
    (folder / ROSTER).write_text(",".join(ROSTER_COLUMNS) + "\n")
    _write_private(folder / KEY, secrets.token_hex(32) + "\n", 0o600)
    create(db_url or f"sqlite:///{folder}/gradebook.db")
    if db_url:
        _refuse_used(db_url)


def _write_private(path, text, mode):
    """Write a file that is never there with more rights than these."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)


def _refuse_used(db_url):
    """Keep the grades of two courses apart: their assignments have the same names."""
    with opened(db_url) as gradebook:
        used = sorted(each.name for each in gradebook.assignments if each.submissions)
    if used:
        raise CourseError(
            f"The gradebook {shown(db_url)} holds hand-ins of another course folder "
            f"({', '.join(used)}); choose an empty database."
        )
