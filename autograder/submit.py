"""`course submit`: the learner's notebooks in one archive, for upload to a learning platform."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from autograder.doctor import check_up
from autograder.errors import CourseError
from autograder.grading.folder import is_learner_id
from autograder.quiz.variants import learner_id
from course.files import write_atomic
from course.notebooks import released_labs
from course.workspace import existing_workspace, has_work, labs_root


@dataclass
class Packed:
    """The archive, the labs in it, and those left out because nothing was written in them."""

    path: Path
    labs: list[str]
    untouched: list[str]


def submit(module=None, workspace=None, labs=None, learner=None):
    """Write `<learner>.zip` in the workspace, after the doctor found nothing.

    Args:
        module: slug of the only module to hand in.
        workspace: the learner's workspace.
        labs: the folder of released labs.
        learner: the learner's id.

    Raises:
        CourseError: a notebook has something to mend, or there is nothing to hand in.
    """
    workspace, labs = Path(workspace or existing_workspace()), Path(labs or labs_root())
    learner = learner or learner_id()
    if not is_learner_id(learner):
        raise CourseError(f"{learner!r} cannot name a file: set your id by `course lab --learner`.")
    check_up(workspace, labs)
    names = [lab for lab in released_labs(labs) if module in (None, lab.split("/")[0])]
    changed = [lab for lab in names if has_work(workspace, labs, lab)]
    if not changed:
        raise CourseError(f"There is nothing to hand in: no notebook in {workspace} was changed.")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for lab in changed:
            file.write(workspace / f"{lab}.ipynb", f"{lab}.ipynb")
    path = workspace / f"{learner}.zip"
    write_atomic(path, archive.getvalue())
    return Packed(path, changed, [lab for lab in names if lab not in changed])
