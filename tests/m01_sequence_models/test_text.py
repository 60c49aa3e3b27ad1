"""Standardised text and vocabularies, by hand and against `keras.layers.TextVectorization`."""

import unicodedata

import keras
import numpy as np
import pytest

from course.m01_sequence_models import Vocabulary, standardize, tokenize

TEXTS = [
    "The cat sat on the mat, and the dog on the rug.",
    "A DOG is not a cat; the cat isn't a dog!",
    "Où est le café? The café is on the left.",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't panic: it's 3.5 km!", "don't panic : it's 3 . 5 km !"),
        ("He said: ‘Rock’n’roll’", "he said : ‘ rock'n'roll ’"),
        ("'quoted' words'", "' quoted ' words '"),
        ("a-b\t c_d\n\ne", "a - b c _ d e"),
        ("5€ + 1$ = ?", "5 € + 1 $ = ?"),
        ("", ""),
        ("हिन्दी में।", "हिन्दी में ।"),
        ("ÉCOLE", "école"),
    ],
)
def test_standardize_by_hand(text, expected):
    """Vowel signs of Hindi are marks (category M), so they stay with their letter."""
    assert standardize(text) == expected
    assert standardize(expected) == expected
    assert tokenize(text) == expected.split()


def test_two_ways_to_type_a_letter_are_one():
    decomposed = unicodedata.normalize("NFD", "Café")
    assert decomposed != "Café"
    assert standardize(decomposed) == standardize("Café") == "café"


def test_vocabulary_equals_text_vectorization():
    """The same ids for the same text. Ties: Keras takes the last in the alphabet, we the first."""
    texts = ["b b b b a a a c c", "d a b e f e e"]
    keras_layer = keras.layers.TextVectorization(
        standardize=None, split="whitespace", output_sequence_length=7, max_tokens=6
    )
    keras_layer.adapt(texts)
    ours = Vocabulary.from_texts(texts, max_size=6)
    assert ours.tokens == keras_layer.get_vocabulary() == ["", "[UNK]", "b", "a", "e", "c"]
    new = ["b z a c e e e e e", "d", ""]
    np.testing.assert_array_equal(ours.encode_batch(new, 7), np.array(keras_layer(new)))


def test_standardized_text_has_the_words_of_text_vectorization():
    """Keras strips punctuation, apostrophes too; without them the words are the same."""
    keras_layer = keras.layers.TextVectorization()
    keras_layer.adapt(TEXTS)
    words = {t.replace("'", "") for t in Vocabulary.from_texts(TEXTS).tokens[2:]}
    assert words - set(".,;!?") == set(keras_layer.get_vocabulary()[2:])


def test_order_sizes_and_counts():
    """the 5, a 3, cat 3, dog 3, on 3 …: frequent first, ties by code point."""
    whole = Vocabulary.from_texts(TEXTS)
    assert whole.tokens[:7] == ["", "[UNK]", "the", "a", "cat", "dog", "on"]
    assert whole.ids["dog"] == 5
    assert Vocabulary.from_texts(TEXTS, max_size=4).tokens == ["", "[UNK]", "the", "a"]
    assert len(Vocabulary.from_texts(TEXTS, max_size=4)) == 4
    often = Vocabulary.from_texts(TEXTS, min_count=3)
    assert often.tokens == ["", "[UNK]", "the", "a", "cat", "dog", "on"]
    special = Vocabulary.from_texts([["a", "<end>"]], specials=("<start>", "<end>"))
    assert special.tokens == ["", "[UNK]", "<start>", "<end>", "a"]


def test_encode_decode_and_pad():
    vocabulary = Vocabulary(["the", "cat"])
    assert vocabulary.encode("The CAT sat!") == [2, 3, 1, 1]
    assert vocabulary.encode(["THE", "cat"]) == [1, 3]
    batch = vocabulary.encode_batch(["the cat", "cat", "the the the cat"])
    np.testing.assert_array_equal(batch, [[2, 3, 0, 0], [3, 0, 0, 0], [2, 2, 2, 3]])
    assert batch.dtype == np.int32
    cut = vocabulary.encode_batch(["the cat", "cat", "the the the cat"], length=3)
    np.testing.assert_array_equal(cut, [[2, 3, 0], [3, 0, 0], [2, 2, 2]])
    assert vocabulary.decode([2, 3, 1, 0, 0]) == ["the", "cat", "[UNK]"]
    assert vocabulary.encode_batch([]).shape == (0, 0)


def test_corpus_has_a_zero_after_each_text():
    corpus = Vocabulary(["a", "b"]).encode_corpus(["a b", "b c"])
    np.testing.assert_array_equal(corpus, [2, 3, 0, 3, 1, 0])
    assert corpus.dtype == np.int32


def test_save_and_load(tmp_path):
    """Whitespace, quotes and letters outside ASCII come back."""
    vocabulary = Vocabulary(["<s>", " ", "\n", '"', "ß", "☃", "\\"])
    vocabulary.save(tmp_path / "vocabulary.json")
    assert Vocabulary.load(tmp_path / "vocabulary.json").tokens == vocabulary.tokens
    assert "ß" in (tmp_path / "vocabulary.json").read_text(encoding="utf-8")


def test_a_token_twice_is_refused():
    with pytest.raises(ValueError, match=r"`tokens`.*'a'"):
        Vocabulary(["a", "b", "a"])
