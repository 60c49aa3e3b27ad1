"""What lies in `submitted/`: whose hand-ins there are, whatever their folders hold."""

import os
from pathlib import Path

from autograder.grading.folder import is_learner_id
from autograder.grading.intake import notebooks_in


def submissions(folder, assignment, learners, problems):
    """Return the learners and assignments to grade; folders of no learner are problems.

    Args:
        folder: the `CourseFolder`.
        assignment: the assignment's name.
        learners: the ids to take; everybody when it is empty.
        problems: list of sentences, to which what cannot be graded is added.
    """
    found = []
    for learner in _listed(folder.path / "submitted"):
        if learners and learner not in learners:
            continue
        place = folder.path / "submitted" / learner / assignment
        problem = _problem(place, learner)
        if problem:
            problems.append(f"{place.relative_to(folder.path).as_posix()}: {problem}")
        elif problem is None:
            found.append((learner, assignment))
    return found


def _listed(path):
    try:
        return sorted(os.listdir(path))
    except FileNotFoundError:
        return []


def _problem(place, learner):
    """Return why a place cannot be graded; "" where nothing was handed in, None where it can.

    A folder that cannot be opened can: it earns 0, and the learner reads why.
    """
    try:
        os.lstat(place)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        return f"it cannot be opened ({error.strerror})."
    if place.is_symlink() or place.parent.is_symlink() or not is_learner_id(learner):
        return "this is no learner's folder; left alone."
    try:
        return None if notebooks_in(place) else "there is no notebook in it."
    except NotADirectoryError:
        return "there is no notebook in it."
    except OSError:
        return None


def settle_all(folder, tasks, problems):
    """Put submissions in order; what then is no notebook of its assignment leaves the tasks.

    Args:
        folder: the `CourseFolder`.
        tasks: list of learner and assignment, changed in place.
        problems: list of sentences.
    """
    from autograder.grading.preprocessors import settle

    for learner, assignment in list(tasks):
        expected = folder.submission(learner, assignment)
        try:
            settle(assignment, learner, [str(path) for path in notebooks_in(expected.parent)])
            os.lstat(expected)
        except FileNotFoundError:
            shown = Path(expected.parent).relative_to(folder.path).as_posix()
            problems.append(f"{shown}: none of its notebooks is {assignment}.")
            tasks.remove((learner, assignment))
        except OSError:
            continue  # it earns 0, and intake says why
