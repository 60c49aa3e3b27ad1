"""String reversal: the definition, the splits, the text forms."""

import numpy as np
import pytest

from course.data import load
from course.data.string_reversal import (
    BUCKETS,
    END,
    PAD,
    START,
    VOCABULARY_SIZE,
    decode,
    encode,
    reverse,
)


def test_worked_example():
    sources, targets = encode(["dogs"])
    assert sources.shape == (1, 19)
    assert targets.shape == (1, 21)
    assert sources[0, :5].tolist() == [6, 17, 9, 21, PAD]  # d is the fourth letter: 3 + 3
    assert targets[0, :7].tolist() == [START, 21, 9, 17, 6, END, PAD]
    assert sources[0, 5:].sum() == targets[0, 7:].sum() == 0


@pytest.mark.parametrize("split", ["train", "test"])
def test_targets_are_the_letters_reversed(split):
    sources, targets = load("string_reversal", split, num_examples=509)
    for source, target in zip(sources.tolist(), targets.tolist(), strict=True):
        letters = [i for i in source if i != PAD]
        assert source == letters + [PAD] * (19 - len(letters))
        padding = [PAD] * (19 - len(letters))
        assert target == [START, *letters[::-1], END, *padding]
    assert sources.dtype == targets.dtype == "int32"


def test_each_bucket_of_lengths_has_its_share_and_each_letter_comes():
    sources, _ = load("string_reversal", num_examples=2000)
    lengths = (sources != PAD).sum(1)
    shares = [((lengths >= low) & (lengths <= high)).sum() for low, high in BUCKETS]
    assert shares == [500] * 4
    assert set(np.unique(lengths)) == set(range(4, 20))
    assert set(np.unique(sources)) == {PAD, *range(3, VOCABULARY_SIZE)}


def test_no_string_comes_twice_or_in_both_splits_for_any_seed():
    short = {"num_examples": 3001, "buckets": ((3, 3),)}
    train = decode(load("string_reversal", seed=1, **short)[0])
    test = decode(load("string_reversal", "test", seed=2, num_examples=503, buckets=((3, 3),))[0])
    assert len(set(train)) == 3001
    assert len(set(test)) == 503
    assert not set(train) & set(test)


def test_the_seed_decides():
    first, again, other = (load("string_reversal", num_examples=53, seed=s)[0] for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_reverse_twice_gives_the_source_back():
    sources, targets = load("string_reversal", num_examples=101)
    backwards, _ = encode(decode(targets))
    np.testing.assert_array_equal(encode(decode(reverse(backwards)))[0], sources)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"num_examples": 0}, "`num_examples`.*at least|from 1"),
        ({"num_examples": 2.5}, "`num_examples`.*2.5"),
        ({"buckets": ((4, 20),)}, r"`buckets`.*3 to 19.*\(4, 20\)"),
        ({"buckets": ((7, 4),)}, "`buckets`"),
        ({"seed": -1}, "`seed`.*-1"),
        ({"lengths": 5}, "string_reversal.*buckets.*'lengths'"),
    ],
)
def test_errors_name_the_argument(options, named):
    with pytest.raises(ValueError, match=named):
        load("string_reversal", **options)


@pytest.mark.parametrize(("word", "named"), [("naïve", "abcdef"), ("a" * 20, "`length`.*20")])
def test_words_must_fit(word, named):
    with pytest.raises(ValueError, match=named):
        encode([word])
