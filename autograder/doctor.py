"""`course doctor`: find what would break a submission, and mend it.

Grading rebuilds each submission from its release (`autograder.grading.rebuild`); what that
would have to repair is what the doctor finds. Mending writes the rebuilt notebook, with the
learner's outputs and notes kept, after a copy of the old file went to `.course/backup/`.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import nbformat

from autograder.errors import CourseError
from autograder.grading.intake import MAX_BYTES, Unreadable, parse, read_bytes
from autograder.grading.rebuild import rebuild
from course.files import write_atomic
from course.notebooks import identity, read_notebook, released_labs, work_in
from course.workspace import existing_workspace, handed_out, is_spare, labs_root

BROKEN = ".broken"


@dataclass
class Finding:
    """One thing that is wrong: file, cell ("" for the whole file), sentence, and its remedy.

    `remedy` is called without arguments and returns what was done, in one sentence; None where
    only the learner can mend it.
    """

    file: str
    sentence: str
    cell: str = ""
    remedy: object = None

    def __str__(self):
        place = f"{self.file}, cell {self.cell}" if self.cell else self.file
        return f"{place}: {self.sentence}"


def examine(workspace=None, labs=None):
    """Return the findings on every notebook of the workspace, in the order of study.

    Args:
        workspace: the learner's workspace.
        labs: the folder of released labs.

    Raises:
        CourseError: there is no workspace yet.
    """
    workspace, labs = Path(workspace or existing_workspace()), Path(labs or labs_root())
    doctor = _Doctor(workspace, labs)
    return [finding for lab in released_labs(labs) for finding in doctor.examine(lab)]


def report(findings):
    """Return the findings as text, a line each, and how many can be mended."""
    if not findings:
        return "Everything is in order."
    mendable = sum(finding.remedy is not None for finding in findings)
    number = f"{len(findings)} findings" if len(findings) > 1 else "1 finding"
    which = "none" if not mendable else "all" if mendable == len(findings) else str(mendable)
    last = f"{number}; `course doctor --fix` mends {which}."
    return "\n".join([*map(str, findings), last])


def mend(findings):
    """Apply the remedies; return what was done and the findings that are left.

    A remedy that fails leaves its finding, and costs no other one.
    """
    left = [finding for finding in findings if finding.remedy is None]
    remedies = {finding.remedy: finding for finding in findings if finding.remedy is not None}
    done = []
    for remedy, finding in remedies.items():
        try:
            done.append(remedy())
        except OSError as error:
            left.append(Finding(finding.file, f"It could not be mended: {error.strerror}."))
    return done, left


class _Doctor:
    """Examines one workspace."""

    def __init__(self, workspace, labs):
        self.workspace, self.labs = workspace, labs
        known = {f"{lab}.ipynb" for lab in released_labs(labs)}
        self.others = {}  # (module, lab) -> notebooks that are not where the course put them
        for path in sorted(workspace.rglob("*.ipynb")):
            name = path.relative_to(workspace)
            hidden = any(part.startswith(".") for part in name.parts)
            if not hidden and name.as_posix() not in known and not is_spare(path):
                if (own := identity(path)) is not None:
                    self.others.setdefault(own, []).append(path)

    def examine(self, lab):
        """Return the findings on one notebook."""
        path = self.workspace / f"{lab}.ipynb"
        name = path.relative_to(self.workspace).as_posix()
        release = handed_out(self.workspace, self.labs, lab)
        others = self.others.get(identity(release), [])
        if not os.path.lexists(path):
            return [self._missing(path, name, release, others)]
        findings = [self._second(path, name, release, other) for other in others]
        try:
            submission = parse(read_bytes(path))
        except Unreadable as error:
            return [*findings, self._unreadable(path, name, release, str(error))]
        own = (submission.module, submission.lab)
        if own != identity(release) and all(own):
            sentence = f"It holds {'/'.join(own)}, not this lab: move it away, then run this again."
            return [*findings, Finding(name, sentence)]
        return findings + self._damaged(path, name, release, submission, own)

    def _missing(self, path, name, release, others):
        if others:
            other = others.pop(0)
            called = other.relative_to(self.workspace).as_posix()
            return Finding(name, f"It is called {called}.", remedy=lambda: _rename(other, path))
        return Finding(name, "It is missing.", remedy=lambda: _restore(release, path))

    def _second(self, path, name, release, other):
        called = other.relative_to(self.workspace).as_posix()
        sentence = f"{called} is a second notebook of this lab, and only {name} is handed in"
        untouched = path.is_file() and work_in(path.read_bytes()) == work_in(release.read_bytes())
        if not untouched:
            return Finding(name, f"{sentence}: move what you want to keep into {path.name}, "
                           f"then delete {other.name}.")  # fmt: skip

        def swap():
            self._backup(path)
            return _rename(other, path)

        return Finding(name, f"{sentence}, which is as it was handed out.", remedy=swap)

    def _unreadable(self, path, name, release, reason):
        if path.is_symlink() or not path.is_file():
            return Finding(name, f"It cannot be handed in: {reason}. Put the file itself here.")
        if path.stat().st_size > MAX_BYTES:
            return Finding(
                name,
                f"It is larger than {MAX_BYTES // 2**20} MB: clear its outputs in JupyterLab "
                "(Edit, Clear Outputs of All Cells) and save it.",
            )
        checkpoint = path.parent / ".ipynb_checkpoints" / f"{path.stem}-checkpoint.ipynb"
        source = checkpoint if identity(checkpoint) == identity(release) else release

        def restore():
            kept = _free(path.with_name(f"{path.stem}{BROKEN}{path.suffix}"))
            os.replace(path, kept)
            _restore(source, path)
            what = "the last checkpoint" if source == checkpoint else "the released notebook"
            return f"{name}: {what} is back; the broken file is kept as {kept.name}."

        return Finding(name, f"It cannot be read: {reason}.", remedy=restore)

    def _damaged(self, path, name, release, submission, own):
        released = nbformat.read(release, as_version=4)
        rebuilt = rebuild(submission, released)
        notes = [(note.cell, note.sentence.partition(";")[0] + ".") for note in rebuilt.notes]
        if own != identity(release):
            notes.insert(0, ("", "The notebook does not say which lab it is."))

        def repair():
            self._backup(path)
            notebook = _with_outputs(rebuilt.notebook, read_notebook(path))
            write_atomic(path, nbformat.writes(notebook) + "\n")
            return f"{name}: the cells are in order again."

        found = [Finding(name, sentence, cell, repair) for cell, sentence in notes]
        return found + [Finding(name, s, cell) for cell, s in _not_python(rebuilt.notebook)]

    def _backup(self, path):
        """Keep a copy of a file before it is changed."""
        name = path.relative_to(self.workspace)
        stamp = f"{datetime.now():%Y-%m-%d_%H%M%S}"
        copy = _free(self.workspace / ".course" / "backup" / stamp / name)
        write_atomic(copy, path.read_bytes())


def _rename(old, new):
    os.replace(old, new)
    return f"{new.parent.name}/{new.name}: {old.name} has its name again."


def _restore(source, path):
    write_atomic(path, source.read_bytes())
    return f"{path.parent.name}/{path.name}: the released notebook is back."


def _free(path):
    """Return `path`, or where it exists a like name that does not."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free


def _with_outputs(rebuilt, old):
    """Give the rebuilt cells back their outputs, and the learner's edits of text and demos."""
    known = {cell["id"]: cell for cell in old["cells"] if isinstance(cell.get("id"), str)}
    for cell in rebuilt.cells:
        before = known.get(cell.get("id"))
        if before is None or before.get("cell_type") != cell.cell_type:
            continue
        source = "".join(before.get("source", ""))
        if "nbgrader" not in cell.metadata and cell.metadata.get("course", {}).get("role") in (
            "demo", "text",
        ):  # fmt: skip
            cell.source = source
        if cell.cell_type == "code" and cell.source == source:
            cell.outputs = nbformat.from_dict(before.get("outputs", []))
            cell.execution_count = before.get("execution_count")
    return rebuilt


def _not_python(notebook):
    """Yield the answer cells that Python cannot read: they would earn nothing."""
    from IPython.core.inputtransformer2 import TransformerManager

    for cell in notebook.cells:
        grading = cell.metadata.get("nbgrader", {})
        if cell.cell_type != "code" or not grading.get("solution"):
            continue
        try:
            compile(TransformerManager().transform_cell(cell.source), "<cell>", "exec")
        except (SyntaxError, ValueError) as error:
            reason = f"line {error.lineno}, {error.msg}" if hasattr(error, "lineno") else str(error)
            yield grading["grade_id"], f"Python cannot read this cell: {reason}."


def check_up(workspace=None, labs=None):
    """Raise `CourseError` with the first finding, if there is one: for what comes before a hand-in.

    Raises:
        CourseError: a notebook has something to mend.
    """
    findings = examine(workspace, labs)
    if findings:
        more = f" ({len(findings) - 1} more)" if len(findings) > 1 else ""
        raise CourseError(f"{findings[0]}{more} Run `course doctor` first.")
