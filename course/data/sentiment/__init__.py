"""Sentiment: reviews of one or two sentences, negative, neutral or positive.

    The film was anything but dull.                                      positive
    Although the acting was superb, the film was hardly a success.       negative
    My aunt said that the film was awful, and she may be right.          neutral

Negation and contrast decide, not words: every opinion word stands in all three classes about
equally often, and so does what turns it over. The split is by structure: frames and clause
shapes (`frames.py`, `clauses.py`) that stand together in the test never do so in training,
though training has each frame, each shape and each word.

Labels: 0 negative, 1 neutral (facts, questions, hearsay, praise and blame without a verdict),
2 positive.
"""

import random
import re
import zlib

import numpy as np

from course.data.arguments import check_count
from course.data.sentiment.clauses import PERSONAL, SHAPES, clause
from course.data.sentiment.frames import DECIDED, NEUTRAL
from course.data.sentiment.words import DOMAINS, FACTS, PEOPLE

CLASSES = ("negative", "neutral", "positive")
CLAUSES = ("whole", "opposed", "against", "along")
WHOLES = ("whole", "opposed", "fact", "other")  # slots about the film itself
REPORTED = re.compile(r"(that|whether|(?<!even )if) $")
START = re.compile(r"^[a-z]|(?<=[.?] )[a-z]")
TEST_SHARE = 4  # one structure in four belongs to the test
MAX_EXAMPLES = 50_000


def load(split, num_examples=None, seed=0):
    """Return texts and labels; `num_examples` defaults to 6,000 or 1,500.

    Args:
        split: str. `"train"` or `"test"`.
        num_examples: int. N, at most 50,000; a third of each class.
        seed: int. The same seed gives the same sentences.

    Returns:
        `texts`, an array of N different str, and `labels`, int32 `(N,)`, places in `CLASSES`.

    Raises:
        ValueError: if an argument is out of its limits.
    """
    if num_examples is None:
        num_examples = {"train": 6_000, "test": 1_500}[split]
    check_count("num_examples", num_examples, high=MAX_EXAMPLES)
    rng = random.Random(f"sentiment {split} {check_count('seed', seed, low=0)}")
    found = {}
    while len(found) < num_examples:
        label = len(found) % 3
        structure = draw_structure(rng, label)
        if is_test(structure) == (split == "test"):
            found.setdefault(write(rng, structure, label), label)
    texts = np.array(list(found), object)
    labels = np.array(list(found.values()), "int32")
    order = rng.sample(range(num_examples), num_examples)
    return texts[order], labels[order]


def draw_structure(rng, label):
    """Return a frame and a shape for each of its clauses, as a tuple of str."""
    frame = rng.choice(NEUTRAL if label == 1 else list(DECIDED))
    return (frame, *(rng.choice(_shapes(frame, slot)) for slot in _slots(frame)))


def is_test(structure):
    """Whether sentences of this structure belong to the test."""
    return zlib.crc32(" | ".join(structure).encode()) % TEST_SHARE == 0


def write(rng, structure, label):
    """Return a sentence of the structure and the label; other words each time."""
    frame, *shapes = structure
    domain = rng.choice(list(DOMAINS))
    aspects = [f"the {aspect}" for aspect in rng.sample(DOMAINS[domain], 3)]
    mention = sorted(WHOLES, key=lambda slot: frame.find(f"{{{slot}}}") % 1000)
    whole = dict.fromkeys(WHOLES, "it") | {mention[0]: f"the {domain}"}
    said = rng.choice((1, -1)) if label == 1 else (label - 1) * DECIDED[frame]
    says = {
        "whole": (whole["whole"], said),
        "opposed": (whole["opposed"], -said),
        "against": (aspects[0], -said),
        "along": (aspects[1], said),
    }
    clauses = {
        slot: clause(rng, shape, *says[slot])
        for slot, shape in zip(_slots(frame), shapes, strict=True)
    }
    facts = rng.sample(FACTS[domain], 2)
    clauses |= {slot: f"{whole[slot]} {fact}" for slot, fact in zip(WHOLES[2:], facts, strict=True)}
    person, he = rng.choice(PEOPLE)
    text = frame.format(person=person, he=he, aspect=aspects[2], **clauses)
    return START.sub(lambda match: match[0].upper(), text)


def _slots(frame):
    """Return which opinions a frame has, in the order of `CLAUSES`."""
    return [slot for slot in CLAUSES if f"{{{slot}}}" in frame]


def _shapes(frame, slot):
    """Return the clause shapes that fit: what somebody else says is not about me."""
    reported = REPORTED.search(frame.partition(f"{{{slot}}}")[0])
    return [shape for shape in SHAPES if not (reported and shape in PERSONAL)]
