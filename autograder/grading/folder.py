"""A course folder: where its parts are, its gradebook, its roster and its secret key.

nbgrader_config.py   roster.csv   grading.key (0600)   gradebook.db   inbox/
source/<assignment>/<lab>.ipynb             release/<assignment>/<lab>.ipynb
submitted/<learner>/<assignment>/<lab>.ipynb   autograded/…   feedback/…
releases/<assignment>/<release>.ipynb       results/<content>.ipynb
"""

import csv
import hashlib
import hmac
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat

from autograder.errors import CourseError
from autograder.gradebook import opened

CONFIG = "nbgrader_config.py"
KEY = "grading.key"
ROSTER = "roster.csv"
LONGEST = 128
ROSTER_COLUMNS = ("learner", "first_name", "last_name", "email")


@dataclass(frozen=True)
class Learner:
    """One line of the roster."""

    learner: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""


class CourseFolder:
    """An existing course folder.

    Args:
        path: the folder that `course init` made.

    Raises:
        CourseError: it is no course folder.
    """

    def __init__(self, path):
        self.path = Path(path).resolve()
        if not (self.path / CONFIG).is_file():
            raise CourseError(
                f"{path} is not a course folder: it has no {CONFIG}. "
                f"Make one with `course init {path}`."
            )

    @cached_property
    def config(self):
        """The nbgrader configuration of this folder, as nbgrader reads it."""
        from traitlets.config.loader import PyFileConfigLoader

        try:
            return PyFileConfigLoader(CONFIG, str(self.path)).load_config()
        except Exception as error:
            raise CourseError(
                f"{self.path / CONFIG} cannot be read: {type(error).__name__}: {error}."
            ) from error

    @cached_property
    def url(self):
        """The gradebook's address."""
        return self.config.CourseDirectory.get("db_url") or f"sqlite:///{self.path}/gradebook.db"

    @cached_property
    def key(self):
        """The secret from which graded inputs are drawn. It never leaves this process."""
        path = self.path / KEY
        try:
            text = path.read_text().strip()
        except OSError:
            raise CourseError(f"The grading key {path} is missing or unreadable.") from None
        if len(text) < 32:
            raise CourseError(f"The grading key {path} is damaged: it is shorter than 32 letters.")
        return text.encode()

    def seed(self, learner, exercise):
        """Return the secret seed of one learner's exercise."""
        return hmac.new(self.key, f"{learner}\n{exercise}".encode(), hashlib.sha256).hexdigest()

    def gradebook(self):
        """Open the gradebook for a `with` block."""
        return opened(self.url)

    def roster(self):
        """Return the learners of `roster.csv`, keyed by id.

        Raises:
            CourseError: a line has no id, or an id stands twice.
        """
        path = self.path / ROSTER
        if not path.is_file():
            return {}
        found = {}
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if "learner" not in (reader.fieldnames or ()):
                raise CourseError(f"{path}:1: the first line must name the column `learner`.")
            for number, row in enumerate(reader, 2):
                values = {name: (row.get(name) or "").strip() for name in ROSTER_COLUMNS}
                if not any(values.values()):
                    continue
                if not is_learner_id(values["learner"]):
                    raise CourseError(
                        f"{path}:{number}: {values['learner']!r} is not a learner id; "
                        "use letters, digits, dot, hyphen and underscore."
                    )
                if long := [name for name, value in values.items() if len(value) > LONGEST]:
                    raise CourseError(
                        f"{path}:{number}: the {long[0]} is longer than the {LONGEST} letters "
                        "that a gradebook holds."
                    )
                if values["learner"] in found:
                    raise CourseError(f"{path}:{number}: {values['learner']} stands twice.")
                found[values["learner"]] = Learner(**values)
        return found

    def assignments(self):
        """Return the released assignments: a dict from name to the notebook's stem."""
        found = {}
        for folder in sorted((self.path / "release").glob("*")):
            notebooks = sorted(folder.glob("*.ipynb"))
            if len(notebooks) == 1:
                found[folder.name] = notebooks[0].stem
        return found

    def chosen(self, names=None):
        """Return the released assignments that are asked for, all of them by default.

        Raises:
            CourseError: nothing is released, or a name is unknown.
        """
        released = self.assignments()
        if not released:
            raise CourseError(
                f"Nothing is released in {self.path}; run `course release {self.path}` first."
            )
        for name in names or ():
            if name not in released:
                raise CourseError(
                    f'There is no released assignment "{name}"; there are {", ".join(released)}.'
                )
        return {name: released[name] for name in names or released}

    def released(self, assignment, release=None):
        """Return the notebook that learners got, of a named release or the present one."""
        if release and re.fullmatch(r"[\w-]{1,64}", release):  # a hand-in may name anything
            archived = self.path / "releases" / assignment / f"{release}.ipynb"
            if archived.is_file():
                return nbformat.read(archived, as_version=4)
        stem = self.assignments().get(assignment)
        if stem is None:
            raise CourseError(f'There is no released assignment "{assignment}".')
        return nbformat.read(self.path / "release" / assignment / f"{stem}.ipynb", as_version=4)

    def submission(self, learner, assignment):
        """Return the path where the submission of a learner lies or would lie."""
        stem = self.assignments()[assignment]
        return self.path / "submitted" / learner / assignment / f"{stem}.ipynb"


def is_learner_id(text):
    """Say whether a text can name a learner and their folder."""
    return re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._@-]{0,63}", text) is not None
