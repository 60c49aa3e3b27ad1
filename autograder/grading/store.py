"""Results kept by content, so that a second run is free and formgrader replays what was graded.

The name of a result is a hash of everything that decides it: the rebuilt notebook, the learner,
the secret key, the limits, the files that grade, and the installed packages. What is changed
makes new results.
"""

import hashlib
import json
import platform
import sysconfig
from functools import cache
from pathlib import Path

import nbformat

from autograder.build.assignments import ROOT
from autograder.grading.space import needed
from course.files import write_atomic

GRADES_BY = ("autograder/**/*.py", "course/**/*.py", "solutions/*/quiz.yaml",
             "solutions/*/quiz_keys.py")  # fmt: skip


class Store:
    """The results of a course folder, in `results/`."""

    def __init__(self, folder):
        self.folder = folder

    def name(self, notebook, learner, limits, notes=(), unreadable="", tier="open"):
        """Return the name of a result: a hash of what decides it."""
        decides = [
            json.dumps(notebook, sort_keys=True),
            learner,
            hashlib.sha256(self.folder.key).hexdigest(),
            repr(limits),
            [str(note) for note in notes],
            unreadable,
            tier,
            fingerprint(),
            environment(),
        ]
        return hashlib.sha256(json.dumps(decides).encode()).hexdigest()[:32]

    def path(self, name):
        """Return the file of a result."""
        return self.folder.path / "results" / f"{name}.ipynb"

    def load(self, name):
        """Return a stored notebook, or None; a damaged file counts as none."""
        try:
            return nbformat.read(self.path(name), as_version=4)
        except (OSError, ValueError, nbformat.ValidationError):
            return None

    def save(self, name, notebook):
        """Keep a notebook."""
        with needed(self.folder.path / "results"):
            write_atomic(self.path(name), json.dumps(notebook).encode())


@cache
def fingerprint():
    """Return a hash of the files that decide a grade."""
    digest = hashlib.sha256()
    for pattern in GRADES_BY:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(f"{path.relative_to(Path(ROOT)).as_posix()}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def environment():
    """Return Python's version and those of the installed packages, as one hash.

    The names of the packages' folders say both; reading each one's metadata takes 0.3 s.
    """
    places = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    versions = {each.name for place in places for each in Path(place).glob("*.dist-info")}
    text = "\n".join([platform.python_version(), *sorted(versions)])
    return hashlib.sha256(text.encode()).hexdigest()
