"""The bank of a module's quiz: `solutions/<slug>/quiz.yaml` and its `quiz_keys.py`.

`load` checks the form of every item; `review.py` checks what the course asks of the whole.
"""

import ast
import importlib.util
import math
import os
from collections import Counter
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, PrivateAttr, ValidationError

from autograder.quiz.items import (
    LETTERS,
    SLUG,
    BankError,
    Computed,
    Match,
    Multiple,
    Numeric,
    Order,
    Part,
    Shape,
    Single,
    Text,
)

ROOT = Path(__file__).resolve().parents[2]


AnyItem = Annotated[
    Single | Multiple | Order | Match | Numeric | Shape, Field(discriminator="type")
]


class Bank(Part):
    """A module's quiz."""

    module: str = Field(pattern=SLUG)
    title: Text
    minutes: int = Field(gt=0)
    topics: list[Text] = Field(min_length=1)
    items: list[AnyItem] = Field(min_length=1)
    _path: Path = PrivateAttr(Path("quiz.yaml"))

    @property
    def points(self):
        """All points together."""
        return sum(item.points for item in self.items)

    def item(self, item_id):
        """Return an item by its id.

        Raises:
            BankError: there is no such item.
        """
        for item in self.items:
            if item.id == item_id:
                return item
        raise BankError(f"{named(self._path)} has no item {item_id}.")


class Keys:
    """The functions of a `quiz_keys.py`, imported when the first key is computed."""

    def __init__(self, path):
        self.path = Path(path)
        self._values = {}

    @cached_property
    def names(self):
        """Names of the functions, read without running the file."""
        if not self.path.is_file():
            return set()
        tree = ast.parse(self.path.read_text(encoding="utf-8"))
        return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}

    @cached_property
    def _module(self):
        name = f"quiz_keys_{self.path.parent.name}"
        spec = importlib.util.spec_from_file_location(name, self.path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def call(self, item, name, parameters):
        """Return a key: a number, or a list of whole numbers for a shape."""
        known = (name, repr(sorted(parameters.items())))
        if known not in self._values:
            try:
                value = getattr(self._module, name)(**parameters)
                self._values[known] = _number_or_shape(value)
            except Exception as error:  # noqa: BLE001  whatever the key does, name it
                item.fail(f"the key {name} failed for {parameters}: {error}.")
        return self._values[known]


def find(slug):
    """Return the bank of a module: that of `COURSE_PRIVATE`, else that of the clone.

    Raises:
        BankError: there is none, or it has mistakes.
    """
    private = os.environ.get("COURSE_PRIVATE")
    for folder in filter(None, (private, ROOT / "solutions")):
        path = Path(folder) / slug / "quiz.yaml"
        if path.is_file():
            files = (path, path.with_name("quiz_keys.py"))
            return _kept(path, tuple(file.stat().st_mtime_ns for file in files if file.is_file()))
    raise BankError(f"The module {slug} has no quiz: solutions/{slug}/quiz.yaml is missing.")


@lru_cache(maxsize=16)
def _kept(path, changed):
    """Keep a bank, with the keys it has computed, until one of its files changes."""
    return load(path)


def load(path):
    """Return the bank in a file.

    Raises:
        BankError: one sentence for each mistake, with file and item.
    """
    path = Path(path)
    content = _read(path)
    try:
        bank = Bank.model_validate(content)
    except ValidationError as error:
        raise BankError("\n".join(_sentences(path, content, error))) from None
    keys = Keys(path.with_name("quiz_keys.py"))
    bank._path = path
    for item in bank.items:
        item._file, item._keys = named(path), keys
    mistakes = _links(bank, keys)
    if mistakes:
        raise BankError("\n".join(mistakes))
    return bank


def named(path):
    """Return a path as messages show it: from `solutions/` on."""
    path = Path(path)
    return "/".join(path.parts[-3:]) if "solutions" in path.parts else path.name


def _number_or_shape(value):
    """Return a Python number, or a list of whole numbers for any kind of shape."""
    value = value.item() if hasattr(value, "item") else value
    if not isinstance(value, int | float):
        return [int(axis) for axis in value]
    if not math.isfinite(value):
        raise ValueError("it is not finite")
    return value


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice in a mapping."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for name, count in Counter(map(str, keys)).items():
            if count > 1:
                mark = node.start_mark
                raise yaml.MarkedYAMLError(problem=f"{name} stands twice", problem_mark=mark)
        return super().construct_mapping(node, deep)


def _read(path):
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError:
        raise BankError(f"{named(path)} is missing.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise BankError(f"{named(path)}{where}: this is not valid YAML: {problem}.") from None
    if not isinstance(content, dict):
        raise BankError(f"{named(path)}: write `module`, `title`, `minutes`, `topics` and `items`.")
    return content


def _sentences(path, content, error):
    """Turn pydantic's errors into one sentence each, with file and item."""
    for problem in error.errors(include_url=False):
        location = [part for part in problem["loc"] if part not in _TYPES]
        where = [named(path)]
        if len(location) > 1 and location[0] == "items":
            item = content["items"][location[1]]
            number = f"number {location[1] + 1}"
            where.append(f"item {item.get('id', number) if isinstance(item, dict) else number}")
            location = location[2:]
        if len(location) > 1 and location[0] == "options":
            where.append(f"option {LETTERS[location[1]]}")
            location = location[2:]
        yield f"{', '.join(where)}: {_problem(problem, '.'.join(map(str, location)))}."


_TYPES = ("single", "multiple", "order", "match", "numeric", "shape")


def _problem(problem, name):
    kind, message = problem["type"], problem["msg"]
    if kind == "missing":
        return f"`{name}` is missing; write it"
    if kind == "extra_forbidden":
        return f"`{name}` is not a field; correct its name or remove it"
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    if kind == "string_too_short" and name.endswith("explanation"):
        return f"`{name}` is too short; say in a sentence why"
    if kind.startswith("union_tag"):
        return f"`type` must be one of {', '.join(_TYPES)}"
    return f"`{name}` is wrong: {message[0].lower()}{message[1:]}" if name else message


def _links(bank, keys):
    """Return what does not fit together: ids, topics, key functions, marks in texts."""
    file, found = named(bank._path), []
    for name, count in Counter(item.id for item in bank.items).items():
        if count > 1:
            found.append(f"{file}, item {name}: the id stands twice; give each item its own.")
    for item in bank.items:
        found += [f"{file}, item {item.id}: {mistake}." for mistake in _mistakes(item, bank, keys)]
    return found


def _mistakes(item, bank, keys):
    if item.topic not in bank.topics:
        yield f"the topic {item.topic!r} is not in `topics`; add or correct it"
    if item.revisits and item.revisits >= bank.module:
        yield f"`revisits` names {item.revisits}, which is not an earlier module; correct it"
    for name in _functions(item):
        if name not in keys.names:
            yield f"the key {name} is not a function of quiz_keys.py; write it"
    for text in _short_texts(item):
        if "$" in text or "\n" in text:
            yield (
                f"{text[:40]!r} has LaTeX or a line break, which only stems may; "
                "write the formula in Unicode on one line"
            )


def _functions(item):
    if not isinstance(item, Computed):
        return []
    return [item.key_name, *(mistake.key for mistake in item.mistakes)]


def _short_texts(item):
    texts = [text for entry in item.entries.values() for text in (entry.text, entry.explanation)]
    texts += item.right.values()
    if isinstance(item, Computed):
        texts += [item.explanation, *(mistake.explanation for mistake in item.mistakes)]
    return texts
