"""Two runs on one folder: the second one is refused, and the first one is not disturbed."""

import shutil
import subprocess
import sys

import pytest

from autograder.errors import CourseError
from autograder.grading.alone import alone
from autograder.grading.folder import CourseFolder
from autograder.grading.grade import grade
from autograder.grading.regrade import regrade
from autograder.grading.server import press
from tests.autograder.grading.test_record import contents

ASSIGNMENT = "m02_lab1_self_attention"
COMMAND = [sys.executable, "-c", "from course.cli import app; app()", "grade"]


def test_a_second_run_is_refused(course, released, answer, hand_in, tmp_path):
    """While one grades, another process, the button and `course regrade` say so at once."""
    hand_in("ada", answer(released))
    hand_in("ben", released)
    calm = CourseFolder(shutil.copytree(course.path, tmp_path / "calm"))
    grade(calm.path, jobs=1)
    shutil.copytree(calm.path / "results", course.path / "results")
    seen = []

    def second(row, done, total):
        if done == 1:
            seen.append(subprocess.run([*COMMAND, course.path], capture_output=True, text=True))
            seen.append(press(course.path, ASSIGNMENT, "ben"))
            with pytest.raises(CourseError, match="Another run is grading"):
                regrade(course.path)

    grades = grade(course.path, jobs=1, progress=second)
    assert [row.state for row in grades.rows] == ["graded", "graded"]
    command, button = seen
    sentence = f"Another run is grading in {course.path}. Wait until it has ended"
    assert command.returncode == 1
    assert command.stderr.startswith(sentence)
    assert command.stderr.count("\n") == 1
    assert not button["success"]
    assert button["error"].startswith(sentence)
    assert contents(course.url) == contents(calm.url)


def test_a_killed_run_holds_nothing(course):
    """The system lets go of the lock with the process; the file that stays is no lock."""
    code = (
        "import os, sys; from autograder.grading.alone import alone; "
        "from autograder.grading.folder import CourseFolder\n"
        "with alone(CourseFolder(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, course.path], check=False)
    assert done.returncode == -9
    assert (course.path / ".grading.lock").exists()
    with alone(course):
        pass
