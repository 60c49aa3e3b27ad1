"""The one writer of grades: it puts results into nbgrader's gradebook and folders.

It writes what nbgrader's own autograder writes with our preprocessors, in one transaction a
submission and over one connection, which is several times faster. The order makes every step
repeatable: first what takes space, then the gradebook, last the renaming of the folder whose
notebook says which result is recorded.
"""

import os
import shutil
import tempfile
import warnings
from pathlib import Path

import nbformat

from autograder.gradebook import cause_of, is_lost, opened, said
from autograder.grading.intake import Unreadable, read_bytes
from autograder.grading.rows import save_scores, scores_of, timestamp, waiting
from autograder.grading.space import needed


class Recorder:
    """Records the grades of a course folder; use it in a `with` block.

    Args:
        folder: the `CourseFolder`.
        url: address of the gradebook; the folder's by default.

    Raises:
        CourseError: the gradebook is locked or unreadable.
    """

    def __init__(self, folder, url=None):
        self.folder, self.url = folder, url or folder.url
        self._opened = opened(self.url)
        self._late = None

    def __enter__(self):
        self.gradebook = self._opened.__enter__()
        return self

    def __exit__(self, *exception):
        return self._opened.__exit__(*exception)

    def record(self, learner, assignment, notebook):
        """Write one graded notebook: scores, comments, lateness, and the notebook itself.

        Args:
            learner: the learner's id.
            assignment: the assignment's name.
            notebook: what `grade_notebook` made of the submission.

        Raises:
            Locked: another program holds the gradebook, its server is gone, or a disk is full.
        """
        notebook.metadata["course"]["due"] = self.due(assignment)
        new = self._new_folder(learner, assignment, notebook)
        try:
            self._whole(lambda: self._write_gradebook(learner, assignment, notebook))
            _replace(self._place(learner, assignment), new)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise

    def _whole(self, work):
        """Do something in one transaction: all of it or nothing.

        It is done once more where the line broke, or another program added the same row.
        """
        from sqlalchemy.exc import IntegrityError

        with said(self.url):
            try:
                return self._once(work)
            except Exception as error:
                cause = cause_of(error)
                if not (isinstance(cause, IntegrityError) or is_lost(cause)):
                    raise
                return self._once(work)

    def _once(self, work):
        session = self.gradebook.db
        try:
            with waiting(session):
                result = work()
            session.commit()  # no transaction stays open while the next notebook is graded
            return result
        except BaseException:
            session.rollback()
            raise

    def numbers(self, learner, assignment):
        """Return score, maximum, late penalty and seconds late, as the gradebook has them."""

        def read():
            found = self.gradebook.find_submission(assignment, learner)
            return (
                found.score, found.max_score, found.late_submission_penalty,
                found.total_seconds_late,
            )  # fmt: skip

        return [float(value or 0) for value in self._whole(read)]

    def due(self, assignment):
        """Return an assignment's due date as text, or None."""
        date = self._whole(lambda: self.gradebook.find_assignment(assignment).duedate)
        return None if date is None else date.isoformat()

    def scores(self, assignment):
        """Return what the graded cells are worth, and each learner's scores.

        Returns:
            points: dict from grade id to points.
            scores: dict from learner to a dict from grade id to the automatic score, the
                person's and the extra credit, each a number or None.
        """

        def read():
            notebook = self._notebook(assignment)
            points = {cell.name: cell.max_score for cell in notebook.grade_cells}
            return points, {each.student.id: scores_of(each) for each in notebook.submissions}

        return self._whole(read)

    def set_worth(self, assignment, points):
        """Let the graded cells of an assignment be worth these points; scores scale along.

        What a person scored stays as it is.

        Args:
            assignment: the assignment's name.
            points: dict from grade id to points.
        """
        self._whole(lambda: self._scale(self._notebook(assignment), points))

    def _scale(self, notebook, points):
        cells = [cell for cell in notebook.grade_cells if cell.name in points]
        changed = [cell for cell in cells if cell.max_score != points[cell.name]]
        for cell in changed:
            for grade in cell.grades:
                if grade.auto_score is not None and cell.max_score:
                    grade.auto_score *= points[cell.name] / cell.max_score
            cell.max_score = points[cell.name]
        if changed:
            self.gradebook.db.commit()
            for submitted in notebook.submissions:
                self._penalise(submitted.student.id, submitted.assignment, submitted)

    def _notebook(self, assignment):
        return self.gradebook.find_notebook(self.folder.assignments()[assignment], assignment)

    def _write_gradebook(self, learner, assignment, notebook):
        from nbgrader.api import MissingEntry
        from sqlalchemy.exc import SAWarning

        book = self.gradebook
        try:
            book.find_student(learner)
        except MissingEntry:
            book.add_student(learner)
        when = timestamp(self.folder.submission(learner, assignment).parent)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # nbgrader adds rows in an odd order
            submission = book.update_or_create_submission(
                assignment, learner, **({"timestamp": when} if when else {})
            )
        stem = self.folder.assignments()[assignment]
        submitted = next(each for each in submission.notebooks if each.name == stem)
        save_scores(notebook, submitted)
        book.db.commit()
        self._penalise(learner, submission, submitted)

    def _penalise(self, learner, submission, submitted):
        """Set what lateness costs, by the plugin that the folder configures."""
        from nbgrader.preprocessors import AssignLatePenalties

        submitted.late_submission_penalty = None
        if submission.total_seconds_late <= 0:
            return
        if self._late is None:
            self._late = AssignLatePenalties(config=self.folder.config)
            self._late.init_plugin()
        penalty = self._late.plugin_inst.late_submission_penalty(
            learner, submitted.score, submission.total_seconds_late
        )
        if penalty is not None:
            submitted.late_submission_penalty = self._late._check_late_penalty(submitted, penalty)

    def _place(self, learner, assignment):
        return self.folder.path / "autograded" / learner / assignment

    def _new_folder(self, learner, assignment, notebook):
        """Write what `autograded/` shall hold into a folder beside its place, and return that."""
        place, prefix = self._place(learner, assignment), f".{assignment}-"
        with needed(self.folder.path / "autograded"):
            place.parent.mkdir(parents=True, exist_ok=True)
            for old in place.parent.glob(f"{prefix}*"):  # a run was killed here
                shutil.rmtree(old, ignore_errors=True)
            new = Path(tempfile.mkdtemp(dir=place.parent, prefix=prefix))
            try:
                _copy_files(self.folder.submission(learner, assignment).parent, new)
                stem = self.folder.assignments()[assignment]
                (new / f"{stem}.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
                new.chmod(0o755)
            except BaseException:
                shutil.rmtree(new, ignore_errors=True)
                raise
        return new


def _replace(place, new):
    """Put a folder in the place of another one."""
    if place.is_symlink() or place.is_file():
        place.unlink()
    elif place.exists():
        shutil.rmtree(place)
    new.rename(place)


def _copy_files(source, target):
    """Copy a submission's other plain files, as nbgrader does; a link is no plain file."""
    for parent, folders, files in os.walk(source):
        folders[:] = [f for f in folders if not f.startswith(".") and not f.endswith(".ipynb")]
        for name in files:
            path = Path(parent, name)
            if name.endswith((".ipynb", ".pyc")) or "__pycache__" in path.parts:
                continue
            try:
                data = read_bytes(path)
            except Unreadable:
                continue
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(data)
