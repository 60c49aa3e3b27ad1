"""An English corpus with a known truth: who belongs together was planted.

Most of it is written by a grammar (`grammar.py`, `templates/`) over words in categories and
relations (`categories.py`, `words/`); `prose/` adds stories and dialogue written for the
course (CC BY 4.0, see LICENSE-TEXT). `analogies` and `similarity` ask for what was planted.

A passage is one to three sentences of the grammar, or a paragraph of the prose. A hash of
the passage decides the split, so none is in both, whatever the seed.
"""

import random
import zlib
from functools import cache
from importlib.resources import files

import numpy as np

from course.data.arguments import check_count
from course.data.english_corpus.categories import categories, category_of, tables
from course.data.english_corpus.grammar import Grammar

TOPICS = ("animals", "people", "world", "deeds", "things", "nature", "prose")
WEIGHTS = (4, 6, 5, 7, 8, 5)
TEST_SHARE = 8  # one passage in eight belongs to the test
HERE = files(__package__)


def load(split, size=None, seed=0, prose=True):
    """Return passages and their topics.

    Args:
        split: str. `"train"` or `"test"`.
        size: int. Bytes of text, at least 10,000; 2,000,000 by default, for the test 200,000.
        seed: int. The same seed gives the same passages.
        prose: bool. Whether the course's prose is mixed in, as far as it belongs to the split.

    Returns:
        `passages`, an array of N str, and `topics`, int32 `(N,)`, places in `TOPICS`.

    Raises:
        ValueError: if an argument is out of its limits.
    """
    if size is None:
        size = {"train": 2_000_000, "test": 200_000}[split]
    check_count("size", size, low=10_000)
    rng = random.Random(f"english {split} {check_count('seed', seed, low=0)}")
    told = paragraphs() if prose else ()
    chosen = [(text, len(TOPICS) - 1) for text in told if _is_test(text) == (split == "test")]
    written = sum(len(text.encode()) + 1 for text, _ in chosen)
    topics = rng.choices(range(len(WEIGHTS)), WEIGHTS, k=size // 20)
    model = grammar()
    while written < size:
        topic = topics[len(chosen) % len(topics)]
        text = model.write(rng, TOPICS[topic])
        if _is_test(text) == (split == "test"):
            chosen.append((text, topic))
            written += len(text) + 1
    rng.shuffle(chosen)
    passages = np.empty(len(chosen), object)
    passages[:] = [text for text, _ in chosen]
    return passages, np.array([topic for _, topic in chosen], "int32")


def text(split="train", **options):
    """Return the corpus as one str, a passage a line; options as for `load`."""
    return "\n".join(load(split, **options)[0]) + "\n"


@cache
def grammar():
    """Return the corpus's grammar."""
    folder = HERE / "templates"
    names = sorted(path.name for path in folder.iterdir() if path.name.endswith(".txt"))
    rules = "\n".join((folder / name).read_text(encoding="utf-8") for name in names)
    return Grammar(rules, tables())


@cache
def paragraphs():
    """Return the paragraphs of `prose/`, each on one line, as a tuple of str."""
    folder = HERE / "prose"
    found = []
    for name in sorted(path.name for path in folder.iterdir() if path.name.endswith(".txt")):
        for block in (folder / name).read_text(encoding="utf-8").split("\n\n"):
            found += [" ".join(block.split())] if block.strip() else []
    return tuple(found)


def _is_test(passage):
    return zlib.crc32(passage.encode()) % TEST_SHARE == 0


__all__ = ["TOPICS", "categories", "category_of", "grammar", "load", "paragraphs", "text"]
