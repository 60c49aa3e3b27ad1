"""The parts of nbgrader that a course folder replaces.

nbgrader sanitises a submission, runs it, and saves grades. Here `TolerantExporter` reads and
rebuilds the submission whatever its state, `Judge` grades it (or replays the grade that
`course grade` found), and `SaveGrades` writes scores and comments into the gradebook.
"""

import copy
import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nbconvert.exporters import NotebookExporter
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from traitlets import Bool, Float, Integer

from autograder.confine.tiers import chosen
from autograder.grading.amend import amend, worth
from autograder.grading.execute import Limits
from autograder.grading.folder import CourseFolder
from autograder.grading.intake import Unreadable, parse, read_bytes
from autograder.grading.outputs import literal
from autograder.grading.overrides import load
from autograder.grading.record import Recorder
from autograder.grading.submission import grade_prepared, prepare


class TolerantExporter(NotebookExporter):
    """Exports a submission as its rebuilt notebook, and any other notebook as it is."""

    def from_filename(self, filename, resources=None, **kwargs):
        """Read a notebook; a file in `submitted/` is rebuilt from its release."""
        folder = CourseFolder(self.config.CourseDirectory.root)
        path = Path(os.path.abspath(filename))
        if not path.is_relative_to(folder.path / "submitted"):
            return super().from_filename(filename, resources=resources, **kwargs)
        prepared = prepare(folder, path, resources["nbgrader"]["assignment"])
        return self.from_notebook_node(prepared.notebook, resources=resources, **kwargs)


class Judge(NbGraderPreprocessor):
    """Grades a submission outside the learner's kernel."""

    cell_seconds = Float(60.0, help="Seconds that one cell may run.").tag(config=True)
    call_seconds = Float(30.0, help="Seconds that one call of a check may take.").tag(config=True)
    notebook_seconds = Float(900.0, help="Seconds that a notebook may run.").tag(config=True)

    memory = Integer(4096, help="MB that the processes of a notebook may use.").tag(config=True)
    disk = Integer(256, help="MB that a notebook may write.").tag(config=True)
    trust = Bool(False, help="Grade even where nothing confines learners' code.").tag(config=True)

    def tier(self):
        """Return how kernels are confined here.

        Raises:
            CourseError: nothing confines them, and nobody said to trust the code.
        """
        return chosen(self.trust)

    def limits(self):
        """Return the limits as configured."""
        return Limits(
            self.cell_seconds, self.call_seconds, self.notebook_seconds, self.memory, self.disk
        )

    def preprocess(self, nb, resources):
        """Return the graded notebook."""
        folder = CourseFolder(self.config.CourseDirectory.root)
        names = resources["nbgrader"]
        learner, assignment = names["student"], names["assignment"]
        path = folder.submission(learner, assignment)
        # A thread of its own: formgrader calls this inside a running event loop.
        with ThreadPoolExecutor(1) as thread:
            graded = thread.submit(
                lambda: grade_prepared(
                    folder,
                    prepare(folder, path, assignment),
                    learner,
                    self.limits(),
                    tier=self.tier(),
                )
            ).result()
        overrides = load(folder)
        amend(graded, overrides, learner)
        for failure in graded.failures:
            self.log.error("%s, %s", path, failure)
        notebook = copy.deepcopy(graded.notebook)
        with Recorder(folder, names["db_url"]) as recorder:
            recorder.set_worth(assignment, worth(folder.released(assignment), overrides))
            notebook.metadata["course"]["due"] = recorder.due(assignment)
        return notebook, resources


class SaveGrades(SaveAutoGrades):
    """Saves scores; what a person must grade gets none, and notes become comments."""

    def preprocess(self, nb, resources):
        """Remember the notes, then save each cell."""
        course = nb.metadata.get("course", {})
        self.notes = {}
        for cell, sentence in course.get("notes", []):
            self.notes.setdefault(cell, []).append(sentence)
        return super().preprocess(nb, resources)

    def _add_score(self, cell, resources):
        super()._add_score(cell, resources)
        if cell.metadata.get("course", {}).get("ungraded"):
            grade = self.gradebook.find_grade(
                cell.metadata["nbgrader"]["grade_id"],
                self.notebook_id,
                self.assignment_id,
                self.student_id,
            )
            grade.auto_score, grade.needs_manual_grade = None, True
            self.gradebook.db.commit()

    def _add_comment(self, cell, resources):
        super()._add_comment(cell, resources)
        name = cell.metadata["nbgrader"]["grade_id"]
        sentences = self.notes.get(name, []) + self.notes.pop("", [])
        if sentences:
            comment = self.gradebook.find_comment(
                name, self.notebook_id, self.assignment_id, self.student_id
            )
            found = [comment.auto_comment] if comment.auto_comment else []
            comment.auto_comment = " ".join([*found, *map(literal, sentences)])
            self.gradebook.db.commit()


def settle(assignment, student, notebooks):
    """Put submissions in order before nbgrader reads them; nbgrader's pre-convert hook.

    A notebook under another name gets the assignment's name. Links and special files are moved
    to `quarantine/`, since nbgrader would follow them.

    Args:
        assignment: the assignment's name.
        student: the learner's id, or a pattern.
        notebooks: nbgrader's list of paths, changed in place.
    """
    for parent in sorted({Path(name).parent for name in notebooks}):
        if parent.parents[1].name != "submitted":
            continue
        folder = CourseFolder(parent.parents[2])
        _quarantine(folder, parent)
        expected = folder.submission(parent.parent.name, parent.name)
        found = [Path(name) for name in notebooks if Path(name).parent == parent]
        if expected.name not in [path.name for path in found]:
            renamed = _recognised(found, folder.released(parent.name).metadata["course"])
            if renamed is not None:
                notebooks.remove(str(renamed))
                renamed.rename(expected)
                notebooks.append(str(expected))


def _recognised(paths, course):
    """Return the notebook that says it is this assignment; a single notebook is taken for it."""
    for path in paths:
        try:
            submission = parse(read_bytes(path))
        except Unreadable:
            continue
        if (submission.module, submission.lab) == (course["module"], course["lab"]):
            return path
    return paths[0] if len(paths) == 1 else None


def _quarantine(folder, submission):
    """Move links and special files out of a submission; its notebook is judged by intake."""
    for parent, folders, files in os.walk(submission):
        for name in folders + files:
            path = Path(parent, name)
            try:
                mode = os.lstat(path).st_mode
            except OSError:  # in a folder that cannot be entered: nothing in it is read
                continue
            if stat.S_ISREG(mode) or stat.S_ISDIR(mode) or name.endswith(".ipynb"):
                continue
            place = folder.path / "quarantine" / path.relative_to(folder.path / "submitted")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, place)
