"""Gradients that the learner's side gives, held against slopes that the referee finds itself.

A gradient is a claim. It is right when, along directions that the learner's side never learns, it
gives the slope of the sum of the squared output: that of the formula, or that of the outputs under
weights that the referee sets.
"""

from contextlib import contextmanager

import numpy as np

from autograder.compare import array, close, holds

DIRECTIONS = 2
FORMULA = (1e-4, 1e-2)  # step of each number, and error allowed as a share of the size: bfloat16's
OUTPUTS = (1e-3, 2e-2)  # the same for outputs, which are float32


def every_weight_learns(layer, rng, *args, **kwargs):
    """Compare the output with the formula's, and the gradients with its slopes.

    Where the output is not the formula's, as over a wrong helper, the slopes are those of the
    outputs that the layer gives.

    Returns:
        A list of `Comparison`, the first for the output.
    """
    compared = close(layer(*args, **kwargs), layer.expected(*args, **kwargs))
    names = [path for path, _ in layer.variables]
    gradients = layer.gradients(*args, **kwargs)
    without = [name for name, g in zip(names, gradients, strict=True) if g is None]
    reached = holds(
        names and not without,
        expected=f"{len(names)} gradients",
        got=f"{len(names) - len(without)} gradients",
        problem=f"No gradient reaches {', '.join(without) or 'any weight'}.",
    )
    if not reached.passed:
        return [compared, reached]
    step, tolerance = FORMULA if compared.passed else OUTPUTS
    with (
        _formula(layer, args, kwargs) if compared.passed else _outputs(layer, args, kwargs) as loss
    ):
        off = _worst(gradients, layer.variables, rng, loss, step)
    return [compared, _right(off, tolerance)]


def central(loss, variables, change):
    """Return half the difference of the losses with a change of the weights added and taken off.

    Args:
        loss: function of values, one for each variable.
        variables: list of `(path, array)`.
        change: list of arrays, one for each variable.
    """
    pairs = [(value.astype("float64"), c) for (_, value), c in zip(variables, change, strict=True)]
    return (loss([v + c for v, c in pairs]) - loss([v - c for v, c in pairs])) / 2


@contextmanager
def outputs(layer, loss):
    """Yield the function that gives `loss()` while the layer's weights have other values."""
    before = [value for _, value in layer.variables]

    def at(values):
        layer.assign(values)
        return loss()

    try:
        yield at
    finally:
        layer.assign(before)


def _outputs(layer, args, kwargs):
    return outputs(layer, lambda: _size(layer.peek(*args, **kwargs)))


@contextmanager
def _formula(layer, args, kwargs):
    before = layer.weights

    def at(values):
        layer.weights = layer.reading(values)
        return _size(layer.expected(*args, **kwargs))

    try:
        yield at
    finally:
        layer.weights = before


def _size(output):
    """Return what `gradients` differentiates: the sum of the squares of the first output."""
    first = output[0] if isinstance(output, tuple | list) else output
    return (array(first).astype("float64") ** 2).sum()


def _worst(gradients, variables, rng, loss, step):
    """Return the largest difference from a slope, as a share of the gradient's size."""
    gradients, found = [g.astype("float64") for g in gradients], []
    for _ in range(DIRECTIONS):
        direction = _equals_alike(variables, rng)
        claimed = sum((g * d).sum() for g, d in zip(gradients, direction, strict=True))
        found.append(central(loss, variables, [step * d for d in direction]) / step - claimed)
    return np.abs(found).max() / max(np.sqrt(sum((g**2).sum() for g in gradients)), 1e-30)


def _equals_alike(variables, rng):
    """Draw a direction in which equal numbers move alike: exported weights are found by number."""
    values = [value for _, value in variables]
    _, places = np.unique(np.concatenate([v.ravel() for v in values]), return_inverse=True)
    flat = rng.normal(size=places.max(initial=0) + 1)[places]
    parts = np.split(flat, np.cumsum([v.size for v in values])[:-1])
    return [part.reshape(value.shape) for part, value in zip(parts, values, strict=True)]


def _right(off, tolerance):
    problem = (
        "The gradients are not the slopes of the output: along some direction of the weights they "
        f"are off by {off:.2g} of their size."
    )
    return holds(off <= tolerance, "the slopes of the output", f"off by {off:.2g}", problem)
