"""Carry out `overrides.yaml` on a graded notebook: no kernel is needed, and nothing is run.

A stored result keeps the verdicts and the quiz answers as the checks saw them. `amend` applies
what an instructor decided to a copy of it, so that every way of grading and `course regrade` come
to the same scores, and a decision that is taken back leaves no trace.
"""

from dataclasses import dataclass, field

from autograder.exercise import find
from autograder.grading.notebook import write_item, write_notes, write_verdict
from autograder.grading.overrides import exercises
from autograder.grading.rebuild import Note
from autograder.grading.same_code import answer_of, canonical
from autograder.referee import settle
from autograder.verdict import Verdict


@dataclass
class Amended:
    """What was applied: grade id to the entries that had a say, and a name for all of them."""

    applied: dict = field(default_factory=dict)
    result: str = ""


def worth(notebook, overrides):
    """Return what each graded cell of a release is worth now: grade id to points."""
    found, names = {}, exercises(notebook)
    for cell in notebook.cells:
        grading = cell.metadata.get("nbgrader", {})
        if grading.get("grade"):
            points = overrides.points(names.get(grading["grade_id"]))
            found[grading["grade_id"]] = float(grading["points"] if points is None else points)
    return found


def amend(graded, overrides, learner):
    """Apply overrides to a graded notebook, and write down in it which result it is.

    Args:
        graded: the `Graded` of `grade_prepared`; it is changed.
        overrides: the `Overrides`.
        learner: the learner's id.

    Returns:
        `Amended`.
    """
    notebook, done = graded.notebook, Amended()
    course, names = notebook.metadata["course"], exercises(notebook)
    for cell in notebook.cells:
        exercise = names.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
        entries = overrides.of(exercise, learner) if exercise else []
        if entries:
            applied = _amend(graded, cell, exercise, entries, learner)
            done.applied[cell.metadata["nbgrader"]["grade_id"]] = applied
        for name in ("verdict", "answer"):
            cell.metadata.get("course", {}).pop(name, None)
    digest = overrides.digest(notebook, learner)
    if digest:
        write_notes(graded)
    done.result = "-".join(filter(None, [course.get("result"), digest]))
    if "result" in course:
        course["result"] = done.result
    return done


def _amend(graded, cell, exercise, entries, learner):
    """Apply the entries for one cell; return those that had a say."""
    course, worth = cell.metadata["course"], [e.points for e in entries if e.points is not None]
    if worth:
        cell.metadata["nbgrader"]["points"] = worth[-1]
    if course.get("ungraded") or "unreadable" in graded.notebook.metadata["course"]:
        return [entry for entry in entries if entry.kind == "points"]
    if course["role"] == "check":
        applied = _amend_check(graded, cell, find(exercise), entries)
        name = exercise.rpartition(".")[2]
    else:
        applied = _amend_item(cell, exercise, entries, learner, worth)
        name = course["item"]
    graded.notes += [Note(name, text) for text in _comments(applied, exercise)]
    return applied


def _comments(applied, exercise):
    """Return what an instructor reads beside the cell."""
    for entry in applied:
        if entry.kind == "drop":
            case = next(each for each in find(exercise).cases if each.name == entry.drop)
            yield f'"{case.sentence}" {entry.sentence[0].lower()}{entry.sentence[1:]}'
        else:
            yield entry.sentence


def _amend_check(graded, cell, exercise, entries):
    verdict = Verdict.from_dict(cell.metadata["course"]["verdict"])
    misconception, code = verdict.misconception, canonical(answer_of(graded.notebook, exercise))
    applied = []
    for entry in sorted(entries, key=lambda each: each.kind == "points"):
        if entry.kind == "points":
            _scale(verdict, entry)
        elif verdict.state == "lent" or (entry.kind == "accept" and entry.answer != code):
            continue
        elif entry.kind == "drop":
            _drop(verdict, entry, exercise)
        else:
            _accept(verdict, entry)
        applied.append(entry)
    if verdict.passed:
        verdict.misconception = ""
    if misconception and not verdict.misconception:
        graded.notes = [n for n in graded.notes if n != Note(exercise.name, misconception)]
    write_verdict(cell, verdict, exercise)
    return applied


def _drop(verdict, entry, exercise):
    """Let a case count as passed, and what depends on it follow."""
    for case in verdict.cases:
        if case.name == entry.drop:
            case.points, case.problem = case.max_points, ""
            settle(verdict, exercise)
            case.points, case.note = case.max_points, entry.sentence
            if verdict.state != "answered":  # then no table shows the note
                verdict.remarks.append(f"{case.sentence} {entry.sentence}")


def _accept(verdict, entry):
    """Let an answer earn everything."""
    for case in verdict.cases:
        case.points, case.problem = case.max_points, ""
    verdict.state, verdict.message, verdict.misconception = "answered", "", ""
    verdict.remarks.append(entry.sentence)


def _scale(verdict, entry):
    """Let an exercise be worth other points; the cases keep their shares."""
    factor = entry.points / verdict.max_points if verdict.max_points else 0
    for case in verdict.cases:
        case.points, case.max_points = case.points * factor, case.max_points * factor
    verdict.max_points = entry.points
    verdict.remarks.append(entry.sentence)


def _amend_item(cell, exercise, entries, learner, worth):
    """Grade a quiz item anew, with the answers that count too."""
    import html

    from autograder.quiz.bank import find as find_bank
    from autograder.quiz.grade import grade_item, same_answer

    module, _, name = exercise.split(".")
    item, accepts = find_bank(module).item(name), [e for e in entries if e.kind == "accept"]
    result = grade_item(
        item, *cell.metadata["course"]["answer"], learner, [e.answer for e in accepts], *worth[-1:]
    )
    applied = [e for e in accepts if same_answer(item, result.answer, e.answer)]
    applied += [e for e in entries if e.kind == "points"]
    result.text += "".join(f"\n{entry.sentence}" for entry in applied)
    result.html += "".join(f"<p>{html.escape(entry.sentence)}</p>" for entry in applied)
    write_item(cell, result)
    return applied
