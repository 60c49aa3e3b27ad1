"""Every loss against numbers known on paper or computed in float64."""

import keras
import numpy as np
import pytest

from course import m01_sequence_models as m01
from tests.contract import close, numpy

B, T, V, K = 3, 5, 7, 2
rng = np.random.default_rng(0)
logits = rng.normal(size=(B, T, V)).astype("float32")
targets = np.array([[3, 1, 6, 2, 5], [4, 4, 2, 0, 0], [1, 0, 0, 0, 0]])


def test_cross_entropy_by_hand():
    """Probabilities 1/2 and 1/8 of the right token: (ln 2 + ln 8)/2 = 2 ln 2."""
    probabilities = np.array([[[0.25, 0.5, 0.25], [0.125, 0.75, 0.125], [0.9, 0.05, 0.05]]])
    loss = m01.masked_cross_entropy(np.log(probabilities), np.array([[1, 2, 0]]))
    close(numpy(loss), 2 * np.log(2), 1e-6)


def test_cross_entropy_equals_float64():
    x = np.float64(logits)
    log_p = x - np.log(np.exp(x).sum(-1, keepdims=True))
    expected = [-log_p[b, t, targets[b, t]] for b in range(B) for t in range(T) if targets[b, t]]
    close(numpy(m01.masked_cross_entropy(logits, targets)), np.mean(expected), 1e-6)


def test_cross_entropy_equals_keras():
    theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    close(numpy(m01.MaskedCrossEntropy()(targets, logits)), numpy(theirs(targets, logits)), 1e-6)


def test_padding_changes_nothing():
    """Neither longer padding, nor what the model says there, nor rows of padding alone."""
    expected = numpy(m01.masked_cross_entropy(logits, targets))
    longer = np.concatenate([logits, 100 * rng.normal(size=(B, 4, V))], axis=1)
    padded = np.pad(targets, ((0, 0), (0, 4)))
    close(numpy(m01.masked_cross_entropy(longer, padded)), expected, 1e-6)
    rows = np.pad(targets, ((0, 2), (0, 0)))
    more = np.concatenate([logits, logits[:2]])
    close(numpy(m01.masked_cross_entropy(more, rows)), expected, 1e-6)


def test_mask_and_pad_id():
    """A mask decides alone; another `pad_id` counts the zeros."""
    mask = rng.random((B, T)) > 0.5
    by_mask = numpy(m01.masked_cross_entropy(logits, targets, mask=mask))
    by_id = numpy(m01.masked_cross_entropy(logits, np.where(mask, targets, -1), pad_id=-1))
    zeros_count = numpy(m01.masked_cross_entropy(logits, targets, mask=np.ones((B, T), bool)))
    close(by_mask, by_id, 1e-6)
    close(numpy(m01.masked_cross_entropy(logits, targets, pad_id=-1)), zeros_count, 1e-6)
    assert abs(by_mask - zeros_count) > 1e-3


def test_nothing_but_padding_is_zero_and_large_logits_are_finite():
    nothing = m01.masked_cross_entropy(logits, np.zeros((B, T), int))
    assert float(numpy(nothing)) == 0.0
    large = m01.masked_cross_entropy(logits.astype("float16") * 10_000, targets)
    assert np.isfinite(numpy(large))


def test_cross_entropy_trains_and_is_saved(tmp_path):
    """In `compile`, with a Keras mask on the logits or without; the loss survives a file."""
    for mask_zero in (False, True):
        model = keras.Sequential(
            [keras.layers.Embedding(V, V, mask_zero=mask_zero, embeddings_initializer="ones")]
        )
        model.compile("sgd", m01.MaskedCrossEntropy(pad_id=0))
        got = model.evaluate(targets, targets, batch_size=B, verbose=0)
        np.testing.assert_allclose(got, np.log(V), rtol=1e-5)
    model.compile("sgd", m01.MaskedCrossEntropy(pad_id=5))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.loss.get_config()["pad_id"] == 5


def test_skip_gram_loss_by_hand():
    """All scores 0: (1 + K) ln 2. Scores ln 3 and -ln 3: -3 ln(3/4)."""
    zeros = m01.skip_gram_loss(np.zeros(B, "f4"), np.zeros((B, K), "f4"))
    close(numpy(zeros), 3 * np.log(2), 1e-6)
    good = np.full(B, np.log(3), "f4")
    close(numpy(m01.skip_gram_loss(good, -np.stack([good] * K, 1))), -3 * np.log(3 / 4), 1e-6)


def test_skip_gram_loss_equals_float64():
    positive, negative = rng.normal(size=B) * 3, rng.normal(size=(B, K)) * 3
    expected = 0.0
    for b in range(B):
        expected += np.log1p(np.exp(-positive[b]))
        expected += sum(np.log1p(np.exp(negative[b, k])) for k in range(K))
    got = m01.skip_gram_loss(positive.astype("f4"), negative.astype("f4"))
    close(numpy(got), expected / B, 1e-6)


def test_skip_gram_loss_of_huge_scores_is_finite():
    got = m01.skip_gram_loss(np.array([-1e4], "f4"), np.array([[1e4]], "f4"))
    close(numpy(got), 2e4, 1e-6)


@pytest.mark.parametrize(("count", "weight"), [(100.0, 1.0), (1e6, 1.0), (6.25, 0.125)])
def test_glove_weight_by_hand(count, weight):
    """(6.25/100)^0.75 = (1/16)^0.75 = 1/8; from x_max on, 1."""
    close(numpy(m01.glove_weight(np.float32(count))), weight, 1e-6)


def test_glove_loss_equals_float64():
    scores, counts = rng.normal(size=11), rng.uniform(0.1, 30, size=11)
    expected = sum(
        min(1.0, (x / 10) ** 0.5) * (s - np.log(x)) ** 2
        for s, x in zip(scores, counts, strict=True)
    )
    got = m01.glove_loss(scores.astype("f4"), counts.astype("f4"), x_max=10.0, alpha=0.5)
    close(numpy(got), expected, 1e-5)


def test_gradients_against_finite_differences():
    """Central differences in float64 of each loss, by its scores."""
    import tensorflow as tf

    counts = tf.constant(rng.uniform(0.5, 200, size=5))
    losses = {
        "skip_gram": lambda s: m01.skip_gram_loss(s[:, 0], s[:, 1:]),
        "glove": lambda s: m01.glove_loss(s[0], counts),
    }
    for name, loss in losses.items():
        scores = rng.normal(size=(3, 5))
        with tf.GradientTape() as tape:
            variable = tf.Variable(scores)
            value = loss(variable)
        got = tf.convert_to_tensor(tape.gradient(value, variable)).numpy()
        for place in np.ndindex(scores.shape):
            step = np.zeros_like(scores)
            step[place] = 1e-5
            up, down = loss(tf.constant(scores + step)), loss(tf.constant(scores - step))
            slope = (float(up) - float(down)) / 2e-5
            np.testing.assert_allclose(got[place], slope, rtol=1e-5, atol=1e-7, err_msg=name)
