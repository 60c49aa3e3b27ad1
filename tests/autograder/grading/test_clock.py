"""Grades do not depend on what the wall clock does; only a hand-in's own time decides lateness.

The machine's clock is not moved: that would move it for everything else. In the grader's processes
`time.time` jumps by years, either way, ten times a second, and no other way to read the wall clock
is used in what grades. A learner's code may show itself any time it likes.
"""

import re
from pathlib import Path

import nbformat
import pytest

from autograder.build.assignments import ROOT
from autograder.grading.grade import grade
from tests.autograder.grading.test_grade import ASSIGNMENT, FOREVER, autograded, limit, scores
from tests.autograder.grading.test_killed import started

JUMPING = """
import os, pathlib, time
wall, steady = time.time, time.monotonic
def jumping():
    return wall() + 3e8 * (-1) ** int(10 * steady())
time.time, time.time_ns = jumping, lambda: int(1e9 * jumping())
pathlib.Path({marks!r}, str(os.getpid())).touch()
"""
STOPPED = """import time
time.time = time.monotonic = time.perf_counter = lambda: 0.0
time.sleep = lambda seconds: None
"""
WALL = re.compile(r"\btime\.(time|time_ns|localtime|gmtime|strftime)\(|\.(utc)?now\(|\.today\(")
GRADES = ("grading", "kernels", "confine", "wire")
NO_GRADES = {"demo.py", "collect.py"}  # they date hand-ins, where no file says when


@pytest.fixture
def clock(tmp_path):
    """Return the environment whose Python has the jumping clock, and where it leaves marks."""
    place, marks = tmp_path / "clock", tmp_path / "marks"
    place.mkdir()
    marks.mkdir()
    (place / "sitecustomize.py").write_text(JUMPING.format(marks=str(marks)))
    return {"PYTHONPATH": str(place)}, marks


def test_a_clock_that_jumps_changes_no_grade(course, released, answer, hand_in, clock):
    """Limits hold, and no sooner; a learner's own clock that stands still changes nothing."""
    environment, marks = clock
    limit(course, 1)
    for learner, cell in (("ada", "x = 1"), ("ben", FOREVER), ("cleo", STOPPED + FOREVER)):
        notebook = answer(released)
        notebook.cells.insert(2, nbformat.v4.new_code_cell(cell))
        hand_in(learner, notebook)
    with started(course.path, environment=environment) as process:
        assert process.wait() == 0
    assert len(list(marks.iterdir())) >= 2, "the grader had the machine's clock"

    full = scores(course, "ada")
    assert all(score > 0 for score in full.values())
    assert scores(course, "ben") == scores(course, "cleo") == full
    stopped = [["added-01", "This cell ran for more than 1 seconds and was stopped."]]
    for learner, notes in (("ada", []), ("ben", stopped), ("cleo", stopped)):
        assert autograded(course, learner).metadata["course"]["notes"] == notes


def test_what_grades_reads_no_wall_clock():
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in [*_sources(), ROOT / "autograder" / "workers.py"]
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if WALL.search(line)
    ]
    assert found == []


def _sources():
    for house in GRADES:
        for path in sorted(Path(ROOT, "autograder", house).rglob("*.py")):
            if path.name not in NO_GRADES:
                yield path


TIMES = {  # learner: when, and whether that is late
    "before_all": ("0001-01-01 00:00:00.000000 UTC", False),
    "long_ago": ("1970-01-01 00:00:00.000000 UTC", False),
    "far_off": ("2099-12-31 23:59:59.000000 UTC", True),
    "after_all": ("9999-12-31 23:59:59.999999 UTC", True),
    "past_the_end": ("9999-12-31 23:59:59.999999 -1200", False),
    "no_time": ("a quarter past noon", False),
}


def test_hand_ins_from_another_time(course, released, answer, hand_in):
    """A time that can be read decides lateness, whatever the year; any other counts as none."""
    with (course.path / "nbgrader_config.py").open("a") as file:
        file.write('\nc.AssignLatePenalties.plugin_class = "autograder.grading.late.LatePenalty"\n')
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment(ASSIGNMENT, duedate="2026-01-10 12:00 UTC")
    for learner, (when, _) in TIMES.items():
        hand_in(learner, answer(released), when=when)
    grades = grade(course.path)
    assert grades.problems == []
    for row in grades.rows:
        late = TIMES[row.learner][1]
        assert (row.late_seconds > 0) == late, row.learner
        assert row.score == row.max_score
        assert row.total == (0 if late else row.max_score)  # each day costs a tenth
