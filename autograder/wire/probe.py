"""The learner's side of the wire: carries out the referee's requests on the learner's names.

It runs where the learner's code runs and decides nothing: every reply is only what the learner's
code returned, and the referee treats it so.
"""

import traceback

import numpy as np

from autograder.compare import Opaque
from autograder.wire import forbid, stock
from autograder.wire.codec import Handle, WireError, decode, encode

CELL_FILES = ("<ipython-input", "ipykernel_", "<cell", "<string>")


class NotDefined(Exception):
    """The learner has not defined the name."""


class Probe:
    """Answers requests about the names in `namespace`.

    Args:
        namespace: dict. The learner's global names.
    """

    def __init__(self, namespace):
        self.namespace = namespace
        self.objects, self.graphs = [], {}

    def handle(self, message):
        """Carry out one request and return the reply; both are bytes."""
        try:
            request = decode(message)
            forbids = request.get("forbids", ())
            absent = forbid.not_imported(forbids)
            value = self._carry_out(request, forbids)
            if forbid.not_imported(forbids) != absent:  # imported by this very call: guard it
                value = self._carry_out(request, forbids)
            reply = {"value": value}
        except KeyboardInterrupt:
            reply = {"error": "KeyboardInterrupt", "text": "It was interrupted."}
        except BaseException as error:  # noqa: B036  a learner's sys.exit must not end the check
            reply = _describe_error(error)
        try:
            return encode(reply)
        except (WireError, MemoryError) as error:
            text = str(error) or "A value is too large to check."
            return encode({"error": "WireError", "text": text})

    def _carry_out(self, request, forbids):
        operation = getattr(self, f"do_{request['op']}")
        if request["op"] == "status":  # says what the name is; calls nothing
            return operation(**request["arguments"])
        with forbid.guard(forbids, self.namespace, request.get("judged", "")):
            return operation(**request["arguments"])

    def do_status(self, name):
        """Say whether `name` is defined, what it is, and whether it was lent."""
        value = self.namespace.get(name)
        if value is None:
            return {"kind": "missing"}
        lent = bool(getattr(value, "__course_lent__", False))
        kind = "class" if isinstance(value, type) else "function" if callable(value) else "value"
        return {"kind": kind, "lent": lent}

    def do_call(self, target, args, kwargs):
        """Call a name or an object with tensors; when that raises, with NumPy arrays."""
        function = self._find(target)
        args, kwargs = self._resolve(args), self._resolve(kwargs)
        try:
            result = function(*_tensors(args), **_tensors(kwargs))
        except (NotImplementedError, forbid.Forbidden, KeyboardInterrupt, SystemExit):
            raise
        except Exception as first:
            try:
                result = function(*args, **kwargs)
            except Exception:
                raise first from None
        return self._export(result)

    def do_call_often(self, target, args, values):
        """Call an object while some of its variables have other values.

        A graph that is made for the first call carries out the further ones; where none can be
        made, each is a plain call.
        """
        called = self._find(target)
        pairs = zip(called.variables, values, strict=True)
        changed = [(v, np.array(_numpy(v)), new) for v, new in pairs if new is not None]
        try:
            for variable, _, new in changed:
                variable.assign(new)
            return self._by_graph(target, called, args)
        finally:
            for variable, before, _ in changed:
                variable.assign(before)

    def _by_graph(self, target, called, args):
        import tensorflow as tf

        graph = self.graphs.setdefault(
            target.number, tf.function(lambda *args: called(*args), autograph=False)
        )
        if graph is not None:
            try:
                return self._export(graph(*_tensors(self._resolve(args))))
            except Exception:  # noqa: BLE001  what fails eagerly as well says so itself
                self.graphs[target.number] = None
        return self.do_call(target, args, {})

    def do_variables(self, target):
        """Return `[path, trainable, array]` of every variable of a layer or model."""
        layer = self._find(target)
        trained = {id(v) for v in layer.trainable_variables}  # none, where the layer is frozen
        return [[v.path, id(v) in trained, _numpy(v)] for v in layer.variables]

    def do_set_variables(self, target, values):
        """Assign one array to each variable, in the order of `do_variables`; None leaves it."""
        for variable, value in zip(self._find(target).variables, values, strict=True):
            if value is not None:
                variable.assign(value)

    def do_exported_weights(self, target):
        """Return what the learner's `export_weights(layer)` says, or None where there is none."""
        export = self.namespace.get("export_weights")
        if not callable(export):
            return None
        exported = export(self._find(target))
        if not isinstance(exported, dict):
            return Opaque(f"a {type(exported).__name__}")
        return {str(name): _numpy(value) for name, value in dict(exported).items()}

    def do_gradients(self, target, args, kwargs):
        """Return d sum(output²) / d variable for each trainable variable; None where absent."""
        import tensorflow as tf

        layer = self._find(target)
        args, kwargs = _tensors(self._resolve(args)), _tensors(self._resolve(kwargs))
        with tf.GradientTape() as tape:
            output = layer(*args, **kwargs)
            first = output[0] if isinstance(output, tuple | list) else output
            loss = tf.reduce_sum(tf.cast(first, "float32") ** 2)
        variables = layer.trainable_variables
        gradients = tape.gradient(loss, [v.value for v in variables])
        dense = [None if g is None else tf.convert_to_tensor(g) for g in gradients]
        return [None if g is None else _numpy(g) for g in dense]

    def do_config(self, target):
        """Return the layer's `get_config()`, as far as it can cross."""
        return dict(self._find(target).get_config())

    def do_reload(self, target):
        """Return a copy made by `from_config(get_config())`."""
        layer = self._find(target)
        return self._export(type(layer).from_config(layer.get_config()))

    def do_fit(self, target, x, y, epochs, batch_size, learning_rate, seed):
        """Train on the referee's data with Adam and cross-entropy; return the losses."""
        import keras

        keras.utils.set_random_seed(seed)
        model = self._find(target)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(learning_rate), loss)
        x, y = self._resolve(x), self._resolve(y)
        x = list(x) if isinstance(x, tuple) else x
        history = model.fit(x, y, epochs=epochs, batch_size=batch_size, verbose=0, shuffle=False)
        return [float(value) for value in history.history["loss"]]

    def do_seed(self, seed):
        """Seed Python, NumPy and Keras before random weights are made."""
        import keras

        keras.utils.set_random_seed(seed)

    def do_stock(self, kind, config):
        """Make one of the stock layers that the referee hands to the learner's code."""
        return self._export(stock.make(kind, config))

    def do_forget(self):
        """Drop every object made so far."""
        self.objects.clear()
        self.graphs.clear()

    def _find(self, target):
        if isinstance(target, Handle):
            return self.objects[target.number]
        if target not in self.namespace:
            raise NotDefined(target)
        return self.namespace[target]

    def _resolve(self, value):
        if isinstance(value, Handle):
            return self.objects[value.number]
        if isinstance(value, list | tuple):
            return type(value)(self._resolve(item) for item in value)
        if isinstance(value, dict):
            return {key: self._resolve(item) for key, item in value.items()}
        if isinstance(value, np.ndarray) and value.dtype == "float64":
            return value.astype("float32")
        if isinstance(value, np.ndarray) and value.dtype == "int64":
            return value.astype("int32")
        return value

    def _export(self, value):
        """Turn tensors into arrays and objects into handles."""
        if value is None or isinstance(value, str | bool | int | float | np.ndarray | np.generic):
            return value
        if isinstance(value, list | tuple):
            items = [self._export(item) for item in value]
            return items if isinstance(value, list) else tuple(items)
        if isinstance(value, dict):
            return {str(key): self._export(item) for key, item in value.items()}
        if type(value).__name__ == "KerasTensor":
            return Opaque("a symbolic KerasTensor, which has no values")
        if hasattr(value, "__array__") or hasattr(value, "detach"):
            return _numpy(value)
        if callable(value):
            self.objects.append(value)
            return Handle(len(self.objects) - 1, type(value).__name__)
        return Opaque(f"an object of the class {type(value).__name__}")


def _tensors(value):
    """Replace arrays by eager tensors of the Keras backend, in nested lists too."""
    if isinstance(value, np.ndarray):
        from keras import ops

        return ops.convert_to_tensor(value)
    if isinstance(value, list | tuple):
        return type(value)(_tensors(item) for item in value)
    if isinstance(value, dict):
        return {key: _tensors(item) for key, item in value.items()}
    return value


def _numpy(value):
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    array = np.asarray(value)
    return array.astype("float32") if str(array.dtype) == "bfloat16" else array


def _describe_error(error):
    """Say what the learner's code raised and in which of its lines."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if any(mark in f.filename for mark in CELL_FILES)]
    line = own[-1].line if own and own[-1].line else ""
    return {"error": type(error).__name__, "text": str(error)[:600], "line": line[:200]}
