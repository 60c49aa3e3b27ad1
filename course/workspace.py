"""The learner's workspace: a copy of `labs/` that never loses their work.

A file that the learner has not changed follows the course: it is replaced when a new
release of the course changes it. A file that they have changed is kept, and the new one
is put beside it. `.course/released.json` remembers the hash of every copy handed out;
`.course/base/` keeps the notebooks as they were handed out, so that `course doctor` can
tell what was damaged since.
"""

import hashlib
import itertools
import json
import os
from pathlib import Path

from course.errors import CourseError
from course.files import write_atomic
from course.notebooks import identity, work_in

PACKAGE = Path(__file__).resolve().parent
NEW_RELEASE = ".new-release"


def labs_root():
    """Return the folder of the released labs: in the wheel, else in the clone.

    Raises:
        CourseError: neither is there.
    """
    for folder in (PACKAGE / "_labs", PACKAGE.parent / "labs"):
        if folder.is_dir():
            return folder
    raise CourseError(
        f"The labs are missing: neither {PACKAGE / '_labs'} nor a labs folder is there."
    )


def workspace_root(start=None):
    """Return the learner's workspace, whether it exists yet or not.

    `COURSE_WORKSPACE` decides. Else the nearest folder upward from `start` (default: the
    current one) that holds `.course`; else `workspace/` in the clone of the course; else
    `workspace/` in the current folder.
    """
    if named := os.environ.get("COURSE_WORKSPACE"):
        return Path(named).expanduser().absolute()
    here = Path(start or os.curdir).absolute()
    for folder in (here, *here.parents):
        if (folder / ".course").is_dir():
            return folder
    clone = PACKAGE.parent
    return (clone if (clone / "labs").is_dir() else Path.cwd()) / "workspace"


def existing_workspace(start=None):
    """Return the learner's workspace.

    Raises:
        CourseError: no workspace has been made yet.
    """
    root = workspace_root(start)
    if not (root / ".course").is_dir():
        raise CourseError(f"There is no workspace in {root} yet: run `course lab` to make it.")
    return root


def digest(data):
    """Return the hash by which a handed-out copy is remembered."""
    return hashlib.sha256(data).hexdigest()


def prepare(labs=None, workspace=None):
    """Bring the workspace up to date with the labs; return what was done, a line each.

    Running it twice changes nothing the second time.

    Raises:
        CourseError: the workspace cannot be written.
    """
    labs, workspace = Path(labs or labs_root()), Path(workspace or workspace_root())
    if workspace.resolve().is_relative_to(labs.resolve()):
        raise CourseError(f"The workspace cannot lie in {labs}: set COURSE_WORKSPACE elsewhere.")
    try:
        return _prepare(labs, workspace)
    except OSError as error:
        raise CourseError(
            f"The workspace {workspace} cannot be written ({error.strerror}): "
            "set COURSE_WORKSPACE to a folder of yours."
        ) from error


def _prepare(labs, workspace):
    first = not (workspace / ".course").is_dir()
    (workspace / ".course").mkdir(parents=True, exist_ok=True)
    released, lines, done = read_released(workspace), [], []
    for source in sorted(path for path in labs.rglob("*") if path.is_file()):
        name = source.relative_to(labs)
        if not any(part.startswith(".") for part in name.parts):
            what, line = _sync(source.read_bytes(), name.as_posix(), workspace, released)
            done.append(what)
            lines += [line] if line else []
    if released != read_released(workspace):
        record = json.dumps(released, indent=1) + "\n"
        write_atomic(workspace / ".course" / "released.json", record)
    if first:
        lines.insert(0, f"Your workspace is {workspace}: {done.count('copied')} files copied.")
    elif "copied" in done:
        lines.insert(0, f"{done.count('copied')} missing or new files copied to {workspace}.")
    if "updated" in done:
        lines.append(f"{done.count('updated')} files that you had not changed were updated.")
    return lines


def read_released(workspace):
    """Return `{name: hash}` of the newest copies handed out; empty where it is unreadable."""
    try:
        released = json.loads((Path(workspace) / ".course" / "released.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return released if isinstance(released, dict) else {}


def base_copy(workspace, name):
    """Return where a file is kept as it was handed out, before the learner's changes."""
    return Path(workspace) / ".course" / "base" / name


def handed_out(workspace, labs, lab):
    """Return the notebook from which the learner started, else the present release."""
    base = base_copy(workspace, f"{lab}.ipynb")
    return base if base.is_file() else Path(labs) / f"{lab}.ipynb"


def has_work(workspace, labs, lab):
    """Return whether the learner wrote anything into a notebook."""
    try:
        own = (Path(workspace) / f"{lab}.ipynb").read_bytes()
    except OSError:
        return False
    return work_in(own) != work_in(handed_out(workspace, labs, lab).read_bytes())


def is_spare(path):
    """Return True for a new release put beside a changed file: nobody's work yet."""
    return NEW_RELEASE in Path(path).name


def _sync(new, name, workspace, released):
    """Hand out one file; return what was done and a line for the learner, or None."""
    target, base, known = workspace / name, base_copy(workspace, name), released.get(name)
    if not target.exists():
        if renamed := _renamed(target, new, released, workspace):
            return "kept", f"{name} is kept under its new name, {renamed.name}."
        _hand_out(new, name, workspace, released)
        return "copied", None
    old = target.read_bytes()
    if old == new:
        released[name] = digest(new)
        if not base.exists() or base.read_bytes() != new:
            write_atomic(base, new)
        return "kept", None
    if known == digest(new) and base.exists():
        return "kept", None
    if digest(old) == known or (base.exists() and work_in(old) == work_in(base.read_bytes())):
        _hand_out(new, name, workspace, released)
        return "updated", None
    beside = _beside(target, released, workspace)
    write_atomic(beside, new)
    released[beside.relative_to(workspace).as_posix()] = released[name] = digest(new)
    if not base.exists():
        write_atomic(base, new)
    return "beside", f"{name} has a new release: yours is kept, the new one is {beside.name}."


def _hand_out(new, name, workspace, released):
    write_atomic(workspace / name, new)
    write_atomic(base_copy(workspace, name), new)
    released[name] = digest(new)


def _beside(target, released, workspace):
    """Return a free name for a new release; one that the learner changed is not free."""
    for number in itertools.count(1):
        suffix = NEW_RELEASE if number == 1 else f"{NEW_RELEASE}-{number}"
        beside = target.with_name(f"{target.stem}{suffix}{target.suffix}")
        known = released.get(beside.relative_to(workspace).as_posix())
        if not beside.exists() or digest(beside.read_bytes()) == known:
            return beside


def _renamed(target, new, released, workspace):
    """Return the learner's notebook of this lab under another name, else None."""
    wanted = identity(new)
    if wanted is None or not target.parent.is_dir():
        return None
    for other in sorted(target.parent.glob("*.ipynb")):
        handed_out = other.relative_to(workspace).as_posix() in released
        if not handed_out and not is_spare(other) and identity(other) == wanted:
            return other
    return None


def set_learner(workspace, learner):
    """Write down the learner's id, from which quiz variants are drawn."""
    write_atomic(Path(workspace) / ".course" / "learner", learner.strip() + "\n")
