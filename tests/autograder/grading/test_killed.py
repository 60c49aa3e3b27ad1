"""`course grade` killed in the middle: run again, it ends with what an undisturbed run gives."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import psutil
from nbformat.v4 import new_code_cell

from autograder.grading.folder import CourseFolder
from autograder.grading.grade import grade
from tests.autograder.grading.test_record import contents

COMMAND = [sys.executable, "-c", "from course.cli import app; app()", "grade"]
CLASS = [f"learner{number}" for number in range(5)]


@contextmanager
def started(folder, stderr=subprocess.DEVNULL, environment=None):
    """Start the command for a `with` block; it never outlives it."""
    process = subprocess.Popen(
        [*COMMAND, str(folder), "--jobs", "2"],
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | (environment or {}),
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(condition, process, seconds=120):
    """Wait until something is so; fail when the process ends before."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.02)


def all_gone(processes, seconds=20):
    """Return whether processes end in time."""
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]


def test_a_killed_run_goes_on_where_it_was(course, released, answer, answers, hand_in, tmp_path):
    """No grade lost or doubled, nothing finished runs twice, and no process stays behind."""
    for number, learner in enumerate(CLASS):
        notebook = answer(released, **dict(list(answers.items())[: number or 4]))
        notebook.cells[-1].source += f"\n# {learner}"
        hand_in(learner, notebook)
    calm = CourseFolder(shutil.copytree(course.path, tmp_path / "calm"))
    grade(calm.path)

    def two_are_graded():
        return len(list((course.path / "autograded").glob("learner*/*/*.ipynb"))) >= 2

    with started(course.path) as process:
        wait_for(two_are_graded, process)
        family = psutil.Process(process.pid).children(recursive=True)
        assert family
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert all_gone(family)

    stored = {path: path.stat().st_mtime_ns for path in (course.path / "results").iterdir()}
    with started(course.path) as process:
        assert process.wait() == 0
    assert contents(course.url) == contents(calm.url)
    assert len(list((course.path / "results").iterdir())) == len(CLASS)
    assert all(path.stat().st_mtime_ns == when for path, when in stored.items())
    leftovers = [path for path in (course.path / "autograded").rglob(".*")]
    assert not leftovers


def workers_in_the_middle(process):
    """Return the processes that grade while a kernel runs for them."""
    command = psutil.Process(process.pid)
    direct, family = command.children(), command.children(recursive=True)
    workers = [each for each in direct if "grading.worker" in _command_line(each)]
    kernels = set(family) - set(direct)
    return workers if kernels else []


def _command_line(process):
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def test_a_killed_worker_costs_nobody_anything(course, released, answer, hand_in):
    """Its submission is graded again, by another one."""
    sleepy = answer(released)
    sleepy.cells.append(new_code_cell("import time; time.sleep(8)"))
    hand_in("ada", sleepy)
    hand_in("ben", answer(released))
    found = []
    with started(course.path) as process:
        wait_for(lambda: found.extend(workers_in_the_middle(process)) or found, process)
        for worker in found:
            worker.kill()
        assert process.wait() == 0
    with course.gradebook() as gradebook:
        for learner in ("ada", "ben"):
            submission = gradebook.find_submission("m02_lab1_self_attention", learner)
            assert submission.score == submission.max_score
