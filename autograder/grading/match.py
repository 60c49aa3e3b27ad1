"""Find for each cell of a submission the released one that it is.

By grade id, by id, by text, and for answers that lost their marks by what they define.
"""

import ast
import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

MOST = 200_000  # characters of a notebook that are parsed; of the rest, lines are looked at


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
    submitted, released = _texts(submission.cells), _texts(release.cells)
    _add_by_definition(matched, submitted, released)
    _add_pasted(matched, submitted, released)
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
    for place, text in enumerate(released):
        if place in taken or not is_answer(text.cell):
            continue
        wanted = text.defined or text.items
        for index, own in enumerate(submitted):
            if index not in matched.places and wanted & (own.defined | own.items):
                matched.places[index] = place


def _add_pasted(matched, submitted, released):
    """Recognise an answer in a cell of its own, where it would count for nothing.

    So it is where the exercise's cell is still as it was handed out, and the learner's cell
    stands above it, to be overwritten, or below the check. Between the two it counts as it is.
    """
    for place, text in enumerate(released):
        stubs = {submitted[index].stripped for index in matched.of(place)}
        wanted = text.functions
        if not is_answer(text.cell) or not wanted or stubs != {text.stripped}:
            continue
        own = [
            index
            for index, other in enumerate(submitted)
            if index not in matched.places
            and other.cell.kind == "code"
            and wanted <= other.functions
        ]
        above = list(accumulate(range(len(submitted)), lambda p, i: matched.places.get(i, p),
                                initial=-1))  # fmt: skip
        check = _check_of(released, place)
        if own and not any(place <= above[index] < check for index in own):
            matched.places[own[-1]] = place
            matched.pasted.add(own[-1])


def _check_of(released, place):
    """Return the place of an exercise's check; past the end where it has none."""
    exercise = released[place].cell.metadata.get("course", {}).get("exercise")
    for later in range(place + 1, len(released)):
        course = released[later].cell.metadata.get("course", {})
        if course.get("role") == "check" and course.get("exercise") == exercise:
            return later
    return len(released)


def _texts(cells):
    """Return what the cells of a notebook define; each is read when it is first needed."""
    left = [MOST]
    return [_Text(cell, left) for cell in cells]


class _Text:
    """The text of a cell, and what it defines at its top level.

    Args:
        cell: the cell.
        left: list of one number, the characters that may still be parsed in this notebook:
            parsing takes 500 times as much memory.
    """

    def __init__(self, cell, left):
        self.cell, self._left = cell, left

    @cached_property
    def stripped(self):
        """The text without space around it."""
        return self.cell.source.strip()

    @cached_property
    def functions(self):
        """The names of its functions and classes."""
        return self._names[0]

    @cached_property
    def defined(self):
        """The names of its functions, classes and variables."""
        return self._names[0] | self._names[1]

    @cached_property
    def items(self):
        """The quiz items that it asks or answers, as `quiz:q03`."""
        call = r"^[ \t]*quiz\.(?!recorded)\w+\(\s*['\"](\w+)['\"]"
        return {f"quiz:{item}" for item in re.findall(call, self.cell.source, re.MULTILINE)}

    @cached_property
    def _names(self):
        source = self.cell.source
        body = None
        if len(source) <= self._left[0]:
            self._left[0] -= len(source)
            body = _body(source)
        if body is None:
            return set(re.findall(r"^(?:def|class)[ \t]+(\w+)", source, re.MULTILINE)), set()
        named = [node for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        targets = [t for node in body if isinstance(node, ast.Assign) for t in node.targets]
        variables = {target.id for target in targets if isinstance(target, ast.Name)}
        return {node.name for node in named}, variables


def _body(source):
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
