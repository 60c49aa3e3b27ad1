"""The weights of a learner's layer: drawn here, sent there, and read as those of a formula.

What the learner's side says of its weights is no evidence. It tells how the weights are laid out:
names and shapes. Their values are the ones that were sent, whatever it says they are, so a layer is
right when it computes the formula of numbers that it could not choose.
"""

import itertools

import numpy as np

from autograder.compare import Mismatch, close

LIKELY = 30  # readings of the weights that are tried on each misconception
MOST = 1000  # variables of one layer
MOST_INPUTS = 200  # per output: no layout of a learner's makes the values smaller than this does
FINEST = 2.0**-16  # float16 keeps 8 binary digits down to here
NEW_EACH_TIME = (
    "is new at every call and never learns: make it in `__init__` or `build`, and keep it as an "
    "attribute."
)


def seeded(rng, shape):
    """Draw values that keep activations near 1, so that no bug hides below the tolerance.

    They have 8 binary digits, and float16, bfloat16, float32 and float64 all hold them exactly.
    """
    inputs = shape[0] if len(shape) == 2 else np.prod(shape[:-1], dtype=float)
    scale = 0.5 if len(shape) < 2 else 1.5 / np.sqrt(min(max(inputs, 1), MOST_INPUTS))
    values = np.round(rng.normal(scale=scale, size=shape) / FINEST) * FINEST
    mantissa, exponent = np.frexp(np.where(values == 0, FINEST, values))
    return np.ldexp(np.round(mantissa * 256) / 256, exponent).astype("float32")


def read(layer, args, kwargs):
    """Find which of the layer's weights is which of the formula's; it is kept in the layer.

    The exercise's reader proposes readings; the first one under which the oracle gives the layer's
    own output is kept, else the first one.
    """
    exercise = layer._lab._exercise
    if exercise.read_weights is None:
        return
    try:
        proposals = _proposals(exercise, layer)
    except Mismatch:
        _find_the_cause(layer, args, kwargs)
        raise
    layer.weights, layer.reading = _best(layer, proposals, args, kwargs)


def _proposals(exercise, layer):
    """Return pairs of weights and the function that gives those of other values."""
    variables = layer.variables
    readings = exercise.read_weights(variables, layer.config)
    proposals = [(weights, _Again(layer, n)) for n, weights in enumerate(readings)]
    exported = layer._lab._send("exported_weights", target=layer._handle)
    if exported is not None:
        weights = _faithful(exported, variables)
        proposals.insert(0, (weights, _Exported(layer, weights)))
    if not proposals:
        shapes = ", ".join(f"{path} {value.shape}" for path, value in variables)
        raise Mismatch(
            f"The weights of your {layer._name} do not fit the formula. It has: "
            f"{shapes or 'none'}. If the formula is right and only the layout is unusual, "
            "add a function export_weights(layer)."
        )
    return proposals


class _Again:
    """Reads other values in the way of the reader's proposal `number`."""

    def __init__(self, layer, number):
        self.layer, self.number = layer, number

    def __call__(self, values):
        """Return the weights that these values of the variables are."""
        exercise, paths = self.layer._lab._exercise, [path for path, _ in self.layer.variables]
        readings = exercise.read_weights(list(zip(paths, values, strict=True)), self.layer.config)
        return next(itertools.islice(readings, self.number, None))


class _Exported:
    """Reads other values in the way that exported weights are arranged, number by number."""

    def __init__(self, layer, weights):
        self.before = np.concatenate([v.ravel() for _, v in layer.variables]).astype("float64")
        self.weights = weights

    def __call__(self, values):
        """Return the weights that these values of the variables are: equals went to equals."""
        old, first = np.unique(self.before, return_index=True)
        new = np.append(np.concatenate([v.ravel() for v in values])[first], 0.0)
        found = {}
        for name, array in self.weights.items():
            places = np.searchsorted(old, array)
            absent = old[np.minimum(places, len(old) - 1)] != array  # a bias that is none
            found[name] = new[np.where(absent, len(old), places)]
        return found


def _faithful(exported, variables):
    """Return exported weights that are the layer's own numbers, each once, else say what is wrong.

    A bias may be absent, which is zeros; a matrix may not. Else an export could correct a formula.
    """
    whole = isinstance(exported, dict) and exported
    if not whole or not all(
        isinstance(value, np.ndarray) and value.dtype.kind == "f" for value in exported.values()
    ):
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
    return {name: value.astype("float64") for name, value in exported.items()}


def require_shapes(weights, **shapes):
    """See that the weights are the formula's and have its shapes, which exported ones may not.

    Raises:
        Mismatch: one has another name or another shape.
    """
    for name, value in weights.items():
        if name not in shapes:
            raise Mismatch(f"The formula has no weights `{name}`; it has {', '.join(shapes)}.")
        if np.shape(value) != shapes[name]:
            raise Mismatch(
                f"The weights `{name}` have the shape {np.shape(value)}; they should have "
                f"{shapes[name]}."
            )


def _best(layer, proposals, args, kwargs):
    """Return the reading under which the oracle, else a misconception, gives the output."""
    output = layer.peek(*args, **kwargs)
    exercise = layer._lab._exercise
    wrong = [m.function for m in exercise.misconceptions if m.fails is None]
    tries = itertools.chain(
        ((exercise.oracle_function, proposal) for proposal in proposals),
        ((function, proposals[0]) for function in wrong),
        itertools.product(wrong, proposals[1:LIKELY]),
    )
    for function, proposal in tries:
        layer.weights = proposal[0]
        if _gives(function, layer, output, args, kwargs):
            return proposal
    _find_the_cause(layer, args, kwargs)
    return proposals[0]


def _gives(function, layer, output, args, kwargs):
    try:
        with np.errstate(all="ignore"):
            return close(output, function(layer, *args, **kwargs)).passed
    except Exception:  # noqa: BLE001  over values of the learner's, a formula may raise anything
        return False


def _find_the_cause(layer, args, kwargs):
    """Say what keeps the weights from being read, where that is known.

    Raises:
        Mismatch: a weight is frozen, which the reader would miss, or weights are new each time.
    """
    frozen = [f"`{path.partition('/')[2] or path}`" for path in layer.frozen]
    if frozen:
        raise Mismatch(
            f"`trainable` is False for {', '.join(frozen[:2])}"
            f"{' and others' if len(frozen) > 2 else ''} of your layer, so they never learn. "
            "Leave `trainable` as it is: every weight should learn."
        )
    once, again = (layer.peek(*args, **kwargs) for _ in range(2))
    arrays = isinstance(once, np.ndarray) and isinstance(again, np.ndarray)
    if arrays and not close(again, once).passed:
        raise Mismatch(
            "Two calls with the same input give different outputs. A layer or a weight that is "
            f"made inside `call` {NEW_EACH_TIME}"
        )
