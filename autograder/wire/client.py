"""The referee's side of the wire: the learner's names as Python objects that record every call.

`lab.attention_scores(query, key)` sends a request and returns NumPy arrays. Classes come back as
`RemoteObject`, whose weights the referee fills with values of its own.
"""

import contextlib
import re
from dataclasses import dataclass

import numpy as np

from autograder.compare import Mismatch
from autograder.wire import stock, weights
from autograder.wire.codec import Handle, WireError, decode, encode

REFEREES_OWN = ("TimeLimit", "KernelDied")  # what no learner's code can say of itself
ERROR = {"error": 100, "text": 1000, "line": 200}  # what a reply says of an error, how much of it


class LearnerError(Exception):
    """The learner's code raised, was missing, or answered what cannot be read.

    Attributes:
        kind: type name of the error on the learner's side.
        line: the learner's line that raised, or an empty string.
    """

    def __init__(self, kind, text, line=""):
        super().__init__(text)
        self.kind, self.line = kind, line

    @property
    def sentence(self):
        """What happened, for the learner."""
        text = str(self)
        if self.kind == "NotDefined":
            return f"You have not defined `{text}`. Run the cell that defines it first."
        if self.kind == "NotImplementedError":
            return "The exercise is not written yet."
        if self.kind == "Forbidden":  # raised inside a layer, Keras wraps it
            return _gist(text)
        if self.kind in ("WireError", "TimeLimit", "KernelDied"):
            return text
        where = f" in the line `{self.line}`" if self.line else ""
        if "add new elements of state" in text:  # Keras locks a layer that is built
            return f"What you make inside `call`{where} {weights.NEW_EACH_TIME}"
        return f"Your code raised {self.kind}{where}: {_gist(text)}"


def _gist(text):
    """Return the line of an error that says what happened, without what Keras wraps around it."""
    text = re.sub(r"\x1b\[\d+m|\{\{.*?\}\}|\[Op:\w+\].*", "", text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith("Exception encountered when calling")]
    return next(iter(told or lines), "no message")


@dataclass
class Call:
    """One call of the exercise: inputs, and the result or the error.

    `instance` is the layer that was called, or None for a function.
    """

    name: str
    args: tuple
    kwargs: dict
    instance: object = None
    result: object = None
    error: LearnerError | None = None


class Lab:
    """The learner's names, reached over `transport`.

    Args:
        transport: object with `request(bytes) -> bytes`.
        exercise: the `Exercise` being judged.

    Attributes:
        calls: list of `Call`.
        heard: whether the learner's side has answered anything: what is computed since may be
            spoiled by its values.
    """

    def __init__(self, transport, exercise):
        self._transport = transport
        self._exercise = exercise
        self.calls, self.heard = [], False

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self._call_name(name, args, kwargs)

    def stock(self, kind, **config):
        """Make a stock layer on the learner's side; here it computes by its NumPy twin."""
        return StockObject(self, self._made("stock", kind=kind, config=config), kind, config)

    def seed(self, seed):
        """Seed the learner's side before it makes random weights."""
        self._send("seed", seed=int(seed))

    def _status(self, name):
        return self._send("status", name=name)

    def _call_name(self, name, args, kwargs):
        call = Call(name, args, kwargs)
        self.calls.append(call)
        return self._run(call, name)

    def _run(self, call, target):
        try:
            result = self._send("call", target=target, args=call.args, kwargs=call.kwargs)
        except LearnerError as error:
            call.error = error
            raise
        call.result = self._wrap(result, call)
        return call.result

    def _wrap(self, value, call):
        if isinstance(value, Handle):
            return RemoteObject(self, value, call.name, _arguments(self._exercise, call))
        if isinstance(value, tuple | list):
            return type(value)(self._wrap(item, call) for item in value)
        return value

    def _made(self, operation, **arguments):
        """Return the handle of an object that the learner's side makes."""
        handle = self._send(operation, **arguments)
        if not isinstance(handle, Handle):
            raise LearnerError("WireError", "The answer could not be read.")
        return handle

    def _send(self, operation, **arguments):
        request = {
            "op": operation,
            "arguments": _with_handles(arguments),
            "forbids": list(self._exercise.forbids),
            "judged": self._exercise.id,
        }
        try:
            reply = decode(self._transport.request(encode(request)))
        except WireError as error:
            raise LearnerError("WireError", str(error)) from None
        self.heard = True
        if not isinstance(reply, dict) or not ("value" in reply or "error" in reply):
            raise LearnerError("WireError", "The answer could not be read.")
        if "error" in reply:
            kind, *parts = [str(reply.get(key, ""))[:length] for key, length in ERROR.items()]
            raise LearnerError("Exception" if kind in REFEREES_OWN else kind, *parts)
        return reply["value"]


class RemoteObject:
    """A layer or model that lives on the learner's side.

    Attributes:
        config: the arguments it was constructed with; each is an attribute too.
        weights: canonical weights after `fill`, as the oracle wants them.
        reading: function from values of the `variables` to such weights.
        frozen: paths of the variables that it says do not learn.
    """

    def __init__(self, lab, handle, name, config):
        self._lab, self._handle, self._name = lab, handle, name
        self.config = config
        self.weights, self.reading = {}, None
        self.frozen, self._learns, self._places, self._sent = [], [], [], []

    def __getattr__(self, name):
        config = self.__dict__.get("config", {})
        if name in config:
            return config[name]
        raise AttributeError(f"A {self.__dict__.get('_name')} has no {name!r}.")

    def __call__(self, *args, **kwargs):
        """Call it and return arrays; the call is recorded."""
        call = Call(self._name, args, kwargs, instance=self)
        self._lab.calls.append(call)
        return self._lab._run(call, self._handle)

    def peek(self, *args, **kwargs):
        """Call it and return what crosses; nothing is recorded."""
        return self._lab._send("call", target=self._handle, args=args, kwargs=kwargs)

    def often(self, values, *args):
        """Call it while trainable variables have other values; nothing is recorded.

        The first such call makes a graph, and each further one with inputs of the same shapes
        takes a small part of a plain call.

        Args:
            values: dict from a variable's place in `variables` to its array.
            *args: what it is called with.
        """
        sent = [None] * len(self._sent)
        for place, value in values.items():
            sent[self._learns[place]] = np.asarray(value, "float32")
        return self._lab._send("call_often", target=self._handle, args=args, values=sent)

    @property
    def type_name(self):
        """The class's name on the learner's side."""
        return self._handle.type_name

    @property
    def variables(self):
        """List of `(path, array)` of the trainable variables of floats, as they were sent last."""
        return [(self._places[i][0], self._sent[i]) for i in self._learns]

    def fill(self, rng, *args, **kwargs):
        """Build it by a call, and fill every trainable variable of floats with seeded values.

        Then the values are read as the formula's weights (`weights.read`). A call that fails is
        recorded.

        Raises:
            Mismatch: it does not keep the values, or they are not the formula's weights.
        """
        call = Call(self._name, args, kwargs, instance=self)
        try:
            self._lab._run(call, self._handle)
        except LearnerError:
            self._lab.calls.append(call)
            raise
        self._places = self._variables()
        self._learns = [i for i, (_, learns, v) in enumerate(self._places) if learns and _real(v)]
        self._sent = [None] * len(self._places)
        self.frozen = [
            path
            for path, learns, value in self._places
            if not learns and _real(value) and value.size > 1
        ]
        self.assign([weights.seeded(rng, self._places[i][2].shape) for i in self._learns])
        self._see_that_they_stay()
        weights.read(self, args, kwargs)
        return self

    def expected(self, *args, **kwargs):
        """Return what the oracle gives for these inputs under this layer's weights."""
        return self._lab._exercise.oracle_function(self, *args, **kwargs)

    def assign(self, values):
        """Send new values, one array for each of the `variables`; None leaves one as it is."""
        sent = [None] * len(self._sent)
        for place, value in zip(self._learns, values, strict=True):
            if value is not None:
                sent[place] = self._sent[place] = np.asarray(value, "float32")
        self._lab._send("set_variables", target=self._handle, values=sent)

    @contextlib.contextmanager
    def changed(self, values):
        """Give trainable variables other values in a `with` block.

        Args:
            values: dict from a variable's place in `variables` to its array.
        """
        before = [value if i in values else None for i, (_, value) in enumerate(self.variables)]
        self.assign([values.get(i) for i in range(len(before))])
        try:
            yield self
        finally:
            self.assign(before)

    def gradients(self, *args, **kwargs):
        """Return what it says is d sum(output²) / d variable for each of the `variables`.

        None stands for an absent one. It is a claim: `slopes` says what it is worth.
        """
        found = self._lab._send("gradients", target=self._handle, args=args, kwargs=kwargs)
        learns = [i for i, (_, learns, _) in enumerate(self._places) if learns]
        if isinstance(found, list) and len(found) == len(learns):
            found = [g for i, g in zip(learns, found, strict=True) if i in self._learns]
            shapes = [value.shape for _, value in self.variables]
            if all(g is None or _real(g, s) for g, s in zip(found, shapes, strict=True)):
                return found
        raise LearnerError("WireError", "The layer's gradients could not be read.")

    def get_config(self):
        """Return what it says is its configuration."""
        return self._lab._send("config", target=self._handle)

    def reload(self, *args):
        """Return a copy from the configuration, built by a call, with the same weights."""
        handle = self._lab._made("reload", target=self._handle)
        copy = RemoteObject(self._lab, handle, self._name, self.config)
        self._lab._send("call", target=handle, args=args, kwargs={})
        values = list(self._sent)
        if any(value is None for value in values):  # what does not learn is the same there too
            here = self._variables()
            values = [v if v is not None else own[2] for v, own in zip(values, here, strict=True)]
        self._lab._send("set_variables", target=handle, values=values)
        copy.weights, copy.reading = self.weights, self.reading
        copy._places, copy._learns, copy._sent = self._places, self._learns, list(self._sent)
        return copy

    def fit(self, x, y, epochs, batch_size, learning_rate, seed=0):
        """Train it on the referee's data (Adam, cross-entropy on logits).

        What it then knows shows in its outputs. The losses that it returns are its own word, and
        earn nothing; nor is anything known of its weights any more.
        """
        losses = self._lab._send(
            "fit",
            target=self._handle,
            x=x,
            y=y,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            seed=seed,
        )
        self.weights, self.reading, self._learns = {}, None, []
        return losses

    def _variables(self):
        found = self._lab._send("variables", target=self._handle)
        good = isinstance(found, list) and all(
            isinstance(v, list) and list(map(type, v)) == [str, bool, np.ndarray] for v in found
        )
        if not good:
            raise LearnerError("WireError", "The layer's variables could not be read.")
        if len(found) > weights.MOST:
            text = f"Your {self._name} has {len(found):,} variables; {weights.MOST:,} can be read."
            raise LearnerError("WireError", text)
        return found

    def _see_that_they_stay(self):
        """See that it has the values that were sent: another word of it would not count."""
        now = self._variables()
        if [place[:2] for place in now] != [place[:2] for place in self._places]:
            raise Mismatch(f"Your {self._name} has other variables each time that it is asked.")
        for (path, _, value), sent in zip(now, self._sent, strict=True):
            if sent is not None and not np.array_equal(value, sent):
                raise Mismatch(
                    f"`{path.partition('/')[2] or path}` of your {self._name} does not keep the "
                    "values that it is given. The check fills your weights with numbers of its "
                    "own: let a weight be a plain variable."
                )


class StockObject(RemoteObject):
    """A stock layer: on the learner's side real Keras, here its NumPy twin.

    Calling it here computes in float64 from the weights that the referee set, so an oracle can
    use it as the learner does, and nothing the learner does to the layer can change it. The shapes
    of its weights follow from its kind and its inputs, too.
    """

    def __init__(self, lab, handle, kind, config):
        super().__init__(lab, handle, kind, config)
        self.kind = kind
        self.arrays = []

    def fill(self, rng, *args, **kwargs):
        """Build it by a call and fill its variables with seeded values."""
        if args:
            self._lab._send("call", target=self._handle, args=args, kwargs=kwargs)
        shapes = stock.shapes(self.kind, self.config, *args)
        self.set_variables([weights.seeded(rng, shape) for shape in shapes])
        return self

    def set_variables(self, values):
        """Assign one array to each variable and keep them for the twin."""
        self._lab._send("set_variables", target=self._handle, values=values)
        self.arrays = list(values)

    def __call__(self, *args, **kwargs):
        """Compute by the NumPy twin."""
        return stock.twin(self.kind, self.config, self.arrays, *args, **kwargs)


def _real(value, shape=None):
    """Whether a value is an array of floats, all of them finite, of that shape if one is given."""
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
        return False
    return shape is None or (value.shape == shape and bool(np.isfinite(value).all()))


def _with_handles(value):
    """Replace remote objects by their handles."""
    if isinstance(value, RemoteObject):
        return value._handle
    if isinstance(value, list | tuple):
        return type(value)(_with_handles(item) for item in value)
    if isinstance(value, dict):
        return {key: _with_handles(item) for key, item in value.items()}
    return value


def _arguments(exercise, call):
    """Name the constructor's arguments by the exercise's signature."""
    inside = exercise.signature.partition("(")[2].rpartition(")")[0]
    names = [part.split("=")[0].strip() for part in inside.split(",")]
    return dict(zip(names, call.args, strict=False)) | call.kwargs
