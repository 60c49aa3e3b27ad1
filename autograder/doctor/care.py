"""How the doctor changes a workspace: nothing is lost, whatever a remedy does.

What is changed is copied to `.course/backup/` first; what is in the way is moved there, or set
aside under a name with `.broken` in it.
"""

import json
import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from autograder.errors import CourseError
from autograder.grading.intake import Unreadable, read_bytes, understood
from autograder.grading.rescue import open_notebook
from course.files import write_atomic
from course.notebooks import work_in
from course.workspace import handed_out

BROKEN = ".broken"


@dataclass
class Known:
    """A notebook that could be read: which lab it says it is, and the work in it."""

    lab: tuple[str, str]
    work: list


def known(path):
    """Return what a file holds, or None for one that is no notebook."""
    try:
        content, flaws = open_notebook(read_bytes(path))
        submission = understood(content, flaws)
    except Unreadable:
        return None
    return Known((submission.module, submission.lab), work_in(json.dumps(content).encode()))


class Care:
    """Changes one workspace.

    Args:
        workspace: the learner's workspace.
        labs: the folder of released labs.
    """

    def __init__(self, workspace, labs):
        self.workspace, self.labs = Path(workspace), Path(labs)

    def shown(self, path):
        """Return a path as the learner knows it."""
        return Path(path).relative_to(self.workspace).as_posix()

    def release(self, lab):
        """Return the notebook that was handed out; the present one where that is damaged.

        Raises:
            CourseError: both are.
        """
        released = self.labs / f"{lab}.ipynb"
        for path in (handed_out(self.workspace, self.labs, lab), released):
            if known(path):
                return path
        raise CourseError(f"The released notebook {released} is damaged: install the course anew.")

    def checkpoint(self, path, lab):
        """Return JupyterLab's last checkpoint of a notebook, or None."""
        place = path.parent / ".ipynb_checkpoints" / f"{path.stem}-checkpoint.ipynb"
        found = known(place)
        return place if found and found.lab == known(self.release(lab)).lab else None

    def backup(self, path):
        """Keep a copy of a file before it is changed; return its name."""
        copy = self._kept(path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        return self.shown(copy)

    def shelve(self, path):
        """Move what is in the way into the backup; return its new name."""
        kept = self._kept(path)
        kept.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, kept)
        return self.shown(kept)

    def set_aside(self, path):
        """Rename what cannot be used; return its new name."""
        kept = _free(path.with_name(f"{path.stem}{BROKEN}{path.suffix}"))
        os.replace(path, kept)
        return kept.name

    def restore(self, path, lab):
        """Write the last checkpoint, else the released notebook; return which one it was."""
        source = self.checkpoint(path, lab)
        write_atomic(path, (source or self.release(lab)).read_bytes())
        return "the last checkpoint" if source else "the released notebook"

    def _kept(self, path):
        stamp = f"{datetime.now():%Y-%m-%d_%H%M%S}"
        name = path.relative_to(self.workspace)
        return _free(self.workspace / ".course" / "backup" / stamp / name)


def _free(path):
    """Return `path`, or where it exists a like name that does not."""
    number, free = 1, path
    while os.path.lexists(free):
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free
