"""The items of a quiz bank, one class for each type, with their checks.

The options of every type have letters by their position: a, b, c.
"""

import math
import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from autograder.quiz.answers import Question, describe
from course.errors import CourseError

LETTERS = "abcdefgh"
MAX_VARIANTS = 64
SLUG = r"^m\d\d_[a-z_]+$"

Text = Annotated[str, Field(min_length=1)]
Sentence = Annotated[str, Field(min_length=12)]


class BankError(CourseError):
    """What is wrong with a bank: file, item, and what to do; one sentence a line."""


class Part(BaseModel):
    """Forbids fields that do not exist, so that a misspelt one is found."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)


class Option(Part):
    """An option of a choice: why it is right or wrong is its explanation."""

    text: Text
    explanation: Sentence
    correct: bool = False


class Step(Part):
    """An entry to put in order; `place` counts from 1."""

    text: Text
    explanation: Sentence
    place: int


class Pair(Part):
    """A left entry and the number of the right entry that belongs to it."""

    text: Text
    explanation: Sentence
    matches: int


class Mistake(Part):
    """A wrong answer with a name: a function in `quiz_keys.py` computes it."""

    key: Text
    explanation: Sentence


class Item(Part):
    """What every item has."""

    id: str = Field(pattern=r"^q\d\d$")
    level: Literal["recall", "predict", "apply"]
    topic: Text
    points: float = Field(gt=0, le=10)
    stem: Text
    revisits: str | None = Field(None, pattern=SLUG)
    _file: str = PrivateAttr("quiz.yaml")
    _keys: object = PrivateAttr(None)

    @property
    def choose(self):
        """Parameters and their values; empty for an item that is the same for everybody."""
        return {}

    @property
    def right(self):
        """The right side of a match, number to text."""
        return {}

    @property
    def rank(self):
        """The number of axes that the learner is told."""
        return None

    @property
    def entries(self):
        """Letter to option, step or pair."""
        return dict(zip(LETTERS, getattr(self, "options", ()), strict=False))

    @property
    def question(self):
        """What the learner may know."""
        texts = {letter: entry.text for letter, entry in self.entries.items()}
        return Question(self.id, self.type, texts, self.right, self.choose, self.rank)

    def key(self, parameters):
        """Return the right answer for one variant."""
        raise NotImplementedError

    def fail(self, sentence):
        """Raise the error of this item."""
        raise BankError(f"{self._file}, item {self.id}: {sentence}")


class Choice(Item):
    """Common to `single` and `multiple`."""

    options: list[Option] = Field(min_length=2, max_length=len(LETTERS))

    @property
    def correct(self):
        """The letters of the right options."""
        return [letter for letter, option in self.entries.items() if option.correct]


class Single(Choice):
    """One right option."""

    type: Literal["single"]

    @model_validator(mode="after")
    def _one_key(self):
        if len(self.correct) != 1:
            raise ValueError(f"{len(self.correct)} options are correct; mark exactly one")
        return self

    def key(self, parameters):
        """Return the right letter."""
        return self.correct[0]


class Multiple(Choice):
    """One or more right options, one or more wrong ones."""

    type: Literal["multiple"]

    @model_validator(mode="after")
    def _some_key(self):
        if not 0 < len(self.correct) < len(self.options):
            raise ValueError("mark at least one option as correct and leave at least one wrong")
        return self

    def key(self, parameters):
        """Return the right letters."""
        return self.correct


class Order(Item):
    """Options shown as listed; `place` says where each belongs."""

    type: Literal["order"]
    options: list[Step] = Field(min_length=3, max_length=len(LETTERS))

    @model_validator(mode="after")
    def _all_places(self):
        places = [step.place for step in self.options]
        if sorted(places) != list(range(1, len(places) + 1)):
            raise ValueError(f"the places must be 1 to {len(places)}, each once")
        if places in (sorted(places), sorted(places, reverse=True)):
            raise ValueError("the options stand in the right order or its reverse; shuffle them")
        return self

    def key(self, parameters):
        """Return the letters in the right order."""
        return sorted(self.entries, key=lambda letter: self.entries[letter].place)


class Match(Item):
    """Left options, and a list on the right that they belong to."""

    type: Literal["match"]
    options: list[Pair] = Field(min_length=2, max_length=len(LETTERS))
    targets: list[Text] = Field(min_length=2, max_length=9)

    @model_validator(mode="after")
    def _all_targets(self):
        matches = [pair.matches for pair in self.options]
        if any(not 1 <= number <= len(self.targets) for number in matches):
            last = len(self.targets)
            raise ValueError(f"an option matches no target; the targets are 1 to {last}")
        if len(set(matches)) < len(matches):
            raise ValueError("two options match the same target; give each its own")
        if matches == sorted(matches):
            raise ValueError("the targets stand in the order of the options; shuffle them")
        return self

    @property
    def right(self):
        """Number to text."""
        return {str(number): text for number, text in enumerate(self.targets, 1)}

    def key(self, parameters):
        """Return the number that belongs to each letter."""
        return {letter: str(pair.matches) for letter, pair in self.entries.items()}


class Computed(Item):
    """An answer that a function in `quiz_keys.py` computes from the parameters."""

    key_name: Text = Field(alias="key")
    parameters: dict[str, list] = Field(default_factory=dict, alias="choose")
    explanation: Sentence
    mistakes: list[Mistake] = Field(min_length=1)

    @model_validator(mode="after")
    def _some_variants(self):
        for name, values in self.parameters.items():
            if not re.fullmatch(r"[a-z][a-z_]*", name) or len(values) < 1:
                raise ValueError(f"the parameter {name} needs a lower-case name and some values")
        count = math.prod(map(len, self.parameters.values()))
        if self.parameters and not 3 <= count <= MAX_VARIANTS:
            raise ValueError(f"`choose` must give 3 to {MAX_VARIANTS} variants")
        known = {*self.parameters, "key"}
        for text in (self.explanation, *(mistake.explanation for mistake in self.mistakes)):
            for name in re.findall(r"\{(\w+)\}", text):
                if name not in known:
                    raise ValueError(f"an explanation names {{{name}}}, which is not a parameter")
        return self

    @property
    def choose(self):
        """Parameters and their values."""
        return self.parameters

    def key(self, parameters):
        """Return the key of one variant, computed by the package."""
        return self._keys.call(self, self.key_name, parameters)

    def wrong(self, parameters):
        """Return `[(value, mistake)]` for the named mistakes that differ from the key."""
        key, found = self.key(parameters), []
        for mistake in self.mistakes:
            value = self._keys.call(self, mistake.key, parameters)
            if not self.accepts(value, key) and all(value != other for other, _ in found):
                found.append((value, mistake))
        return found


class Numeric(Computed):
    """A number, right within `tolerance` (absolute)."""

    type: Literal["numeric"]
    tolerance: float = Field(0.0, ge=0)

    def accepts(self, value, key):
        """Return whether a value counts as the key."""
        return abs(value - key) <= self.tolerance + 1e-9 * abs(key)


class Shape(Computed):
    """A tensor's shape; `axes` tells the learner how many axes it has."""

    type: Literal["shape"]
    axes: int | None = Field(None, ge=1, le=8)

    @property
    def rank(self):
        """The number of axes that the learner is told."""
        return self.axes

    def accepts(self, value, key):
        """Return whether a value counts as the key."""
        return list(value) == list(key)


def fill(text, parameters, key):
    """Put parameters and key into an explanation."""
    values = {name: str(value) for name, value in parameters.items()} | {"key": describe(key)}
    return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], text)
