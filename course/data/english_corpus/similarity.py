"""Graded similarity: how alike two words are by what was planted in the corpus.

| score | the two words |
|---|---|
| 1.0 | are of one category: dog, cow |
| 0.75 | are of two categories, and a pair of a planted relation: France, Paris |
| 0.5 | are of two categories of one group: France, Oslo |
| 0.0 | are of two groups: France, spoon |

The scores are ranks: compare them with cosines by a rank correlation. All words are lower
case.
"""

import random
from functools import cache

import numpy as np

from course.data.arguments import check_count
from course.data.english_corpus.analogies import RELATIONS, pairs
from course.data.english_corpus.categories import categories

SPLITS = ("test",)
GROUPS = {
    "geography": ("countries", "capitals", "demonyms"),
    "animals": ("animals", "young animals"),
    "people": ("men", "women", "male names", "female names", "professions", "musicians"),
    "meals": ("foods", "drinks"),
    "belongings": ("tools", "clothes", "furniture", "instruments"),
}
SCORES = (1.0, 0.75, 0.5, 0.0)
MAX_PAIRS = 360


def load(split, num_pairs=320, seed=0):
    """Return pairs of words and their scores, each score as often as the others.

    Args:
        split: str. `"test"`: nothing here is for training.
        num_pairs: int. N, from 4 to 360; a quarter have each score, where N divides by 4.
        seed: int. The same seed gives the same pairs.

    Returns:
        `words`, an array of str `(N, 2)`, and `scores`, float32 `(N,)`.

    Raises:
        ValueError: if an argument is out of its limits.
    """
    num_pairs = check_count("num_pairs", num_pairs, low=4, high=MAX_PAIRS)
    rng = random.Random(f"similarity {check_count('seed', seed, low=0)}")
    tied = sorted(_tied())
    chosen = {}
    for i in range(num_pairs):
        wanted = SCORES[i % 4]
        pair = None
        while pair is None or pair in chosen or pair[::-1] in chosen:
            pair = rng.choice(tied) if wanted == 0.75 else _draw(rng, wanted)
        chosen[pair] = score(*pair)
    order = rng.sample(sorted(chosen), len(chosen))
    return np.array(order, object), np.array([chosen[pair] for pair in order], "float32")


def score(first, second):
    """Return the score of two lower-case words, singular, by the table above.

    Raises:
        ValueError: if a word is in no category.
    """
    of = _category()
    for word in (first, second):
        if word not in of:
            raise ValueError(f"Words must be in a planted category. Received: {word!r}.")
    one, other = of[first], of[second]
    if one == other:
        return 1.0
    if {(first, second), (second, first)} & _tied():
        return 0.75
    return 0.5 if any({one, other} <= set(group) for group in GROUPS.values()) else 0.0


@cache
def _category():
    return {word: name for name, words in categories().items() for word in words}


@cache
def _tied():
    """Return the pairs of planted relations whose words are of two categories."""
    of = _category()
    found = {pair for relation in RELATIONS for pair in pairs(relation)}
    return {(a, b) for a, b in found if a in of and b in of and of[a] != of[b]}


def _draw(rng, wanted):
    """Draw a pair of the wanted score: two categories first, then a word of each."""
    named = categories()
    while True:
        one = rng.choice(list(named))
        other = one if wanted == 1.0 else rng.choice(list(named))
        pair = rng.choice(named[one]), rng.choice(named[other])
        if pair[0] != pair[1] and score(*pair) == wanted:
            return pair
