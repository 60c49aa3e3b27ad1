"""`course grade`: grade what was collected, in parallel, and record it in nbgrader's gradebook."""

import os
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from autograder.confine.tiers import reach
from autograder.errors import CourseError
from autograder.gradebook import Locked, require
from autograder.grading.alone import alone
from autograder.grading.amend import amend, worth
from autograder.grading.folder import CourseFolder
from autograder.grading.notebook import Graded
from autograder.grading.overrides import load
from autograder.grading.record import Recorder
from autograder.grading.space import Full
from autograder.grading.submitted import settle_all, submissions
from autograder.grading.worker import read, task_of
from autograder.kernels.shared import shared_zygote
from autograder.workers import Workers


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
    """What `grade` did: a row per submission, what could not be graded, and the tier.

    `exit_code` is 0 when every submission was graded, else 1.
    """

    rows: list[Row]
    problems: list[str] = field(default_factory=list)
    tier: str = "open"

    @property
    def exit_code(self):
        """Return the exit code of the command."""
        return 1 if self.problems else 0


def grade(
    folder, assignments=None, learners=None, jobs=None, again=False, progress=None, trust=False,
    scheduler=None,
):  # fmt: skip
    """Grade submissions; a bad one costs nobody else anything.

    It may be killed at any moment: run again, it goes on where it was.

    Args:
        folder: the course folder.
        assignments: names; all released ones by default.
        learners: ids; everybody by default.
        jobs: notebooks graded at a time; one per processor by default.
        again: grade anew what was already graded and has not changed.
        progress: called with a `Row`, the number done and the number of all, after each.
        trust: grade even where nothing confines learners' code.
        scheduler: address of a Dask scheduler whose workers grade; else this machine does.

    Returns:
        `Grades`.

    Raises:
        CourseError: nothing is released, a name is unknown, the gradebook is locked or another
            run grades here, nothing confines learners' code and nobody said to trust it, or the
            cluster fails.
    """
    folder = CourseFolder(folder)
    chosen = folder.chosen(assignments)
    problems, tasks = [], []
    for assignment in chosen:
        tasks += submissions(folder, assignment, learners, problems)
    missing = set(learners or ()) - {learner for learner, _ in tasks}
    if missing:
        raise CourseError(f"There is no submission of {', '.join(sorted(missing))}.")
    overrides = load(folder)
    with alone(folder), _sharing(min(jobs or os.cpu_count(), len(tasks)), scheduler) as sharing:
        _check_writable(folder, chosen)
        judge = _judge(folder, trust)
        tier = judge.tier()
        _name_learners(folder)
        settle_all(folder, tasks, problems)
        results = _results(folder, tasks, jobs, again, judge.limits(), tier, *sharing)
        with Recorder(folder) as recorder:
            for name in chosen:
                recorder.set_worth(name, worth(folder.released(name), overrides))
            rows, found = _record_all(recorder, results, tasks, again, progress, overrides)
    problems += [problem for task in tasks for problem in found[task]]
    return Grades([rows[task] for task in tasks], problems, tier)


def _record_all(recorder, results, tasks, again, progress, overrides):
    """Write the results as they come; return rows and problems, by learner and assignment."""
    rows, found = {}, {}
    with closing(results):
        for task, reply in results:
            found[task] = []
            rows[task] = _record(recorder, *task, reply, again, found[task], overrides)
            if progress:
                progress(rows[task], len(rows), len(tasks))
    return rows, found


def _results(folder, tasks, jobs, again, limits, tier, workers, zygote):
    """Yield each submission and its result as they come.

    What a time limit stopped, and what took its process along, runs once more, alone.
    """
    once_more = []
    for number, at_a_time in ((1, jobs), (2, 1)):
        waiting = [
            task_of(folder, *task, limits, tier, again, zygote)
            for task in (tasks if number == 1 else once_more)
        ]
        for task, reply in workers.share(waiting, jobs=at_a_time):
            name = task["learner"], task["assignment"]
            if number == 1 and ("died" in reply or reply.get("stopped")):
                once_more.append(name)
            else:
                yield name, reply


@contextmanager
def _sharing(jobs, scheduler):
    """Yield what shares tasks, here or on a cluster, and the zygote for processes here.

    The processes import what they need while this one opens the gradebook.
    """
    if scheduler:
        from autograder.grading.cluster import connected

        with connected(scheduler) as cluster:
            yield cluster, None
        return
    jobs = max(1, min(jobs, os.cpu_count() or 1))
    zygote = None if reach().tier == "open" else shared_zygote().fileno()
    inherit = [] if zygote is None else [zygote]
    with Workers("autograder.grading.worker.grade_task", jobs, inherit) as workers:
        workers.start()
        yield workers, zygote


def _judge(folder, trust):
    """Return nbgrader's step that judges, as the folder configures it: its limits and its tier."""
    from autograder.grading.preprocessors import Judge

    judge = Judge(config=folder.config)
    judge.trust = judge.trust or trust
    return judge


def _check_writable(folder, assignments):
    """Fail before the work, not after it, when the gradebook is locked or lacks an assignment."""
    import sqlalchemy

    with folder.gradebook() as gradebook:
        require(gradebook, folder.url, assignments)
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


def _record(recorder, learner, assignment, reply, again, problems, overrides):
    """Write one grade and return its row."""
    if "full" in reply:
        raise Full(reply["full"])
    folder = recorder.folder
    path = folder.submission(learner, assignment)
    row = Row(learner, assignment)
    reason = reply.get("died") or reply.get("error")
    if not reason:
        graded = Graded(*read(reply))
        notebook, notes, failures = graded.notebook, list(graded.notes), graded.failures
        try:
            amend(graded, overrides, learner)
            if again or not _is_recorded(recorder, learner, assignment, notebook):
                recorder.record(learner, assignment, notebook)
            else:
                row.state = "unchanged"
        except Locked:
            raise
        except Exception as error:  # noqa: BLE001  one submission must not cost another
            told = isinstance(error, CourseError)
            reason = str(error) if told else f"{type(error).__name__}: {error}"
    if reason:
        row.state = "failed"
        problems.append(f"{_shown(folder, path)}: it could not be graded: {reason}")
        return row
    row.notes = [str(note) for note in notes]
    if reply["unreadable"]:
        row.state, row.notes = "unreadable", [reply["unreadable"]]
        problems.append(f"{_shown(folder, path.parent)}: {reply['unreadable']}")
    for failure in failures:
        row.state = "failed"
        problems.append(f"{_shown(folder, path)}, {failure}")
    row.score, row.max_score, row.late_penalty, row.late_seconds = recorder.numbers(
        learner, assignment
    )
    return row


def _shown(folder, path):
    return Path(path).relative_to(folder.path).as_posix()


def _is_recorded(recorder, learner, assignment, notebook):
    """Say whether this very result is in the gradebook, with its time and due date."""
    folder = recorder.folder
    path = folder.path / "autograded" / learner / assignment / f"{_stem(folder, assignment)}.ipynb"
    try:
        course = nbformat.read(path, as_version=4).metadata["course"]
        if course.get("result") != notebook.metadata["course"].get("result"):
            return False
        submitted = folder.submission(learner, assignment).with_name("timestamp.txt")
        recorded = path.with_name("timestamp.txt")
        same_time = _text(submitted) == _text(recorded)
    except (OSError, ValueError, KeyError):
        return False
    return same_time and course.get("due") == recorder.due(assignment)


def _stem(folder, assignment):
    return folder.assignments()[assignment]


def _text(path):
    return path.read_text() if path.is_file() else None
