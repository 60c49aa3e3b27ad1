"""Analogies with a known truth: `a` is to `b` as `c` is to `d`.

Each relation is a list of pairs planted in the corpus; a question joins two pairs of one
relation. All words are lower case, as a vocabulary that ignores case has them.
"""

import itertools
from functools import cache

import numpy as np

from course.data.arguments import check_choices
from course.data.english_corpus.categories import table

SPLITS = ("test",)
SOURCES = {
    "country-capital": ("countries", "country", "capital"),
    "country-demonym": ("countries", "country", "demonym"),
    "male-female": ("family", "man", "woman"),
    "animal-young": ("animals", "animal", "young"),
    "singular-plural": ("animals", "animal", "plural"),
    "instrument-musician": ("instruments", "instrument", "musician"),
    "profession-place": ("professions", "profession", "place"),
    "adjective-comparative": ("adjectives", "adjective", "comparative"),
    "verb-past": ("verbs", "verb", "past"),
}


def load(split, relations=None):
    """Return every question of the relations.

    Args:
        split: str. `"test"`: nothing here is for training.
        relations: names out of `RELATIONS`; all by default.

    Returns:
        `questions`, an array of str `(N, 4)` with rows `a, b, c, d`, and `relations`, an
        array of N names. A relation of P pairs gives P(P - 1) questions.

    Raises:
        ValueError: if there is no such relation.
    """
    rows, names = [], []
    for relation in check_choices("relations", relations, RELATIONS):
        for first, second in itertools.permutations(pairs(relation), 2):
            rows.append((*first, *second))
            names.append(relation)
    return np.array(rows, object), np.array(names, object)


@cache
def pairs(relation):
    """Return the pairs of a relation as a tuple of pairs of lower-case words."""
    name, first, second = SOURCES[relation]
    found = ((row[first].lower(), row[second].lower()) for row in table(name))
    return tuple(pair for pair in found if "-" not in pair and pair[0] != pair[1])


RELATIONS = tuple(SOURCES)
