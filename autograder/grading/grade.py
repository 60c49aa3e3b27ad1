"""`course grade`: grade what was collected, in parallel, and record it through nbgrader."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from autograder.build.assignments import load_keras
from autograder.build.release import nbgrader_errors
from autograder.errors import CourseError
from autograder.gradebook import due
from autograder.grading.folder import CourseFolder, is_learner_id
from autograder.grading.submission import forget, grade_prepared, hand_over, prepare


@dataclass
class Row:
    """The grade of one submission.

    Attributes:
        learner: the learner's id.
        assignment: the assignment's name.
        score: points before a late penalty.
        max_score: points that can be earned.
        late_penalty: points that lateness costs.
        late_seconds: how late it came; 0 when in time.
        state: "graded", "unchanged", "unreadable" or "failed".
        notes: sentences on what was repaired or stopped.
    """

    learner: str
    assignment: str
    score: float = 0.0
    max_score: float = 0.0
    late_penalty: float = 0.0
    late_seconds: float = 0.0
    state: str = "graded"
    notes: list[str] = field(default_factory=list)

    @property
    def total(self):
        """Points after the late penalty."""
        return max(0.0, self.score - self.late_penalty)


@dataclass
class Grades:
    """What `grade` did: a row per submission, and what could not be graded.

    `exit_code` is 0 when every submission was graded, else 1.
    """

    rows: list[Row]
    problems: list[str] = field(default_factory=list)

    @property
    def exit_code(self):
        """Return the exit code of the command."""
        return 1 if self.problems else 0


def grade(folder, assignments=None, learners=None, jobs=None, again=False, progress=None):
    """Grade submissions; a bad one costs nobody else anything.

    Args:
        folder: the course folder.
        assignments: names; all released ones by default.
        learners: ids; everybody by default.
        jobs: notebooks graded at a time; 2 by default, at most one per processor.
        again: grade anew what was already graded and has not changed.
        progress: called with a `Row` after each submission.

    Returns:
        `Grades`.

    Raises:
        CourseError: nothing is released, a name is unknown, or the gradebook is locked.
    """
    folder = CourseFolder(folder)
    chosen = folder.chosen(assignments)
    problems, tasks = [], []
    for assignment in chosen:
        tasks += _submissions(folder, assignment, learners, problems)
    missing = set(learners or ()) - {learner for learner, _ in tasks}
    if missing:
        raise CourseError(f"There is no submission of {', '.join(sorted(missing))}.")
    _check_writable(folder)
    _name_learners(folder)
    _settle_all(folder, tasks, problems)
    if any(_stem(folder, assignment) == "quiz" for _, assignment in tasks):
        load_keras()
    jobs = max(1, min(jobs or 2, os.cpu_count() or 1))
    limits = _limits(folder)
    rows = []
    with ThreadPoolExecutor(jobs) as pool:
        waiting = [(task, pool.submit(_grade_one, folder, *task, limits, again)) for task in tasks]
        try:
            for (learner, assignment), future in waiting:
                row = _record(folder, learner, assignment, future, again, problems)
                rows.append(row)
                if progress:
                    progress(row)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        finally:
            forget()
    return Grades(rows, problems)


def _submissions(folder, assignment, learners, problems):
    """Return the learners and assignments to grade; folders of no learner are problems."""
    found = []
    for place in sorted((folder.path / "submitted").glob(f"*/{assignment}")):
        learner = place.parent.name
        if learners and learner not in learners:
            continue
        if place.is_symlink() or place.parent.is_symlink() or not is_learner_id(learner):
            problems.append(f"{_shown(folder, place)}: this is no learner's folder; left alone.")
        elif not any(place.glob("*.ipynb")):
            problems.append(f"{_shown(folder, place)}: there is no notebook in it.")
        else:
            found.append((learner, assignment))
    return found


def _settle_all(folder, tasks, problems):
    from autograder.grading.preprocessors import settle

    for learner, assignment in list(tasks):
        expected = folder.submission(learner, assignment)
        settle(assignment, learner, [str(path) for path in expected.parent.glob("*.ipynb")])
        if not os.path.lexists(expected):
            problems.append(
                f"{_shown(folder, expected.parent)}: none of its notebooks is {assignment}."
            )
            tasks.remove((learner, assignment))


def _limits(folder):
    from autograder.grading.preprocessors import Judge

    return Judge(config=folder.config).limits()


def _check_writable(folder):
    """Fail before the work, not after it, when the gradebook is locked."""
    import sqlalchemy

    with folder.gradebook() as gradebook:
        gradebook.db.execute(sqlalchemy.text("UPDATE alembic_version SET version_num=version_num"))
        gradebook.db.rollback()


def _name_learners(folder):
    """Put the roster's names into the gradebook, where formgrader shows them."""
    with folder.gradebook() as gradebook:
        for learner in folder.roster().values():
            gradebook.update_or_create_student(
                learner.learner,
                first_name=learner.first_name or None,
                last_name=learner.last_name or None,
                email=learner.email or None,
            )


def _grade_one(folder, learner, assignment, limits, again):
    """Prepare and grade one submission; runs in a worker thread."""
    path = folder.submission(learner, assignment)
    prepared = prepare(folder, path, assignment)
    graded = grade_prepared(folder, prepared, learner, limits, again)
    hand_over(graded)
    return prepared, graded


def _record(folder, learner, assignment, future, again, problems):
    """Write one grade through nbgrader and return its row."""
    path = folder.submission(learner, assignment)
    row = Row(learner, assignment)
    try:
        prepared, graded = future.result()
        if again or not _is_recorded(folder, learner, assignment, graded):
            _autograde(folder, learner, assignment)
        else:
            row.state = "unchanged"
    except Locked:
        raise
    except Exception as error:
        reason = (
            str(error) if isinstance(error, CourseError) else f"{type(error).__name__}: {error}"
        )
        row.state = "failed"
        problems.append(f"{_shown(folder, path)}: it could not be graded: {reason}")
        return row
    row.notes = [str(note) for note in graded.notes]
    if prepared.unreadable:
        row.state, row.notes = "unreadable", [prepared.unreadable]
        problems.append(f"{_shown(folder, path.parent)}: {prepared.unreadable}")
    for failure in graded.failures:
        row.state = "failed"
        problems.append(f"{_shown(folder, path)}, {failure}")
    _fill(row, folder)
    return row


def _shown(folder, path):
    return Path(path).relative_to(folder.path).as_posix()


class Locked(CourseError):
    """The gradebook is locked: no further grade can be recorded."""


def _autograde(folder, learner, assignment):
    """Run nbgrader's autograde for one submission; our preprocessors replay the grade."""
    from nbgrader.converters import Autograde
    from nbgrader.coursedir import CourseDirectory

    config = folder.config.copy()
    config.CourseDirectory.assignment_id = assignment
    config.CourseDirectory.student_id = learner
    directory = CourseDirectory(config=config)
    converter = Autograde(coursedir=directory, config=config)
    converter.force = True
    with nbgrader_errors(converter, "nbgrader could not record it") as lines:
        try:
            converter.start()
        except Exception as error:
            if any("database is locked" in line for line in lines):
                raise Locked(
                    f"The gradebook of {folder.path} is locked: another program is writing to "
                    "it. Close that program or wait, then run the command again."
                ) from error
            raise


def _is_recorded(folder, learner, assignment, graded):
    """Say whether this very result is in the gradebook, with its time and due date."""
    path = folder.path / "autograded" / learner / assignment / f"{_stem(folder, assignment)}.ipynb"
    try:
        course = nbformat.read(path, as_version=4).metadata["course"]
        if course.get("result") != graded.notebook.metadata["course"].get("result"):
            return False
        submitted = folder.submission(learner, assignment).with_name("timestamp.txt")
        recorded = path.with_name("timestamp.txt")
        same_time = _text(submitted) == _text(recorded)
    except (OSError, ValueError, KeyError):
        return False
    return same_time and course.get("due") == due(folder.url, assignment)


def _stem(folder, assignment):
    return folder.assignments()[assignment]


def _text(path):
    return path.read_text() if path.is_file() else None


def _fill(row, folder):
    """Read a row's numbers from the gradebook."""
    with folder.gradebook() as gradebook:
        submission = gradebook.find_submission(row.assignment, row.learner)
        row.score = float(submission.score or 0)
        row.max_score = float(submission.max_score or 0)
        row.late_penalty = float(submission.late_submission_penalty or 0)
        row.late_seconds = float(submission.total_seconds_late or 0)
