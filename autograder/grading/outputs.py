"""Outputs that are safe to show to an instructor: text and pictures, no markup of a learner."""

import base64
import re

from nbformat.v4 import new_output

PICTURES = ("image/png", "image/jpeg")
MAX_TEXT = 20_000
MAX_PICTURE = 3_000_000
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
