"""Seconds per submission: `nbgrader autograde` as it comes against `course grade`.

    python -m tests.benchmarks.grading [--lab m02_lab1] [--submissions 24] [--stock 6] [--jobs 2]

Both grade the same hand-ins, half of them right and half with wrong answers, and both write their
gradebook; no two hand-ins are equal, so nothing is found in a store. The stock side grades
`--stock` of them one after another in the gaps between rounds of ours, as it grades them all
alike. Peak memory is the most that all processes of ours held together (proportional set size).
The last line is JSON.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import nbformat
import psutil

from autograder.build.assignments import SOLUTIONS
from autograder.build.notebook import instructor_notebook
from autograder.build.source import read
from autograder.exercise import load_module
from autograder.gradebook import create
from autograder.grading.folder import CourseFolder
from autograder.grading.init import init
from autograder.grading.release import release
from course.notebooks import find_lab
from course.workspace import labs_root

SECONDS = 600  # stock nbgrader stops a cell after 30, and lab 5 trains for longer
COURSE = [sys.executable, "-c", "from course.cli import app; app()"]


def main():
    """Measure and print."""
    options = arguments()
    slug, stem = find_lab(options.lab, labs_root()).split("/")
    assignment = f"{slug.split('_')[0]}_{stem}"
    solved = instructor_notebook(read(SOLUTIONS / slug / f"{stem}.py", load_module(slug)))
    with tempfile.TemporaryDirectory(prefix="benchmark-") as temporary:
        ours, stock = Path(temporary, "ours"), Path(temporary, "stock")
        prepare_ours(ours, assignment)
        prepare_stock(stock, assignment, stem, solved)
        rounds = [r for r in batches(options.submissions, options.rounds) if r]
        stock_seconds, our_seconds, peak = [], [], 0.0
        for number, learners in enumerate(rounds):
            for learner in learners:
                hand_in(CourseFolder(ours), learner, assignment, stem, solved)
            seconds, megabytes = grade_ours(ours, assignment, options.jobs)
            our_seconds.append(seconds / len(learners))
            peak = max(peak, megabytes)
            for learner in learners[: -(-options.stock // len(rounds))]:
                hand_in_stock(stock, learner, assignment, stem, solved)
                stock_seconds.append(grade_stock(stock, assignment, learner))
            print(f"round {number + 1}: ours {our_seconds[-1]:.2f} s, stock "
                  f"{statistics.median(stock_seconds):.2f} s a submission", flush=True)  # fmt: skip
        check_equal(ours, stock, assignment, stem)
    ours_median, stock_median = map(statistics.median, (our_seconds, stock_seconds))
    print(json.dumps({
        "benchmark": "grading", "lab": stem, "submissions": options.submissions,
        "jobs": options.jobs, "stock_seconds": round(stock_median, 3),
        "seconds": round(ours_median, 3), "ratio": round(stock_median / ours_median, 1),
        "per_minute": round(60 / ours_median), "peak_mb": round(peak),
    }))  # fmt: skip


def arguments():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lab", default="m02_lab1")
    parser.add_argument("--submissions", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--stock", type=int, default=6)
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


def batches(count, rounds):
    """Return the learners of each round."""
    names = [f"learner{number:04d}" for number in range(count)]
    return [names[start::rounds] for start in range(rounds)]


def prepare_ours(folder, assignment):
    """Make a course folder with the lab released."""
    init(folder)
    release(folder, [assignment])


def prepare_stock(folder, assignment, stem, solved):
    """Make a course folder without any configuration of ours."""
    place = folder / "source" / assignment
    place.mkdir(parents=True)
    nbformat.write(solved, place / f"{stem}.ipynb")
    create(f"sqlite:///{folder}/gradebook.db")
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_assignment", assignment],
        cwd=folder, capture_output=True, check=True,
    )  # fmt: skip


def answered(solved, learner):
    """Return a hand-in of this learner: right, or with every second answer missing."""
    notebook = nbformat.from_dict(json.loads(nbformat.writes(solved)))
    wrong = int(learner[-4:]) % 2
    answers = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("solution")]
    for number, cell in enumerate(answers):
        cell.source += f"\n# by {learner}\n"
        if wrong and number % 2:
            name = cell.metadata["course"]["exercise"] if "course" in cell.metadata else ""
            cell.source += f"\n{name.rpartition('.')[2]} = None\n" if name else ""
    return notebook


def hand_in(folder, learner, assignment, stem, solved):
    """Put a hand-in where collection puts it."""
    place = folder.path / "submitted" / learner / assignment
    place.mkdir(parents=True)
    nbformat.write(answered(solved, learner), place / f"{stem}.ipynb")


def hand_in_stock(folder, learner, assignment, stem, solved):
    """Put the same hand-in into the other course folder."""
    place = folder / "submitted" / learner / assignment
    place.mkdir(parents=True)
    nbformat.write(answered(solved, learner), place / f"{stem}.ipynb")


def grade_ours(folder, assignment, jobs):
    """Return the seconds and the peak memory of `course grade`, from start to exit."""
    command = [*COURSE, "grade", str(folder), "-a", assignment, "--jobs", str(jobs)]
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        memory = Memory(process.pid)
        said = process.stderr.read().decode()
    if process.returncode:
        raise SystemExit(f"course grade failed: {said}")
    return time.perf_counter() - begun, memory.stop()


def grade_stock(folder, assignment, learner):
    """Return the seconds that nbgrader takes for one more submission of a class."""
    command = [
        sys.executable, "-m", "nbgrader", "autograde", assignment, "--student", learner,
        f"--Execute.timeout={SECONDS}",
    ]  # fmt: skip
    start = [sys.executable, "-c", "import nbgrader.apps.nbgraderapp, nbgrader.converters"]
    begun = time.perf_counter()
    subprocess.run(start, cwd=folder, capture_output=True, check=True)
    once = time.perf_counter() - begun  # a class pays for the program's own start once
    begun = time.perf_counter()
    subprocess.run(
        command, cwd=folder, capture_output=True, check=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    return time.perf_counter() - begun - once


def check_equal(ours, stock, assignment, stem):
    """Make sure that both gradebooks give the same scores, else the times mean nothing."""
    from nbgrader.api import Gradebook

    with CourseFolder(ours).gradebook() as a, Gradebook(f"sqlite:///{stock}/gradebook.db") as b:
        for submission in b.assignment_submissions(assignment):
            learner = submission.student.id
            mine = a.find_submission_notebook(stem, assignment, learner)
            theirs = b.find_submission_notebook(stem, assignment, learner)
            assert theirs.score == mine.score, (learner, theirs.score, mine.score)


class Memory:
    """The most memory that a process and its descendants hold together, in MB."""

    def __init__(self, pid):
        self.peak, self._running = 0.0, True
        self._process = psutil.Process(pid)
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self):
        while self._running:
            total = 0
            try:
                for each in [self._process, *self._process.children(recursive=True)]:
                    try:
                        total += each.memory_full_info().pss
                    except psutil.Error:
                        continue
            except psutil.Error:
                return
            self.peak = max(self.peak, total / 2**20)
            time.sleep(1.0)

    def stop(self):
        """Return the peak."""
        self._running = False
        self._thread.join()
        return self.peak


if __name__ == "__main__":
    main()
