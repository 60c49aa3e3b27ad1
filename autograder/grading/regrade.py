"""`course regrade`: apply `overrides.yaml` to what is graded; no learner's code runs again."""

import logging
from dataclasses import dataclass, field

import nbformat

from autograder.gradebook import require
from autograder.grading.alone import alone
from autograder.grading.amend import amend, worth
from autograder.grading.folder import CourseFolder
from autograder.grading.overrides import load
from autograder.grading.record import Recorder
from autograder.grading.submission import stored


@dataclass
class Change:
    """How overrides move one learner's score, before any late penalty.

    `reasons` has a line for each decision: who, why, and for which graded cell.
    """

    learner: str
    assignment: str
    old: float
    old_max: float
    new: float
    new_max: float
    reasons: list[str]


@dataclass
class Regraded:
    """What `regrade` changed, what a person should look at, and what it could not do."""

    changes: list[Change] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def exit_code(self):
        """Return the exit code of the command."""
        return 1 if self.problems else 0


def regrade(folder, assignments=None, dry_run=False):
    """Bring every recorded grade in line with the overrides as they are now.

    Scores and comments of a person stay. A decision that was taken back is undone.

    Args:
        folder: the course folder.
        assignments: names; all released ones by default.
        dry_run: only say what would change.

    Returns:
        `Regraded`.

    Raises:
        CourseError: `overrides.yaml` has mistakes, or the gradebook cannot be used.
    """
    folder = CourseFolder(folder)
    chosen, overrides = folder.chosen(assignments), load(folder, keep=not dry_run)
    done = Regraded()
    with alone(folder), Recorder(folder) as recorder:
        require(recorder.gradebook, folder.url, chosen)
        for assignment in chosen:
            points = worth(folder.released(assignment), overrides)
            work = _Work(recorder, assignment, overrides, points, dry_run, done)
            if not dry_run:
                recorder.set_worth(assignment, points)
            for learner in work.learners:
                work.regrade(learner)
    return done


class _Work:
    """One assignment; it remembers the scores as they were."""

    def __init__(self, recorder, assignment, overrides, points, dry_run, done):
        self.recorder, self.folder, self.assignment = recorder, recorder.folder, assignment
        self.overrides, self.points, self.dry_run, self.done = overrides, points, dry_run, done
        self.stem = self.folder.assignments()[assignment]
        self.old_points, self.scores = recorder.scores(assignment)
        found = (self.folder.path / "autograded").glob(f"*/{assignment}/{self.stem}.ipynb")
        self.learners = sorted(path.parents[1].name for path in found)

    def regrade(self, learner):
        """Regrade one learner, if an override has come, changed or gone since the last time."""
        path = self.folder.path / "autograded" / learner / self.assignment / f"{self.stem}.ipynb"
        recorded = nbformat.read(path, as_version=4)
        name, _, digest = recorded.metadata["course"].get("result", "").partition("-")
        if digest == self.overrides.digest(recorded, learner):
            return
        graded = stored(self.folder, name)
        problem = self._problem(learner, path, graded)
        if problem:
            self.done.problems.append(f"{learner}, {self.assignment}: {problem}")
            return
        amended = amend(graded, self.overrides, learner)
        self._compare(learner, graded.notebook, amended)
        if not self.dry_run:
            self.recorder.record(learner, self.assignment, graded.notebook)

    def _problem(self, learner, path, graded):
        """Return why a recorded grade cannot be regraded, or an empty string."""
        submitted = self.folder.submission(learner, self.assignment)
        if learner not in self.scores:
            return "it is not in the gradebook; run `course grade`."
        if not submitted.is_file() or _time(submitted) != _time(path):
            return "the hand-in is not the one that was graded; run `course grade`."
        if graded is None or not _has_verdicts(graded.notebook):
            return "its result is no longer kept; run `course grade`."
        return ""

    def _compare(self, learner, notebook, amended):
        old, new, reasons = 0.0, 0.0, []
        for cell in _graded_cells(notebook):
            name = cell.metadata["nbgrader"]["grade_id"]
            auto, manual, extra = self.scores[learner].get(name, (None, None, None))
            fresh = _score(cell)
            old += _sum(auto, manual, extra)
            new += _sum(fresh, manual, extra)
            moved = _sum(auto, manual, extra) != _sum(fresh, manual, extra)
            if moved or self.points[name] != self.old_points[name]:
                reasons += _reasons(name, amended.applied.get(name, []))
            if manual is not None and manual > self.points[name]:
                self.done.remarks.append(
                    f"{learner}, {self.assignment}: a person gave {manual:g} points for {name}, "
                    f"which is worth {self.points[name]:g} now; look at it in formgrader."
                )
        change = Change(
            learner, self.assignment, round(old, 4), sum(self.old_points.values()),
            round(new, 4), sum(self.points.values()), reasons,
        )  # fmt: skip
        if (change.old, change.old_max) != (change.new, change.new_max):
            self.done.changes.append(change)


def _graded_cells(notebook):
    return [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]


def _has_verdicts(notebook):
    """Return whether a stored result still has what overrides need."""
    course = notebook.metadata["course"]
    return "unreadable" in course or all(
        {"verdict", "answer", "ungraded"} & set(cell.metadata.get("course", {}))
        for cell in _graded_cells(notebook)
    )


def _score(cell):
    """Return a graded cell's automatic score, as it goes into the gradebook."""
    from nbgrader.utils import determine_grade

    if cell.metadata.get("course", {}).get("ungraded"):
        return None
    return determine_grade(cell, logging.root)[0]


def _sum(auto, manual, extra):
    return float((auto if manual is None else manual) or 0) + float(extra or 0)


def _reasons(name, entries):
    said = [
        f"{entry.author}: {' '.join(entry.reason.split())} ({entry.exercise.partition('.')[2]})"
        for entry in entries
    ]
    return said or [f"no override of it any more ({name})"]


def _time(path):
    path = path.with_name("timestamp.txt")
    return path.read_text() if path.is_file() else None
