"""`overrides.yaml` of a course folder: what an instructor decided otherwise than the checks.

    - exercise: m02_transformer.masked_softmax
      drop: masked_keys_get_no_weight
      author: Jane Doe
      reason: the property was ambiguous

An entry has one of `drop` (the case counts as passed), `points` (what the exercise is worth for
everybody) and `accept` (code, or a learner whose present answer is meant: the same code up to
comments and formatting earns everything). A quiz item, `m02_transformer.quiz.q03`, takes `points`
and `accept`. `learner` limits an entry to one of them. `amend.py` carries out what stands here.
"""

import json
from hashlib import sha256
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from autograder.errors import CourseError
from autograder.exercise import find
from autograder.grading.same_code import accepted_code
from autograder.quiz import answers
from autograder.quiz.bank import find as find_bank

FILE = "overrides.yaml"
KINDS = ("drop", "points", "accept")
HINTS = {
    "author": "say who decides",
    "reason": "say why; learners read it",
    "exercise": "name it, as m02_transformer.causal_mask",
}


class Override(BaseModel):
    """One decision."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True)
    exercise: str = Field(min_length=1)
    author: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    drop: str | None = Field(None, min_length=1)
    points: float | None = Field(None, ge=0, le=1000, allow_inf_nan=False)
    accept: Any = None
    learner: str | None = Field(None, min_length=1)
    _where: str = PrivateAttr("")
    _answer: Any = PrivateAttr(None)

    @model_validator(mode="after")
    def _one_kind(self):
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            have = " and ".join(f"`{kind}`" for kind in given) or "none of them"
            raise ValueError(f"an entry has one of `drop`, `points` and `accept`; it has {have}")
        if self.points is not None and self.learner:
            raise ValueError("`points` concerns everybody; leave `learner` out")
        return self

    @property
    def kind(self):
        """`drop`, `points` or `accept`."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def where(self):
        """The file and the line at which the entry begins."""
        return self._where

    @property
    def answer(self):
        """The accepted answer: code as `canonical` gives it, or a quiz answer."""
        return self._answer

    @property
    def sentence(self):
        """What learners and instructors read."""
        done = {"drop": "Dropped", "accept": "Accepted"}.get(self.kind)
        done = done or f"Set to {self.points:g} points"
        return f"{done} by {self.author}: {' '.join(self.reason.split()).rstrip('.')}."


class Overrides:
    """The entries of a course folder."""

    def __init__(self, entries=()):
        self.entries = list(entries)

    def of(self, exercise, learner):
        """Return the entries for one exercise or quiz item of one learner."""
        return [e for e in self.entries if e.exercise == exercise and e.learner in (None, learner)]

    def points(self, exercise):
        """Return what an exercise is worth now, or None where its release says it."""
        found = [e.points for e in self.entries if e.exercise == exercise and e.kind == "points"]
        return found[-1] if found else None

    def digest(self, notebook, learner):
        """Return a name for all entries that touch a notebook; empty where none does."""
        touching = [
            [entry.model_dump(), entry.answer]
            for exercise in exercises(notebook).values()
            for entry in self.of(exercise, learner)
        ]
        text = json.dumps(touching, sort_keys=True)
        return sha256(text.encode()).hexdigest()[:16] if touching else ""


def exercises(notebook):
    """Return what the graded cells of a notebook ask: grade id to exercise or quiz item."""
    found = {}
    for cell in notebook.cells:
        grading, course = cell.metadata.get("nbgrader", {}), cell.metadata.get("course", {})
        if not grading.get("grade"):
            continue
        if course.get("role") == "check":
            found[grading["grade_id"]] = course["exercise"]
        elif course.get("role") == "graded":
            module = notebook.metadata["course"]["module"]
            found[grading["grade_id"]] = f"{module}.quiz.{course['item']}"
    return found


def load(folder, keep=True):
    """Return the `Overrides` of a course folder; none where it has no `overrides.yaml`.

    Args:
        folder: the `CourseFolder`.
        keep: whether a learner's accepted answer is written to `accepted/` when it is first met.

    Raises:
        CourseError: the file has mistakes; one sentence a line.
    """
    path = folder.path / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Overrides()
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read: {error}.") from None
    entries, problems = [], []
    for line, data in _read(path, text):
        where = f"{path}:{line}"
        try:
            entry = Override.model_validate(data)
            entry._where = where
            _complete(entry, folder, keep)
            entries.append(entry)
        except ValidationError as error:
            problems += [f"{where}: {_sentence(each)}." for each in error.errors()]
        except CourseError as error:
            problems.append(f"{where}: {error}")
    problems += _conflicts(entries)
    if problems:
        raise CourseError("\n".join(problems))
    return Overrides(entries)


def _read(path, text):
    """Return the line and the content of each entry."""
    try:
        node, data = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark, reason = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        line = mark.line + 1 if mark else 1
        raise CourseError(f"{path}:{line}: this is no YAML: {reason or error}.") from None
    if data is None:
        return []
    if not isinstance(data, list):
        raise CourseError(f"{path}:1: write a list, where each entry begins with `- exercise:`.")
    return [(each.start_mark.line + 1, item) for each, item in zip(node.value, data, strict=True)]


def _sentence(error):
    """Return one of pydantic's errors as a clause: what is wrong and what to do."""
    name = ".".join(map(str, error["loc"]))
    if error["type"] == "missing" or (error["type"] == "string_too_short" and name in HINTS):
        return f"`{name}` is missing; {HINTS[name]}"
    if error["type"] == "extra_forbidden":
        known = ", ".join(Override.model_fields)
        return f"there is no field `{name}`; the fields are {known}"
    if error["type"] == "string_type":
        return f"`{name}` must be text; put it in quotes"
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if not name:
        return "an entry has fields; begin it with `- exercise:`"
    return f"`{name}` is {error['input']!r}: {error['msg'].lower()}"


def _complete(entry, folder, keep):
    """Check what an entry names, and find the answer that it accepts."""
    if entry.learner:
        known = set(folder.roster()) | {p.name for p in (folder.path / "submitted").glob("*")}
        if entry.learner not in known:
            raise CourseError(f"There is no learner {entry.learner}; `learner` takes an id.")
    module, _, name = entry.exercise.partition(".")
    if name.startswith("quiz."):
        _complete_item(entry, find_bank(module).item(name.removeprefix("quiz.")))
        return
    exercise = find(entry.exercise)
    cases = [case.name for case in exercise.cases]
    if entry.kind == "drop" and entry.drop not in cases:
        raise CourseError(
            f"{entry.exercise} has no case `{entry.drop}`; it has {', '.join(cases)}."
        )
    if entry.kind == "accept":
        entry._answer = accepted_code(entry, exercise, folder, keep)


def _complete_item(entry, item):
    if entry.kind == "drop":
        raise CourseError("A quiz item has no cases to drop; set `points: 0`, or `accept` more.")
    if entry.kind == "accept":
        if item.choose and not entry.learner:
            raise CourseError(
                f"{entry.exercise} has other numbers for each learner; say whose answer it is "
                "with `learner`."
            )
        try:
            entry._answer = answers.read(item.question, entry.accept)
        except answers.AnswerError as error:
            raise CourseError(str(error)) from None


def _conflicts(entries):
    """Return a sentence for each two entries that cannot both hold."""
    found, worth, dropped = [], {}, {}
    for entry in entries:
        if entry.kind == "points":
            first = worth.setdefault(entry.exercise, entry)
            if first is not entry:
                found.append(f"{entry.where}: {first.where} sets the points of it already.")
        if entry.kind == "drop":
            names = dropped.setdefault((entry.exercise, entry.learner), set())
            names |= {entry.drop} | dropped.get((entry.exercise, None), set())
            if len(names) == len(find(entry.exercise).cases):
                found.append(
                    f"{entry.where}: every case of {entry.exercise} is dropped; use `points: 0`, "
                    "or `accept` answers."
                )
    return found
