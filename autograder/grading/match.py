"""Find for each cell of a submission the released one that it is.

By grade id, by id, by text, and for answers that lost their marks by what they define.
"""

import ast
import re
from dataclasses import dataclass, field


@dataclass
class Matched:
    """Which submitted cell is which released one.

    Attributes:
        places: index of a submitted cell to the index of its cell in the release, in order.
        pasted: indices of the learner's own cells that hold an answer whose cell is still empty.
    """

    places: dict[int, int] = field(default_factory=dict)
    pasted: set[int] = field(default_factory=set)

    def of(self, place):
        """Return the indices of the submitted cells of a released one, in their order."""
        return [index for index, found in self.places.items() if found == place]


def match(submission, release):
    """Return what is `Matched` between a submission and its release.

    Args:
        submission: a `Submission`.
        release: the released notebook.
    """
    matched = Matched(_by_mark_or_text(submission.cells, release.cells))
    _add_by_definition(matched, submission.cells, release.cells)
    _add_pasted(matched, submission.cells, release.cells)
    matched.places = dict(sorted(matched.places.items()))
    return matched


def is_answer(cell):
    """Say whether learners write into this cell: an exercise, or a quiz item's answer cell."""
    answer = cell.metadata.get("course", {}).get("role") == "answer"
    return answer or cell.metadata.get("nbgrader", {}).get("solution", False)


def _by_mark_or_text(submitted, released):
    known, texts, places = {}, {}, {}
    for place, cell in enumerate(released):
        known["id", cell.get("id")] = place
        known["grade", cell.metadata.get("nbgrader", {}).get("grade_id")] = place
        texts.setdefault(cell.source.strip(), place)
    for index, cell in enumerate(submitted):
        keys = [("grade", cell.grade_id or 0), ("id", cell.cell_id or 0)]
        place = next((known[key] for key in keys if key in known), None)
        if place is None and cell.source.strip():
            place = texts.get(cell.source.strip())
        if place is not None:
            places[index] = place
    return places


def _add_by_definition(matched, submitted, released):
    """Recognise answer cells that lost their ids by what they define."""
    taken = set(matched.places.values())
    for place, cell in enumerate(released):
        if place in taken or not is_answer(cell):
            continue
        wanted = definitions(cell.source) or quiz_items(cell.source)
        for index, own in enumerate(submitted):
            found = definitions(own.source) | quiz_items(own.source)
            if index not in matched.places and wanted and wanted & found:
                matched.places[index] = place


def _add_pasted(matched, submitted, released):
    """Recognise an answer in a cell of its own, where it would count for nothing.

    So it is where the exercise's cell is still as it was handed out, and the learner's cell
    stands above it, to be overwritten, or below the check. Between the two it counts as it is.
    """
    for place, cell in enumerate(released):
        stubs = [submitted[index].source.strip() for index in matched.of(place)]
        wanted = _functions(cell.source)
        if not is_answer(cell) or not wanted or set(stubs) != {cell.source.strip()}:
            continue
        own = [
            index
            for index, other in enumerate(submitted)
            if index not in matched.places
            and other.kind == "code"
            and wanted <= _functions(other.source)
        ]
        after = [_place_before(matched, index) for index in own]
        check = _check_of(released, place)
        if own and not any(place <= where < check for where in after):
            matched.places[own[-1]] = place
            matched.pasted.add(own[-1])


def _place_before(matched, index):
    """Return the place of the last released cell above a submitted one, -1 for none."""
    return next((matched.places[i] for i in range(index, -1, -1) if i in matched.places), -1)


def _check_of(released, place):
    """Return the place of an exercise's check; past the end where it has none."""
    exercise = released[place].metadata.get("course", {}).get("exercise")
    for later in range(place + 1, len(released)):
        course = released[later].metadata.get("course", {})
        if course.get("role") == "check" and course.get("exercise") == exercise:
            return later
    return len(released)


def definitions(source):
    """Return the names that a cell defines at its top level: functions, classes, variables."""
    body = _body(source)
    if body is None:
        return _functions(source)
    assigned = [node for node in body if isinstance(node, ast.Assign)]
    names = {t.id for node in assigned for t in node.targets if isinstance(t, ast.Name)}
    return names | _functions(source)


def _functions(source):
    """Return the functions and classes that a cell defines at its top level."""
    body = _body(source)
    if body is None:
        return set(re.findall(r"^(?:def|class)\s+(\w+)", source, re.MULTILINE))
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def _body(source):
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def quiz_items(source):
    """Return the quiz items that a cell asks or answers, as `quiz:q03`."""
    found = re.findall(r"^\s*quiz\.(?!recorded)\w+\(\s*['\"](\w+)['\"]", source, re.MULTILINE)
    return {f"quiz:{item}" for item in found}
