"""What a learner answers: its forms, how it is read, and the record that carries it.

A canonical answer is plain JSON: `"b"` (single), `["a", "c"]` (multiple, order), `8.5` (numeric),
`[2, 5, 64]` (shape), `{"a": "2", "b": "1"}` (match). None is no answer.
"""

import ast
import html
import json
import math
import re
from dataclasses import dataclass, field
from itertools import islice

MIME = "application/vnd.course.answer+json"
KINDS = ("single", "multiple", "numeric", "shape", "order", "match")
MAX_SOURCE = 20_000
MAX_NUMBER = 1e15
MAX_AXES = 8
SAVED = '<p class="quiz-saved">'  # `widget.css` hides it beside the widget, which says the same


class AnswerError(ValueError):
    """An answer that cannot be read: what, where and what to do, in one sentence."""

    def _render_traceback_(self):
        """Show the sentence in a notebook, no traceback."""
        return [str(self)]


@dataclass(frozen=True)
class Question:
    """What a learner may know of an item.

    Attributes:
        item: the item's id, `q03`.
        kind: one of `KINDS`.
        options: letter to text; for `match` the left side.
        right: number to text, the right side of `match`.
        choose: parameter to its possible values, for items that differ between learners.
        rank: how many axes a shape has, where the item says so.
    """

    item: str
    kind: str
    options: dict = field(default_factory=dict)
    right: dict = field(default_factory=dict)
    choose: dict = field(default_factory=dict)
    rank: int | None = None


def read(question, value):
    """Return the canonical form of an answer, or None for an empty one.

    Raises:
        AnswerError: the answer has the wrong form for this question.
    """
    value = _plain(value)
    if value is None or (isinstance(value, str | list | dict) and not value):
        return None
    return _READERS[question.kind](question, value)


def describe(answer):
    """Return an answer as a person writes it: `b`, `a, c`, `(2, 5, 64)`, `a → 2, b → 1`."""
    if answer is None:
        return "no answer"
    if isinstance(answer, dict):
        return ", ".join(f"{left} → {right}" for left, right in answer.items())
    if isinstance(answer, list):
        numbers = all(isinstance(part, int) for part in answer)
        text = ", ".join(map(str, answer))
        return f"({text}{',' if len(answer) == 1 else ''})" if numbers else text
    return number(answer) if isinstance(answer, int | float) else str(answer)


def number(value):
    """Return a number for reading: `9,408`, `0.665241`."""
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < MAX_NUMBER):
        return f"{int(value):,}"
    return f"{value:.6g}"


def example(question):
    """Return an answer of the right form, as Python source; it says nothing about the key."""
    letters = list(question.options)
    forms = {
        "single": repr(letters[0]) if letters else "",
        "multiple": repr(letters[:2]),
        "numeric": "8.5",
        "shape": repr(tuple(range(2, 2 + (question.rank or 3)))),
        "order": repr(letters),
        "match": repr(dict(zip(letters, question.right, strict=False))),
    }
    return forms[question.kind].replace("'", '"')


def record(question, answer, parameters, learner, module=""):
    """Return the record of an answer, as it is saved in the notebook."""
    return {
        "item": question.item,
        "answer": answer,
        "parameters": parameters,
        "learner": learner,
        "module": module,
    }


def saved(made):
    """Return the output that shows a record (or, for None, its absence) in a notebook."""
    if made is None or made["answer"] is None:
        return {"text/plain": "No answer yet.", "text/html": f"{SAVED}No answer yet.</p>"}
    text = describe(made["answer"])
    return {
        MIME: made,
        "text/plain": f"Saved: {text}",
        "text/html": f"{SAVED}Saved: <b>{html.escape(text)}</b></p>",
    }


def records(outputs, item=None):
    """Return the answer records in a cell's outputs, oldest first; whatever else is skipped.

    Args:
        outputs: the `outputs` of a code cell as it lies in a notebook file, whatever they are.
        item: return only this item's.
    """
    found = []
    for output in islice(outputs, 1000) if isinstance(outputs, list) else ():
        data = output.get("data") if isinstance(output, dict) else None
        made = data.get(MIME) if isinstance(data, dict) else None
        if isinstance(made, dict) and "answer" in made and item in (None, made.get("item")):
            found.append(dict(made))
    return found


def written(source, item):
    """Return `(found, value)` of the last `quiz.answer(item, literal)` line of a cell.

    The source is parsed, never run. An answer that is not a literal counts as not found: its
    value is in the record that the line left.
    """
    calls = [call for call in _calls(source) if _literal(call.args[0]) == item]
    if not calls:
        return False, None
    try:
        return True, ast.literal_eval(calls[-1].args[1])
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False, None


def _calls(source):
    """Yield the top-level calls of `quiz.answer` or `answer` with two arguments."""
    for statement in _statements(source):
        call = getattr(statement, "value", None)
        if not isinstance(statement, ast.Expr | ast.Assign) or not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "attr", None) or getattr(call.func, "id", None)
        if name == "answer" and len(call.args) == 2 and not call.keywords:
            yield call


def _statements(source):
    """Return the statements of a cell; of a cell with a mistake, those lines that can be read."""
    if not isinstance(source, str) or len(source) > MAX_SOURCE:
        return []
    body = _parse(source)
    if body is not None:
        return body
    lines = [_parse(line.strip()) for line in source.splitlines() if "answer(" in line]
    return [statement for body in lines if body for statement in body]


def _parse(source):
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def _literal(node):
    return node.value if isinstance(node, ast.Constant) else None


def _plain(value):
    """Return Python numbers and lists for NumPy numbers, arrays, tuples, sets and shapes."""
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, tuple | set | frozenset) or hasattr(value, "tolist"):
        value = sorted(value, key=str) if isinstance(value, set | frozenset) else list(value)
    return value


def _fail(question, what, todo):
    raise AnswerError(f"{question.item}: {what}; {todo}.")


def shown(value):
    """Return a value as it may stand in a message: short, on one line."""
    try:
        text = ascii(value) if not isinstance(value, str) else json.dumps(value)
    except Exception:  # noqa: BLE001  a learner's object may do anything in its repr
        text = type(value).__name__
    return text if len(text) <= 40 else text[:37] + "..."


def _letters(question, what="one of"):
    letters = list(question.options)
    return f"write {what} {', '.join(letters)}"


def _known(question, letters):
    """Check that letters name options, each at most once."""
    for letter in letters:
        if not isinstance(letter, str) or letter not in question.options:
            _fail(question, f"{shown(letter)} is not an option", _letters(question))
    if len(set(letters)) < len(letters):
        _fail(question, "an option is named twice", _letters(question, "each at most once:"))


def _single(question, value):
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str):
        _fail(question, f"{shown(value)} is not one option", _letters(question))
    letter = value.strip().lower()
    _known(question, [letter])
    return letter


def _split(value):
    """Return the parts of `"a, c"` as a list; anything but text as it is."""
    if not isinstance(value, str):
        return value
    return [part for part in re.split(r"[\s,;]+", value.strip().lower()) if part]


def _multiple(question, value):
    value = _split(value)
    if not isinstance(value, list):
        todo = f"write a list of options such as {example(question)}"
        _fail(question, f"{shown(value)} is not a list", todo)
    _known(question, value)
    return [letter for letter in question.options if letter in value] or None


def _order(question, value):
    value = _split(value)
    if not isinstance(value, list):
        _fail(question, f"{shown(value)} is not a list", f"write all options: {example(question)}")
    _known(question, value)
    missing = [letter for letter in question.options if letter not in value]
    if missing:
        _fail(question, f"{', '.join(missing)} is missing", "write all options in your order")
    return list(value)


def _numeric(question, value):
    if isinstance(value, str):
        value = _from_text(question, value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        _fail(question, f"{shown(value)} is not a number", "write one number such as 8.5")
    if not -MAX_NUMBER <= value <= MAX_NUMBER:
        _fail(question, "the number is not finite or too large", "write one number such as 8.5")
    return value


def _from_text(question, text):
    """Return the number that a learner typed: `8.5`, `9,408`, `9 408`, `1e-3`."""
    compact = re.sub(r"[\s_\u00a0\u202f]", "", text[:60]).replace("−", "-")
    if re.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?", compact):
        compact = compact.replace(",", "")
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", compact, re.I):
        todo = "write one number such as 8.5, with a point for decimals"
        _fail(question, f"{shown(text)} is not a number", todo)
    value = float(compact)
    return int(compact) if re.fullmatch(r"[+-]?\d{1,15}", compact) else value


def _shape(question, value):
    if isinstance(value, str):
        value = re.split(r"[\s,;x×]+", value[:200].strip().strip("()[]").strip(" ,").lower())
        value = [int(part) if re.fullmatch(r"\d{1,15}", part) else part for part in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = [value]
    todo = f"write one whole number per axis such as {example(question)}"
    if not isinstance(value, list):
        _fail(question, f"{shown(value)} is not a shape", todo)
    axes = [_plain(axis) for axis in value[: MAX_AXES + 1]]
    for axis in axes:
        whole = isinstance(axis, int | float) and not isinstance(axis, bool)
        if not whole or not math.isfinite(axis) or axis != int(axis) or not 0 <= axis <= MAX_NUMBER:
            _fail(question, f"{shown(axis)} is not the size of an axis", todo)
    if question.rank and len(axes) != question.rank:
        _fail(question, f"the shape has {question.rank} axes and yours {len(value)}", todo)
    if len(axes) > MAX_AXES:
        _fail(question, f"the shape has more than {MAX_AXES} axes", todo)
    return [int(axis) for axis in axes]


def _match(question, value):
    todo = f"write pairs such as {example(question)}"
    if not isinstance(value, dict):
        _fail(question, f"{shown(value)} is not a set of pairs", todo)
    pairs = {_shown_key(left): right for left, right in value.items()}
    _known(question, list(pairs))
    for left, right in pairs.items():
        right = str(right) if isinstance(right, int) and not isinstance(right, bool) else right
        if not isinstance(right, str) or right not in question.right:
            numbers = ", ".join(question.right)
            _fail(question, f"{shown(right)} is not on the right side", f"write one of {numbers}")
        pairs[left] = right
    return {left: pairs[left] for left in question.options if left in pairs}


def _shown_key(left):
    return left.strip().lower() if isinstance(left, str) else left


_READERS = {
    "single": _single,
    "multiple": _multiple,
    "order": _order,
    "numeric": _numeric,
    "shape": _shape,
    "match": _match,
}
