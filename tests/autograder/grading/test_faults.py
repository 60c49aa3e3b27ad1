"""What goes wrong around `course grade` ends it with one sentence or not at all.

Whatever happened, the same command then finishes: nobody loses anything, nothing is half-written,
and what was graded is not graded again.
"""

import json
import shutil
import sqlite3
import subprocess
import sys

import nbformat
import psutil
import pytest

from autograder.confine.tiers import reach
from autograder.gradebook import Locked
from autograder.grading.folder import CourseFolder
from autograder.grading.record import Recorder
from tests.autograder.grading.full_disk import NO_MOUNTS
from tests.autograder.grading.test_killed import (
    all_gone,
    started,
    wait_for,
    workers_in_the_middle,
)

ASSIGNMENT, LAB = "m02_lab1_self_attention", "lab1_self_attention"
SLOW = "import time; time.sleep(1.5)"
LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=60)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def class_(released, answer, hand_in):
    """Three right hand-ins, each of which takes a while."""
    names = [f"learner{number}" for number in range(3)]
    for name in names:
        notebook = answer(released)
        notebook.cells.append(nbformat.v4.new_code_cell(f"{SLOW}\n# {name}"))
        hand_in(name, notebook)
    return names


def graded(course):
    """Return the notebooks in `autograded/`."""
    return sorted((course.path / "autograded").glob(f"*/{ASSIGNMENT}/{LAB}.ipynb"))


def stored(course):
    """Return the stored results and when each was written."""
    return {path: path.stat().st_mtime_ns for path in (course.path / "results").glob("*")}


def assert_whole(course, names):
    """Everybody has full points and a notebook without remarks, and nothing else lies about."""
    with course.gradebook() as gradebook:
        for name in names:
            submission = gradebook.find_submission(ASSIGNMENT, name)
            assert submission.score == submission.max_score > 0
    assert [path.parents[1].name for path in graded(course)] == names
    for path in graded(course):
        assert nbformat.read(path, as_version=4).metadata["course"]["notes"] == []
    assert not list((course.path / "autograded").rglob(".*"))


@pytest.mark.skipif(reach().tier == "open", reason="this machine has no confined kernels")
def test_a_killed_zygote_costs_nobody_anything(course, class_):
    """Its kernels live on, and the next ones are forked from another."""

    def zygote(process):
        found = psutil.Process(process.pid).children()
        return [each for each in found if "autograder.kernels.zygote" in " ".join(each.cmdline())]

    with started(course.path) as process:
        wait_for(lambda: workers_in_the_middle(process), process)
        family = psutil.Process(process.pid).children(recursive=True)
        (warm,) = zygote(process)
        warm.kill()
        assert process.wait() == 0
    assert all_gone(family)
    assert_whole(course, class_)
    assert len(stored(course)) == len(class_)


def test_a_gradebook_locked_in_the_middle(course, class_):
    """Another program takes it between two grades: one sentence, and what is graded stays."""
    with started(course.path, stderr=subprocess.PIPE) as process:
        wait_for(lambda: graded(course), process)
        locker = [sys.executable, "-c", LOCK, str(course.path / "gradebook.db")]
        with subprocess.Popen(locker, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdout.readline() == b"locked\n"
            said = process.stderr.read()
            assert process.wait() == 1
            other.stdin.close()
    assert said.decode().count("\n") == 1
    assert b"is locked: another program is writing to it" in said
    kept = stored(course)
    assert 1 <= len(graded(course)) < len(class_)

    with started(course.path) as process:
        assert process.wait() == 0
    assert_whole(course, class_)
    assert kept.items() <= stored(course).items()


def test_every_use_of_a_locked_gradebook_ends_the_run(course):
    """Also where it is only read: else each remaining hand-in would wait, and fail."""
    with Recorder(course, f"{course.url}?timeout=0.1") as recorder:
        other = sqlite3.connect(course.path / "gradebook.db")
        other.execute("BEGIN EXCLUSIVE")
        for use in (
            lambda: recorder.due(ASSIGNMENT),
            lambda: recorder.numbers("ada", ASSIGNMENT),
            lambda: recorder.record("ada", ASSIGNMENT, course.released(ASSIGNMENT)),
        ):
            with pytest.raises(Locked, match="another program is writing to it"):
                use()
        other.close()


def test_a_full_disk(course, released, answer, answers, hand_in):
    """With any place full, the old grade stays and a sentence says so; with space it goes on."""
    book = course.path / "book"
    book.mkdir()
    shutil.move(course.path / "gradebook.db", book)
    with (course.path / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.CourseDirectory.db_url = 'sqlite:///{book}/gradebook.db'\n")
    course = CourseFolder(course.path)
    submitted = hand_in("ada", answer(released, causal_mask=answers["causal_mask"]))
    newer = course.path / "newer.ipynb"
    newer.write_text(nbformat.writes(answer(released)))

    script = [sys.executable, "-m", "tests.autograder.grading.full_disk"]
    done = subprocess.run(
        [*script, course.path, submitted, newer], capture_output=True, text=True, check=False
    )
    if NO_MOUNTS in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    old, *full, new = json.loads(done.stdout)

    assert len(full) == 3
    for one in full:
        assert "is full" in one["said"]
        assert "Make space, then run the command again" in one["said"]
        assert one["book"] == old["book"]
        assert autograded(one) == autograded(old)
    assert old["said"] == new["said"] == ""
    assert score(new) > score(old) > 0
    assert autograded(new).keys() == autograded(old).keys()
    assert sum(name.startswith("results/") for name in new["files"]) == 2
    assert not [name for name in new["files"] if "/." in name]


def score(one):
    """Return the sum of the scores in a round's book."""
    return sum(float(dict(row)["auto_score"] or 0) for row in one["book"]["grade"])


def autograded(one):
    """Return what lies in a round's `autograded/`."""
    return {name: text for name, text in one["files"].items() if name.startswith("autograded")}
