"""The whole model: sizes, masks, tying, saving, XLA, training."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from course.m02_transformer import CONFIGURATIONS, build_transformer, shift_right
from tests.contract import close, fill, numpy
from tests.m02_transformer import oracles

V, D, F, L, N, B, T, S = 29, 14, 11, 2, 7, 3, 5, 13
rng = np.random.default_rng(0)
source = rng.integers(1, V, (B, S))
target = rng.integers(1, V, (B, T))


@pytest.fixture(scope="module")
def model():
    """A small model with seeded weights."""
    model = build_transformer(V, D, F, L, N)
    fill(model)
    return model


@pytest.mark.parametrize(
    ("name", "body", "total"),
    [("base", 44_138_496, 63_082_496), ("big", 176_357_376, 214_245_376)],
)
def test_published_sizes(name, body, total):
    """Body, and body with one shared embedding of 37,000 tokens; nothing is allocated."""
    with keras.StatelessScope(initialize_variables=False):
        model = build_transformer(37_000, **CONFIGURATIONS[name])
        embedding = model.get_layer("embedding").count_params()
        assert (model.count_params() - embedding, model.count_params()) == (body, total)
    keras.utils.clear_session()


def test_configurations_of_table_3():
    """Heads of 64, feed-forward four times as wide, dropout 0.1 and 0.3."""
    base, big = CONFIGURATIONS["base"], CONFIGURATIONS["big"]
    assert list(base.values()) == [512, 2048, 6, 8, 0.1]
    assert list(big.values()) == [1024, 4096, 6, 16, 0.3]


def test_arguments_reach_every_layer():
    """Activation, order of the norm, heads, dropout; the defaults are the paper's."""
    for kwargs, activation, pre_norm, rate in (
        ({}, "relu", False, 0.0),
        ({"dropout": 0.25, "activation": "gelu", "pre_norm": True}, "gelu", True, 0.25),
    ):
        model = build_transformer(V, D, F, L, N, **kwargs)
        assert model.get_layer("embedding_dropout").rate == rate
        layers = model.get_layer("encoder").layers + model.get_layer("decoder").layers
        assert len(layers) == 2 * L
        for layer in layers:
            config = layer.get_config()
            assert (config["activation"], config["pre_norm"]) == (activation, pre_norm)
            assert (config["num_heads"], config["dropout"]) == (N, rate)


def test_sizes_of_the_variants():
    """Separate embeddings add two matrices, pre-norm two norms."""
    size = build_transformer(V, D, F, L, N).count_params()
    separate = build_transformer(V, D, F, L, N, share_embeddings=False)
    assert separate.count_params() == size + 2 * V * D
    assert build_transformer(V, D, F, L, N, pre_norm=True).count_params() == size + 2 * 2 * D


def test_lengths_may_vary(model):
    """One model, any lengths."""
    assert model.output_shape == (None, None, V)
    assert model([source, target]).shape == (B, T, V)
    assert model([source[:, :3], target[:, :2]]).shape == (B, 2, V)


@pytest.mark.parametrize("pre_norm", [False, True])
def test_model_is_its_formula(pre_norm):
    """Embeddings times sqrt(D) plus sinusoids, encoder, decoder, tied output."""
    model = build_transformer(V, D, F, L, N, pre_norm=pre_norm, activation="gelu")
    fill(model)
    parts = {}
    for name in ("encoder", "decoder"):
        layer = model.get_layer(name)
        parts[name] = {
            w.path.removeprefix(f"{layer.path}/"): np.float64(numpy(w.value)) for w in layer.weights
        }
    table = np.float64(model.get_layer("embedding").get_weights()[0])
    kwargs = {"num_heads": N, "activation": oracles.gelu}
    x = table[source] * np.sqrt(D) + oracles.sinusoids(S, D)
    memory = oracles.stack(parts["encoder"], oracles.encoder_layer, L, pre_norm, x, **kwargs)
    x = table[target] * np.sqrt(D) + oracles.sinusoids(T, D)
    x = oracles.stack(parts["decoder"], oracles.decoder_layer, L, pre_norm, x, memory, **kwargs)
    logits = x @ table.T
    close(numpy(model([source, target])) / np.abs(logits).max(), logits / np.abs(logits).max())


def test_targets_see_no_later_target(model):
    """Position t of the logits depends on targets 0 to t."""
    before = numpy(model([source, target]))
    for t in range(T):
        later = target.copy()
        later[:, t] = later[:, t] % (V - 1) + 1
        after = numpy(model([source, later]))
        close(after[:, :t], before[:, :t])
        assert (np.abs(after - before).max(axis=(0, 2)) > 1e-4)[t:].all()


def test_pads_change_nothing(model):
    """Pads on source and target leave the logits of every token as they are."""
    before = numpy(model([source, target]))
    padded = [np.pad(ids, ((0, 0), (0, 3))) for ids in (source, target)]
    close(numpy(model(padded))[:, :T], before)


def test_pads_leave_the_loss_unchanged(model):
    """With pads weighted zero, the loss of a padded batch is that of the batch."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")

    def total(source, target):
        logits = model([source, numpy(shift_right(target, 1))])
        return float(loss(target, logits, sample_weight=target != 0))

    padded = [np.pad(ids, ((0, 0), (0, 3))) for ids in (source, target)]
    assert total(*padded) == pytest.approx(total(source, target), rel=1e-5)


def test_start_id_may_be_the_padding_id(model):
    """A start token 0 is still read: no position is left with nothing to attend to."""
    before = numpy(model([source, numpy(shift_right(target, 0))]))
    later = target.copy()
    later[:, 1] = later[:, 1] % (V - 1) + 1
    after = numpy(model([source, numpy(shift_right(later, 0))]))
    close(after[:, :2], before[:, :2])


def test_shared_embeddings_are_one_matrix(model):
    """A change of one embedding row moves source, target and output."""
    names = [w.path for w in model.weights if "embedding" in w.path]
    assert names == ["embedding/embeddings"]


def test_logits_start_small():
    """With fresh weights the loss is near that of equal probabilities."""
    keras.utils.set_random_seed(0)
    logits = numpy(build_transformer(997, 64, 64, 1, 2)([source, target]))
    assert 0.5 < logits.std() < 2


@pytest.mark.parametrize("share_embeddings", [False, True])
def test_saved_model_gives_the_same_logits(tmp_path, share_embeddings):
    """Without custom objects: every layer is registered."""
    model = build_transformer(V, D, F, L, N, 0.25, share_embeddings=share_embeddings)
    fill(model)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    close(numpy(again([source, target])), numpy(model([source, target])), 1e-6)


@pytest.mark.parametrize("policy", ["mixed_float16", "float16"])
def test_float16_model_is_finite_and_gives_float32_logits(policy):
    """Also for a source that is padding alone."""
    keras.config.set_dtype_policy(policy)
    try:
        model = build_transformer(V, D, F, L, N)
    finally:
        keras.config.set_dtype_policy("float32")
    empty = source.copy()
    empty[0] = 0
    logits = model([empty, target])
    assert logits.dtype == "float32"
    assert np.isfinite(numpy(logits)).all()


@pytest.mark.slow
def test_xla_gives_the_same_logits(model):
    """The model compiles."""
    compiled = tf.function(lambda *ids: model(list(ids)), jit_compile=True)
    close(numpy(compiled(source, target)), numpy(model([source, target])), 1e-4)


def test_every_weight_learns():
    """One training step moves every weight but the key biases, which softmax cancels."""
    keras.utils.set_random_seed(0)
    model = build_transformer(V, D, F, L, N, dropout=0.25, share_embeddings=False)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, run_eagerly=True)
    before = model.get_weights()
    model.train_on_batch([source, numpy(shift_right(target, 1))], target)
    for weight, old in zip(model.weights, before, strict=True):
        moved = not np.array_equal(numpy(weight.value), old)
        assert moved or weight.path.endswith("key/bias"), weight.path
