"""Measure what lab 1 of module 1 states: what word vectors know, against the size of the corpus.

    python -m tests.benchmarks.word_vectors [SEED ...]

For each seed, which draws the corpus and trains the vectors, and for 0.3, 1 and 2 MB of text: the
share of planted words whose nearest neighbour is of their category, and of the analogies answered
right. Skip-gram reads 6 MB of text at each size: 20, 6 and 3 passes. GloVe has the package's
recipe, 10 passes over its pairs. Then FastText on unseen plurals. It runs the lab's own functions,
prints a line per result, and one line of JSON last: mean, standard deviation, lowest and highest
over the seeds. A seed takes about three minutes on one core; without seeds there are five, 0 to 4.
"""

import sys

import keras
import numpy as np

from course.data import english_corpus
from course.m01_sequence_models import GloVe, Vocabulary, fit_glove
from tests.benchmarks.seeds import names_of, report

lab = names_of("m01_sequence_models", "lab1_word_vectors")
PASSES = {0.3: 20, 1.0: 6, 2.0: 3}


def vectors_of_size(tokens, size, passes, seed):
    """Yield the name and the vectors of each kind."""
    table = lab["count_table"](tokens, size)
    yield "random", np.random.default_rng(seed).normal(size=(size, 100))
    yield "counts", table
    yield "log(1 + counts)", np.log1p(table)
    yield "PPMI", lab["ppmi"](table)
    for dim in (100, 300):
        yield f"PPMI, SVD to {dim}", lab["squeeze"](lab["ppmi"](table), dim)
    yield "skip-gram", lab["train_skip_gram"](tokens, size, passes, seed=seed).vectors
    keras.utils.set_random_seed(seed)
    glove = GloVe(size, 100)
    fit_glove(glove, tokens, seed=seed)
    yield "GloVe", glove.vectors


def sizes(seed):
    """Yield (size in MB, name, (share in category, share of analogies)), and the words missing."""
    for megabytes, passes in PASSES.items():
        texts, _ = english_corpus.load("train", size=int(megabytes * 1e6), seed=seed)
        words = Vocabulary.from_texts(texts, min_count=5)
        kind = english_corpus.category_of()
        missing = sum(word not in words.ids for word in kind)
        yield megabytes, "size and missing words", (len(words), missing)
        tokens = words.encode_corpus(texts)
        for name, vectors in vectors_of_size(tokens, len(words), passes, seed):
            yield megabytes, name, lab["what_is_known"](vectors, words)
            if name == "skip-gram" and megabytes == 2.0:
                points = lab["countries_and_capitals"](vectors, words)
                yield megabytes, "steps to capitals", lab["agreement_of_capitals"](points)
            keras.backend.clear_session()


def unseen(seed):
    """Yield (1.0, name, (share of the first, of five neighbours in the right category))."""
    texts, _ = english_corpus.load("train", size=2_000_000, seed=seed)
    plurals, words = lab["without_plurals"](Vocabulary.from_texts(texts, min_count=5))
    tokens = words.encode_corpus(texts[: len(texts) // 2])
    fasttext = lab["train_fasttext"](tokens, words, seed)
    rows = {
        "unseen, FastText": lab["neighbours_of_unseen"](fasttext, plurals),
        "unseen, look-alikes": lab["look_alikes"](plurals, words),
    }
    for name, near in rows.items():
        right = lab["right_category"](plurals, near, words)
        yield 1.0, name, (right[:, 0].mean(), right.mean())


def results(seed):
    """Yield the name and the numbers of each result of a seed."""
    for part in (sizes, unseen):
        for megabytes, name, values in part(seed):
            yield f"{megabytes} MB, {name}", values


if __name__ == "__main__":
    report(results, [int(argument) for argument in sys.argv[1:]])
