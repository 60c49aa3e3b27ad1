"""Reading attention out of a model, masking heads, importance, pruning, rollout."""

import keras
import numpy as np
import pytest
from keras import ops

from course import m02_transformer as m02
from course import m03_attention as m03
from tests.contract import close, fill, numpy

B, T, S, D, N, V = 3, 5, 7, 22, 2, 13
rng = np.random.default_rng(0)
PATHS = ["encoder/layer_0/attention"] + [
    f"decoder/layer_0/{name}" for name in ("self_attention", "cross_attention")
]


@pytest.fixture(scope="module")
def transformer():
    model = m02.build_transformer(V, D, 17, num_layers=1, num_heads=N)
    fill(model)
    return model


@pytest.fixture(scope="module")
def inputs():
    source, target = rng.integers(1, V, (B, S)), rng.integers(1, V, (B, T))
    source[0, 4:] = 0
    return [source, target]


def test_layers_come_in_the_models_order():
    """Two layers each; below the model's own name."""
    model = m02.build_transformer(V, D, 17, num_layers=2, num_heads=N)
    pair = ("self_attention", "cross_attention")
    assert list(m03.attention_layers(model)) == [
        *(f"encoder/layer_{i}/attention" for i in range(2)),
        *(f"decoder/layer_{i}/{name}" for i in range(2) for name in pair),
    ]


def test_maps_are_the_weights_that_the_layers_compute(transformer, inputs):
    """The first encoder layer by hand; rows that add up; padding and future without weight."""
    maps = m03.attention_maps(transformer, inputs)
    assert list(maps) == PATHS
    embedding = keras.Model(transformer.inputs[0], transformer.get_layer("encoder").input[0])
    x = embedding(inputs[0])  # (B, S, D)
    first = m03.attention_layers(transformer)[PATHS[0]]
    mask = numpy(m02.cross_mask(inputs[0]))
    _, weights = first(x, x, attention_mask=mask, return_attention_scores=True)
    close(maps[PATHS[0]], numpy(weights))
    for path, weights in maps.items():
        close(weights.sum(-1), np.ones(weights.shape[:-1]), message=path)
        assert ("cross" in path) == (weights.shape == (B, N, T, S))
    assert (maps[PATHS[0]][0, :, :, 4:] == 0).all()
    assert (np.triu(maps[PATHS[1]], 1) == 0).all()


def test_a_model_is_left_as_it_was(transformer, inputs):
    before = numpy(transformer(inputs))
    with m03.head_masks(transformer, {PATHS[0]: np.zeros(N)}):
        inside = numpy(transformer(inputs))
    assert np.abs(inside - before).max() > 1e-2
    close(numpy(transformer(inputs)), before, 0.0)
    with pytest.raises(RuntimeError), m03.head_masks(transformer, {PATHS[0]: np.zeros(N)}):
        raise RuntimeError
    close(numpy(transformer(inputs)), before, 0.0)


def test_blocks_may_be_nested(transformer, inputs):
    """Maps read under a mask are those of the masked model, and the mask stays until its end."""
    whole = m03.attention_maps(transformer, inputs)
    with m03.head_masks(transformer, {PATHS[0]: np.zeros(N)}):
        masked = numpy(transformer(inputs))
        maps = m03.attention_maps(transformer, inputs)
        close(numpy(transformer(inputs)), masked, 0.0)
    close(maps[PATHS[0]], whole[PATHS[0]])
    assert np.abs(maps[PATHS[2]] - whole[PATHS[2]]).max() > 1e-3
    assert np.abs(numpy(transformer(inputs)) - masked).max() > 1e-2


def test_a_masked_head_is_one_whose_output_rows_are_zero(transformer, inputs):
    """Mask 0 equals zeros in W^O where that head's features enter."""
    layer = m03.attention_layers(transformer)[PATHS[2]]
    with m03.head_masks(transformer, {PATHS[2]: np.array([1.0, 0.0])}):
        masked = numpy(transformer(inputs))
    kernel = numpy(layer.output_dense.kernel.value)
    cut = kernel.copy()
    cut[D // N :] = 0
    layer.output_dense.kernel.assign(cut)
    expected = numpy(transformer(inputs))
    layer.output_dense.kernel.assign(kernel)
    close(masked, expected)


def test_a_mask_may_differ_between_examples(transformer, inputs):
    """Row b of the mask changes example b alone."""
    mask = np.ones((B, N))
    mask[1] = 0
    with m03.head_masks(transformer, {PATHS[0]: mask}):
        masked = numpy(transformer(inputs))
    differs = np.abs(masked - numpy(transformer(inputs))).max((1, 2))
    assert differs[1] > 1e-2
    assert (differs[[0, 2]] < 1e-5).all()


def test_unknown_paths_are_named(transformer):
    with pytest.raises(ValueError, match="encoder/layer_0/attention.*Received: .'attention'"):
        m03.head_masks(transformer, {"attention": np.ones(N)})


def test_a_model_without_attention_is_named():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)], name="plain")
    with pytest.raises(ValueError, match="Received: plain"):
        m03.attention_layers(model)


def test_grouped_attention_is_found_too():
    x = keras.Input((T, D))
    model = keras.Model(x, m03.GroupQueryAttention(D, N, 1, name="grouped")(x, x))
    maps = m03.attention_maps(model, rng.normal(size=(B, T, D)).astype("float32"))
    assert maps["grouped"].shape == (B, N, T, T)


def example_losses(targets, logits):
    """One loss a target token."""
    return keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)


def test_importance_is_the_gradient_of_the_mask(transformer, inputs):
    """Against central differences of the loss of each example on its own."""
    targets = rng.integers(1, V, (B, T))
    importance = m03.head_importance(transformer, inputs, targets, example_losses, normalize=False)
    assert list(importance) == PATHS

    def losses(path, head, value):
        mask = np.ones(N)
        mask[head] = value
        with m03.head_masks(transformer, {path: mask}):
            return numpy(ops.sum(example_losses(targets, transformer(inputs)), axis=-1))

    path = PATHS[0]
    slopes = [(losses(path, n, 1.05) - losses(path, n, 0.95)) / 0.1 for n in range(N)]
    close(importance[path], np.abs(slopes).mean(1), 2e-2)


def test_importance_is_normalised_layer_by_layer(transformer, inputs):
    targets = rng.integers(1, V, (B, T))
    plain = m03.head_importance(transformer, inputs, targets, example_losses, normalize=False)
    scaled = m03.head_importance(transformer, inputs, targets, example_losses)
    for path, heads in scaled.items():
        close(heads, plain[path] / np.sqrt((plain[path] ** 2).sum()))


def test_ablation_and_pruning_measure_what_they_say(transformer, inputs):
    """One head at a time, then all in the order of importance."""

    def score(outputs):
        return np.abs(numpy(outputs)).mean()

    without = m03.score_without(transformer, inputs, score)
    alone = m03.ablation(transformer, without)
    with m03.head_masks(transformer, {PATHS[2]: np.array([0.0, 1.0])}):
        close(alone[PATHS[2]][0], score(transformer(inputs)), 1e-6)
    importance = {path: np.array([0.1 * i, 9.0 - i]) for i, path in enumerate(PATHS)}
    order, scores = m03.prune_heads_one_by_one(without, importance)
    assert order == [(path, 0) for path in PATHS] + [(path, 1) for path in PATHS[::-1]]
    assert len(scores) == 7
    close(scores[0], score(transformer(inputs)), 1e-6)
    close(scores[1], alone[PATHS[0]][0], 1e-6)
    with m03.head_masks(transformer, {path: np.zeros(N) for path in PATHS}):
        close(scores[-1], score(transformer(inputs)), 1e-6)


def test_rollout_on_paper():
    """Both layers swap two tokens: half stays, so 1/2·1/2 + 1/2·1/2 comes home."""
    swap = np.array([[[0.0, 1.0], [1.0, 0.0]]])  # (N, T, T)
    first, second = m03.attention_rollout([swap, swap])
    close(first, np.full((2, 2), 0.5))
    close(second, np.full((2, 2), 0.5))
    first, second = m03.attention_rollout([swap, swap], residual=0.75)
    close(first, [[0.75, 0.25], [0.25, 0.75]])
    close(second, [[0.625, 0.375], [0.375, 0.625]])


def test_rollout_multiplies_later_layers_from_the_left():
    """Token 1 hears token 0 in layer 1; token 2 hears token 1 in layer 2, not the other way."""
    early, late = np.eye(3), np.eye(3)
    early[1], late[2] = [1, 0, 0], [0, 1, 0]
    rollout = m03.attention_rollout([early[None], late[None]], residual=0)
    close(rollout[1][2], [1, 0, 0])
    close(m03.attention_rollout([late[None], early[None]], residual=0)[1][2], [0, 1, 0])


def test_rollout_averages_heads_and_keeps_the_batch():
    weights = rng.random((2, B, N, T, T))
    weights /= weights.sum(-1, keepdims=True)
    got = m03.attention_rollout(weights)
    mixed = weights.mean(2) / 2 + np.eye(T) / 2
    close(got[1], np.einsum("bij,bjk->bik", mixed[1], mixed[0]), 1e-12)
    close(got.sum(-1), np.ones((2, B, T)), 1e-12)


@pytest.mark.parametrize(
    ("weights", "residual", "said"),
    [
        (np.ones((2, N, T, S)), 0.5, r"weights.shape=\(2, 2, 5, 7\)"),
        (np.ones((2, N, T, T)), 2, "=2"),
    ],
)
def test_rollout_errors(weights, residual, said):
    with pytest.raises(ValueError, match=said):
        m03.attention_rollout(weights, residual)
