"""Every layout of a right layer is accepted; every wrong layer is rejected, and named.

The panel runs real Keras classes through the check of multi-head attention, as a learner would.
"""

import dataclasses
import math

import keras
import numpy as np
import pytest
from keras import ops

from autograder import layouts
from autograder.exercise import find
from autograder.referee import judge
from autograder.wire.in_process import InProcess

EXERCISE = find("m02_transformer.MultiHeadAttention")


def swap(x):
    return ops.transpose(x, (0, 2, 1, 3))


class Base(keras.layers.Layer):
    """Attention with hooks; subclasses change the layout, or one step."""

    key_source = value_source = "value"

    def __init__(self, hidden_dim, num_heads, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim, self.num_heads = hidden_dim, num_heads
        self.size = hidden_dim // num_heads
        self.make()

    def make(self):
        self.q, self.k, self.v, self.o = (self.dense() for _ in range(4))

    def dense(self, size=None, **kwargs):
        return keras.layers.Dense(size or self.hidden_dim, **kwargs)

    def project(self, query, value):
        return self.split(self.q(query)), self.split(self.k(value)), self.split(self.v(value))

    def split(self, x):
        return swap(ops.reshape(x, (*ops.shape(x)[:2], self.num_heads, self.size)))

    def merge(self, x):
        return ops.reshape(swap(x), (ops.shape(x)[0], ops.shape(x)[2], self.hidden_dim))

    def weigh(self, scores, mask):
        if mask is not None:
            scores = ops.where(mask[:, None], scores, -1e9)
        return ops.softmax(scores)

    def scale(self):
        return math.sqrt(self.size)

    def finish(self, heads):
        return self.o(self.merge(heads))

    def call(self, query, value, attention_mask=None):
        q, k, v = self.project(query, value)
        weights = self.weigh(ops.matmul(q, ops.swapaxes(k, -1, -2)) / self.scale(), attention_mask)
        return self.finish(ops.matmul(weights, v))

    def get_config(self):
        sizes = {"hidden_dim": self.hidden_dim, "num_heads": self.num_heads}
        return super().get_config() | sizes


# Right layouts


class FourDense(Base):
    pass


class ShuffledWithoutBias(Base):
    def make(self):
        self.o, self.v, self.q, self.k = (self.dense(use_bias=False) for _ in range(4))

    def build(self, *shapes):
        for layer in (self.o, self.v, self.q, self.k):
            layer.build((None, None, self.hidden_dim))


class MisleadingNames(Base):
    """The key's projection is called query and the other way round."""

    def make(self):
        names = ("key", "query", "output", "value")
        self.q, self.k, self.v, self.o = (self.dense(name=name) for name in names)


class SomeBiases(Base):
    def make(self):
        use = (True, False, False, True)
        self.q, self.k, self.v, self.o = (self.dense(use_bias=bias) for bias in use)


class Einsum(Base):
    """Kernels (D, N, H) and (N, H, D), biases (N, 1, H)."""

    def make(self):
        shape, size = (self.num_heads, None, self.size), self.hidden_dim
        self.q, self.k, self.v = (
            keras.layers.EinsumDense("btd,dnh->bnth", shape, bias_axes="nh") for _ in range(3)
        )
        self.o = keras.layers.EinsumDense("bnth,nhd->btd", (None, size), bias_axes="d")

    def split(self, x):
        return x

    def merge(self, x):
        return x


class HeadsFirst(Einsum):
    """Plain weights (N, D, H) and (N, H, D)."""

    def make(self):
        inward = (self.num_heads, self.hidden_dim, self.size)
        self.kernels = [self.add_weight(shape=inward, name=name) for name in ("w_v", "w_q", "w_k")]
        outward = (self.num_heads, self.size, self.hidden_dim)
        self.last = self.add_weight(shape=outward, name="w_o")

    def project(self, query, value):
        v, q, k = self.kernels
        pairs = ((query, q), (value, k), (value, v))
        return [ops.einsum("btd,ndh->bnth", x, kernel) for x, kernel in pairs]

    def finish(self, heads):
        return ops.einsum("bnth,nhd->btd", heads, self.last)


class Transposed(Base):
    """Kernels are applied as x Wᵀ, and have no names."""

    def make(self):
        size = (self.hidden_dim, self.hidden_dim)
        self.kernels = [self.add_weight(shape=size) for _ in range(4)]

    def project(self, query, value):
        xs = (query, value, value)
        kernels = self.kernels[:3]
        return [
            self.split(ops.matmul(x, ops.transpose(w))) for x, w in zip(xs, kernels, strict=True)
        ]

    def finish(self, heads):
        return ops.matmul(self.merge(heads), ops.transpose(self.kernels[3]))


class FusedBlocks(Base):
    """One kernel (D, 3D), cut into q, k, v."""

    def make(self):
        self.qkv, self.o = self.dense(3 * self.hidden_dim, name="qkv"), self.dense(name="out")

    def project(self, query, value):
        q = ops.split(self.qkv(query), 3, axis=-1)[0]
        k, v = ops.split(self.qkv(value), 3, axis=-1)[1:]
        return self.split(q), self.split(k), self.split(v)


class FusedPerHead(Base):
    """One kernel (D, N · 3H): each head's q, k, v side by side."""

    def make(self):
        self.qkv, self.o = self.dense(3 * self.hidden_dim), self.dense()

    def project(self, query, value):
        def cut(x):
            x = ops.reshape(self.qkv(x), (*ops.shape(x)[:2], self.num_heads, 3 * self.size))
            return ops.split(swap(x), 3, axis=-1)

        return cut(query)[0], cut(value)[1], cut(value)[2]


class ValueBeforeKey(Base):
    """Fused values and keys, in this order."""

    def make(self):
        self.both, self.q, self.o = self.dense(2 * self.hidden_dim), self.dense(), self.dense()

    def project(self, query, value):
        v, k = ops.split(self.both(value), 2, axis=-1)
        return self.split(self.q(query)), self.split(k), self.split(v)


class Stacked(Base):
    """All four kernels in one variable (4, D, D), all biases in another (4, D)."""

    def make(self):
        size = self.hidden_dim
        self.kernels = self.add_weight(shape=(4, size, size), name="kernels")
        self.biases = self.add_weight(shape=(4, size), name="biases")

    def project(self, query, value):
        xs = (query, value, value)
        return [
            self.split(ops.matmul(x, self.kernels[i]) + self.biases[i]) for i, x in enumerate(xs)
        ]

    def finish(self, heads):
        return ops.matmul(self.merge(heads), self.kernels[3]) + self.biases[3]


class ListsPerKind(Base):
    """A list of N small layers for queries, one for keys, one for values."""

    def make(self):
        kinds = ("query", "key", "value")
        self.lists = [
            [self.dense(self.size, name=f"{kind}_{n}") for n in range(self.num_heads)]
            for kind in kinds
        ]
        self.o = self.dense()

    def project(self, query, value):
        xs = (query, value, value)
        return [
            ops.stack([layer(x) for layer in kind], axis=1)
            for x, kind in zip(xs, self.lists, strict=True)
        ]


class Head(keras.layers.Layer):
    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.k, self.q, self.v = (keras.layers.Dense(size) for _ in range(3))

    def call(self, query, value, attention_mask=None):
        q, k, v = self.q(query), self.k(value), self.v(value)
        scores = ops.matmul(q, ops.swapaxes(k, 1, 2)) / math.sqrt(q.shape[-1])
        if attention_mask is not None:
            scores = ops.where(attention_mask, scores, -1e9)
        return ops.matmul(ops.softmax(scores), v)


class HeadLayers(Base):
    """N layers of a class Head; their output is projected per head and added up."""

    def make(self):
        self.heads = [Head(self.size) for _ in range(self.num_heads)]
        self.outs = [self.dense(use_bias=n == 0) for n in range(self.num_heads)]

    def call(self, query, value, attention_mask=None):
        heads = [head(query, value, attention_mask) for head in self.heads]
        return sum(out(head) for out, head in zip(self.outs, heads, strict=True))


class FusedHeads(Base):
    """One small fused layer (D, 3H) per head."""

    def make(self):
        self.heads = [self.dense(3 * self.size) for _ in range(self.num_heads)]
        self.o = self.dense()

    def project(self, query, value):
        q = [ops.split(layer(query), 3, axis=-1)[0] for layer in self.heads]
        kv = [ops.split(layer(value), 3, axis=-1)[1:] for layer in self.heads]
        return [ops.stack(x, axis=1) for x in (q, [k for k, _ in kv], [v for _, v in kv])]


class Interleaved(Base):
    """Head n takes every N-th feature; merged by blocks."""

    def split(self, x):
        x = ops.reshape(x, (*ops.shape(x)[:2], self.size, self.num_heads))
        return ops.transpose(x, (0, 3, 1, 2))


class Half(Base):
    """Weights are kept as float16 and bfloat16, and used as float32."""

    def make(self):
        size = (self.hidden_dim, self.hidden_dim)
        kinds = ("float16", "bfloat16", "float16", "bfloat16")
        self.kernels = [self.add_weight(shape=size, dtype=kind) for kind in kinds]

    def project(self, query, value):
        xs = (query, value, value)
        pairs = zip(xs, self.kernels[:3], strict=True)
        return [self.split(ops.matmul(x, ops.cast(w, "float32"))) for x, w in pairs]

    def finish(self, heads):
        return ops.matmul(self.merge(heads), ops.cast(self.kernels[3], "float32"))


class Constrained(Base):
    """Constraints act in training, not where a weight is assigned."""

    def dense(self, size=None, **kwargs):
        return super().dense(size, kernel_constraint="non_neg", **kwargs)


class WithACounter(Base):
    """Keeps an integer, which Keras takes for a weight that learns."""

    def make(self):
        super().make()
        self.count = keras.Variable(np.arange(self.hidden_dim), dtype="int32")


RIGHT = [
    FourDense,
    ShuffledWithoutBias,
    MisleadingNames,
    SomeBiases,
    Einsum,
    HeadsFirst,
    Transposed,
    FusedBlocks,
    FusedPerHead,
    ValueBeforeKey,
    Stacked,
    ListsPerKind,
    HeadLayers,
    FusedHeads,
    Interleaved,
    Half,
    Constrained,
    WithACounter,
]


# Wrong layers, and words of what the check should say


class Unscaled(Base):
    def scale(self):
        return 1.0


class UnscaledEinsum(Einsum):
    def scale(self):
        return 1.0


class UnscaledFused(FusedPerHead):
    def scale(self):
        return 1.0


class ScaledByHidden(Base):
    def scale(self):
        return math.sqrt(self.hidden_dim)


class ScaledByHiddenPerHead(ListsPerKind):
    def scale(self):
        return math.sqrt(self.hidden_dim)


class TiedKeyAndValue(Base):
    def make(self):
        self.q, self.k, self.o = (self.dense() for _ in range(3))
        self.v = self.k


class TiedQueryAndKey(Base):
    def make(self):
        self.o, self.v, self.k = (self.dense() for _ in range(3))
        self.q = self.k


class TiedAll(Base):
    def make(self):
        self.q, self.o = self.dense(), self.dense()
        self.k = self.v = self.q


class NoOutputProjection(Base):
    def make(self):
        self.q, self.k, self.v = (self.dense() for _ in range(3))

    def finish(self, heads):
        return self.merge(heads)


class NoProjections(Base):
    def make(self):
        self.q = self.k = self.v = self.o = lambda x: x


class OnlyOutputProjection(Base):
    def make(self):
        self.q = self.k = self.v = lambda x: x
        self.o = self.dense()


class ReshapedToHeads(Base):
    def split(self, x):
        batch, length = ops.shape(x)[:2]
        return ops.reshape(x, (batch, self.num_heads, length, self.size))


class ReshapedFromHeads(Base):
    def merge(self, x):
        return ops.reshape(x, (ops.shape(x)[0], ops.shape(x)[2], self.hidden_dim))


class ReshapedBothWays(ReshapedToHeads):
    def merge(self, x):
        return ops.reshape(x, (ops.shape(x)[0], ops.shape(x)[2], self.hidden_dim))


class MaskAfterSoftmax(Base):
    def weigh(self, scores, mask):
        weights = ops.softmax(scores)
        return weights if mask is None else weights * ops.cast(mask, "float32")[:, None]


class MaskIgnored(Einsum):
    def weigh(self, scores, mask):
        return ops.softmax(scores)


class MaskInverted(Base):
    def weigh(self, scores, mask):
        return super().weigh(scores, None if mask is None else ops.logical_not(mask))


class SoftmaxOverQueries(Base):
    def weigh(self, scores, mask):
        if mask is not None:
            scores = ops.where(mask[:, None], scores, -1e9)
        return ops.softmax(scores, axis=-2)


class SoftmaxOverHeads(Base):
    def weigh(self, scores, mask):
        if mask is not None:
            scores = ops.where(mask[:, None], scores, -1e9)
        return ops.softmax(scores, axis=1)


class OneLargeHead(Base):
    def split(self, x):
        return x[:, None]

    def scale(self):
        return math.sqrt(self.hidden_dim)


class KeysFromQuery(Base):
    def call(self, query, value, attention_mask=None):
        return super().call(query, query, None)


class HeadsAttendToHeads(Base):
    def split(self, x):
        return ops.reshape(x, (*ops.shape(x)[:2], self.num_heads, self.size))

    def merge(self, x):
        return ops.reshape(x, (*ops.shape(x)[:2], self.hidden_dim))


class OneLength(Base):
    def call(self, query, value, attention_mask=None):
        return super().call(query, value, attention_mask) + 0 * (query + value)


class ValuesFromQuery(Base):
    def project(self, query, value):
        return self.split(self.q(query)), self.split(self.k(value)), self.split(self.v(query))


class Residual(Base):
    def call(self, query, value, attention_mask=None):
        return query + super().call(query, value, attention_mask)


class SharedKeyHead(Base):
    """One key and one value head for all queries (multi-query attention)."""

    def make(self):
        self.q, self.o = self.dense(), self.dense()
        self.k, self.v = self.dense(self.size), self.dense(self.size)

    def project(self, query, value):
        return self.split(self.q(query)), self.k(value)[:, None], self.v(value)[:, None]


class FullSizeHeads(Base):
    """Every head has size D."""

    def make(self):
        wide = self.hidden_dim * self.num_heads
        self.q, self.k, self.v, self.o = *(self.dense(wide) for _ in range(3)), self.dense()
        self.inner = self.hidden_dim

    def split(self, x):
        return swap(ops.reshape(x, (*ops.shape(x)[:2], self.num_heads, self.hidden_dim)))

    def merge(self, x):
        shape = ops.shape(x)
        return ops.reshape(swap(x), (shape[0], shape[2], self.num_heads * self.hidden_dim))

    def scale(self):
        return math.sqrt(self.hidden_dim)


class FrozenInNumpy(Base):
    def finish(self, heads):
        return self.o(self.merge(np.asarray(heads)))


WRONG = [
    (Unscaled, "did not divide"),
    (UnscaledEinsum, "did not divide"),
    (UnscaledFused, "did not divide"),
    (ScaledByHidden, "√D"),
    (ScaledByHiddenPerHead, "√D"),
    (TiedKeyAndValue, "Keys and values share"),
    (TiedQueryAndKey, "Queries and keys share"),
    (TiedAll, "Queries, keys and values share"),
    (NoOutputProjection, "output projection is missing"),
    (NoProjections, "no projections"),
    (OnlyOutputProjection, "only projects at the end"),
    (ReshapedToHeads, "straight to (B, N, T, H)"),
    (ReshapedFromHeads, "merge by a reshape"),
    (ReshapedBothWays, "split and merge by a bare reshape"),
    (MaskAfterSoftmax, "masked after the softmax"),
    (MaskIgnored, "ignored the mask"),
    (MaskInverted, "where the mask is True"),
    (SoftmaxOverQueries, "over the queries"),
    (SoftmaxOverHeads, "over the heads"),
    (OneLargeHead, "one head of full size"),
    (KeysFromQuery, ""),
    (HeadsAttendToHeads, "attend to each other"),
    (OneLength, "equally long"),
    (ValuesFromQuery, "values from `query`"),
    (Residual, "added the input"),
    (SharedKeyHead, ""),
    (FullSizeHeads, ""),
    (FrozenInNumpy, ""),
]


def judged(layer, **names):
    names = {"__name__": "__main__", "MultiHeadAttention": layer} | names
    return judge(EXERCISE, InProcess(names))


@pytest.mark.parametrize("layer", RIGHT)
def test_right_layout_is_accepted(layer):
    verdict = judged(layer)
    assert [case.problem for case in verdict.cases if not case.passed] == []
    assert verdict.points == EXERCISE.points


@pytest.mark.parametrize(("layer", "words"), WRONG)
def test_wrong_layer_is_rejected_and_named(layer, words):
    verdict = judged(layer)
    assert verdict.points < EXERCISE.points
    assert words in verdict.misconception
    assert bool(words) == bool(verdict.misconception)


class OneVector(Base):
    """All numbers in one vector."""

    def make(self):
        self.numbers = self.add_weight(shape=(4 * self.hidden_dim**2,))

    def kernel(self, i):
        shape = (4, self.hidden_dim, self.hidden_dim)
        return ops.reshape(self.numbers, shape)[i]

    def project(self, query, value):
        xs = (query, value, value)
        return [self.split(ops.matmul(x, self.kernel(i))) for i, x in enumerate(xs)]

    def finish(self, heads):
        return ops.matmul(self.merge(heads), self.kernel(3))


class OneVectorUnscaled(OneVector):
    def scale(self):
        return 1.0


def export_weights(layer):
    inward = (layer.hidden_dim, layer.num_heads, layer.size)
    kernels = [np.asarray(layer.kernel(i)) for i in range(4)]
    names = ("query", "key", "value")
    found = {name: k.reshape(inward) for name, k in zip(names, kernels, strict=False)}
    return found | {"output": kernels[3].reshape(*inward[1:], layer.hidden_dim)}


def test_exported_weights_make_any_layout_readable():
    assert "export_weights" in judged(OneVector).cases[0].problem
    assert judged(OneVector, export_weights=export_weights).passed
    unscaled = judged(OneVectorUnscaled, export_weights=export_weights)
    assert "did not divide" in unscaled.misconception


class LargeHeadInOneVector(OneVector, OneLargeHead):
    pass


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda found: {n: w.reshape(35, 1, 35) for n, w in found.items()}, "`query` have the"),
        (lambda found: found | {"key": found["query"]}, "exactly once"),
        (lambda found: found | {"key": found["key"] + 1e-6}, "exactly once"),
        (lambda found: found | {"key": np.zeros_like(found["key"])}, "only zeros"),
        (lambda found: list(found), "should return a dictionary"),
        (lambda found: found | {"key": ["a"]}, "should return a dictionary"),
    ],
)
def test_exported_weights_are_the_formulas(change, words):
    """A layer with one head for all cannot call itself right by its export."""
    first = dataclasses.replace(EXERCISE, cases=EXERCISE.cases[:1], points=3)
    names = {"MultiHeadAttention": LargeHeadInOneVector}
    names["export_weights"] = lambda layer: change(export_weights(layer))
    verdict = judge(first, InProcess(names))
    assert verdict.points == 0
    assert words in verdict.cases[0].problem


class HalfOfTheGradient(FusedBlocks):
    """Its output is right; the weights of attention are cut off, though no gradient is missing."""

    def weigh(self, scores, mask):
        return ops.stop_gradient(super().weigh(scores, mask))


def test_a_gradient_is_compared_with_the_slope():
    verdict = judged(HalfOfTheGradient)
    assert [case.name for case in verdict.cases if not case.passed] == ["every_weight_learns"]
    assert "not the slopes of the output" in verdict.cases[3].problem


def test_a_wrong_helper_is_followed_through():
    def split_heads(x, num_heads):  # a bare reshape
        batch, length, size = x.shape
        return ops.reshape(x, (batch, num_heads, length, size // num_heads))

    class WithHelper(Base):
        def split(self, x):
            return split_heads(x, self.num_heads)

    merge_heads = Base.merge
    verdict = judged(
        WithHelper,
        split_heads=split_heads,
        merge_heads=lambda x: ops.reshape(swap(x), (x.shape[0], x.shape[2], -1)),
    )
    assert merge_heads is Base.merge
    assert verdict.points == EXERCISE.points
    assert "split_heads" in verdict.cases[0].note


def test_a_wrong_helper_is_no_excuse_for_a_wrong_gradient():
    """The slopes are then those of the layer's own outputs."""

    def merge_heads(x):  # the last head first
        return Base.merge(type("S", (), {"hidden_dim": 35}), x[:, ::-1])

    class WithHelper(HalfOfTheGradient):
        def merge(self, x):
            return merge_heads(x) if self.hidden_dim == 35 else super().merge(x[:, ::-1])

    split = Base.split
    names = {
        "merge_heads": lambda x: ops.reshape(swap(x[:, ::-1]), (x.shape[0], x.shape[2], -1)),
        "split_heads": lambda x, n: split(type("S", (), {"num_heads": n, "size": -1}), x),
    }
    verdict = judged(WithHelper, **names)
    assert [case.name for case in verdict.cases if not case.passed] == ["every_weight_learns"]


def test_follow_through_gives_no_credit_for_other_faults():
    verdict = judged(
        FrozenInNumpy,
        split_heads=lambda x, n: Base.split(type("S", (), {"num_heads": n, "size": -1}), x),
        merge_heads=lambda x: ops.reshape(swap(x), (x.shape[0], x.shape[2], -1)),
    )
    assert verdict.points == EXERCISE.points - 1


class Frozen(Base):
    def make(self):
        super().make()
        self.k.trainable = False


class FrozenAsAWhole(Base):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, trainable=False, **kwargs)


class MadeInCall(NoOutputProjection):
    def finish(self, heads):
        return keras.layers.Dense(self.hidden_dim)(self.merge(heads))


class KeptInCall(NoOutputProjection):
    def finish(self, heads):
        self.last = keras.layers.Dense(self.hidden_dim)
        return self.last(self.merge(heads))


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (Frozen, "`trainable` is False for "),
        (FrozenAsAWhole, "`trainable` is False for "),
        (MadeInCall, "made inside `call` is new at every call"),
        (KeptInCall, "What you make inside `call`"),
    ],
)
def test_a_layer_that_cannot_learn_is_told_why(layer, words):
    verdict = judged(layer)
    assert verdict.points == 0
    assert all(words in case.problem for case in verdict.cases)


def test_by_shape_prefers_names_and_tries_transposed():
    variables = [("layer/beta", np.zeros(3)), ("layer/gamma", np.ones(3))]
    first, second = layouts.by_shape(variables, {"gamma": (3,), "beta": (3,)})
    assert first["gamma"].all()
    assert second["beta"].all()
    kernel = np.arange(6.0).reshape(2, 3)
    (found,) = layouts.by_shape([("w", kernel)], {"w": (3, 2), "b": (2,)}, optional=("b",))
    np.testing.assert_array_equal(found["w"], kernel.T)
    np.testing.assert_array_equal(found["b"], np.zeros(2))


def test_impossible_sizes_have_no_reading():
    assert list(layouts.attention([("w", np.zeros((3, 3)))], 7, 3)) == []
    assert list(layouts.attention([("w", np.zeros((3, 3)))], None, 3)) == []
