"""Fill the disk below a course folder and grade; started by `test_faults`.

It runs in a mount namespace of its own, where each place that grading writes to lies on a small
disk, and grades an old hand-in, then a new one. It prints a list: what grading said with space,
with each of these places full in turn, and with space again, and what then stood in the folder.
"""

import json
import os
import shutil
import sys
from pathlib import Path

from autograder.confine import linux, mounts, namespaces
from autograder.errors import CourseError

PLACES = ("results", "autograded", "book")
SMALL = "size=2m,mode=755"
NO_MOUNTS = "Nobody may mount a small disk here"


def own_mounts():
    """Move to a mount namespace of our own, in which we may mount; raise `OSError` if not."""
    uid, gid = os.geteuid(), os.getegid()
    linux.libc("unshare", namespaces.NEWNS | (namespaces.NEWUSER if uid else 0))
    if uid:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    linux.mount(None, "/", None, mounts.REC | mounts.PRIVATE)  # what we mount stays ours


def put_on_small_disk(place):
    """Mount a small disk over a folder and give it what was there."""
    place.mkdir(exist_ok=True)
    kept = place.with_name(f"{place.name}-kept")
    shutil.copytree(place, kept)
    linux.mount("small", str(place), "tmpfs", 0, SMALL)
    shutil.copytree(kept, place, dirs_exist_ok=True)
    shutil.rmtree(kept)


def fill(place):
    """Write to a folder's disk until it is full; return the file that fills it."""
    filler = place / "filler"
    with filler.open("wb", 0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


def state(folder):
    """Return the files in the folder and the grades in its book."""
    from tests.autograder.grading.test_record import contents

    files = {
        str(path.relative_to(folder.path)): path.read_text(errors="replace")
        for place in ("results", "autograded")
        for path in sorted((folder.path / place).rglob("*"))
        if path.is_file() and path.name != "filler"
    }
    return {"files": files, "book": contents(folder.url)}


def said(folder):
    """Grade; return the sentence that it ends with, or an empty one."""
    from autograder.grading.grade import grade

    try:
        return " ".join(grade(folder.path).problems)
    except CourseError as error:
        return str(error)


def main(path, submitted, newer):
    """Print what happens in each round."""
    from autograder.grading.folder import CourseFolder

    folder = CourseFolder(path)
    try:
        own_mounts()
        for name in PLACES:
            put_on_small_disk(folder.path / name)
    except OSError as error:
        sys.exit(f"{NO_MOUNTS}: {error}")
    rounds = [{"said": said(folder)} | state(folder)]
    shutil.copyfile(newer, submitted)
    for name in (*PLACES, None):
        filler = fill(folder.path / name) if name else None
        rounds.append({"said": said(folder)} | state(folder))
        if filler:
            filler.unlink()
    print(json.dumps(rounds))


if __name__ == "__main__":
    main(*sys.argv[1:])
