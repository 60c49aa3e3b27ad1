"""Rebuild a submission from its release: the learner's answers in the skeleton they were given.

Every cell of the release comes back in its place, locked cells with the release's text, answer
cells with the learner's. Cells that the learner added stay where they put them. So deleted,
duplicated, retyped, reordered and edited cells cannot matter; each repair is a note.
"""

import ast
import copy
import json
import re
from dataclasses import dataclass, field

from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from autograder.quiz.answers import MIME as ANSWER

KEEPS_EDITS = ("setup", "code")


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
        self.graded = ["nbgrader" in cell.metadata or _is_answer(cell) for cell in release.cells]
        self.places = {}  # index of a submitted cell -> index of its cell in the release

    def run(self):
        self._match()
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

    def _match(self):
        """Find for each submitted cell the released one: by grade id, id, text, definition."""
        cells, known = self.release.cells, {}
        for place, cell in enumerate(cells):
            known[("id", cell.get("id"))] = place
            known[("grade", cell.metadata.get("nbgrader", {}).get("grade_id"))] = place
        texts = {}
        for place, cell in enumerate(cells):
            texts.setdefault(cell.source.strip(), place)
        for index, submitted in enumerate(self.submission.cells):
            keys = [("grade", submitted.grade_id or 0), ("id", submitted.cell_id or 0)]
            place = next((known[key] for key in keys if key in known), None)
            if place is None and submitted.source.strip():
                place = texts.get(submitted.source.strip())
            if place is not None:
                self.places[index] = place
        self._match_by_definition()

    def _match_by_definition(self):
        """Recognise answer cells that lost their ids by what they define."""
        taken = set(self.places.values())
        for place, cell in enumerate(self.release.cells):
            if place in taken or not _is_answer(cell):
                continue
            wanted = definitions(cell.source) or quiz_items(cell.source)
            for index, submitted in enumerate(self.submission.cells):
                found = definitions(submitted.source) | quiz_items(submitted.source)
                if index not in self.places and wanted and wanted & found:
                    self.places[index] = place
        self.places = dict(sorted(self.places.items()))

    def _submitted(self, place):
        """Return the submitted cells of a released cell, in their order."""
        return [self.submission.cells[i] for i, p in self.places.items() if p == place]

    def _settle(self, place, cell):
        """Fill one released cell; return what the learner wrote besides, before and after it."""
        found = self._submitted(place)
        name = cell.metadata.get("nbgrader", {}).get("grade_id", cell.get("id", ""))
        if _is_answer(cell):
            return self._settle_answer(cell, name, found), []
        edited = [s for s in found if s.source.strip() != cell.source.strip()]
        if not _is_locked(cell) and cell.metadata.get("course", {}).get("role") != "code":
            return [], []
        role = cell.metadata.get("course", {}).get("role")
        if _is_locked(cell) and not found:
            self._note(name, "This cell was deleted; it is back.")
        elif _is_locked(cell) and len(found) > 1:
            self._note(name, f"This cell stood {len(found)} times; it counts once.")
        if edited and _is_locked(cell):
            self._note(name, "This locked cell was changed; it has its own text again.")
        kept = edited if role in KEEPS_EDITS else []
        return [], [new_code_cell(s.source) for s in kept if s.kind == "code"]

    def _settle_answer(self, cell, name, found):
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
        if len(found) > 1:
            self._note(
                name, f"This cell stood {len(found)} times; the last one with an answer counts."
            )
        if chosen.kind != "code":
            self._note(name, "This cell was turned into text; it is code again.")
        if name not in (chosen.grade_id, chosen.cell_id):
            self._note(name, "This cell had lost its mark; it was known by what it defines.")
        cell.source = chosen.source
        cell.outputs = _answer_outputs(chosen)
        return [new_code_cell(s.source) for s in answered[:-1] if s.kind == "code"]

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
        first = list(dict.fromkeys(p for p in self.places.values() if self.graded[p]))
        if first != sorted(first):
            self._note("", "Cells were out of order; they are in the lab's order again.")


def _is_answer(cell):
    """Say whether learners write into this cell: an exercise, or a quiz item's answer cell."""
    answer = cell.metadata.get("course", {}).get("role") == "answer"
    return answer or cell.metadata.get("nbgrader", {}).get("solution", False)


def _is_locked(cell):
    nbgrader = cell.metadata.get("nbgrader", {})
    return bool(nbgrader) and not nbgrader.get("solution")


def definitions(source):
    """Return the names that a cell defines at its top level: functions, classes, variables."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(re.findall(r"^(?:def|class)\s+(\w+)", source, re.MULTILINE))
    names = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def quiz_items(source):
    """Return the quiz items that a cell asks or answers, as `quiz:q03`."""
    found = re.findall(r"^\s*quiz\.(?!recorded)\w+\(\s*['\"](\w+)['\"]", source, re.MULTILINE)
    return {f"quiz:{item}" for item in found}


def _answer_outputs(submitted):
    """Return the quiz answers recorded in a cell's outputs; all other output is dropped."""
    kept = []
    for output in submitted.outputs:
        data = output.get("data")
        answer = data.get(ANSWER) if isinstance(data, dict) else None
        if isinstance(answer, dict) and len(json.dumps(answer)) < 10_000:
            kept.append(new_output("display_data", data={ANSWER: answer}))
    return kept
