"""Word vectors: n-grams and hashes, similarity, and what training finds."""

import keras
import numpy as np
import pytest

from course import m01_sequence_models as m01
from tests.contract import close, fill, numpy

D = 16


@pytest.mark.parametrize(
    ("data", "value"),
    [(b"", 0x811C9DC5), (b"a", 0xE40C292C), (b"b", 0xE70C2DE5), (b"foobar", 0xBF9CF968)],
)
def test_fnv1a_has_the_published_values(data, value):
    """From the test vectors of Fowler, Noll and Vo."""
    assert m01.fnv1a(data) == value


def test_ngrams_of_where():
    """The example of the paper's section 3.2."""
    assert m01.character_ngrams("where", 3, 3) == ["<wh", "whe", "her", "ere", "re>"]
    assert m01.character_ngrams("a", 3, 6) == ["<a>"]
    assert m01.character_ngrams("", 3, 6) == []
    assert m01.character_ngrams("ab", 3, 4) == ["<ab", "ab>", "<ab>"]
    assert len(m01.character_ngrams("where")) == 5 + 4 + 3 + 2


def test_buckets_hash_utf8():
    assert m01.ngram_buckets("ä", 97, 3, 3) == [m01.fnv1a("<ä>".encode()) % 97]
    assert set(m01.ngram_buckets("hehehehe", 2)) <= {0, 1}


def test_unseen_words_have_the_mean_of_their_ngrams():
    layer = m01.FastText(["[UNK]", "reading", "reader"], D, num_buckets=31, max_length=4)
    layer.build(None)
    fill(layer)
    table = numpy(layer.ngram_table.value)
    expected = np.mean([table[b] for b in m01.ngram_buckets("rereading", 31, 3, 4)], axis=0)
    close(layer.vector("rereading"), expected, 1e-6)
    close(layer.vector("reader"), layer.vectors[2], 1e-6)
    assert not layer.vector("").any()


def test_similarity_by_hand():
    vectors = np.array([[0, 0], [3, 4], [6, 8], [4, -3], [-4, -3], [4, 3]])
    close(m01.cosine_similarity(vectors[1], vectors), [0, 1, 1, 0, -0.96, 0.96], 1e-12)
    ids, similarities = m01.nearest_neighbors(vectors, [1, 5], k=2)
    np.testing.assert_array_equal(ids, [[2, 5], [1, 2]])
    close(similarities, [[1, 0.96], [0.96, 0.96]], 1e-12)
    ids, _ = m01.nearest_neighbors(vectors, [1], k=1, exclude=(0, 2))
    np.testing.assert_array_equal(ids, [[5]])


def test_analogy_by_hand():
    """Man, woman, king, queen as corners: woman - man + king is queen; never king itself."""
    vectors = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 0, 5], [1, 1, 5], [1, 0.4, 5.0]])
    man, woman, king, queen, near_king = 1, 2, 3, 4, 5
    ids, _ = m01.analogy(vectors, [man, woman], [woman, man], [king, queen], k=2)
    np.testing.assert_array_equal(ids[:, 0], [queen, king])
    ids, _ = m01.analogy(vectors, [man, woman], [woman, man], [king, queen], exclude=(0, king))
    np.testing.assert_array_equal(ids[:, 0], [queen, near_king])
    assert not np.isin(m01.analogy(vectors, [1], [2], [3], k=2)[0], [0, 1, 2, 3]).any()


def planted(num_texts=2000):
    """Texts of 6 words about one of 4 subjects; 8 words a subject, id 2 to 33."""
    rng = np.random.default_rng(0)
    subjects = rng.integers(0, 4, num_texts)
    words = 2 + 8 * subjects[:, None] + rng.integers(0, 8, (num_texts, 6))
    return np.pad(words, ((0, 0), (0, 1))).ravel().astype("int32")


@pytest.mark.parametrize("name", ["skip_gram", "fasttext", "glove"])
def test_neighbours_are_of_the_same_subject(name):
    """Each of 32 words; a guess would be right in 7 of 31."""
    keras.utils.set_random_seed(0)
    tokens = planted()
    if name == "glove":
        layer = m01.GloVe(34, D)
        losses = m01.fit_glove(layer, tokens, 5, epochs=30, batch_size=64, learning_rate=0.5)
        assert losses[-1] < 0.1 * losses[0]
    else:
        words = [chr(97 + i % 26) * (1 + i % 7) for i in range(34)]
        layer = m01.SkipGram(34, D) if name == "skip_gram" else m01.FastText(words, D, 97)
        losses = m01.fit_skip_gram(layer, tokens, threshold=1.0, epochs=2, batch_size=512)
        assert losses[-1] < 0.5 * 6 * np.log(2)  # half of what it begins with
    if name == "glove":  # its scores fit the logarithms of frequent counts
        rows, columns, counts = m01.cooccurrences(tokens, 5)
        error = np.abs(numpy(layer(rows, columns)) - np.log(counts))
        assert error[counts >= 100].mean() < 0.1
    ids = np.arange(2, 34)
    neighbours, _ = m01.nearest_neighbors(layer.vectors, ids, k=3, exclude=(0, 1))
    assert ((neighbours - 2) // 8 == (ids[:, None] - 2) // 8).mean() > 0.95


def test_a_corpus_without_pairs_is_refused():
    with pytest.raises(ValueError, match="`tokens` must hold two words of a text"):
        m01.fit_skip_gram(m01.SkipGram(5, D), np.array([3, 0, 4, 0]))
