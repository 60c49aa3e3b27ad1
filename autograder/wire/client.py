"""The referee's side of the wire: the learner's names as Python objects that record every call.

`lab.attention_scores(query, key)` sends a request and returns NumPy arrays. Classes come back as
`RemoteObject`, whose weights the referee fills with values of its own.
"""

import contextlib
import itertools
import re
from dataclasses import dataclass

import numpy as np

from autograder.compare import Mismatch, Opaque, close
from autograder.wire import stock
from autograder.wire.codec import Handle, WireError, decode, encode

REFEREES_OWN = ("TimeLimit", "KernelDied")  # what no learner's code can say of itself
ERROR = {"error": 100, "text": 1000, "line": 200}  # what a reply says of an error, how much of it
LIKELY = 30  # readings of the weights that are tried on each misconception
NEW_EACH_TIME = (
    "is new at every call and never learns: make it in `__init__` or `build`, and keep it as an "
    "attribute."
)


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
            return f"What you make inside `call`{where} {NEW_EACH_TIME}"
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
    """

    def __init__(self, transport, exercise):
        self._transport = transport
        self._exercise = exercise
        self.calls = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self._call_name(name, args, kwargs)

    def stock(self, kind, **config):
        """Make a stock layer on the learner's side; here it computes by its NumPy twin."""
        handle = self._send("stock", kind=kind, config=config)
        return StockObject(self, handle, kind, config)

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

    def _send(self, operation, **arguments):
        request = {
            "op": operation,
            "arguments": _with_handles(arguments),
            "forbids": list(self._exercise.forbids),
        }
        try:
            reply = decode(self._transport.request(encode(request)))
        except WireError as error:
            raise LearnerError("WireError", str(error)) from None
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
    """

    def __init__(self, lab, handle, name, config):
        self._lab, self._handle, self._name = lab, handle, name
        self.config = config
        self.weights = {}

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

    @property
    def type_name(self):
        """The class's name on the learner's side."""
        return self._handle.type_name

    @property
    def variables(self):
        """List of `(path, array)` of the trainable variables."""
        return [(path, value) for path, trainable, value in self._variables() if trainable]

    def fill(self, rng, *args, **kwargs):
        """Build it by a call, fill every trainable variable with seeded values, read them.

        The exercise's reader proposes how the variables map to the oracle's weights; the first
        proposal under which the oracle gives the layer's own output is kept, else the first. A
        call that fails is recorded.
        """
        call = Call(self._name, args, kwargs, instance=self)
        try:
            self._lab._run(call, self._handle)
        except LearnerError:
            self._lab.calls.append(call)
            raise
        values = [
            _seeded(rng, value) if trainable and value.dtype.kind == "f" else None
            for _, trainable, value in self._variables()
        ]
        self._lab._send("set_variables", target=self._handle, values=values)
        self._read(args, kwargs)
        return self

    def expected(self, *args, **kwargs):
        """Return what the oracle gives for these inputs under this layer's weights."""
        return self._lab._exercise.oracle_function(self, *args, **kwargs)

    def set_variables(self, values):
        """Assign one array to each variable; None leaves it as it is."""
        self._lab._send("set_variables", target=self._handle, values=values)

    @contextlib.contextmanager
    def changed(self, values):
        """Give trainable variables other values in a `with` block.

        Args:
            values: dict from a variable's place in `variables` to its array.
        """
        before = self._variables()
        places = [place for place, (_, trainable, _) in enumerate(before) if trainable]
        assigned = {places[i]: value for i, value in values.items()}
        self.set_variables([assigned.get(place) for place in range(len(before))])
        try:
            yield self
        finally:
            kept = {place: before[place][2] for place in assigned}
            self.set_variables([kept.get(place) for place in range(len(before))])

    def gradients(self, *args, **kwargs):
        """Return d sum(output²) / d variable for each trainable variable; None where absent."""
        return self._lab._send("gradients", target=self._handle, args=args, kwargs=kwargs)

    def get_config(self):
        """Return the layer's own `get_config()`."""
        return self._lab._send("config", target=self._handle)

    def reload(self, *args):
        """Return a copy from the configuration, built by a call, with the same weights."""
        handle = self._lab._send("reload", target=self._handle)
        copy = RemoteObject(self._lab, handle, self._name, self.config)
        self._lab._send("call", target=handle, args=args, kwargs={})
        values = [value for _, _, value in self._variables()]
        self._lab._send("set_variables", target=handle, values=values)
        copy.weights = self.weights
        return copy

    def fit(self, x, y, epochs, batch_size, learning_rate, seed=0):
        """Train it on the referee's data (Adam, cross-entropy on logits); return the losses."""
        return self._lab._send(
            "fit",
            target=self._handle,
            x=x,
            y=y,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            seed=seed,
        )

    def _variables(self):
        found = self._lab._send("variables", target=self._handle)
        good = isinstance(found, list) and all(
            isinstance(v, list) and len(v) == 3 and isinstance(v[2], np.ndarray) for v in found
        )
        if not good:
            raise LearnerError("WireError", "The layer's variables could not be read.")
        return found

    def _read(self, args, kwargs):
        reader = self._lab._exercise.read_weights
        if reader is None:
            return
        variables = self.variables
        try:
            proposals = list(reader(variables, self.config))
            exported = self._lab._send("exported_weights", target=self._handle)
            if exported is not None:
                proposals.insert(0, _faithful(exported, variables))
            if not proposals:
                shapes = ", ".join(f"{path} {value.shape}" for path, value in variables)
                raise Mismatch(
                    f"The weights of your {self._name} do not fit the formula. It has: "
                    f"{shapes or 'none'}. If the formula is right and only the layout is unusual, "
                    "add a function export_weights(layer)."
                )
        except Mismatch:
            self._find_the_cause(args, kwargs)
            raise
        self.weights = self._best(proposals, args, kwargs)

    def _find_the_cause(self, args, kwargs):
        """Say what keeps the weights from being read, where that is known."""
        self._see_that_all_learn()
        self._see_that_it_repeats(args, kwargs)

    def _see_that_all_learn(self):
        """Say so where a weight is frozen: the reader would miss it."""
        frozen = [
            f"`{path.partition('/')[2] or path}`"
            for path, trainable, value in self._variables()
            if not trainable and value.dtype.kind == "f" and value.size > 1
        ]
        if frozen:
            raise Mismatch(
                f"`trainable` is False for {', '.join(frozen[:2])}"
                f"{' and others' if len(frozen) > 2 else ''} of your layer, so they never learn. "
                "Leave `trainable` as it is: every weight should learn."
            )

    def _see_that_it_repeats(self, args, kwargs):
        """Say so where the same call gives another output: then its weights are new each time."""
        once, again = (
            self._lab._send("call", target=self._handle, args=args, kwargs=kwargs) for _ in range(2)
        )
        arrays = isinstance(once, np.ndarray) and isinstance(again, np.ndarray)
        if arrays and not close(again, once).passed:
            raise Mismatch(
                "Two calls with the same input give different outputs. A layer or a weight that is "
                f"made inside `call` {NEW_EACH_TIME}"
            )

    def _best(self, proposals, args, kwargs):
        """Return the reading under which the oracle, else a misconception, gives the output."""
        output = self._lab._send("call", target=self._handle, args=args, kwargs=kwargs)
        exercise = self._lab._exercise
        wrong = [m.function for m in exercise.misconceptions if m.fails is None]
        tries = itertools.chain(
            ((exercise.oracle_function, weights) for weights in proposals),
            ((function, proposals[0]) for function in wrong),
            itertools.product(wrong, proposals[1:LIKELY]),
        )
        for function, self.weights in tries:
            if self._gives(function, output, args, kwargs):
                return self.weights
        self._find_the_cause(args, kwargs)
        return proposals[0]

    def _gives(self, function, output, args, kwargs):
        try:
            with np.errstate(all="ignore"):
                return close(output, function(self, *args, **kwargs)).passed
        except (Mismatch, KeyError, ValueError, IndexError, TypeError, AttributeError, MemoryError):
            return False


def _faithful(exported, variables):
    """Return exported weights that are the layer's own numbers, each once, else say what is wrong.

    A bias may be absent, which is zeros; a matrix may not. Else an export could correct a formula.
    """
    whole = isinstance(exported, dict) and exported
    if not whole or not all(isinstance(value, np.ndarray) for value in exported.values()):
        raise Mismatch("export_weights(layer) should return a dictionary from name to array.")
    for name, value in exported.items():
        if "bias" not in name and not np.any(value):
            raise Mismatch(f"export_weights(layer) gives only zeros for {name}.")
    given = [value.ravel() for value in exported.values() if np.any(value)]
    own = [value.ravel() for _, value in variables]
    same = given and own and sum(map(len, given)) == sum(map(len, own))
    if not same or not np.array_equal(np.sort(np.concatenate(given)), np.sort(np.concatenate(own))):
        raise Mismatch(
            "export_weights(layer) should give every number of the layer's variables exactly once, "
            "unchanged."
        )
    return exported


class StockObject(RemoteObject):
    """A stock layer: on the learner's side real Keras, here its NumPy twin.

    Calling it here computes in float64 from the weights that the referee set, so an oracle can
    use it as the learner does, and nothing the learner does to the layer can change it.
    """

    def __init__(self, lab, handle, kind, config):
        super().__init__(lab, handle, kind, config)
        self.kind = kind
        self.arrays = []

    def fill(self, rng, *args, **kwargs):
        """Build it by a call and fill its variables with seeded values."""
        if args:
            self._lab._send("call", target=self._handle, args=args, kwargs=kwargs)
        self.arrays = [_seeded(rng, value) for _, _, value in self._variables()]
        self._lab._send("set_variables", target=self._handle, values=self.arrays)
        return self

    def set_variables(self, values):
        """Assign one array to each variable and keep them for the twin."""
        super().set_variables(values)
        self.arrays = list(values)

    def __call__(self, *args, **kwargs):
        """Compute by the NumPy twin."""
        return stock.twin(self.kind, self.config, self.arrays, *args, **kwargs)


def _seeded(rng, value):
    """Draw values that keep activations near 1, so that no bug hides below the tolerance."""
    fan_in = value.shape[0] if value.ndim == 2 else np.prod(value.shape[:-1]) or 1
    scale = 0.5 if value.ndim < 2 else 1.5 / np.sqrt(fan_in)
    return rng.normal(scale=scale, size=value.shape).astype("float32")


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


def is_array(value):
    """Whether a value that came over the wire is an array (and not an `Opaque` or a handle)."""
    return isinstance(value, np.ndarray) and not isinstance(value, Opaque)
