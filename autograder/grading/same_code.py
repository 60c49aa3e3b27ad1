"""Which answers are the same code, and the code that an override accepts."""

import ast
import re
import warnings

from autograder.errors import CourseError
from autograder.grading.folder import is_learner_id
from course.files import write_atomic

ACCEPTED = "accepted"
BROKEN = (SyntaxError, ValueError, RecursionError, MemoryError)
MAGIC = re.compile(r"^\s*[%!].*$", re.MULTILINE)


def canonical(source):
    """Return code without comments, docstrings and formatting; None where it is not Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the learner's code may have odd backslashes
            tree = ast.parse(MAGIC.sub("", source))
        for node in ast.walk(tree):
            named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            if named and ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:] or [ast.Pass()]
        return ast.dump(tree)
    except BROKEN:
        return None


def answer_of(notebook, exercise):
    """Return the text of a notebook's answer cell, or None."""
    for cell in notebook.cells:
        grading, course = cell.metadata.get("nbgrader", {}), cell.metadata.get("course", {})
        if course.get("role") == "exercise" and grading.get("grade_id") == exercise.name:
            return cell.source
    return None


def accepted_code(entry, exercise, folder, keep):
    """Return the canonical code that an entry accepts.

    A learner's answer is kept in `accepted/` when it is first met, so that a later hand-in of
    theirs is not accepted unseen.

    Args:
        entry: the `Override`.
        exercise: its `Exercise`.
        folder: the `CourseFolder`.
        keep: whether to write the file.

    Raises:
        CourseError: it is no answer to this exercise.
    """
    text = entry.accept
    if not isinstance(text, str) or not text.strip():
        raise CourseError("`accept` takes code, or the id of a learner.")
    if is_learner_id(text):
        name, text = f"{text}'s answer", _learners_answer(text, exercise, folder, keep)
    else:
        name = "the accepted code"
    found = canonical(text)
    if found is None:
        raise CourseError(f"{name} is no Python; correct it, or give the points by hand.")
    if exercise.name not in re.findall(r"\w+", text):
        raise CourseError(f"{name} does not define `{exercise.name}`.")
    if found in _given(exercise, folder):
        raise CourseError(f"{name} is what learners were given, so everybody would have it.")
    return found


def _learners_answer(learner, exercise, folder, keep):
    from autograder.grading.submission import prepare

    kept = folder.path / ACCEPTED / f"{exercise.id}.{learner}.py"
    if kept.is_file():
        return kept.read_text(encoding="utf-8")
    for assignment in folder.assignments():
        path = folder.submission(learner, assignment)
        if answer_of(folder.released(assignment), exercise) is None or not path.is_file():
            continue
        text = answer_of(prepare(folder, path, assignment).notebook, exercise)
        if keep and canonical(text) not in _given(exercise, folder):
            write_atomic(kept, text)
        return text
    raise CourseError(f"There is no hand-in of {learner} with {exercise.id}.")


def _given(exercise, folder):
    """Return the canonical code of the empty answer, as released here."""
    stubs = [answer_of(folder.released(name), exercise) for name in folder.assignments()]
    return {canonical(stub) for stub in stubs if stub is not None}
