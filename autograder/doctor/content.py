"""What is in a notebook's file: text that cannot be read, cells that are not as handed out."""

import json
import os

import nbformat
from nbformat.v4.nbbase import validate

from autograder.doctor.answers import add_saved, not_python, unsaved
from autograder.doctor.care import known
from autograder.grading.intake import Undecided, Unreadable, parse, read_bytes, understood
from autograder.grading.match import is_answer
from autograder.grading.rebuild import rebuild
from autograder.grading.rescue import open_notebook
from autograder.quiz.answers import MIME as ANSWER
from autograder.quiz.answers import records
from course.files import write_atomic

MISSING = "This answer cell was missing"


def examine_content(case):
    """Return the findings on the content of a notebook's file."""
    try:
        submission = parse(read_bytes(case.path))
    except Undecided as error:
        return [case.finding(f"It cannot be handed in: {error}. Mend it, then run this again.")]
    except Unreadable as error:
        return [_unreadable(case, error)]
    if (stale := _stale(case)) is not None:
        return [stale]
    rebuilt = rebuild(submission, _released(case))
    notes = [(note.cell, note.sentence.partition(";")[0] + ".") for note in rebuilt.notes]
    if not (submission.module and submission.lab):
        notes.insert(0, ("", "The notebook does not say which lab it is."))
    release = rebuilt.notebook.metadata["course"].get("release")
    if submission.release not in ("", release):
        notes.insert(0, ("", "It was made from another release."))
    notes += [
        (cell, "Its answer is in quiz_answers.json only.")
        for cell in unsaved(case.path.parent, rebuilt.notebook)
    ]

    def repair():
        return _repair(case)

    found = [case.finding(sentence, repair, cell) for cell, sentence in notes]
    return found + [case.finding(s, cell=cell) for cell, s in not_python(rebuilt.notebook)]


def _released(case):
    return nbformat.read(case.care.release(case.lab), as_version=4)


def _unreadable(case, error):
    def restore():
        kept = case.care.set_aside(case.path)
        what = case.care.restore(case.path, case.lab)
        return f"{case.name}: {what} is back; the broken file is kept as {kept}."

    return case.finding(f"It cannot be read: {error}.", restore)


def _stale(case):
    """Find work that only the last checkpoint holds: an older file took the notebook's place."""
    checkpoint = case.care.checkpoint(case.path, case.lab)
    if checkpoint is None or os.stat(checkpoint).st_mtime <= os.stat(case.path).st_mtime:
        return None
    theirs, own = known(checkpoint).work, known(case.path).work
    if theirs in (own, case.release.work):
        return None
    sentence = "JupyterLab's last checkpoint is newer and holds other work"
    if own != case.release.work:
        todo = "open the notebook and choose File, Revert Notebook to Checkpoint, or save it anew"
        return case.finding(f"{sentence}: {todo}.")

    def restore():
        case.care.backup(case.path)
        return f"{case.name}: {case.care.restore(case.path, case.lab)} is back."

    return case.finding(f"{sentence}.", restore)


def _repair(case):
    """Write the rebuilt notebook, with the learner's outputs and notes, after a copy was kept."""
    submission = parse(read_bytes(case.path))
    rebuilt = rebuild(submission, _released(case))
    notebook = rebuilt.notebook
    _keep_outputs(notebook, submission)
    lost = {note.cell for note in rebuilt.notes if note.sentence.startswith(MISSING)}
    found = _from_checkpoint(case, notebook, lost)
    add_saved(case.path.parent, notebook)
    kept = case.care.backup(case.path)
    write_atomic(case.path, nbformat.writes(notebook) + "\n")
    more = f"; from the last checkpoint came {', '.join(found)}" if found else ""
    return f"{case.name}: the cells are in order again{more}; as it was, it is {kept}."


def _from_checkpoint(case, notebook, lost):
    """Fill answers that are missing from the last checkpoint; return which."""
    checkpoint = case.care.checkpoint(case.path, case.lab) if lost else None
    if checkpoint is None:
        return []
    earlier = rebuild(parse(read_bytes(checkpoint)), _released(case)).notebook
    answers = {_name(cell): cell for cell in earlier.cells if is_answer(cell)}
    found = []
    for cell in notebook.cells:
        before = answers.get(_name(cell)) if is_answer(cell) and _name(cell) in lost else None
        if before is not None and (before.source, before.outputs) != (cell.source, cell.outputs):
            cell.source, cell.outputs = before.source, before.outputs
            found.append(_name(cell))
    return found


def _name(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id", cell.get("id", ""))


def _keep_outputs(notebook, submission):
    """Give the rebuilt cells back their outputs, and the learner's edits of text and demos."""
    before = {submitted.grade_id or submitted.cell_id: submitted for submitted in submission.cells}
    for cell in notebook.cells:
        own = before.get(_name(cell))
        if own is None or own.kind != ("code" if cell.cell_type == "code" else "markdown"):
            continue
        role = cell.metadata.get("course", {}).get("role")
        if "nbgrader" not in cell.metadata and role in ("demo", "text"):
            cell.source = own.source
        same = cell.cell_type == "code" and cell.source == own.source
        if same and (role != "answer" or records(own.outputs)):
            cell.outputs = [o for o in map(nbformat.from_dict, own.outputs) if _is_sound(o)]


def _is_sound(output):
    try:
        validate(output, ref="output")
    except nbformat.ValidationError:
        return False
    return True


def cleared(data):
    """Return the text of a notebook without its outputs; answers to quizzes stay.

    Raises:
        CourseError: it is no notebook.
    """
    content, _ = open_notebook(data)
    understood(content)
    for cell in content["cells"]:
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        if isinstance(outputs, list):
            cell["outputs"] = [output for output in outputs if _is_answer_output(output)]
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def _is_answer_output(output):
    data = output.get("data") if isinstance(output, dict) else None
    return isinstance(data, dict) and ANSWER in data
