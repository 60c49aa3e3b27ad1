"""Text classifiers: padding, sizes, saving, and answers known by hand."""

import keras
import numpy as np
import pytest

from course import m01_sequence_models as m01
from tests.contract import close, fill, numpy

B, T, V, C, E, H, F = 3, 7, 11, 5, 13, 17, 19
ids = np.array([[3, 4, 5, 6, 7, 8, 9], [9, 8, 7, 0, 0, 0, 0], [5, 0, 0, 0, 0, 0, 0]], "int32")
MODELS = {
    "lstm": lambda: m01.build_text_classifier(V, C, E, H),
    "gru, both directions": lambda: m01.build_text_classifier(
        V, C, E, H, bidirectional=True, cell="gru"
    ),
    "cnn": lambda: m01.build_text_cnn(V, C, E, F, (2, 3)),
    "bag of words": lambda: m01.build_bag_of_words(V, C),
}
every_model = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)


@every_model
def test_more_padding_changes_nothing(make):
    """Each row alone, cut to its length, gives the same probabilities, which add up to 1."""
    model = make()
    fill(model)
    expected = numpy(model(ids))
    assert expected.shape == (B, C)
    close(expected.sum(axis=-1), np.ones(B), 1e-6)
    assert np.abs(expected[0] - expected[1]).max() > 1e-3
    close(numpy(model(np.pad(ids, ((0, 0), (0, 3))))), expected, 1e-5)
    for row in range(B):
        alone = ids[row : row + 1, : (ids[row] != 0).sum()]
        close(numpy(model(alone))[0], expected[row], 1e-5)


@every_model
def test_saved_and_loaded_it_is_the_same(make, tmp_path):
    model = make()
    fill(model)
    model.save(tmp_path / "model.keras")
    close(numpy(keras.saving.load_model(tmp_path / "model.keras")(ids)), numpy(model(ids)), 1e-6)


def test_parameter_counts():
    lstm = 4 * (E * H + H * H + H)
    assert MODELS["lstm"]().count_params() == V * E + lstm + H * C + C
    gru = 3 * (E * H + H * H + 2 * H)
    both = V * E + 2 * gru + 2 * H * C + C
    assert MODELS["gru, both directions"]().count_params() == both
    assert MODELS["cnn"]().count_params() == V * E + (2 + 3) * E * F + 2 * F + 2 * F * C + C
    assert MODELS["bag of words"]().count_params() == V * C + C


def test_cnn_by_hand():
    """One filter of 2 words finds "3 4": relu(1 + 1 - 1) = 1 where it stands, else 0."""
    model = m01.build_text_cnn(V, 2, embedding_dim=2, num_filters=1, kernel_sizes=(2,))
    embedding = np.zeros((V, 2))
    embedding[3, 0] = embedding[4, 1] = 1
    model.get_layer("embedding").set_weights([embedding])
    model.get_layer("conv2").set_weights([np.array([[[1.0], [0]], [[0], [1]]]), np.array([-1.0])])
    model.get_layer("classes").set_weights([np.array([[np.log(3), 0]]), np.zeros(2)])
    got = numpy(model(np.array([[5, 3, 4, 6], [4, 3, 5, 4], [3, 0, 0, 0]])))
    close(got[:, 0], [0.75, 0.5, 0.5], 1e-6)


def test_bag_of_words_does_not_know_the_order():
    model = MODELS["bag of words"]()
    fill(model)
    close(numpy(model(ids[:, ::-1])), numpy(model(ids)), 1e-6)
