"""Grade one rebuilt notebook: run it, judge each check from outside, write score and feedback.

`course grade`, nbgrader's autograde and formgrader all come here, so their scores are the same.
"""

import copy
import html
import json
import math
from dataclasses import dataclass, field

from nbformat.v4 import new_markdown_cell, new_output

from autograder import show
from autograder.errors import CourseError
from autograder.exercise import find
from autograder.grading.execute import Limits, Sandbox
from autograder.grading.headroom import bounded
from autograder.grading.outputs import literal, safe_markdown, safe_outputs
from autograder.grading.rebuild import Note
from autograder.grading.review import hides, review
from autograder.referee import judge, unanswered
from autograder.wire.client import LearnerError

NOT_RUN = ("demo", "check", "graded", "answer")


@dataclass
class Graded:
    """A graded notebook, the notes on it, and the checks that could not be carried out."""

    notebook: object
    notes: list[Note] = field(default_factory=list)
    failures: list[Note] = field(default_factory=list)


def grade_notebook(
    notebook, learner, seed, limits=None, notes=(), unreadable="", tier="open", secret_folders=(),
    skeleton="",
):  # fmt: skip
    """Grade a rebuilt notebook.

    Args:
        notebook: what `rebuild` returned.
        learner: the learner's id.
        seed: function from an exercise's id to the secret seed of its cases.
        limits: the `Limits`.
        notes: repairs to report.
        unreadable: why the submission could not be read; then nothing is run.
        tier: how the kernel is confined: see `autograder.confine.tiers`.
        secret_folders: paths that the kernel must not see.
        skeleton: the code that the learner was given.

    Returns:
        `Graded`: each graded cell holds one number as its result and the feedback above it.
    """
    graded = Graded(copy.deepcopy(notebook), list(notes))
    cells = graded.notebook.cells
    answers = copy.deepcopy(cells)  # quiz answers lie in outputs, which are about to go
    for cell in cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        elif cell.metadata.get("course", {}).get("role") == "added":
            cell.source = safe_markdown(cell.source)
    if unreadable:
        graded.notebook.metadata["course"]["unreadable"] = unreadable
        for cell in filter(_points, cells):
            _write(cell, 0.0, unreadable, f"<p>{html.escape(unreadable)}</p>")
    else:
        _grade_quiz(graded, answers, learner)
        _grade_lab(graded, seed, lambda: Sandbox(limits or Limits(), tier, secret_folders))
        _review(graded, skeleton)
    write_notes(graded)
    graded.notebook.metadata["course"]["tier"] = tier
    graded.notebook.metadata["course"]["failures"] = [[n.cell, n.sentence] for n in graded.failures]
    return graded


def _points(cell):
    nbgrader = cell.metadata.get("nbgrader", {})
    return nbgrader.get("points", 0) if nbgrader.get("grade") else 0


def _role(cell):
    return cell.metadata.get("course", {}).get("role", "")


def _grade_quiz(graded, answers, learner):
    """Grade the items of a quiz from the recorded answers; nothing is run."""
    cells = [cell for cell in graded.notebook.cells if _role(cell) == "graded"]
    if not cells:
        return
    from autograder.quiz.bank import find as find_bank
    from autograder.quiz.grade import answer_cell, grade_item

    bank = find_bank(graded.notebook.metadata["course"]["module"])
    for cell in cells:
        name = cell.metadata["course"]["item"]
        answer = answer_cell(answers, name)
        cell.metadata["course"]["answer"] = list(answer)
        try:
            result = grade_item(bank.item(name), *answer, learner)
        except CourseError as error:
            _fail(graded, cell, str(error))
            continue
        write_item(cell, result)
        for flag in (*result.flags, *filter(None, [result.problem])):
            graded.notes.append(Note(name, flag))


def write_item(cell, result):
    """Write what an `ItemGrade` earns in this cell, and its feedback."""
    points = result.points * _points(cell) / result.max_points if result.max_points else 0
    _write(cell, points, result.text, result.html)


def _grade_lab(graded, seed, make_sandbox):
    """Run the cells in order; judge each exercise when its check cell is reached."""
    cells = graded.notebook.cells
    if not any(_role(cell) == "check" for cell in cells):
        return
    with make_sandbox() as sandbox:
        for cell in cells:
            if _role(cell) == "check":
                _judge(graded, cell, sandbox, seed)
            elif cell.cell_type == "code" and _role(cell) not in NOT_RUN and cell.source.strip():
                ran = sandbox.run(cell.source)
                cell.outputs = safe_outputs(ran.outputs)
                if ran.problem:
                    _stopped(graded, cell, ran.problem)


def _stopped(graded, cell, problem):
    graded.notes.append(Note(_name(cell), problem))
    cell.outputs.append(new_output("error", ename="Stopped", evalue=problem, traceback=[problem]))


def _name(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id") or cell.get("id", "")


def _judge(graded, cell, sandbox, seed):
    """Judge one exercise over the wire and write what it earned."""
    try:
        exercise = find(cell.metadata["course"]["exercise"])
        with sandbox.probe() as transport:
            verdict = judge(exercise, transport, seed(exercise.id))
    except LearnerError as error:
        _keep(cell, unanswered(exercise, "error", error.sentence))
        _write(cell, 0.0, error.sentence, f"<p>{html.escape(error.sentence)}</p>")
        graded.notes.append(Note(_name(cell), error.sentence))
        return
    except Exception as error:
        text = str(error) if isinstance(error, CourseError) else f"{type(error).__name__}: {error}"
        _fail(graded, cell, f"The check itself failed: {text}")
        return
    _keep(cell, verdict)
    write_verdict(cell, verdict, exercise)
    if verdict.misconception:
        graded.notes.append(Note(exercise.name, verdict.misconception))
    for case in verdict.cases:
        if case.got in ("TimeLimit", "KernelDied"):
            graded.notes.append(Note(_name(cell), case.problem))
            break


def _keep(cell, verdict):
    """Keep a verdict in the stored result, so that it can be overridden without a kernel."""
    plain = json.dumps(verdict.as_dict(), default=float)  # NumPy's numbers are not JSON
    cell.metadata["course"]["verdict"] = json.loads(plain)


def write_verdict(cell, verdict, exercise):
    """Write what a verdict earns in this cell, its feedback, and the hints already reached."""
    points = verdict.points * _points(cell) / verdict.max_points if verdict.max_points else 0
    reached = cell.metadata["course"].get("hints", 0)
    hints = {"hints": exercise.hints[:reached], "of": len(exercise.hints)}
    hints = {} if verdict.passed else hints
    _write(cell, points, show.plain(verdict, **hints), show.html(verdict, **hints))


def _review(graded, skeleton):
    """Note what a person should look at among the answers that earned points; none loses any."""
    cells = [c for c in graded.notebook.cells if c.cell_type == "code"]
    own = [c.source for c in cells if _role(c) not in NOT_RUN]
    answers = {_name(c): c.source for c in cells if _role(c) == "exercise"}
    earned = False
    for cell in cells:
        if _role(cell) == "check" and _earned(cell):
            earned = True
            exercise = find(cell.metadata["course"]["exercise"])
            answer = answers.get(exercise.name, "")
            for reason in _reasons(lambda e=exercise, a=answer: review(e, a, own, skeleton)):
                graded.notes.append(Note(exercise.name, f"Please review: {reason}"))
    if earned:
        for reason in _reasons(lambda: [hides(own)]):
            graded.notes.append(Note("", f"Please review: {reason}"))


def _reasons(look):
    """Return what a look at a learner's text finds; whatever it is, it stops no grading."""
    try:
        with bounded():
            return [reason for reason in look() if reason]
    except Exception as error:  # noqa: BLE001  the text may be anything
        return [f"its code could not be read ({type(error).__name__})."]


def _earned(cell):
    scores = [o for o in cell.outputs if o.output_type == "execute_result"]
    return bool(scores) and float(scores[-1]["data"]["text/plain"]) > 0


def _write(cell, points, text, markup):
    """Write one score, between 0 and the cell's maximum, below the feedback."""
    maximum = float(_points(cell))
    points = float(points)
    points = min(maximum, max(0.0, points)) if math.isfinite(points) else 0.0
    cell.outputs = [
        new_output("display_data", data={"text/html": markup, "text/plain": text}),
        new_output("execute_result", data={"text/plain": repr(round(points, 4))}),
    ]


def _fail(graded, cell, sentence):
    """Leave a cell to a person: no automatic score."""
    graded.failures.append(Note(_name(cell), sentence))
    cell.metadata["course"]["ungraded"] = True
    cell.outputs = [
        new_output(
            "display_data",
            data={
                "text/html": f"<p>{html.escape(sentence)} A person will grade this cell.</p>",
                "text/plain": f"{sentence} A person will grade this cell.",
            },
        )
    ]


def write_notes(graded):
    """Put the notes at the top, where learner and instructor read them first; once or again."""
    course, cells = graded.notebook.metadata["course"], graded.notebook.cells
    cells[:] = [cell for cell in cells if cell.get("id") != "grading-notes"]
    course["notes"] = [[note.cell, note.sentence] for note in graded.notes]
    sentences = [course["unreadable"]] if "unreadable" in course else []
    sentences += [str(note) for note in graded.notes]
    if not sentences:
        return
    lines = ["**Notes on this submission**", ""]
    lines += [f"- {literal(sentence)}" for sentence in sentences]
    cell = new_markdown_cell("\n".join(lines))
    cell.id, cell.metadata["course"] = "grading-notes", {"role": "notes"}
    cells.insert(1, cell)
