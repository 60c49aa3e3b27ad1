"""A long run of `course grade`: does it stay as fast and as small as it began, and leave nothing?

    python -m tests.benchmarks.soak [--submissions 1000] [--jobs 2] [--window 100]

All submissions are of lab 1 and differ from each other. Speed and memory are given window by
window, after the start (the first `--jobs` grades wait for the warm process); the last window ends
with the run, and `ratio` is its speed by the first one's. Memory is what all processes hold
together (proportional set size), the median over a window.
What is left is counted a moment after the run: processes, open descriptors of this process beyond
those before, and files in the folder for temporary files. The last line is JSON.
"""

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import psutil

from autograder.build.assignments import SOLUTIONS
from autograder.build.notebook import instructor_notebook
from autograder.build.source import read
from autograder.exercise import load_module
from autograder.grading.folder import CourseFolder
from autograder.grading.grade import grade
from autograder.kernels.shared import shared_zygote
from tests.benchmarks.grading import batches, hand_in, prepare_ours

SLUG, STEM, ASSIGNMENT = "m02_transformer", "lab1_self_attention", "m02_lab1_self_attention"


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--window", type=int, default=100)
    options = parser.parse_args()
    if options.submissions < options.jobs + options.window:
        parser.error("--submissions must be at least --jobs and --window together.")
    print(json.dumps(soak(options.submissions, options.jobs, options.window)))


def soak(submissions, jobs, window, every=3.0):
    """Grade a class and return what was measured.

    Args:
        submissions: int. How many.
        jobs: int. Processes that grade.
        window: int. How many at the begin and at the end are compared.
        every: float. Seconds between two looks at the memory, which cost time themselves.
    """
    with tempfile.TemporaryDirectory(prefix="soak-") as temporary:
        folder, scratch = Path(temporary, "course"), Path(temporary, "t")
        scratch.mkdir(mode=0o755)
        Path(temporary).chmod(0o755)
        prepare_ours(folder, ASSIGNMENT)
        solved = instructor_notebook(read(SOLUTIONS / SLUG / f"{STEM}.py", load_module(SLUG)))
        for learner in batches(submissions, 1)[0]:
            hand_in(CourseFolder(folder), learner, ASSIGNMENT, STEM, solved)
        with temporary_files_in(scratch):
            return _grade(folder, scratch, jobs, window, every)


def _grade(folder, scratch, jobs, window, every):
    done = [time.monotonic()]
    before = _descriptors()
    with Memory(every) as memory:
        grades = grade(
            folder,
            [ASSIGNMENT],
            jobs=jobs,
            progress=lambda *_: done.append(time.monotonic()),
            trust=True,
        )
    assert not grades.problems, grades.problems
    shared_zygote().stop()
    left = _left(scratch, before)
    times = done[jobs:]  # the first ones waited for the start
    starts = [*range(0, len(times) - 1 - window, window), len(times) - 1 - window]
    windows = [(times[start], times[start + window]) for start in starts]
    speeds = [60 * window / (end - begin) for begin, end in windows]
    return {
        "benchmark": "soak",
        "submissions": len(grades.rows),
        "jobs": jobs,
        "ratio": round(speeds[-1] / speeds[0], 3),
        "per_minute": [round(speed, 1) for speed in speeds],
        "mb": [memory.between(*window) for window in windows],
        **left,
    }


class Memory:
    """What this process and its descendants hold, in MB, looked at every few seconds."""

    def __init__(self, every):
        self._every = every

    def __enter__(self):
        self._seen, self._running = [], True
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._running = False
        self._thread.join()

    def between(self, begin, end):
        """Return the median between two times, or None where nobody looked."""
        sizes = [size for when, size in self._seen if begin <= when <= end]
        return round(statistics.median(sizes)) if sizes else None

    def _watch(self):
        process = psutil.Process()
        while self._running:
            total = 0
            for each in [process, *process.children(recursive=True)]:
                try:
                    total += each.memory_full_info().pss
                except psutil.Error:
                    continue
            self._seen.append((time.monotonic(), total / 2**20))
            time.sleep(self._every)


@contextmanager
def temporary_files_in(folder):
    """Let this process and those that it starts put their temporary files into one folder."""
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"], tempfile.tempdir = str(folder), None
    try:
        yield
    finally:
        os.environ.pop("TMPDIR")
        if before is not None:
            os.environ["TMPDIR"] = before
        tempfile.tempdir = None


def _descriptors():
    return psutil.Process().num_fds()


def _left(scratch, before, seconds=5.0):
    """Return what is still there; what is just ending has a moment."""
    end = time.monotonic() + seconds
    while True:
        left = {
            "processes_left": len(psutil.Process().children(recursive=True)),
            "descriptors_left": max(0, _descriptors() - before),
            "files_left": len(list(scratch.iterdir())),
        }
        if not any(left.values()) or time.monotonic() > end:
            return left
        time.sleep(0.1)


if __name__ == "__main__":
    main()
