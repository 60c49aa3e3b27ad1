"""Rebuild a submission from its release: the learner's answers in the skeleton they were given.

Every cell of the release comes back in its place, locked cells with the release's text, answer
cells with the learner's. Cells that the learner added stay where they put them. So deleted,
duplicated, retyped, reordered and edited cells cannot matter; each repair is a note.
"""

import copy
import json
from dataclasses import dataclass, field

from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from autograder.grading import conflicts
from autograder.grading.intake import MARKS
from autograder.grading.match import is_answer, match
from autograder.grading.outputs import label
from autograder.grading.python import can_be_read
from autograder.grading.rescue import parsed
from autograder.grading.text import Unreadable
from autograder.progress import MIME as HINTS
from autograder.quiz.answers import MIME as ANSWER
from autograder.quiz.answers import records

KEEPS_EDITS = ("setup", "code")
LONGEST_CONFLICT = 20_000  # characters of a cell of which a side is taken


@dataclass
class Note:
    """One repair: the cell that it concerns ("" for the whole notebook) and a sentence."""

    cell: str
    sentence: str

    def __str__(self):
        return f"cell {self.cell}: {self.sentence}" if self.cell else self.sentence


@dataclass
class Rebuilt:
    """A rebuilt notebook and the notes on its repairs."""

    notebook: object
    notes: list[Note] = field(default_factory=list)


def rebuild(submission, release):
    """Put a submission's answers into the notebook that was released.

    Args:
        submission: a `Submission`, or None for one that could not be read.
        release: the released notebook.

    Returns:
        `Rebuilt`; the release itself is not changed.
    """
    release = copy.deepcopy(release)
    if submission is None:
        return Rebuilt(release)
    rebuilder = _Rebuilder(submission, release)
    return rebuilder.run()


class _Rebuilder:
    """Matches the cells of one submission to those of its release."""

    def __init__(self, submission, release):
        self.submission, self.release = submission, release
        self.notes = []
        self.graded = ["nbgrader" in cell.metadata or is_answer(cell) for cell in release.cells]
        self.matched = match(submission, release)
        self.places = self.matched.places

    def run(self):
        self._note_file()
        extras = self._extras()
        cells = []
        for place, cell in enumerate(self.release.cells):
            if place == 0:
                cells += extras.pop(-1, [])
            before, after = self._settle(place, cell)
            cells += [*before, cell, *after, *extras.pop(place, [])]
        self._note_order()
        expected = self.release.metadata.get("kernelspec", {}).get("name", "python3")
        if self.submission.kernel not in ("", expected):
            self._note("", f"It asked for another kernel; it was run with {expected}.")
        for number, extra in enumerate((c for c in cells if "course" not in c.metadata), 1):
            extra.id, extra.metadata["course"] = f"added-{number:02d}", {"role": "added"}
        self.release.cells = cells
        return Rebuilt(self.release, self.notes)

    def _note(self, cell, sentence):
        self.notes.append(Note(cell, sentence))

    def _note_file(self):
        """Note what concerns the notebook as a whole: its file, which lab it is, its ids."""
        for flaw in self.submission.flaws:
            self._note("", flaw)
        named = (self.submission.module, self.submission.lab)
        course = self.release.metadata.get("course", {})
        if all(named) and named != (course.get("module"), course.get("lab")):
            other = " ".join(map(label, named))
            self._note("", f"It names {other}; its cells were read as those of this lab.")
        if any(not self.submission.cells[index].cell_id for index in self.places):
            self._note("", "Cells had lost their ids; they were known by what else marks them.")

    def _note_marks(self, cell, name, found):
        """Note where the marks of a cell are not those that it was handed out with."""
        own = {key: value for key, value in _grading(cell).items() if key in MARKS}
        release = self.release.metadata.get("course", {}).get("release")
        same = self.submission.release in ("", release)
        if own and same and any(submitted.marks != own for submitted in found):
            self._note(name, "Its points, lock or grade id were changed; it has its own again.")

    def _settle(self, place, cell):
        """Fill one released cell; return what the learner wrote besides, before and after it."""
        found = [self.submission.cells[index] for index in self.matched.of(place)]
        name = _grading(cell).get("grade_id", cell.get("id", ""))
        if is_answer(cell):
            pasted = bool(self.matched.pasted.intersection(self.matched.of(place)))
            return self._settle_answer(cell, name, found, pasted), []
        edited = [s for s in found if s.source.strip() != cell.source.strip()]
        if not _is_locked(cell) and cell.metadata.get("course", {}).get("role") != "code":
            return [], []
        role = cell.metadata.get("course", {}).get("role")
        if role == "check" and (reached := _hints_reached(found)):
            cell.metadata["course"]["hints"] = reached
        if _is_locked(cell) and not found:
            self._note(name, "This cell was deleted; it is back.")
        elif _is_locked(cell) and len(found) > 1:
            self._note(name, f"This cell stood {len(found)} times; it counts once.")
        if edited and _is_locked(cell):
            self._note(name, "This locked cell was changed; it has its own text again.")
        elif _is_locked(cell):
            self._note_marks(cell, name, found)
        kept = edited if role in KEEPS_EDITS else []
        return [], [new_code_cell(s.source) for s in kept if s.kind == "code"]

    def _settle_answer(self, cell, name, found, pasted=False):
        """Fill an answer cell; return the learner's other versions of it, to run before it."""
        stub = cell.source.strip()
        quiz = cell.metadata.get("course", {}).get("role") == "answer"
        if not found:
            self._note(name, "This answer cell was missing; an empty one stands in its place.")
            return []
        answered = [
            s for s in found if s.source.strip() not in ("", stub) or (quiz and _answer_outputs(s))
        ]
        chosen = (answered or found)[-1]
        if pasted:
            self._note(name, "Its answer stood in a cell of its own; it is in its place.")
        else:
            self._note_answer(cell, name, found, chosen)
        source = _decided(chosen.source, stub)
        if source != chosen.source:
            self._note(name, "Git's conflict marks stood in it; the only answer in it counts.")
        cell.source = source
        cell.outputs = _answer_outputs(chosen)
        if cell.outputs and not records(chosen.outputs):
            self._note(name, "Its saved answer had been turned into text; it is a record again.")
        return [new_code_cell(s.source) for s in answered[:-1] if s.kind == "code"]

    def _note_answer(self, cell, name, found, chosen):
        if len(found) > 1:
            self._note(
                name, f"This cell stood {len(found)} times; the last one with an answer counts."
            )
        if chosen.kind != "code":
            self._note(name, "This cell was turned into text; it is code again.")
        if name not in (chosen.grade_id, chosen.cell_id):
            self._note(name, "This cell had lost its mark; it was known by what it defines.")
        else:
            self._note_marks(cell, name, [chosen])

    def _extras(self):
        """Return the learner's own cells by the released cell that they follow."""
        extras, place = {}, -1
        for index, submitted in enumerate(self.submission.cells):
            if index in self.places:
                place = self.places[index]
            elif submitted.source.strip():
                if submitted.kind == "code":
                    extra = new_code_cell(submitted.source, outputs=_answer_outputs(submitted))
                else:
                    extra = new_markdown_cell(submitted.source)
                extras.setdefault(place, []).append(extra)
        return extras

    def _note_order(self):
        known = [(i, p) for i, p in self.places.items() if i not in self.matched.pasted]
        first = list(dict.fromkeys(place for _, place in known if self.graded[place]))
        if first != sorted(first):
            self._note("", "Cells were out of order; they are in the lab's order again.")


def _grading(cell):
    return cell.metadata.get("nbgrader", {})


def _is_locked(cell):
    return bool(_grading(cell)) and not _grading(cell).get("solution")


def _decided(source, stub):
    """Return the side of git's conflict marks that is an answer, where only one is."""
    both = conflicts.sides(source) if len(source) <= LONGEST_CONFLICT else None
    if both is None:
        return source
    own = {side for side in both if side.strip() not in ("", stub) and can_be_read(side)}
    return own.pop() if len(own) == 1 else source


def _answer_outputs(submitted):
    """Return the quiz answers recorded in a cell's outputs; all other output is dropped."""
    kept = []
    for output in submitted.outputs:
        data = output.get("data")
        answer = _record(data.get(ANSWER)) if isinstance(data, dict) else None
        if isinstance(answer, dict) and len(json.dumps(answer)) < 10_000:
            kept.append(new_output("display_data", data={ANSWER: answer}))
    return kept


def _record(answer):
    """Return a quiz answer's record, also where a tool turned it into text."""
    try:
        return parsed(answer) if isinstance(answer, str) else answer
    except (json.JSONDecodeError, Unreadable):
        return None


def _hints_reached(found):
    """Return how many hints the learner had seen when the check last ran."""
    for submitted in reversed(found):
        for output in submitted.outputs:
            data = output.get("data")
            record = data.get(HINTS) if isinstance(data, dict) else None
            reached = record.get("reached") if isinstance(record, dict) else None
            if type(reached) is int and 0 < reached < 100:
                return reached
    return 0
