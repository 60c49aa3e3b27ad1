"""Read a lab source: a jupytext percent file with short markers.

A source opens with a front matter and holds cells of six kinds:

    # %% [markdown]                                           text
    # %% setup                                                imports, locked
    # %% exercise="causal_mask" difficulty=1 minutes=5        what the learner writes
    # %% check="causal_mask" points=2                         what grades it
    # %% demo                                                 for the eye, never graded
    # %%                                                      plain code

Every mistake of an author becomes one sentence with file and line. All of them are
collected before `CourseError` is raised.
"""

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from autograder.errors import CourseError

CELL = re.compile(r"^# %%(?P<marker>.*)$")
TOKEN = re.compile(r'\s*(?:(?P<key>\w+)=(?:"(?P<text>[^"]*)"|(?P<number>[\d.]+))|(?P<word>\S+))')
REGION = re.compile(r"^\s*#+\s*(?P<edge>BEGIN|END)\s+(?P<name>[A-Z ]+?)\s*$")
OPTIONS = {
    "markdown": (),
    "code": (),
    "setup": (),
    "demo": (),
    "exercise": ("difficulty", "minutes"),
    "check": ("points",),
}
FRONT_MATTER = {"title": str, "build": str, "minutes": int, "memory": str, "data": str}
OPTIONAL_FRONT_MATTER = {"seconds": int}


@dataclass
class Cell:
    """One cell of a source.

    Attributes:
        kind: "markdown", "code", "setup", "demo", "exercise" or "check".
        source: the text of the cell, comment marks of Markdown removed.
        line: the line of its marker, from 1.
        start: the line where its text begins.
        exercise: the exercise's id, for exercises and checks.
        options: what the marker says besides, such as `{"points": 3}`.
    """

    kind: str
    source: str
    line: int
    exercise: str | None = None
    options: dict = field(default_factory=dict)
    start: int = 0


@dataclass
class LabSource:
    """A parsed source: `front` is its front matter, `slug` the module, `lab` the file's stem."""

    path: Path
    slug: str
    lab: str
    front: dict
    cells: list[Cell]

    def exercises(self):
        """Return the exercise cells in their order."""
        return [cell for cell in self.cells if cell.kind == "exercise"]

    def points(self, exercise):
        """Return the points of an exercise's check cell."""
        return next(
            cell.options["points"]
            for cell in self.cells
            if cell.kind == "check" and cell.exercise == exercise
        )


def read(path, exercises):
    """Parse and check one source.

    Args:
        path: the file, `solutions/<slug>/<lab>.py`.
        exercises: what `autograder.exercise.load_module` returns for the module.

    Returns:
        A `LabSource`.

    Raises:
        CourseError: one sentence per mistake, each with file and line.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise CourseError(f"{_shown(path)}:1: the file is not UTF-8 text.") from None
    problems = _Problems(path)
    front, start = _front_matter(text.splitlines(), problems)
    cells = _cells(text.splitlines(), start, problems)
    lab = LabSource(path, path.parent.name, path.stem, front, cells)
    _check_regions(cells, problems)
    _check_python(cells, problems)
    _check_pairs(lab, problems)
    _check_points(lab, {known.name: known for known in exercises.values()}, problems)
    problems.raise_if_any()
    return lab


class _Problems:
    """Collects sentences, each with file and line."""

    def __init__(self, path):
        self.path, self.sentences = path, []

    def add(self, line, sentence):
        self.sentences.append((line, f"{_shown(self.path)}:{line}: {sentence}"))

    def raise_if_any(self):
        if self.sentences:
            raise CourseError("\n".join(sentence for _, sentence in sorted(self.sentences)))


def _shown(path):
    """Shorten a path to its last three parts, which name house, module and file."""
    return "/".join(Path(path).parts[-3:])


def _front_matter(lines, problems):
    """Return the front matter and the index of the first line after it."""
    if not lines or lines[0].strip() != "# ---":
        problems.add(1, "the file must open with a front matter between two `# ---` lines.")
        return {}, 0
    end = next((i for i, line in enumerate(lines[1:], 1) if line.strip() == "# ---"), None)
    if end is None:
        problems.add(1, "the front matter has no closing `# ---` line.")
        return {}, 0
    try:
        front = yaml.safe_load("\n".join(line.lstrip("#").strip() for line in lines[1:end])) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problems.add(mark.line + 2 if mark else 1, "the front matter is not `key: value` lines.")
        return {}, end + 1
    if not isinstance(front, dict):
        problems.add(1, "the front matter is not `key: value` lines.")
        return {}, end + 1
    for key, kind in FRONT_MATTER.items():
        if key not in front:
            problems.add(1, f"the front matter has no `{key}`.")
        elif not isinstance(front[key], kind):
            problems.add(1, f"`{key}` in the front matter must be {kind.__name__}.")
    for key in front.keys() - FRONT_MATTER.keys() - OPTIONAL_FRONT_MATTER.keys():
        problems.add(1, f"the front matter has an unknown key `{key}`.")
    return front, end + 1


def _cells(lines, start, problems):
    """Split the lines after the front matter into cells."""
    marks = [i for i in range(start, len(lines)) if CELL.match(lines[i])]
    first = marks[0] if marks else len(lines)
    for i in range(start, first):
        if lines[i].strip():
            problems.add(i + 1, "there is text before the first `# %%` cell.")
            break
    cells = []
    for i, end in zip(marks, marks[1:] + [len(lines)], strict=True):
        cell = _marker(CELL.match(lines[i])["marker"], i + 1, problems)
        if cell is None:
            continue
        body = lines[i + 1 : end]
        if cell.kind == "markdown":
            body = _uncomment(body, i + 2, problems)
        blank = next((n for n, row in enumerate(body) if row.strip()), 0)
        cell.start = i + 2 + blank
        cell.source = "\n".join(body[blank:]).rstrip()
        cells.append(cell)
        if not cell.source:
            problems.add(i + 1, "this cell is empty.")
    return cells


def _marker(marker, line, problems):
    """Return an empty cell of the kind that the marker names, or None."""
    kind, exercise, options = None, None, {}
    for token in TOKEN.finditer(marker.rstrip()):
        key, word = token["key"], token["word"]
        value = token["text"] if token["text"] is not None else token["number"]
        if word in ("[markdown]", "setup", "demo") and kind is None:
            kind = word.strip("[]")
        elif key in ("exercise", "check") and kind is None and token["text"]:
            kind, exercise = key, value
        elif kind and key in OPTIONS[kind] and token["number"]:
            options[key] = float(value) if "." in value else int(value)
        else:
            problems.add(line, f"unknown marker `{token[0].strip()}`.")
            return None
    kind = kind or "code"
    for key in OPTIONS[kind]:
        if key not in options:
            problems.add(line, f"the {kind} marker has no `{key}`.")
            return None
    if kind == "exercise" and options["difficulty"] not in (1, 2, 3):
        problems.add(line, f"difficulty is {options['difficulty']}; it is 1, 2 or 3.")
    return Cell(kind, "", line, exercise, options)


def _uncomment(body, line, problems):
    """Remove the comment marks of a Markdown cell."""
    text = []
    for number, row in enumerate(body, line):
        if row.strip() and not re.match(r"#( |$)", row):
            problems.add(number, "a line of a Markdown cell must begin with `# `.")
        text.append(row[2:] if row.startswith("# ") else row[1:])
    return text


def _check_regions(cells, problems):
    """Check that solution regions open and close, and only in exercises."""
    for cell in cells:
        opened, regions = None, 0
        for number, row in enumerate(_rows(cell), cell.start):
            region = REGION.match(row)
            if not region:
                if re.search(r"(BEGIN|END) SOLUTION", row):
                    problems.add(number, "a solution marker must stand alone on its line.")
                continue
            edge, name = region["edge"], region["name"]
            if name != "SOLUTION":
                problems.add(number, f"unknown marker `{edge} {name}`.")
            elif cell.kind != "exercise":
                problems.add(number, f"`{edge} SOLUTION` stands outside an exercise cell.")
            elif edge == "BEGIN" and opened:
                problems.add(number, f"`BEGIN SOLUTION` again; line {opened} is still open.")
            elif edge == "END" and not opened:
                problems.add(number, "`END SOLUTION` without a `BEGIN SOLUTION` before it.")
            else:
                opened = number if edge == "BEGIN" else None
                regions += edge == "BEGIN"
        if opened:
            problems.add(opened, "`BEGIN SOLUTION` without an `END SOLUTION` after it.")
        if cell.kind == "exercise" and not regions:
            problems.add(cell.line, f'exercise "{cell.exercise}" has no solution region.')


def _rows(cell):
    """Return the lines in which markers count: Markdown may talk about them."""
    return cell.source.split("\n") if cell.kind != "markdown" else []


def _check_python(cells, problems):
    """Check that every code cell is Python, and that a check cell calls its check."""
    for cell in cells:
        if cell.kind == "markdown":
            continue
        try:
            tree = ast.parse(cell.source)
        except SyntaxError as error:
            problems.add(cell.start + (error.lineno or 1) - 1, f"this is not Python: {error.msg}.")
            continue
        if cell.kind == "check" and not _calls_check(tree, cell.exercise):
            problems.add(
                cell.line,
                f'the check cell of "{cell.exercise}" must end with '
                f'`check("<module>.{cell.exercise}")`.',
            )


def _calls_check(tree, exercise):
    """Say whether the last statement is `check("<module>.<exercise>")`."""
    last = tree.body[-1] if tree.body else None
    call = last.value if isinstance(last, ast.Expr) else None
    return (
        isinstance(call, ast.Call)
        and getattr(call.func, "id", None) == "check"
        and len(call.args) == 1
        and isinstance(call.args[0], ast.Constant)
        and str(call.args[0].value).rpartition(".")[2] == exercise
    )


def _check_pairs(lab, problems):
    """Check that exercises and checks come in pairs, the exercise first, each id once."""
    first = {}
    for cell in lab.cells:
        if cell.exercise is None:
            continue
        if not re.fullmatch(r"[A-Za-z_]\w{0,40}", cell.exercise):
            problems.add(cell.line, f'"{cell.exercise}" is not a name for an exercise.')
        earlier = first.setdefault((cell.kind, cell.exercise), cell)
        if earlier is not cell:
            problems.add(
                cell.line, f'duplicate {cell.kind} "{cell.exercise}"; line {earlier.line} has it.'
            )
    for (kind, name), cell in first.items():
        partner = first.get(("check" if kind == "exercise" else "exercise", name))
        if partner is None:
            other = "check" if kind == "exercise" else "exercise"
            problems.add(cell.line, f'{kind} "{name}" has no {other}.')
        elif kind == "check" and partner.line > cell.line:
            problems.add(cell.line, f'check "{name}" stands before its exercise.')


def _check_points(lab, exercises, problems):
    """Check ids and points against the registry of the module, in both directions."""
    seen = set()
    for cell in lab.cells:
        if cell.kind != "check":
            continue
        seen.add(cell.exercise)
        known = exercises.get(cell.exercise)
        if known is None:
            problems.add(
                cell.line,
                f'"{cell.exercise}" is not an exercise in autograder/checks/{lab.slug}.',
            )
        elif known.lab != lab.lab:
            problems.add(cell.line, f'exercise "{cell.exercise}" belongs to {known.lab}.')
        elif known.points != cell.options["points"]:
            problems.add(
                cell.line,
                f'check "{cell.exercise}" says {cell.options["points"]} points, '
                f"its cases add up to {known.points:g}.",
            )
    for name, known in exercises.items():
        if known.lab == lab.lab and name not in seen:
            problems.add(1, f'exercise "{name}" has checks for this lab but no cell in it.')
