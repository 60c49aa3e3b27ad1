"""Wrong transformers that `course prove` does not try, and what the check says of them."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from autograder.exercise import find
from autograder.referee import judge
from autograder.wire.codec import decode, encode
from autograder.wire.in_process import InProcess
from course import m02_transformer as m02

PADDING = {"padding_of_the_source_is_invisible", "later_layers_are_masked_too"}
LAYERS = {"each_layer_adds_its_weights"}
READING = "every_decoder_layer_reads_the_whole_encoder"
DROPOUT = {"dropout_acts_in_training_only"}


def build(
    vocabulary_size,
    hidden_dim,
    intermediate_dim,
    num_layers,
    num_heads,
    dropout=0.0,
    fault="",
    head=None,
):
    """Build a transformer with one fault, and with a head of its own if one is given."""
    source_ids, target_ids = (keras.Input((None,), dtype="int32") for _ in range(2))
    mask = m02.padding_mask(source_ids)
    table = keras.layers.ReversibleEmbedding(vocabulary_size, hidden_dim)

    def embed(ids):
        x = table(ids)
        return m02.SinusoidalPositionalEncoding()(x)

    def stack(kind, layers=num_layers):
        width = hidden_dim if fault == "wide" else intermediate_dim
        return kind(layers, width, num_heads, dropout)

    memory = embed(source_ids)
    if fault != "no encoder":
        seen = None if fault == "encoder sees padding" else mask
        memory = stack(m02.TransformerEncoder)(memory, padding_mask=seen)
    x = embed(target_ids)
    if fault == "noise":
        x = keras.layers.Dropout(dropout)(x, training=True)
    decoder = stack(m02.TransformerDecoder, 1 if fault == "flat decoder" else num_layers)
    seen = None if fault == "decoder sees padding" else mask
    x = decoder(x, memory, memory_padding_mask=seen)
    logits = head(x, table) if head else keras.layers.Dense(vocabulary_size)(x)
    return keras.Model([source_ids, target_ids], logits)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "fails"),
    [
        ("", set()),
        ("encoder sees padding", PADDING),
        ("decoder sees padding", PADDING),
        ("no encoder", LAYERS),
        ("flat decoder", LAYERS | {READING}),
        ("wide", LAYERS),
        ("noise", DROPOUT),
    ],
)
def test_each_fault_fails_its_own_cases(fault, fails):
    """The misconception named for these cases is true of all of them."""
    exercise = find("m02_transformer.build_transformer")

    def build_transformer(*sizes, **kwargs):
        return build(*sizes, **kwargs, fault=fault)

    verdict = judge(exercise, InProcess({"build_transformer": build_transformer}))
    assert {case.name for case in verdict.cases if not case.passed} == fails
    assert bool(verdict.misconception) == bool(fails)


@pytest.mark.parametrize("answer", [None, 3, [1, 2], "model"])
def test_what_is_no_model_gives_one_sentence(answer):
    """Every case fails with a sentence, none raises."""
    exercise = find("m02_transformer.build_transformer")
    verdict = judge(exercise, InProcess({"build_transformer": lambda *a, **k: answer}))
    assert verdict.points == 0
    assert all("build_transformer" in case.problem for case in verdict.cases)


class Bias(keras.layers.Layer):
    """Adds a vector that learns."""

    def build(self, shape):
        self.bias = self.add_weight((shape[-1],))

    def call(self, x):
        return x + self.bias


def dense(x, table):
    return keras.layers.Dense(13)(x)


def tied(x, table):
    return table(x, reverse=True)


def tied_with_bias(x, table):
    return Bias()(table(x, reverse=True))


def capped(x):
    return 30 * ops.tanh(x / 30)


@pytest.mark.parametrize(
    ("head", "activation", "found"),
    [
        *((head, None, False) for head in (dense, tied, tied_with_bias)),
        (dense, lambda x: 2 * ops.softmax(x), True),
        (dense, lambda x: ops.softmax(x) - 0.1, True),
        (dense, ops.log_softmax, True),
        (dense, ops.sigmoid, True),
        (dense, ops.leaky_relu, True),
        (dense, capped, True),
        (tied, ops.tanh, True),
        (tied, ops.relu, True),
        (tied_with_bias, ops.leaky_relu, True),
        (tied_with_bias, capped, True),
    ],
)
def test_only_logits_pass(head, activation, found):
    """What follows the last map is found, also where the embedding is that map."""

    def build_transformer(*sizes, **kwargs):
        last = head if activation is None else lambda *inputs: activation(head(*inputs))
        return build(*sizes, **kwargs, head=last)

    exercise = find("m02_transformer.build_transformer")
    kept = [case for case in exercise.cases if case.name == "the_output_is_logits"]
    alone = dataclasses.replace(exercise, cases=kept, points=1, misconceptions=[])
    verdict = judge(alone, InProcess({"build_transformer": build_transformer}))
    assert verdict.passed != found
    assert not found or "raised" not in verdict.cases[0].problem


def inverted(token_ids):
    return np.asarray(token_ids) == 0


def triangle(token_ids):
    return np.tri(np.shape(token_ids)[1], dtype=bool)


@pytest.mark.parametrize(
    ("helper", "answer", "points"),
    [
        (inverted, lambda ids: triangle(ids) & inverted(ids)[:, None], 3),
        (inverted, lambda ids: np.zeros((*np.shape(ids), np.shape(ids)[1]), bool), 0),
        (inverted, lambda ids: triangle(ids).T & inverted(ids)[:, None], 0),
        (
            lambda ids: np.ones(np.shape(ids), bool),
            lambda ids: triangle(ids) & (ids == ids)[:, None],
            1,
        ),
    ],
)
def test_a_wrong_padding_mask_costs_its_own_points_once(helper, answer, points):
    """Without padding an inverted mask hides everything, which alone says nothing."""
    exercise = find("m02_transformer.decoder_mask")
    names = {"padding_mask": helper, "decoder_mask": lambda ids: answer(np.asarray(ids))}
    assert judge(exercise, InProcess(names)).points == points


def of_layers(
    vocabulary_size, hidden_dim, intermediate_dim, num_layers, num_heads, dropout=0.0, fault=""
):
    """Build a transformer of the course's single layers, in lists, with what the decoder reads."""
    source_ids, target_ids = (keras.Input((None,), dtype="int32") for _ in range(2))
    mask, table = m02.padding_mask(source_ids), keras.layers.Embedding(vocabulary_size, hidden_dim)
    memories = [m02.SinusoidalPositionalEncoding()(table(source_ids))]
    for _ in range(num_layers):
        layer = m02.TransformerEncoderLayer(intermediate_dim, num_heads, dropout, pre_norm=True)
        memories.append(layer(memories[-1], padding_mask=mask))
    x = m02.SinusoidalPositionalEncoding()(table(target_ids))
    for i in range(num_layers):
        layer = m02.TransformerDecoderLayer(intermediate_dim, num_heads, dropout, pre_norm=True)
        late = {"same depth": i + 1, "embedding": 0, "first layer": 1}.get(fault, -1)
        x = layer(x, memories[late if i < num_layers - 1 else -1], memory_padding_mask=mask)
    return keras.Model([source_ids, target_ids], keras.layers.Dense(vocabulary_size)(x))


def judged_by(names, build_transformer, seed="practice", transport=InProcess):
    """Judge by the cases of these names alone."""
    exercise = find("m02_transformer.build_transformer")
    kept = [case for case in exercise.cases if case.name in names]
    points = sum(case.points for case in kept)
    alone = dataclasses.replace(exercise, cases=kept, points=points)
    return judge(alone, transport({"build_transformer": build_transformer}), seed)


@pytest.mark.parametrize("fault", ["", "same depth", "embedding", "first layer"])
def test_every_decoder_layer_has_to_read_the_last_encoder_layer(fault):
    """One decoder layer that reads something else is found, whatever the layers' layout."""

    def build_transformer(*sizes, **kwargs):
        return of_layers(*sizes, **kwargs, fault=fault)

    verdict = judged_by({READING}, build_transformer)
    assert verdict.passed == (not fault)
    assert ("reads something else" in verdict.misconception) == bool(fault)


class Liar(InProcess):
    """Says of every gradient that it is what it never is: the same everywhere."""

    def request(self, message):
        """Answer by the probe, and lie where gradients are asked for."""
        if decode(message)["op"] != "gradients":
            return super().request(message)
        found = decode(super().request(message))["value"]
        return encode({"value": [np.ones(g.shape, "float32") for g in found]})


def test_gradients_that_are_lies_earn_nothing():
    """What each layer reads is seen in outputs; that every weight learns needs true gradients."""

    def build_transformer(*sizes, **kwargs):
        return of_layers(*sizes, **kwargs, fault="same depth")

    verdict = judged_by({READING, "every_weight_learns"}, build_transformer, transport=Liar)
    assert verdict.points == 0
    assert "not the slopes" in verdict.cases[1].problem


class Stacked(keras.Model):
    """One variable holds a kind of matrix for all layers; the decoder's come first."""

    def __init__(self, vocabulary_size, hidden_dim, intermediate_dim, num_layers, num_heads):
        super().__init__()
        d, f = hidden_dim, intermediate_dim
        self.heads = num_heads

        def all_layers(*shapes):
            return [self.add_weight((num_layers, *shape)) for shape in shapes]

        self.networks = [all_layers((d, f), (f, d)) for _ in range(2)]
        self.cross = all_layers((d, d), (d, 2 * d), (d, d))  # keys and values in one
        self.own = [all_layers((d, 3 * d), (d, d)) for _ in range(2)]
        self.tables = [keras.layers.Embedding(vocabulary_size, d) for _ in range(2)]
        self.positions = m02.SinusoidalPositionalEncoding()
        self.head = keras.layers.Dense(vocabulary_size)

    def call(self, inputs):
        """Take source and target ids, return logits."""
        memory, x = (
            self.positions(table(ids)) for table, ids in zip(self.tables, inputs, strict=True)
        )
        seen = m02.padding_mask(inputs[0])[:, None, None]
        causal = m02.causal_mask(ops.shape(inputs[1])[1])
        for which, (inward, outward) in enumerate(self.own):
            for i in range(inward.shape[0]):
                y = x if which else memory
                q, k, v = ops.split(y @ inward[i], 3, axis=-1)
                y = norm(y + self.attend(q, k, v, causal if which else seen) @ outward[i])
                if which:
                    query, both, out = (matrix[i] for matrix in self.cross)
                    k, v = ops.split(memory @ both, 2, axis=-1)
                    y = norm(y + self.attend(y @ query, k, v, seen) @ out)
                up, down = (matrix[i] for matrix in self.networks[which])
                y = norm(y + ops.relu(y @ up) @ down)
                memory, x = (memory, y) if which else (y, x)
        return self.head(x)

    def attend(self, q, k, v, mask):
        """Return what the heads read, side by side."""
        q, k, v = (m02.split_heads(x, self.heads) for x in (q, k, v))
        return m02.merge_heads(m02.scaled_dot_product_attention(q, k, v, mask)[0])


def norm(x):
    return (x - ops.mean(x, -1, keepdims=True)) / (ops.std(x, -1, keepdims=True) + 1e-6)


@pytest.mark.parametrize("seed", ["practice", "b"])
def test_matrices_of_all_layers_may_lie_in_one_variable(seed):
    """One variable may hold them, in whatever order."""
    deep = {READING, "every_weight_learns", *LAYERS}
    verdict = judged_by(deep, lambda *sizes, dropout=0.0: Stacked(*sizes), seed)
    assert verdict.passed, [case.problem for case in verdict.cases]


class OneMap(keras.Model):
    """One map makes the keys and values of all cross-attentions."""

    def __init__(self, last, vocabulary_size, hidden_dim, intermediate_dim, num_layers, num_heads):
        super().__init__()
        sizes = intermediate_dim, num_heads
        dense = keras.layers.Dense
        self.tables = [keras.layers.Embedding(vocabulary_size, hidden_dim) for _ in range(2)]
        self.positions, self.heads = m02.SinusoidalPositionalEncoding(), num_heads
        self.encoder = m02.TransformerEncoder(num_layers, *sizes)
        read = dense(2 * hidden_dim * num_layers)
        if not last:
            self.read = read
        self.own = [m02.TransformerEncoderLayer(*sizes) for _ in range(num_layers)]
        self.queries = [dense(hidden_dim) for _ in range(num_layers)]
        self.outs = [dense(hidden_dim) for _ in range(num_layers)]
        self.head = dense(vocabulary_size)
        self.read = read  # the place of its weights among the others

    def call(self, inputs, training=None):
        """Take source and target ids, return logits."""
        seen = m02.padding_mask(inputs[0])
        memory, x = (
            self.positions(table(ids)) for table, ids in zip(self.tables, inputs, strict=True)
        )
        memory = self.encoder(memory, padding_mask=seen)
        both = iter(ops.split(self.read(memory), 2 * len(self.own), axis=-1))
        for own, query, out in zip(self.own, self.queries, self.outs, strict=True):
            x = own(x, use_causal_mask=True)
            parts = (m02.split_heads(y, self.heads) for y in (query(x), next(both), next(both)))
            heads, _ = m02.scaled_dot_product_attention(*parts, seen[:, None, None])
            x = norm(x + out(m02.merge_heads(heads)))
        return self.head(x)


@pytest.mark.parametrize("last", [False, True])
def test_one_map_may_serve_all_cross_attentions(last):
    """Where its zeros alone cut the source off, and where others would do it, too."""
    deep = {READING, "every_weight_learns", *LAYERS}
    verdict = judged_by(deep, lambda *sizes, dropout=0.0: OneMap(last, *sizes))
    assert verdict.passed, [case.problem for case in verdict.cases]


@tf.custom_gradient
def untouched(x, *weights):
    """Return x, and say that each weight has a part in it."""

    def gradient(upstream):
        size = tf.reduce_max(tf.abs(upstream)) + 1e-3
        return upstream, *[size * tf.ones_like(weight) for weight in weights]

    return tf.identity(x), gradient


class Pretended(keras.layers.Layer):
    """Owns the weights of so many encoder and decoder layers, and uses none."""

    def __init__(self, layers):
        super().__init__()
        self.layers = layers

    def build(self, shape):
        shapes = [(14, 14)] * 12 + [(14, 5), (5, 14)] * 2
        self.all = [self.add_weight(s) for s in shapes * self.layers]

    def call(self, x):
        return untouched(x, *[weight.value for weight in self.all])


def pretended(vocabulary_size, hidden_dim, intermediate_dim, num_layers, num_heads, dropout=0.0):
    """Build one layer, and gradients for the weights of the others."""
    sizes = (vocabulary_size, hidden_dim, intermediate_dim, 1, num_heads, dropout)
    return build(*sizes, head=lambda x, table: Pretended(num_layers - 1)(dense(x, table)))


@pytest.mark.slow
def test_weights_that_do_nothing_are_found_though_gradients_are_said_to_reach_them():
    exercise = find("m02_transformer.build_transformer")
    verdict = judge(exercise, InProcess({"build_transformer": pretended}))
    failed = {case.name for case in verdict.cases if not case.passed}
    assert failed == LAYERS | {READING, "every_weight_learns"}


class Hidden(keras.layers.Layer):
    """Adds the mean of the earlier positions, without a weight."""

    def call(self, x):
        steps = ops.arange(1, ops.shape(x)[1] + 1, dtype="float32")[:, None]
        return x + ops.cumsum(x, axis=1) / steps


def told_by_place(x, table):
    """Add to the logits what no weight knows."""
    places = keras.layers.Lambda(lambda x: ops.cos(ops.arange(ops.shape(x)[1], dtype="float32")))
    return dense(x, table) + places(x)[:, None]


def mixed(x, table):
    return dense(Hidden()(x), table)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (told_by_place, "With all weights set to zero"),
        (mixed, "a token still changes logits at other"),
    ],
)
def test_a_model_that_computes_without_its_weights_earns_nothing(head, words):
    def build_transformer(*sizes, **kwargs):
        return build(*sizes, **kwargs, head=head)

    exercise = find("m02_transformer.build_transformer")
    kept = [case for case in exercise.cases if case.name == "lengths_are_free"]
    alone = dataclasses.replace(exercise, cases=kept, points=1, misconceptions=[])
    verdict = judge(alone, InProcess({"build_transformer": build_transformer}))
    assert verdict.points == 0
    assert words in verdict.cases[0].problem
