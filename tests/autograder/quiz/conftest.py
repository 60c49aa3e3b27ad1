"""A small bank that breaks no rule, to be broken one rule at a time."""

import copy

import pytest
import yaml

from autograder.quiz import bank

KEYS = """
def product(left, right):
    return left * right


def total(left, right):
    return left + right


def pair(left, right):
    return (left, right)


def turned(left, right):
    return (right, left)
"""

WHY = "This is why, in a sentence."


def single(number, key, **fields):
    """Return a single item; no option is the longest or the shortest alone."""
    texts = ["first text", "other text", "third text", "last texts"]
    options = [{"text": text, "explanation": f"Option {text} of {number}."} for text in texts]
    options[key]["correct"] = True
    return {
        "id": f"q{number:02d}",
        "type": "single",
        "level": "recall",
        "topic": "one",
        "points": 1,
        "stem": "Which?",
        "options": options,
    } | fields


def computed(number, kind, **fields):
    """Return a numeric or a shape item with four variants."""
    keys = {"numeric": ("product", "total"), "shape": ("pair", "turned")}[kind]
    return {
        "id": f"q{number:02d}",
        "type": kind,
        "level": "apply",
        "topic": "two",
        "points": 2,
        "stem": "How much?",
        "choose": {"left": [3, 5], "right": [7, 11]},
        "key": keys[0],
        "explanation": "With {left} and {right} it is {key}.",
        "mistakes": [{"key": keys[1], "explanation": "{key} is the slip of {left}."}],
    } | fields


def content():
    """Return a bank of 15 items as its file holds it."""
    items = [single(number, (number - 1) % 4) for number in range(1, 8)]
    for item in items[:3]:
        item["revisits"] = "m01_sequence_models"
    items += [computed(8, "numeric"), computed(9, "numeric"), computed(10, "numeric")]
    items += [computed(11, "shape"), computed(12, "shape", axes=2)]
    common = {"level": "predict", "topic": "one", "points": 2, "stem": "Which?"}
    options = [{"text": text, "explanation": f"Entry {text} here."} for text in "uvwx"]
    several = [option | {"correct": option["text"] in "uw"} for option in options]
    items.append({"id": "q13", "type": "multiple", "options": several} | common)
    steps = [option | {"place": place} for option, place in zip(options, (3, 1, 4, 2), strict=True)]
    items.append({"id": "q14", "type": "order", "options": steps} | common)
    pairs = [option | {"matches": to} for option, to in zip(options, (2, 1, 4, 3), strict=True)]
    targets = ["alpha", "beta", "gamma", "delta"]
    items.append({"id": "q15", "type": "match", "options": pairs, "targets": targets} | common)
    return {
        "module": "m02_transformer",
        "title": "A trial",
        "minutes": 10,
        "topics": ["one", "two"],
        "items": items,
    }


@pytest.fixture
def made():
    """Return the content of a good bank, to be changed by the test."""
    return copy.deepcopy(content())


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a bank where its module's folder would be."""

    def write(made, keys=KEYS):
        folder = tmp_path / "solutions" / "m02_transformer"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "quiz.yaml"
        path.write_text(made if isinstance(made, str) else yaml.safe_dump(made, sort_keys=False))
        (folder / "quiz_keys.py").write_text(keys)
        return path

    return write


@pytest.fixture
def good(made, write):
    """Return the good bank, loaded."""
    return bank.load(write(made))
