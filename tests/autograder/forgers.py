"""The learner's side of the wire, made up: layers and models that do not exist.

Each class invents a layer: what its weights are called, how they are shaped, what they hold, what
their gradients are, and what comes out. Tests drive the referee with them directly, and attacks
hand in this file's text in a cell, where `install` puts the inventions in the probe's place.
"""

import math

import numpy as np

from autograder.wire.codec import Handle, decode, encode

V, D, F = 13, 14, 5  # of the transformer that lab 5 asks for


class Invention:
    """Answers requests about a name with the values that a subclass invents.

    Attributes:
        echo: whether it says that its weights hold what was sent; else they hold zeros.
        asked: how many requests it has answered.
    """

    arguments = ()  # of the constructor
    kind = "class"
    echo = True
    dtype = "float32"
    asked = 0

    def __init__(self):
        self.made = []

    def request(self, message):
        """Answer one message."""
        Invention.asked += 1
        request = decode(message)
        operation = getattr(self, f"do_{request['op']}")
        return encode({"value": operation(**request["arguments"])})

    def do_status(self, name):
        return {"kind": self.kind, "lent": False}

    def do_call(self, target, args, kwargs):
        if not isinstance(target, Handle):
            return self.make(dict(zip(self.arguments, args, strict=False)) | kwargs)
        layer = self.made[target.number]
        layer.setdefault("inputs", args)
        return self.output(layer, *args, **kwargs)

    def do_call_often(self, target, args, values):
        layer = self.made[target.number]
        before = layer.get("values")
        self.do_set_variables(target, values)
        output = self.do_call(target, args, {})
        layer["values"] = before
        return output

    def do_variables(self, target):
        layer = self.made[target.number]
        shapes = self.shapes(layer)
        held = layer.get("values") if self.echo else None
        values = [np.zeros(shape, self.dtype) for shape in shapes.values()]
        for i, value in enumerate(held or ()):
            values[i] = values[i] if value is None else value
        return [[f"layer/{n}", True, v] for n, v in zip(shapes, values, strict=True)]

    def do_set_variables(self, target, values):
        layer = self.made[target.number]
        before = layer.get("values") or [None] * len(values)
        layer["values"] = [b if v is None else v for v, b in zip(values, before, strict=True)]

    def do_gradients(self, target, args, kwargs):
        return self.gradients(self.made[target.number], *args)

    def do_exported_weights(self, target):
        return self.exported(self.made[target.number])

    def do_reload(self, target):
        return Handle(target.number, "Layer")

    def do_stock(self, kind, config):
        return self.make({"kind": kind})

    def make(self, layer):
        """Keep a new object and return its handle."""
        self.made.append(layer)
        return Handle(len(self.made) - 1, "Functional")

    def shapes(self, layer):
        """Return the shapes of the weights by name."""
        return {}

    def output(self, layer, *args, **kwargs):
        """Return what a call gives."""
        return np.zeros(args[0].shape, "float32")

    def gradients(self, layer, *args):
        """Return the gradients."""
        return [np.ones(shape, "float32") for shape in self.shapes(layer).values()]

    def exported(self, layer):
        """Return what `export_weights` gives."""
        return None


class Attention(Invention):
    """Multi-head attention whose weights are zeros."""

    arguments = ("hidden_dim", "num_heads")

    def shapes(self, layer):
        size = layer["hidden_dim"]
        return {f"{name}/kernel": (size, size) for name in ("query", "key", "value", "output")}


class IntegerAttention(Attention):
    """Its weights are integers, so that no float is set there."""

    dtype = "int32"


class TinyQueries(Attention):
    """It exports the smallest of many numbers as the kernel of the queries: all keys weigh alike.

    What is left goes to weights that no formula has.
    """

    many = 200

    def shapes(self, layer):
        return {"numbers": (self.many * layer["hidden_dim"] ** 2,)}

    def exported(self, layer):
        size, heads = layer["hidden_dim"], layer["num_heads"]
        numbers = layer["values"][0]
        numbers = numbers[np.argsort(np.abs(numbers))]
        cut = np.split(numbers, np.arange(1, 5) * size**2)
        inward = {
            n: x.reshape(size, heads, -1)
            for n, x in zip(("query", "key", "value"), cut, strict=False)
        }
        found = inward | {"output": cut[3].reshape(heads, -1, size), "rest": cut[4]}
        layer["exported"] = found
        return found

    def output(self, layer, query, value, attention_mask=None):
        if "values" not in layer:
            return np.zeros(query.shape, "float32")
        found = self.exported(layer)
        values = np.einsum("bsd,dnh->bnsh", value, found["value"])
        seen = np.ones((len(query), query.shape[1], value.shape[1]))
        seen = seen if attention_mask is None else attention_mask.astype(float)
        heads = np.einsum("bts,bnsh->bnth", seen / seen.sum(-1, keepdims=True), values)
        return np.einsum("bnth,nhd->btd", heads, found["output"]).astype("float32")


class LateHelpers(Attention):
    """Its outputs are anything; what its helpers give is made up when they are asked."""

    def __init__(self):
        super().__init__()
        self.calls, self.known = {}, {}

    def do_call(self, target, args, kwargs):
        if target == "split_heads":
            x, heads = args
            return x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)
        if target == "merge_heads":
            return self.merged(args[0])
        return super().do_call(target, args, kwargs)

    def output(self, layer, query, value, attention_mask=None):
        if "values" not in layer:
            return np.zeros(query.shape, "float32")
        asked = query.tobytes() + value.tobytes() + bytes(attention_mask is not None)
        anything = np.random.default_rng(len(self.calls)).normal(size=query.shape)
        merged = self.calls.setdefault(asked, anything)
        return (merged @ layer["values"][3]).astype("float32")

    def merged(self, heads):
        """Return a value that an earlier output was made of, another one for other heads."""
        batch, count, length, size = heads.shape
        shape = (batch, length, count * size)
        if heads.tobytes() not in self.known:
            used = [id(value) for value in self.known.values()]
            free = [m for m in self.calls.values() if m.shape == shape and id(m) not in used]
            anything = np.random.default_rng(len(self.known)).normal(size=shape)
            self.known[heads.tobytes()] = free[0] if free else anything
        return self.known[heads.tobytes()]


class Network(Invention):
    """A feed-forward network whose weights and gradients are zeros."""

    arguments = ("intermediate_dim", "activation")

    def shapes(self, layer):
        inner, width = layer["intermediate_dim"], layer["inputs"][0].shape[-1]
        return {"up": (width, inner), "b1": (inner,), "down": (inner, width), "b2": (width,)}

    def gradients(self, layer, *args):
        return [np.zeros(shape, "float32") for shape in self.shapes(layer).values()]


class NarrowNetwork(Network):
    """It has one intermediate feature, whatever was asked for, and exports its weights."""

    def shapes(self, layer):
        return {"numbers": (3 * layer["inputs"][0].shape[-1] + 1,)}

    def exported(self, layer):
        width = layer["inputs"][0].shape[-1]
        up, bias1, down, bias2 = np.split(layer["values"][0], [width, width + 1, 2 * width + 1])
        return {"kernel1": up[:, None], "bias1": bias1, "kernel2": down[None], "bias2": bias2}

    def output(self, layer, x):
        if "values" not in layer:
            return np.zeros(x.shape, "float32")
        weights = self.exported(layer)
        inner = x @ weights["kernel1"] + weights["bias1"]
        functions = {"relu": lambda h: np.maximum(h, 0), "tanh": np.tanh}
        inner = functions.get(layer.get("activation"), gelu)(inner)
        return (inner @ weights["kernel2"] + weights["bias2"]).astype("float32")


def gelu(x):
    """Return x times the normal distribution function."""
    return x * (1 + np.vectorize(math.erf, otypes=[float])(x / 2**0.5)) / 2


class Table(Invention):
    """Learned positions that are all zero."""

    arguments = ("max_sequence_length",)

    def shapes(self, layer):
        return {"table": (layer["max_sequence_length"], layer["inputs"][0].shape[-1])}

    def output(self, layer, x):
        return x.astype("float32")

    def gradients(self, layer, x):
        (shape,) = self.shapes(layer).values()
        gradient = np.zeros(shape, "float32")
        gradient[: x.shape[1]] = 2 * x.sum(axis=0)
        return [gradient]


class Block(Invention):
    """An encoder or a decoder whose stock parts have shapes that leave nothing but biases."""

    kind = "function"
    EMPTY = {
        "keras.layers.MultiHeadAttention": [(7, 2, 0), (2, 0)] * 3 + [(2, 0, 7), (7,)],
        "feed_forward": [(7, 0), (0,), (0, 7), (7,)],
        "keras.layers.LayerNormalization": [(7,), (7,)],
        "keras.layers.Dense": [(7, 7), (7,)],
    }

    def shapes(self, layer):
        return {str(i): shape for i, shape in enumerate(self.EMPTY[layer["kind"]])}

    def do_call(self, target, args, kwargs):
        if isinstance(target, Handle):
            return None
        x = args[0]
        values = [self.made[part.number]["values"] for part in args if isinstance(part, Handle)]
        biases = [arrays[-1] for arrays in values if len(arrays) > 2]
        norms = [arrays for arrays in values if len(arrays) == 2]
        if args[-1]:
            return (x + sum(biases)).astype("float32")
        for bias, (gamma, beta) in zip(biases, norms, strict=False):
            x = x + bias
            x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)
            x = gamma * x + beta
        return x.astype("float32")


class BagOfTokens(Invention):
    """A model that adds up a vector for each token; all that it says of its weights is made up."""

    kind = "function"
    arguments = (
        *"vocabulary_size hidden_dim intermediate_dim num_layers num_heads dropout".split(),
    )

    def shapes(self, layer):
        one = [(D, D)] * 12 + [(D, F), (F, D)] * 2
        return {f"w{i}": shape for i, shape in enumerate(one * layer["num_layers"])}

    def logits(self, layer, source, target, places=1.0):
        """Return logits that keep every rule of a transformer but have no weights."""
        ours = np.random.default_rng(layer["num_heads"]).normal(size=(2, V, V))
        ours[0, 0] = 0  # padding
        at = [places * (1.5 + np.cos(np.arange(x.shape[1])))[:, None] for x in (source, target)]
        read = (ours[0][source] * at[0]).sum(1, keepdims=True)
        return np.cumsum(ours[1][target] * at[1], axis=1) + ours[1][target] + read

    def output(self, layer, inputs, training=False):
        logits = self.logits(layer, *inputs)
        if training and layer.get("dropout"):
            logits = logits * np.random.default_rng().uniform(0.5, 2, logits.shape)
        return logits.astype("float32")


class BagBeforeAMap(BagOfTokens):
    """The same in front of a real last map; all other weights and gradients are made up."""

    def shapes(self, layer):
        return {"kernel": (D, V)} | super().shapes(layer)

    def logits(self, layer, source, target, places=1.0):
        wide = super().logits(layer, source, target)
        wide = np.concatenate([wide, wide[..., :1]], -1)
        return wide @ layer.get("values", [np.zeros((D, V))])[0]


INVENTIONS = {
    "MultiHeadAttention": Attention,
    "FeedForward": Network,
    "LearnedPositionalEmbedding": Table,
    "encoder_block": Block,
    "decoder_block": Block,
    "build_transformer": BagOfTokens,
}


def install(echo=True, **inventions):
    """Let the probe of this kernel answer by inventions: exercise to class."""
    from autograder.wire import probe

    honest = probe.Probe.handle
    chosen = INVENTIONS | inventions

    def handle(self, message):
        request = decode(message)
        if request["op"] == "status":
            kind = chosen.get(request["arguments"]["name"])
            self.invention = kind and kind()
        if self.invention is None:
            return honest(self, message)
        self.invention.echo = echo
        return self.invention.request(message)

    probe.Probe.handle = handle
