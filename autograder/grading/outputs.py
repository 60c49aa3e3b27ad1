"""What is safe to show to an instructor: text and pictures, no markup or code of a learner."""

import base64
import html
import re

from nbformat.v4 import new_output

PICTURES = ("image/png", "image/jpeg")
MAX_TEXT = 20_000
MAX_PICTURE = 3_000_000
LABEL = 40
MARKUP = re.compile(r"[\[\]$@]|:(?=/)|(?<=www)\.", re.IGNORECASE)  # links, pictures, formulas
ACTIVE = re.compile(r"<[a-zA-Z!/?]|\]\s*[(\[:]|script\s*:|&#|&\w+;|\\(href|html|style|class|css)")


def safe_outputs(outputs):
    """Return a learner's outputs without HTML, SVG, scripts, widgets and metadata."""
    return [safe for output in outputs if (safe := _safe(output))]


def _safe(output):
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return new_output("stream", name=name, text=short(output.get("text", "")))
    if kind == "error":
        lines = [short(str(line)) for line in output.get("traceback", [])][:60]
        return new_output(
            "error",
            ename=str(output.get("ename", ""))[:200],
            evalue=str(output.get("evalue", ""))[:1000],
            traceback=lines,
        )
    data = output.get("data")
    if not isinstance(data, dict):
        return None
    kept = {name: data[name] for name in PICTURES if _is_picture(data.get(name))}
    if isinstance(data.get("text/plain"), str):
        kept["text/plain"] = short(data["text/plain"])
    return new_output("display_data", data=kept) if kept else None


def _is_picture(value):
    """Say whether a value is base64: anything else could leave the attribute it stands in."""
    if not isinstance(value, str) or len(value) > MAX_PICTURE:
        return False
    try:
        return bool(base64.b64decode(value.replace("\n", ""), validate=True))
    except ValueError:
        return False


def short(text):
    """Cut a long text."""
    text = str(text)
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "\n… the rest was left out.\n"


def safe_markdown(source):
    """Return a learner's Markdown; with HTML, links or active mathematics it becomes plain text."""
    if not ACTIVE.search(source):
        return source
    fence = "~" * max(3, 1 + max(map(len, re.findall("~+", source)), default=0))
    return f"{fence}text\n{source}\n{fence}"


def printable(text):
    """Return text on one line, without codes that a terminal or a page would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def label(text):
    """Return what a file says of itself, a name as a rule, as it may stand in a sentence."""
    text = printable(text).strip()
    return text if len(text) <= LABEL else text[:LABEL] + "…"


def literal(sentence):
    """Return a sentence as Markdown without links, pictures, formulas and markup.

    A backslash becomes the sign of set difference: pages look for formulas in what they show.
    """
    text = html.escape(printable(sentence).replace("\\", "\N{SET MINUS}"), quote=False)
    return MARKUP.sub(r"\\\g<0>", text)
