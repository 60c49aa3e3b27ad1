"""What stands around a text classifier: batches, counts, the state to read, the score."""

import keras
import numpy as np
import pytest

from course import m01_sequence_models as m01
from tests.contract import close, fill, numpy

rng = np.random.default_rng(0)


def test_vectorize_by_hand():
    """Three tokens come three times, two twice; of dull, not and plot the first has room."""
    train = ["the film was good .", "the film was not good .", "the plot was dull ."]
    vocabulary, ids, mask = m01.vectorize(train, ["the film was not bad .", "good ."], 8, 5)
    assert vocabulary == ["", "[UNK]", ".", "the", "was", "film", "good", "dull"]
    np.testing.assert_array_equal(ids, [[3, 5, 4, 1, 1], [6, 2, 0, 0, 0]])
    np.testing.assert_array_equal(mask, ids != 0)
    assert (ids.dtype, mask.dtype) == (np.int32, bool)


def test_vectorize_equals_text_vectorization():
    """No two tokens are equally frequent: Keras orders ties the other way round."""
    train = ["d c b a", "c b a", "b a", "a"]
    texts = ["a e d c b a a", "e", "b b b c"]
    theirs = keras.layers.TextVectorization(
        standardize=None, split="whitespace", output_sequence_length=5, max_tokens=5
    )
    theirs.adapt(train)
    vocabulary, ids, _ = m01.vectorize(train, texts, 5, 5)
    assert vocabulary == theirs.get_vocabulary()
    np.testing.assert_array_equal(ids, numpy(theirs(texts)))


def test_vectorize_refuses_a_vocabulary_without_room():
    with pytest.raises(ValueError, match="`max_size` must be at least 2"):
        m01.vectorize(["a"], ["a"], 1, 3)


def test_word_counts_are_those_of_each_row():
    ids = rng.integers(0, 7, (5, 11))
    expected = [np.bincount(row, minlength=13) for row in ids]
    expected = np.array(expected) * (np.arange(13) > 0)
    assert (expected > 1).any()
    np.testing.assert_array_equal(numpy(m01.word_counts(ids, 13)), expected)


def test_bag_of_words_is_linear_in_the_counts():
    ids = rng.integers(0, 7, (5, 11)).astype("int32")
    bag = m01.BagOfWords(7, 3)
    bag(ids)
    fill(bag)
    kernel, bias = map(numpy, bag.weights)
    close(numpy(m01.word_counts(ids, 7)) @ kernel + bias, numpy(bag(ids)), 1e-5)


def test_last_real_state_by_hand():
    """Padding may hold anything, a text may have no token, and one may fill its row."""
    states = rng.normal(size=(4, 5, 3)).astype("float32")
    lengths = np.array([2, 0, 5, 1])
    mask = np.arange(5) < lengths[:, None]
    states[0, 2:] = np.nan
    expected = [states[0, 1], np.zeros(3), states[2, 4], states[3, 0]]
    np.testing.assert_array_equal(numpy(m01.last_real_state(states, mask)), expected)


def test_last_real_state_is_what_the_classifier_reads():
    """The mask inside `keras.layers.RNN` and this function pick the same state."""
    ids = np.array([[3, 4, 5, 6, 7], [9, 8, 0, 0, 0], [5, 0, 0, 0, 0]], "int32")
    model = m01.build_text_classifier(11, 2, embedding_dim=7, hidden_dim=13)
    fill(model)
    states = keras.layers.RNN(model.get_layer("reader").cell, return_sequences=True)(
        model.get_layer("embedding")(ids)
    )
    read = model.get_layer("classes")(m01.last_real_state(states, ids != 0))
    close(numpy(read), numpy(model(ids)), 1e-6)
    assert np.abs(numpy(model.get_layer("classes")(states[:, -1])) - numpy(read)).max() > 1e-3


def test_confusion_and_f1_by_hand():
    """F1 is 6/8, 2/3 and 0: macro-F1 is 17/36, the accuracy 4/6."""
    matrix, f1 = m01.confusion_and_f1([0, 0, 0, 0, 1, 2], [0, 0, 0, 1, 1, 0], 3)
    np.testing.assert_array_equal(matrix, [[3, 1, 0], [0, 1, 0], [1, 0, 0]])
    assert f1 == pytest.approx(17 / 36)


def test_macro_f1_equals_that_of_keras():
    labels, predictions = rng.integers(0, 5, (2, 211))
    labels[:100] = 2
    metric = keras.metrics.F1Score("macro")
    metric.update_state(np.eye(5)[labels], np.eye(5)[predictions])
    matrix, f1 = m01.confusion_and_f1(labels, predictions, 5)
    assert f1 == pytest.approx(float(metric.result()), abs=1e-6)
    assert matrix.sum(axis=1).tolist() == np.bincount(labels).tolist()
    assert matrix[2, 4] == ((labels == 2) & (predictions == 4)).sum() > 0


def test_a_class_that_never_occurs_counts_as_zero():
    matrix, f1 = m01.confusion_and_f1([0, 2, 2], [0, 2, 2], 3)
    np.testing.assert_array_equal(matrix, np.diag([1, 0, 2]))
    assert f1 == pytest.approx(2 / 3)
