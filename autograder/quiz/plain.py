"""Questions as text and as HTML: what is shown where widgets do not run."""

import html
import re

from autograder.quiz.answers import example

ASKS = {
    "single": "Choose one.",
    "multiple": "Choose all that hold.",
    "numeric": "Write one number.",
    "shape": "Write the size of each axis.",
    "order": "Put these in order, the first at the top.",
    "match": "Match each letter with one number.",
}


def bundle(question, parameters):
    """Return the plain forms of a question as a MIME bundle."""
    return {"text/plain": as_text(question, parameters), "text/html": as_html(question, parameters)}


def line(question):
    """Return the line that answers without the widget."""
    return f'quiz.answer("{question.item}", {example(question)})'


def numbers(parameters):
    """Return a variant as one sentence; empty when there is none."""
    if not parameters:
        return ""
    named = ", ".join(f"{name} = {value}" for name, value in parameters.items())
    return f"Your numbers: {named}."


def as_text(question, parameters):
    """Return the question as plain text."""
    lines = [f"{question.item}  {ASKS[question.kind]}", numbers(parameters)]
    for side in (question.options, question.right):
        lines += [f"  {key}  {text}" for key, text in side.items()] + [""]
    lines += ["To answer in writing, add a line like this to the cell and run it:", line(question)]
    return "\n".join(text for text in lines if text)


def as_html(question, parameters):
    """Return the question as HTML; the texts are escaped."""
    parts = [f"<p><b>{question.item}</b> {ASKS[question.kind]}</p>"]
    if parameters:
        parts.append(f"<p>{inline(numbers(parameters))}</p>")
    for side in (question.options, question.right):
        if side:
            items = "".join(f"<li>{key}: {inline(text)}</li>" for key, text in side.items())
            parts.append(f'<ul style="list-style: none">{items}</ul>')
    parts.append(
        "<p>Run this cell to answer with the mouse or the keyboard. To answer in writing, "
        "add a line like this to the cell and run it: "
        f"<code>{html.escape(line(question))}</code></p>"
    )
    return "".join(parts)


def inline(text):
    """Return one line of Markdown as HTML: escaped, with `code` and *emphasis*."""
    parts = re.split(r"`([^`]+)`", text)
    for position, part in enumerate(parts):
        escaped = html.escape(part)
        if position % 2:
            parts[position] = f"<code>{escaped}</code>"
        else:
            parts[position] = re.sub(r"\*([^*\s][^*]*)\*", r"<em>\1</em>", escaped)
    return "".join(parts)


def unmarked(text):
    """Return one line of Markdown as plain text."""
    parts = re.split(r"`([^`]+)`", text)
    plain = [re.sub(r"\*([^*\s][^*]*)\*", r"\1", part) for part in parts[::2]]
    return "".join(part for pair in zip(plain, [*parts[1::2], ""], strict=True) for part in pair)
