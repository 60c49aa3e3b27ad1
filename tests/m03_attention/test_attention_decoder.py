"""The decoder and its model: each wiring step by step, decoding, padding, gradients."""

import keras
import numpy as np
import pytest

from course import m01_sequence_models as m01
from course import m03_attention as m03
from course.m03_attention.attention_decoder import WIRINGS
from tests.contract import close, fill, numpy, run
from tests.m02_transformer.cases import weights as weights_of
from tests.m03_attention import oracles

B, T, S, E, M, D, V = 2, 5, 7, 3, 11, 13, 17
rng = np.random.default_rng(0)


def normal(*shape):
    return rng.normal(size=shape).astype("float32")


x, memory, state, previous = normal(B, T, E), normal(B, S, M), normal(B, D), normal(B, D)
padding = np.arange(S) < np.array([[4], [7]])


def built(**arguments):
    layer = m03.AttentionDecoder(D, **arguments)
    layer(x, memory, state)
    fill(layer)
    return layer


@pytest.mark.parametrize("wiring", WIRINGS)
def test_each_wiring_step_by_step(wiring):
    """Outputs, alignment and last state, with padding and an output before the first."""
    layer = built(wiring=wiring)
    got = layer(x, memory, state, previous, memory_padding_mask=padding)
    inputs = map(np.float64, (x, memory, state))
    expected = oracles.decoder(
        weights_of(layer), *inputs, wiring=wiring, previous=previous, mask=padding
    )
    for a, b in zip(got, expected, strict=True):
        close(numpy(a), b)


@pytest.mark.parametrize("wiring", WIRINGS)
def test_steps_of_one_equal_the_whole(wiring):
    """Handing on state and output by hand gives what one call gives."""
    layer = built(wiring=wiring)
    whole = layer(x, memory, state, memory_padding_mask=padding)
    outputs, now, last = [], state, np.zeros_like(state)
    for t in range(T):
        output, _, now = layer(x[:, t : t + 1], memory, now, last, memory_padding_mask=padding)
        last = output[:, 0]
        outputs.append(numpy(last))
    close(np.stack(outputs, 1), numpy(whole[0]))
    close(numpy(now), numpy(whole[2]))


def test_cells_of_module_1_and_of_keras_agree():
    layers = [built(cell=cell) for cell in (m01.GRUCell(D), keras.layers.GRUCell(D))]
    close(run(layers[0], (x, memory, state)), run(layers[1], (x, memory, state)), 1e-6)


def test_a_keras_mask_on_the_target_skips_nothing():
    """The loop of `keras.layers.RNN` would repeat the output where a mask hides."""
    layer, target = built(), keras.ops.convert_to_tensor(x)
    target._keras_mask = keras.ops.convert_to_tensor(np.arange(T) < [[1], [2]])
    close(numpy(layer(target, memory, state)[0]), run(layer, (x, memory, state)), 0.0)


@pytest.mark.parametrize(
    "arguments",
    [{"wiring": "attend"}, {"cell": keras.layers.GRUCell(2)}, {"cell": m01.LSTMCell(D)}],
)
def test_errors_say_what_is_allowed(arguments):
    with pytest.raises(ValueError, match="one of: attend_first, .*hidden_dim=13, cell.state_size="):
        m03.AttentionDecoder(D, **arguments)


@pytest.fixture(scope="module")
def model():
    """Source ids 0 to 16, target ids 0 to 18; the wiring that hands on the most."""
    model = m03.build_attention_seq2seq(
        V, E, D, V + 2, m03.LuongAttention("general"), wiring="input_feeding"
    )
    fill(model)
    return model


@pytest.fixture(scope="module")
def steps(model):
    """Its encoder and its step."""
    return m03.build_attention_step_models(model)


source = np.array([[5, 3, 4, 2, 9, 0, 0], [7, 8, 9, 10, 11, 12, 13]])


def test_padding_of_the_source_changes_nothing(model):
    """Two more pads, the same logits."""
    target = rng.integers(1, V, (B, T))
    longer = np.pad(source, ((0, 0), (0, 2)))
    assert model([source, target]).shape == (B, T, V + 2)
    close(numpy(model([longer, target])), numpy(model([source, target])))


def test_logits_do_not_see_the_future(model):
    target = rng.integers(1, V, (B, T))
    other = target.copy()
    other[:, 3] = other[:, 3] % (V - 1) + 1
    before, after = numpy(model([source, target])), numpy(model([source, other]))
    close(after[:, :3], before[:, :3])
    assert (np.abs(after - before).max((0, 2))[3:] > 1e-3).all()


def test_greedy_decoding_agrees_with_teacher_forcing(model, steps):
    """The tokens are the arg max of the model's logits, fed with these tokens; so is `m01`'s."""
    tokens, weights = m03.greedy_align(*steps, source, 1, -1, T)
    fed = np.concatenate([np.ones((B, 1), int), tokens[:, :-1]], 1)
    np.testing.assert_array_equal(numpy(model([source, fed])).argmax(-1), tokens)
    decoder = keras.Model(model.inputs, model.get_layer("decoder").output[1])
    close(weights, numpy(decoder([source, fed])))
    close(weights.sum(-1), np.ones((B, T)))
    assert (weights[0, :, 5:] == 0).all()
    theirs = m01.greedy_decode(*steps, source, 1, -1, T)
    np.testing.assert_array_equal(theirs, tokens)


def test_nothing_is_written_after_the_end(steps):
    """With the first row's first token as the end, the rest of that row is 0, weights too."""
    free, _ = m03.greedy_align(*steps, source, 1, -1, T)
    end = int(free[0, 0])
    tokens, weights = m03.greedy_align(*steps, source, 1, end, T)
    np.testing.assert_array_equal(tokens[0], [end, 0, 0, 0, 0])
    assert (weights[0, 1:] == 0).all()
    assert weights[0, 0].sum() > 0.99


def test_the_model_survives_saving(model, tmp_path):
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    target = rng.integers(1, V, (B, T))
    close(numpy(again([source, target])), numpy(model([source, target])), 1e-6)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="GradientTape")
def test_xla_differentiates_the_loop():
    """The same gradients as without; `ops.scan` in place of the loop would fail here."""
    import tensorflow as tf

    layer = built(wiring="input_feeding")

    def gradients():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x[:, :2], memory, state)[0] ** 2)
        return tape.gradient(loss, [weight.value for weight in layer.weights])

    compiled = tf.function(gradients, jit_compile=True)()
    for weight, ours, theirs in zip(layer.weights, compiled, gradients(), strict=True):
        close(ours.numpy(), tf.convert_to_tensor(theirs).numpy(), 1e-5, weight.path)
