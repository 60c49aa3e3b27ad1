"""`course collect`: put downloads of any naming where nbgrader wants them.

What a notebook is, its own metadata says; its file name never does. Whose it is, its place says:
a folder, an archive or a file name that holds a learner's id or name, as the learning platforms
write them. Nothing in the inbox is changed or deleted.
"""

import io
import os
import stat
import time
import zipfile
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from autograder.errors import CourseError
from autograder.grading.folder import CourseFolder
from autograder.grading.intake import MAX_BYTES, Submission, Unreadable, parse, read_bytes
from autograder.grading.owner import Owners
from course.files import write_atomic

MAX_ARCHIVE = 500 * 2**20
MAX_DEPTH = 3
IGNORED = ("__MACOSX", ".ipynb_checkpoints", ".DS_Store", "quiz_answers.json", "timestamp.txt",
           "desktop.ini", "Thumbs.db")  # fmt: skip


@dataclass
class Found:
    """A file of the inbox, also inside an archive.

    Attributes:
        parts: its path from the inbox, archives counting as folders.
        data: its bytes.
        when: when it was last changed, as far as somebody other than the learner wrote it down.
    """

    parts: tuple[str, ...]
    data: bytes
    when: datetime

    @property
    def shown(self):
        """The path as shown to a person."""
        return "/".join(self.parts)


@dataclass
class Taken:
    """One submission: whose, of what, from which file, and what became of it.

    `state` is "new", "newer" (it replaced an older one), "same" or "older" (left aside).
    """

    learner: str
    assignment: str
    source: str
    when: datetime
    state: str = "new"
    problem: str = ""


@dataclass
class Collected:
    """What `collect` did: submissions, and a sentence for each file that is none."""

    taken: list[Taken] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def collect(folder, inbox=None):
    """Sort the files of an inbox into `submitted/`.

    Args:
        folder: the course folder.
        inbox: a folder or an archive; the course folder's `inbox/` by default.

    Returns:
        `Collected`.

    Raises:
        CourseError: the inbox does not exist, or nothing is released.
    """
    folder = CourseFolder(folder)
    released = {name: folder.released(name).metadata["course"] for name in folder.chosen()}
    inbox = Path(inbox) if inbox else folder.path / "inbox"
    if not inbox.exists():
        raise CourseError(f"There is no inbox {inbox}.")
    collected = Collected()
    owners = Owners(folder.roster(), released)
    for found in sorted(_files(inbox, collected.problems), key=lambda f: (f.when, f.parts)):
        taken = _recognise(found, folder, owners, released, collected.problems)
        if taken is not None:
            _keep(folder, taken, found)
            collected.taken.append(taken)
    return collected


def _recognise(found, folder, owners, released, problems):
    """Return whose and what a file is, or add a sentence that says why this is not known."""
    learner = owners.learner(found.parts)
    try:
        submission = parse(found.data)
    except Unreadable as error:
        assignment = owners.assignment(found.parts)
        if learner and assignment and found.parts[-1].endswith(".ipynb"):
            problem = f"{found.shown}: {error}; it counts as {assignment} of {learner}, 0 points."
            problems.append(problem)
            return Taken(learner, assignment, found.shown, found.when, problem=problem)
        problems.append(f"{found.shown}: {error}; it was left in the inbox.")
        return None
    assignment = _assignment(submission, folder, released)
    if assignment is None:
        names = f"names {submission.module} {submission.lab}, which is not released here"
        what = names if submission.lab else "is no notebook of this course"
        problems.append(f"{found.shown}: it {what}; it was left in the inbox.")
        return None
    if not learner:
        problems.append(
            f"{found.shown}: it is {assignment}, but {owners.reason(found.parts)}; "
            "it was left in the inbox."
        )
        return None
    return Taken(learner, assignment, found.shown, found.when)


def _assignment(submission: Submission, folder, released):
    """Return the assignment that a notebook belongs to: by what it says, else by its cells."""
    for name, course in released.items():
        if (course["module"], course["lab"]) == (submission.module, submission.lab):
            return name
    if submission.lab:
        return None
    ids = {cell.grade_id for cell in submission.cells if cell.grade_id} - {"setup"}
    shares = {}
    for name in released:
        own = {
            cell.metadata["nbgrader"]["grade_id"]
            for cell in folder.released(name).cells
            if "nbgrader" in cell.metadata
        }
        shares[name] = len(ids & own) / len(ids) if ids else 0
    best = max(shares, key=shares.get)
    return best if shares[best] > 0.5 else None


def _keep(folder, taken, found):
    """Write a submission and its time, unless a later one is already there."""
    path = folder.submission(taken.learner, taken.assignment)
    stamp = path.with_name("timestamp.txt")
    if path.is_file():
        recorded = _recorded(stamp)
        if path.read_bytes() == found.data:
            taken.state = "same"
            return
        if recorded and recorded > taken.when:
            taken.state = "older"
            return
        taken.state = "newer"
    write_atomic(path, found.data)
    write_atomic(stamp, f"{taken.when:%Y-%m-%d %H:%M:%S.%f} UTC\n".encode())


def _recorded(stamp):
    try:
        text = stamp.read_text().strip().removesuffix(" UTC")
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except (OSError, ValueError):
        return None


def _files(inbox, problems):
    """Yield the plain files of the inbox; links and special files become problems."""
    if inbox.is_file():
        yield from _file(inbox, (inbox.name,), problems)
        return

    def unopened(error):
        shown = os.path.relpath(error.filename, inbox)
        problems.append(f"{shown}: it cannot be opened ({error.strerror}).")

    for parent, folders, files in os.walk(inbox, onerror=unopened):
        folders[:] = sorted(f for f in folders if not _is_ignored(f))
        for name in list(folders):
            if Path(parent, name).is_symlink():
                folders.remove(name)
                files.append(name)
        for name in sorted(files):
            path = Path(parent, name)
            if not _is_ignored(name):
                yield from _file(path, path.relative_to(inbox).parts, problems)


def _is_ignored(name):
    return name in IGNORED or name.startswith((".", "._", "~$"))


def _file(path, parts, problems):
    """Yield one file, or the files in it when it is an archive."""
    shown = "/".join(parts)
    try:
        status = os.lstat(path)
        if stat.S_ISREG(status.st_mode) and path.suffix.lower() == ".zip":
            yield from _archive(path, parts, problems, _utc(status.st_mtime))
            return
        data = read_bytes(path)
    except Unreadable as error:
        problems.append(f"{shown}: {error}; it was left in the inbox.")
        return
    except OSError as error:
        problems.append(f"{shown}: it cannot be opened ({error.strerror}).")
        return
    yield Found(parts, data, _utc(status.st_mtime))


def _archive(file, parts, problems, when, depth=1, trusted=True):
    """Yield the files of a zip archive.

    The time of an entry counts only where the archive was made by the platform: its entries
    name their learners. An archive that a learner made has the time of the archive itself.
    """
    shown = "/".join(parts)
    try:
        with zipfile.ZipFile(file) as archive:
            total = 0
            for entry in archive.infolist():
                inner = tuple(part for part in entry.filename.split("/") if part not in ("", "."))
                if entry.is_dir() or not inner or any(map(_is_ignored, inner)):
                    continue
                name = "/".join(inner)
                total += entry.file_size
                if ".." in inner or stat.S_ISLNK(entry.external_attr >> 16):
                    problems.append(f"{shown}/{name}: it is a link or leads out; left alone.")
                elif entry.file_size > MAX_BYTES:
                    problems.append(f"{shown}/{name}: it is larger than {MAX_BYTES // 2**20} MB.")
                elif total > MAX_ARCHIVE:
                    problems.append(f"{shown}: it holds more than {MAX_ARCHIVE // 2**20} MB.")
                    return
                else:
                    with archive.open(entry) as opened:
                        data = opened.read(MAX_BYTES + 1)
                    yield from _entry(data, (*parts, *inner), problems, when, entry, depth)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError,
            OSError, ValueError) as error:  # fmt: skip
        problems.append(f"{shown}: the archive cannot be read ({error}).")


def _entry(data, parts, problems, when, entry, depth):
    """Yield one entry of an archive, or the files of an archive in it."""
    if parts[-1].lower().endswith(".zip"):
        if depth >= MAX_DEPTH:
            problems.append(f"{'/'.join(parts)}: archives are nested too deeply.")
            return
        inner = _entry_time(entry, when) if depth == 1 else when
        yield from _archive(io.BytesIO(data), parts, problems, inner, depth + 1)
        return
    platform = depth == 1 and Owners.is_platform_name(parts[1:])
    yield Found(parts, data, _entry_time(entry, when) if platform else when)


def _entry_time(entry, when):
    """Return an entry's time, which archives write in local time; never later than the archive."""
    try:
        stamp = time.mktime((*entry.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return when
    return min(_utc(stamp), when)


def _utc(stamp):
    """Return a file's time; now for one that no calendar knows."""
    try:
        return datetime.fromtimestamp(stamp, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.now(UTC)
