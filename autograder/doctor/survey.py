"""Look through a workspace: which notebooks are not where the course put them."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from autograder.doctor.care import BROKEN, Known, known
from autograder.doctor.finding import Finding
from course.notebooks import released_labs
from course.workspace import is_spare


@dataclass
class Stray:
    """A notebook that lies where the course did not put it."""

    path: Path
    known: Known


class Survey:
    """The notebooks of a workspace.

    Attributes:
        strays: (module, lab) to its strays.
        misplaced: path of a released notebook to the lab that it holds instead.
        findings: on folders that cannot be opened.
    """

    def __init__(self, care):
        self._care = care
        self.strays, self.misplaced, self.findings = {}, {}, []
        self._labs = {f"{lab}.ipynb": lab for lab in released_labs(care.labs)}
        self._lab_of = {known(care.release(lab)).lab: lab for lab in self._labs.values()}
        self._stems = {Path(name).stem.lower() for name in self._labs}
        for path in self._files():
            self._take(path)

    def unopened(self, path):
        """Say whether a path lies in a folder that cannot be opened."""
        folders = [Path(self._care.workspace, finding.file) for finding in self.findings]
        return any(path.is_relative_to(folder) for folder in folders)

    def _files(self):
        for parent, folders, files in os.walk(self._care.workspace, onerror=self._unopened):
            folders[:] = sorted(f for f in folders if not f.startswith(".") and BROKEN not in f)
            yield from (Path(parent, name) for name in sorted(files) if self._may_be(name))

    def _may_be(self, name):
        """Say whether a name may be a notebook's, also one that a browser or a person changed."""
        stem, _, suffix = name.lower().rpartition(".")
        if name.startswith(".") or BROKEN in name or is_spare(name):
            return False
        bare = re.sub(r"[ _-]*(\(\d+\)|copy)$", "", stem)
        more = suffix in ("json", "txt", "zip") and (".ipynb" in stem or bare in self._stems)
        return suffix == "ipynb" or more

    def _take(self, path):
        found = known(path)
        if found is None:
            return
        lab, own = self._lab_of.get(found.lab), self._labs.get(self._care.shown(path))
        if own is None:
            self.strays.setdefault(found.lab, []).append(Stray(path, found))
        elif lab not in (None, own):
            self.misplaced[path] = lab

    def _unopened(self, error):
        path = Path(error.filename)
        sentence = f"This folder cannot be opened ({error.strerror})"
        if not isinstance(error, PermissionError) or path == self._care.workspace:
            self.findings.append(Finding(self._shown(path), f"{sentence}: move it away."))
            return

        def allow():
            path.chmod(path.stat().st_mode | 0o700)
            return f"{self._shown(path)}: it can be opened again; run this once more."

        self.findings.append(Finding(self._shown(path), f"{sentence}.", remedy=allow))

    def _shown(self, path):
        return "." if path == self._care.workspace else self._care.shown(path)
