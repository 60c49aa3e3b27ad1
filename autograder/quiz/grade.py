"""Grade a quiz: the answer as it lies in the notebook against the bank's key.

Nothing of the learner's is run. The answer is the literal of a `quiz.answer` line in the answer
cell, else the last record in that cell's outputs. Anything unreadable is worth 0 and one sentence.

Partial credit, so that guessing earns nothing on average or by choosing everything:

- multiple: the share of correct options chosen minus the share of wrong ones chosen;
- order: pairs of entries in the right order minus pairs in the wrong one, over all pairs;
- match: the share of right pairs;
- all others: full or none.

No answer earns less than 0, and points are rounded to hundredths.
"""

import html
from dataclasses import asdict, dataclass, field
from itertools import combinations

from autograder.grading.outputs import label
from autograder.quiz import answers
from autograder.quiz.answers import AnswerError, describe
from autograder.quiz.items import Computed, fill
from autograder.quiz.plain import inline, unmarked
from autograder.quiz.variants import parameters, variants

RULES = {
    "multiple": "the share of correct options you chose, minus the share of wrong ones",
    "order": "pairs in the right order minus pairs in the wrong one, over all pairs",
    "match": "the share of right pairs",
}


@dataclass
class ItemGrade:
    """What one item earned.

    Attributes:
        item: the item's id.
        points: what it earned, of `max_points`.
        answer: the answer in its canonical form, or None.
        source: where the answer was: `line`, `record` or `none`.
        parameters: the variant that was graded.
        problem: why the answer could not be read, in one sentence; else empty.
        flags: sentences for the instructor and the learner, such as a foreign variant.
        text: the feedback as plain text.
        html: the feedback as HTML, escaped.
    """

    item: str
    points: float
    max_points: float
    answer: object = None
    source: str = "none"
    parameters: dict = field(default_factory=dict)
    problem: str = ""
    flags: list = field(default_factory=list)
    text: str = ""
    html: str = ""

    def as_dict(self):
        """Return JSON-ready data."""
        return asdict(self)


def grade_quiz(bank, notebook, learner):
    """Grade every item of a quiz notebook.

    Args:
        bank: a `Bank`.
        notebook: the submitted notebook as a dictionary, whatever state it is in.
        learner: the learner's id on the roster.

    Returns:
        Item id to `ItemGrade`, in the bank's order.

    Raises:
        BankError: a key cannot be computed.
    """
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    return {item.id: grade_item(item, *answer_cell(cells, item.id), learner) for item in bank.items}


def answer_cell(cells, item_id):
    """Return `(source, outputs)` of the answer cell of an item.

    The cell is known by its id or its `course` metadata; else, in a notebook that lost both,
    by the record in its outputs or the line in its source.
    """
    cells = [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []
    cells = [(_role(cell), _source(cell), cell.get("outputs")) for cell in cells]
    named = [cell for cell in cells if f"{item_id}-answer" in cell[0]]
    others = [cell for cell in cells if cell not in named]
    for _, source, outputs in [*named, *others]:
        if answers.written(source, item_id)[0] or answers.records(outputs, item_id):
            return source, outputs
    return named[0][1:] if named else ("", [])


def grade_item(item, source, outputs, learner, accepted=(), points=None):
    """Grade one item; never raises for what a learner wrote.

    Args:
        item: an item of the bank.
        source: the source of its answer cell.
        outputs: the outputs of that cell, as they lie in the file.
        learner: the learner's id on the roster.
        accepted: answers that an instructor lets earn everything too, in their canonical form.
        points: what the item is worth; as the bank says by default.

    Returns:
        An `ItemGrade`.

    Raises:
        BankError: the item's key cannot be computed.
    """
    own = parameters(item.choose, learner, item.id)
    grade = ItemGrade(item.id, 0.0, item.points if points is None else points, parameters=own)
    try:
        _take_answer(grade, item, source, outputs, learner)
    except AnswerError as error:
        grade.problem = str(error)
    except Exception as error:  # noqa: BLE001  an answer may hold anything; it never stops grading
        grade.answer = None
        grade.problem = f"{item.id}: the answer cannot be read ({type(error).__name__})."
    key = item.key(grade.parameters)
    if grade.answer is not None:
        also = any(same_answer(item, grade.answer, each) for each in accepted)
        share = 1.0 if also else _share(item, grade.answer, key)
        grade.points = round(min(1.0, max(0.0, share)) * grade.max_points, 2)
    grade.text, grade.html = _feedback(item, grade, key)
    return grade


def _role(cell):
    """Return the names by which a cell may be known."""
    metadata = cell.get("metadata")
    course = metadata.get("course") if isinstance(metadata, dict) else None
    course = course if isinstance(course, dict) else {}
    return [cell.get("id"), f"{course.get('item')}-{course.get('role')}"]


def _source(cell):
    source = cell.get("source")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    return source if isinstance(source, str) else ""


def _take_answer(grade, item, source, outputs, learner):
    """Read the answer and the variant it was given for."""
    found, value = answers.written(source, item.id)
    made = (answers.records(outputs, item.id) or [None])[-1]
    if found:
        grade.answer, grade.source = answers.read(item.question, value), "line"
    elif made is not None:
        grade.answer, grade.source = answers.read(item.question, made["answer"]), "record"
    if made is None:
        return
    if found and _safely(item.question, made["answer"]) != grade.answer:
        grade.flags.append(
            f"The quiz.answer line says {describe(grade.answer)}, the saved record says otherwise; "
            "the line counts."
        )
    elif item.choose and made.get("parameters") and made["parameters"] != grade.parameters:
        _take_variant(grade, item, made, learner)


def _safely(question, value):
    try:
        return answers.read(question, value)
    except AnswerError:
        return None


def _take_variant(grade, item, made, learner):
    """Grade for the numbers that the learner saw, and flag that they are not theirs."""
    if made.get("parameters") not in variants(item.choose):
        grade.flags.append(
            "The record names no numbers of this question; "
            f"the answer is graded for those of {learner}."
        )
        return
    name = made.get("learner")
    name = (label(name) if isinstance(name, str) else "") or "another learner"
    own, grade.parameters = grade.parameters, dict(made["parameters"])
    grade.flags.append(
        f"The numbers are those of {name}, not of {learner}: {_named(grade.parameters)} "
        f"instead of {_named(own)}. The answer is graded for the numbers it was given for."
    )


def _share(item, answer, key):
    """Return the share of the points, as the module says; it may be negative."""
    if item.type == "multiple":
        wrong = [letter for letter in item.entries if letter not in key]
        hits, slips = (len(set(answer) & set(side)) for side in (key, wrong))
        return hits / len(key) - slips / len(wrong)
    if item.type == "order":
        pairs = list(combinations(key, 2))
        right = sum(answer.index(first) < answer.index(second) for first, second in pairs)
        return (2 * right - len(pairs)) / len(pairs)
    if item.type == "match":
        return sum(answer.get(left) == number for left, number in key.items()) / len(key)
    if isinstance(item, Computed):
        return float(item.accepts(answer, key))
    return float(answer == key)


def same_answer(item, answer, other):
    """Return whether two answers are the same one; numbers may differ within the tolerance."""
    if answer is None:
        return False
    return item.accepts(answer, other) if isinstance(item, Computed) else answer == other


def _feedback(item, grade, key):
    """Return the feedback as plain text and as HTML."""
    summary = [f"{grade.points:g} of {grade.max_points:g} points. Your answer: {_yours(grade)}."]
    if 0 < grade.points < grade.max_points and item.type in RULES:
        summary.append(f"Counted: {RULES[item.type]}.")
    if grade.problem:
        summary.append(grade.problem)
    summary += grade.flags
    if isinstance(item, Computed):
        head, rows = ("Value", "", "Why"), _computed_rows(item, grade, key)
    else:
        head, rows = _ROWS[item.type](item, grade.answer, key)
    text = [*summary, *(unmarked(": ".join(filter(None, row))) for row in rows)]
    return "\n".join(text), _table(summary, head, rows)


def _yours(grade):
    return describe(grade.answer)


def _computed_rows(item, grade, key):
    where = f"for {_named(grade.parameters)}" if grade.parameters else ""
    rows = [(f"{describe(key)}, the answer", where, fill(item.explanation, grade.parameters, key))]
    for value, mistake in item.wrong(grade.parameters):
        given = grade.answer is not None and item.accepts(grade.answer, value)
        why = fill(mistake.explanation, grade.parameters, value)
        rows.append((describe(value), "your answer" if given else "a slip", why))
    return rows


def _choice_rows(item, answer, key):
    chosen = answer if isinstance(answer, list) else [answer]
    rows = []
    for letter, option in item.entries.items():
        marks = "correct" if letter in key else "wrong"
        if letter in chosen:
            marks += ", you chose it"
        rows.append((f"{letter}. {option.text}", marks, option.explanation))
    return ("Option", "", "Why"), rows


def _order_rows(item, answer, key):
    rows = []
    for place, letter in enumerate(key, 1):
        entry = item.entries[letter]
        yours = f", yours {answer.index(letter) + 1}" if answer else ""
        rows.append((f"{letter}. {entry.text}", f"place {place}{yours}", entry.explanation))
    return ("Entry", "", "Why"), rows


def _match_rows(item, answer, key):
    rows = []
    for letter, entry in item.entries.items():
        target = f"{key[letter]}. {item.right[key[letter]]}"
        given = (answer or {}).get(letter)
        yours = f", yours {given}" if given else ""
        rows.append((f"{letter}. {entry.text}", f"{target}{yours}", entry.explanation))
    return ("Entry", "Belongs to", "Why"), rows


_ROWS = {
    "single": _choice_rows,
    "multiple": _choice_rows,
    "order": _order_rows,
    "match": _match_rows,
}


def _table(summary, head, rows):
    parts = [f"<p>{html.escape(sentence)}</p>" for sentence in summary]
    header = "".join(f'<th style="text-align: left">{name}</th>' for name in head)
    body = "".join(
        "<tr>"
        + "".join(f'<td style="text-align: left">{inline(cell)}</td>' for cell in row)
        + "</tr>"
        for row in rows
    )
    table = f"<table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="quiz-feedback">{"".join(parts)}{table}</div>'


def _named(chosen):
    return ", ".join(f"{name} = {value}" for name, value in chosen.items())
