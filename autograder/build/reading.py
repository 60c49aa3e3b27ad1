"""Build a module's reading: its text, with figures, numbers and code taken from the package.

`course/<slug>/reading.md` is Markdown with three directives; the functions they name live in
`course/<slug>/reading.py`.

    ```{figure} heat_map            -> figures/heat_map.svg, from `figure_heat_map()`
    alt: what the figure shows, for those who do not see it
    What to see in it.
    ```
    ```{quote} layer_norm           -> the package's code, its docstring left out
    ```
    ```{table} step_times           -> a Markdown table, from `table_step_times()`
    ```
    {value}`base_parameters`        -> text, from `value_base_parameters()`
"""

import importlib
import io
import re
from pathlib import Path

from autograder.errors import CourseError
from autograder.show import package_source

COURSE = Path(__file__).resolve().parents[2] / "course"
BLOCK = re.compile(r"^```\{(\w+)\} *(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VALUE = re.compile(r"\{value\}`(\w+)`")
NUMBER = re.compile(r"scale\([^)]*\)|(-?\d+\.\d{3,})")  # the scales of glyphs, 1/64, stay
KINDS = ("figure", "value", "table")


def build(slug, course=COURSE):
    """Return the built reading: `{"reading.md": text, "figures/<name>.svg": text}`.

    Raises:
        CourseError: a directive is unknown or names nothing, or a function is not used.
    """
    source = course / slug / "reading.md"
    text = source.read_text(encoding="utf-8")
    makers = importlib.import_module(f"course.{slug}.reading")
    reading = _Reading(slug, source, text, makers)
    built = VALUE.sub(reading.value, BLOCK.sub(reading.block, text))
    unused = sorted(reading.offered() - reading.used)
    if unused:
        raise CourseError(f"course/{slug}/reading.py: {', '.join(unused)} is not used.")
    return {"reading.md": built, **reading.files}


class _Reading:
    """Replaces directives and collects the figures."""

    def __init__(self, slug, path, text, makers):
        self.slug, self.path, self.text, self.makers = slug, path, text, makers
        self.files, self.used = {}, set()

    def offered(self):
        """Return the names of the functions that make something."""
        return {name for name in vars(self.makers) if name.partition("_")[0] in KINDS}

    def block(self, match):
        kind, name, body = match.groups()
        if kind not in ("figure", "quote", "table"):
            raise self._error(match, f"there is no directive {{{kind}}}")
        return getattr(self, kind)(match, name, body)

    def value(self, match):
        return str(self._make(match, f"value_{match[1]}"))

    def table(self, match, name, body):
        return self._make(match, f"table_{name}").strip()

    def figure(self, match, name, body):
        alt, _, caption = body.partition("\n")
        if not alt.startswith("alt: ") or not caption.strip():
            raise self._error(match, "a figure needs a line `alt: …` and a caption")
        self.files[f"figures/{name}.svg"] = svg(self._make(match, f"figure_{name}"))
        return f"![{alt[5:].strip()}](figures/{name}.svg)\n\n*{caption.strip()}*"

    def quote(self, match, name, body):
        code = package_source(f"course.{self.slug}.{name}")
        if not code:
            raise self._error(match, f"course.{self.slug} has no code named {name}")
        return f"```python\n{code.strip()}\n```"

    def _make(self, match, function):
        if not hasattr(self.makers, function):
            raise self._error(match, f"reading.py has no function {function}")
        self.used.add(function)
        return getattr(self.makers, function)()

    def _error(self, match, sentence):
        line = self.text.count("\n", 0, self.text.find(match[0])) + 1
        return CourseError(f"course/{self.slug}/reading.md:{line}: {sentence}.")


def svg(figure):
    """Return a matplotlib figure as SVG text, the same for the same figure.

    Numbers are rounded to hundredths of a point, so that another processor's last digits do not
    change the file.
    """
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "course", "svg.fonttype": "path"}):
        figure.savefig(
            buffer, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None}
        )
    text = re.sub(NUMBER, lambda m: f"{float(m[1]):.2f}" if m[1] else m[0], buffer.getvalue())
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
