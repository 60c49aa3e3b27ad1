"""`course feedback`: nbgrader's feedback pages for what is graded."""

from dataclasses import dataclass
from pathlib import Path

from autograder.build.release import nbgrader_errors
from autograder.errors import CourseError
from autograder.grading.folder import CourseFolder


@dataclass
class Page:
    """One feedback page."""

    learner: str
    assignment: str
    path: Path


def feedback(folder, assignments=None, learners=None):
    """Write `feedback/<learner>/<assignment>/<lab>.html` for each graded submission.

    Args:
        folder: the course folder.
        assignments: names; all released ones by default.
        learners: ids; everybody by default.

    Returns:
        List of `Page`.

    Raises:
        CourseError: nothing is graded yet, or a name is unknown.
    """
    folder = CourseFolder(folder)
    with folder.gradebook():  # where it is locked or out of reach, this says so
        pass
    pages = []
    for assignment, stem in folder.chosen(assignments).items():
        graded = sorted((folder.path / "autograded").glob(f"*/{assignment}/{stem}.ipynb"))
        for path in graded:
            learner = path.parents[1].name
            if learners and learner not in learners:
                continue
            _generate(folder, assignment, learner)
            page = folder.path / "feedback" / learner / assignment / f"{stem}.html"
            pages.append(Page(learner, assignment, page))
    if not pages:
        raise CourseError(f"Nothing is graded in {folder.path}; run `course grade` first.")
    return pages


def _generate(folder, assignment, learner):
    from nbgrader.converters import GenerateFeedback
    from nbgrader.coursedir import CourseDirectory

    config = folder.config.copy()
    config.CourseDirectory.assignment_id = assignment
    config.CourseDirectory.student_id = learner
    directory = CourseDirectory(config=config)
    converter = GenerateFeedback(coursedir=directory, config=config)
    converter.force = True
    with nbgrader_errors(converter, f"the feedback of {learner} for {assignment} failed"):
        converter.start()
