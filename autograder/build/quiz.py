"""Build a quiz notebook from its bank: what learners get, keys left out.

Each item is three cells: the stem, the answer cell, which asks for the answer, and a locked
graded cell. The answer cell is no nbgrader cell: nbgrader would replace its source by a stub,
and comment "No response." on an answer given in the widget.
"""

import json
import re
from pathlib import Path

from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.build.notebook import finish, grading_metadata
from autograder.quiz.bank import load, named
from autograder.quiz.items import BankError, Computed
from autograder.quiz.plain import unmarked
from autograder.quiz.review import review

HOW_TO = (
    "Run all cells (menu *Run*, *Run All Cells*), then answer with the mouse or the keyboard. "
    "Each answer is saved at once, in this notebook and in `quiz_answers.json` beside it; you can "
    "change it until you submit. After you reopen the notebook, run all cells again: your answers "
    "come back. Where no buttons appear, answer in writing: open the folded cell and add the line "
    "that the question shows. "
    "Some questions have numbers of your own. The key and an explanation of every option come "
    "with your feedback."
)


def notebook(slug, path):
    """Return the quiz notebook of a module.

    Args:
        slug: the module.
        path: its `quiz.yaml`.

    Raises:
        BankError: the bank has mistakes, or the notebook would give a key away.
    """
    bank = load(path)
    if bank.module != slug:
        raise BankError(f"{named(Path(path))}: `module` is {bank.module}; it must be {slug}.")
    review(bank)
    cells = [_title(bank), _setup(bank)]
    for position, item in enumerate(bank.items, 1):
        cells += [_stem(item, position), _answer(item), _graded(item)]
    made = finish(cells, slug, "quiz")
    found = leaks(bank, made)
    if found:
        raise BankError(f"{named(Path(path))}: the notebook would give away {found[0]}.")
    return made


def leaks(bank, made):
    """Return what of the keys and explanations stands in a notebook; nothing, if all is well."""
    text = "\n".join(str(cell["source"]) for cell in made["cells"])
    text += json.dumps([cell["metadata"] for cell in made["cells"]])
    found = [
        f"{item.id}: {secret[:60]!r}"
        for item in bank.items
        for secret in _secrets(item)
        if secret in text
    ]
    words = ("correct=", "tolerance", "explanation=", '"correct"', "place=", "matches=")
    return found + [f"the word {word!r}" for word in words if word in text]


def _secrets(item):
    """Return what only the bank may hold of an item."""
    found = [entry.explanation for entry in item.entries.values()]
    if isinstance(item, Computed):
        found.append(item.key_name)
        for part in (item, *item.mistakes):
            pieces = re.split(r"\{\w+\}", part.explanation)
            found += [part.explanation, max(pieces, key=len)]
    return dict.fromkeys([*found, *map(unmarked, found)])


def _cell(cell, cell_id, **course):
    cell.id = cell_id
    cell.metadata["course"] = course
    return cell


def _locked(cell, grade_id, **grading):
    cell.metadata["nbgrader"] = grading_metadata(grade_id, **grading)
    return cell


def _title(bank):
    varied = sum(bool(item.choose) for item in bank.items)
    lines = [f"# Quiz: {bank.title}", ""]
    lines += ["| Questions | With your own numbers | Points | Minutes |", "|---|---|---|---|"]
    lines += [f"| {len(bank.items)} | {varied} | {bank.points:g} | {bank.minutes} |", "", HOW_TO]
    return _cell(new_markdown_cell("\n".join(lines)), "quiz-title", role="title")


def _setup(bank):
    """Return the cell that starts the quiz and tells the kernel each item's form."""
    forms = "".join(f"    {item.id}={_quoted(_form(item))},\n" for item in bank.items)
    source = f"from autograder import quiz\n\nquiz.start(\n    {_quoted(bank.module)},\n{forms})"
    cell = _cell(new_code_cell(source), "setup", role="setup")
    cell.metadata["jupyter"] = {"source_hidden": True}
    return _locked(cell, "setup")


def _form(item):
    """Return an item's form: `single abcd`, `match abc 1234`, `shape 4`."""
    question = item.question
    parts = [question.kind, "".join(question.options), "".join(question.right)]
    return " ".join(filter(None, [*parts, str(question.rank or "")]))


def _stem(item, position):
    points = f"{item.points:g} point{'' if item.points == 1 else 's'}"
    revisits = f" · revisits module {int(item.revisits[1:3])}" if item.revisits else ""
    source = f"### Question {position} · {points}{revisits}\n\n{item.stem.strip()}"
    cell = _cell(new_markdown_cell(source), f"{item.id}-stem", role="stem", item=item.id)
    return _locked(cell, f"{item.id}-stem")


def _answer(item):
    question = item.question
    parts = []
    if item.type == "match":
        parts += [f"left={_mapping(question.options)}", f"right={_mapping(question.right)}"]
    else:
        parts += [f"{letter}={_quoted(text)}" for letter, text in question.options.items()]
    if question.rank:
        parts.append(f"rank={question.rank}")
    if question.choose:
        parts.append(f"choose={_mapping(question.choose)}")
    # The first line names the item: it is what a folded cell shows.
    inside = "".join(f",\n    {part}" for part in parts) + (",\n" if parts else "")
    source = f"quiz.{item.type}({_quoted(item.id)}{inside})"
    cell = _cell(new_code_cell(source), f"{item.id}-answer", role="answer", item=item.id)
    cell.metadata["deletable"] = False
    cell.metadata["jupyter"] = {"source_hidden": True}
    return cell


def _graded(item):
    cell = new_code_cell(f"quiz.recorded({_quoted(item.id)})")
    cell = _cell(cell, item.id, role="graded", item=item.id)
    cell.metadata["jupyter"] = {"source_hidden": True}
    return _locked(cell, item.id, grade=True, points=item.points)


def _quoted(value):
    return json.dumps(value, ensure_ascii=False)


def _mapping(values):
    """Return a dictionary as Python source; inside lists and numbers Python and JSON agree."""
    lines = [f"\n        {_quoted(key)}: {_quoted(value)}," for key, value in values.items()]
    return "{" + "".join(lines) + "\n    }"
