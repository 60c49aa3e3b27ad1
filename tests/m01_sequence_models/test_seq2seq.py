"""The encoder-decoder: padding, saving, its step model, and that it learns."""

import keras
import numpy as np
import pytest

from course import m01_sequence_models as m01
from course.m01_sequence_models.build_seq2seq import CELLS
from tests.contract import close, fill, numpy

B, S, T, V, U, E, H = 3, 5, 7, 11, 13, 17, 19
START, END = 1, 2
rng = np.random.default_rng(0)
source = np.array([[3, 4, 5, 6, 7], [8, 9, 10, 0, 0], [5, 0, 0, 0, 0]], "int32")
target = rng.integers(1, U, (B, T)).astype("int32")


def made(cell="gru"):
    model = m01.build_seq2seq(V, E, H, target_vocabulary_size=U, cell=cell)
    fill(model)
    return model


def test_teacher_forcing_by_hand():
    inputs, labels = m01.teacher_forcing(np.array([[1, 5, 6, 2, 0]]))
    np.testing.assert_array_equal(inputs, [[1, 5, 6, 2]])
    np.testing.assert_array_equal(labels, [[5, 6, 2, 0]])


@pytest.mark.parametrize("cell", CELLS)
def test_parameter_count(cell):
    """V·E + U·E, twice the cell's gates, and H·U + U."""
    gates = {"gru": 3, "lstm": 4, "simple_rnn": 1}[cell]
    recurrent = gates * (E * H + H * H + (2 * H if cell == "gru" else H))
    expected = (V + U) * E + 2 * recurrent + H * U + U
    assert m01.build_seq2seq(V, E, H, U, cell).count_params() == expected


@pytest.mark.parametrize("cell", CELLS)
def test_more_padding_changes_nothing(cell):
    """Each row alone, cut to its length, gives the same logits."""
    model = made(cell)
    logits = numpy(model([source, target]))
    assert logits.shape == (B, T, U)
    padded = np.pad(source, ((0, 0), (0, 4)))
    close(numpy(model([padded, target])), logits, 1e-5)
    for row in range(B):
        alone = source[row : row + 1, : (source[row] != 0).sum()]
        close(numpy(model([alone, target[row : row + 1]]))[0], logits[row], 1e-5)


def test_every_source_token_matters_and_no_future_target_does():
    model = made()
    logits = numpy(model([source, target]))
    for place in range(S):
        other = source.copy()
        other[0, place] = 10
        assert np.abs(numpy(model([other, target])) - logits)[0].max() > 1e-4
    later = target.copy()
    later[:, 4] = later[:, 4] % (U - 1) + 1
    changed = np.abs(numpy(model([source, later])) - logits).max(axis=(0, 2))
    assert (changed[:4] == 0).all()
    assert changed[4] > 1e-3


@pytest.mark.parametrize("cell", CELLS)
def test_step_by_step_equals_all_at_once(cell, tmp_path):
    """Also after saving and loading: the step models are made from the loaded one."""
    model = made(cell)
    expected = numpy(model([source, target]))
    model.save(tmp_path / "model.keras")
    for one in (model, keras.saving.load_model(tmp_path / "model.keras")):
        encoder, step = m01.build_step_models(one)
        states = encoder(source)
        states = states if isinstance(states, list) else [states]
        assert len(states) == (2 if cell == "lstm" else 1)
        for t in range(T):
            logits, *states = step([target[:, t], *map(numpy, states)])
            close(numpy(logits), expected[:, t], 1e-5)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_greedy_tokens_are_the_largest_logits_of_their_own_prefix(cell):
    """Run the whole model over what was written: its largest logits are the same tokens."""
    model = made(cell)
    model.get_layer("logits").bias.assign(3 * (np.arange(U) == END))  # some rows end early
    written = m01.greedy_decode(*m01.build_step_models(model), source, START, END, T)
    assert written.dtype == np.int32
    inputs = np.concatenate([np.full((B, 1), START), written[:, :-1]], axis=1)
    best = numpy(model([source, inputs])).argmax(-1)
    for row in range(B):
        ends = np.flatnonzero(written[row] == END)
        length = ends[0] + 1 if len(ends) else T
        np.testing.assert_array_equal(written[row, :length], best[row, :length])
        assert not written[row, length:].any()


class Counting:
    """A model by hand: state n; the step counts up from the source's first id, and ends at 9."""

    def __init__(self):
        self.steps = 0

    def predict_on_batch(self, x):
        if isinstance(x, list):
            self.steps += 1
            token, state = x
            following = np.where(token + state > 9, END, token + state)
            return [np.eye(11)[following], state]
        return x[:, 0]


def test_greedy_decode_by_hand():
    """Start 1: 1+5 = 6, then 11 ends; 1+3 = 4, 7, then 10 ends; 1+8 = 9, then 17 ends."""
    model = Counting()
    rows = np.array([[5, 1], [3, 1], [8, 1]])
    got = m01.greedy_decode(model, model, rows, START, END, 6)
    expected = [[6, 2, 0, 0, 0, 0], [4, 7, 2, 0, 0, 0], [9, 2, 0, 0, 0, 0]]
    np.testing.assert_array_equal(got, expected)
    assert model.steps == 3  # no step after the last end
    np.testing.assert_array_equal(
        m01.greedy_decode(model, model, rows, START, END, 1)[:, 0], [6, 4, 9]
    )


def test_exact_match_by_hand():
    targets = np.array([[3, 4, 2, 0], [5, 2, 0, 0], [6, 2, 0, 0]])
    predicted = np.array([[3, 4, 2, 0], [5, 2, 0, 7], [5, 2, 0, 0]])
    assert m01.exact_match(predicted, targets) == pytest.approx(1 / 3)


def test_it_learns_to_reverse():
    """Two letters of a to d, 16 strings: trained, every one is reversed, by greedy decoding."""
    keras.utils.set_random_seed(0)
    letters = 3 + np.stack(np.unravel_index(np.arange(16), (4, 4)), axis=1)
    start, end = np.full((16, 1), START), np.full((16, 1), END)
    targets = np.concatenate([start, letters[:, ::-1], end], axis=1)
    inputs, labels = m01.teacher_forcing(targets)
    model = m01.build_seq2seq(7, 16, 32)
    model.compile(keras.optimizers.Adam(0.03), m01.MaskedCrossEntropy())
    for _ in range(60):
        model.train_on_batch([letters, inputs], labels)
    written = m01.greedy_decode(*m01.build_step_models(model), letters, START, END, 3)
    assert m01.exact_match(written, labels) == 1.0


def test_unknown_cell_is_refused():
    with pytest.raises(ValueError, match="`cell` must be one of: gru, lstm, simple_rnn"):
        m01.build_seq2seq(V, E, H, cell="transformer")
