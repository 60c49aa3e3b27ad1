"""Compare what a learner's code returned with what it should have returned.

A comparison never raises: whatever came over the wire, it says in one sentence what is wrong.
"""

from dataclasses import dataclass

import numpy as np

TOLERANCE = 2e-5  # inputs travel as float32, so that is what answers should keep
ACCEPTED = "an array (a tensor, a NumPy array or a list of numbers)"
SHOWN = 12  # arrays up to this many numbers are shown whole


@dataclass(frozen=True)
class Opaque:
    """Something that cannot cross the wire, known only by its description."""

    description: str


@dataclass(frozen=True)
class Comparison:
    """One comparison: what was expected, what came, and what is wrong with it."""

    passed: bool
    expected: str
    got: str
    problem: str = ""
    difference: float | None = None


class Mismatch(Exception):
    """A returned value has the wrong form; the text says how."""


def close(got, expected, tolerance=None, what="output"):
    """Compare numbers up to rounding.

    Args:
        got: what the learner's code returned.
        expected: array, number, or tuple of them.
        tolerance: float. Largest error allowed, relative to the larger of 1 and the largest
            expected value. Lower precision than float32 needs it stated.
        what: str. What the value is called in the message.
    """
    return _compare(got, expected, what, lambda g, e: _values_close(g, e, tolerance))


def equal(got, expected, what="output"):
    """Compare integers and truth values exactly, and their kind: a mask must be boolean."""
    return _compare(got, expected, what, _values_equal)


def holds(condition, expected, got, problem=""):
    """State a property that is true or false, with what was expected and what was found."""
    passed = bool(condition)
    return Comparison(passed, expected, got, "" if passed else problem or f"Expected {expected}.")


def unpack(value, *names):
    """Return the parts of a tuple or list, or raise `Mismatch` naming the parts that were due."""
    if isinstance(value, tuple | list) and len(value) == len(names):
        return tuple(value)
    due = f"{len(names)} values: {', '.join(names)}"
    raise Mismatch(f"The result should be {due}. It is {describe(value)}.")


def array(value, what="output"):
    """Return `value` as an array, or raise `Mismatch`."""
    value = _stacked(value)
    problem = _form_problem(value, what)
    if problem:
        raise Mismatch(problem)
    return np.asarray(value)


def describe(value):
    """Describe a value in a few words."""
    if value is None:
        return "None"
    if isinstance(value, Opaque):
        return value.description
    if isinstance(value, tuple | list):
        lengths = _lengths(value)
        if len(lengths) > 1:
            return f"{len(value)} rows of {lengths[0]} to {lengths[-1]} numbers"
        return f"{len(value)} values"
    if isinstance(value, dict):
        return "a dictionary"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    if isinstance(value, bool | int | float | np.generic):
        return str(value)
    if hasattr(value, "type_name"):
        return f"an object of the class {value.type_name}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}, {value.dtype}"
    return f"a {type(value).__name__}"


def show(value):
    """Show a value: whole when small, else its shape."""
    if not isinstance(value, np.ndarray | np.generic | float):
        return describe(value)
    value = np.asarray(value)
    if value.size > SHOWN:
        return f"shape {value.shape}"
    text = np.array2string(value, precision=4, suppress_small=True, separator=", ")
    return " ".join(text.split())


def _compare(got, expected, what, compare_values):
    if isinstance(expected, tuple | list):
        return _compare_parts(got, expected, what, compare_values)
    got = _stacked(got)
    problem = _form_problem(got, what)
    if problem:
        return Comparison(False, show(expected), describe(got), problem)
    got, expected = np.asarray(got), np.asarray(expected)
    if got.shape != expected.shape:
        problem = f"The shape of the {what} is {got.shape}; it should be {expected.shape}."
        return Comparison(False, f"shape {expected.shape}", f"shape {got.shape}", problem)
    return _with_name(compare_values(got, expected), what)


def _stacked(value):
    """Turn a list of equal rows into the array it stands for; leave all else alone."""
    if not isinstance(value, list) and not _plain_rows(value):
        return value
    try:
        stacked = np.array(value)
    except ValueError:
        return value
    return stacked if stacked.dtype.kind in "biuf" else value


def _lengths(value):
    """Return the lengths that occur among the rows of a list, shortest first, if it has rows."""
    if not isinstance(value, list) and not _plain_rows(value):
        return []
    rows = [row for row in value if isinstance(row, tuple | list) or np.ndim(row) == 1]
    if len(rows) < max(len(value), 2):
        return []
    return sorted({len(row) for row in rows})


def _plain_rows(value):
    """Whether `value` is a tuple of rows of plain numbers; a tuple of arrays is several values."""
    if not isinstance(value, tuple) or not value:
        return False
    rows = [row for row in value if isinstance(row, tuple | list)]
    return len(rows) == len(value) and not any(isinstance(x, np.ndarray) for r in rows for x in r)


def _with_name(comparison, what):
    problem = comparison.problem.replace("{what}", what)
    return Comparison(
        comparison.passed, comparison.expected, comparison.got, problem, comparison.difference
    )


def _compare_parts(got, expected, what, compare_values):
    if not isinstance(got, tuple | list) or len(got) != len(expected):
        problem = f"The {what} should be {len(expected)} values; got {describe(got)}."
        return Comparison(False, f"{len(expected)} values", describe(got), problem)
    parts = [
        _compare(g, e, f"{what} {i + 1}", compare_values)
        for i, (g, e) in enumerate(zip(got, expected, strict=True))
    ]
    return next((part for part in parts if not part.passed), parts[0])


def _form_problem(value, what):
    """Say why `value` is not a numeric array, or return an empty string."""
    if value is None:
        return f"Got None for the {what}. Is a `return` missing?"
    if isinstance(value, tuple | list):
        lengths = _lengths(value)
        if len(lengths) > 1:
            return (
                f"The rows of the {what} differ in length: they hold from {lengths[0]} to "
                f"{lengths[-1]} numbers. All rows should be equally long."
            )
        return f"The {what} should be one array; got {len(value)} values."
    if isinstance(value, bool | int | float | np.number | np.bool_):
        return ""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return ""
    if isinstance(value, np.ndarray):
        return f"The {what} should hold real numbers; got {value.dtype}."
    return f"The {what} should be {ACCEPTED}; got {describe(value)}."


def _values_close(got, expected, tolerance):
    if got.size == 0:
        return Comparison(True, show(expected), show(got))
    if got.dtype.kind == "f" and not np.isfinite(got).all() and np.isfinite(expected).all():
        count = int((~np.isfinite(got)).sum())
        problem = f"In the {{what}}, {count} of {got.size} values are NaN or infinite."
        return Comparison(False, show(expected), "NaN or infinity", problem)
    got64, expected64 = got.astype("float64"), expected.astype("float64")
    if tolerance is None:
        tolerance = TOLERANCE
    with np.errstate(invalid="ignore"):
        difference = np.where(got64 == expected64, 0.0, np.abs(got64 - expected64))
    difference = np.nan_to_num(difference, nan=np.inf)
    worst = float(difference.max())
    finite = np.abs(expected64[np.isfinite(expected64)])
    passed = worst <= tolerance * max(1.0, float(finite.max(initial=0.0)))
    return _report(passed, got, expected, difference, worst)


def _values_equal(got, expected):
    wanted, kind = expected.dtype.kind, got.dtype.kind
    if wanted == "b" and kind != "b":
        problem = f"The {{what}} should be boolean (True and False); got {got.dtype}."
        return Comparison(False, "bool", str(got.dtype), problem)
    if wanted in "iu" and (kind not in "iu" and not (got.ndim == 0 and kind == "f")):
        problem = f"The {{what}} should hold integers; got {got.dtype}."
        return Comparison(False, "integers", str(got.dtype), problem)
    difference = np.abs(got.astype("float64") - expected.astype("float64"))
    difference = np.nan_to_num(difference, nan=np.inf)
    worst = float(difference.max(initial=0.0))
    return _report(worst == 0, got, expected, difference, worst)


def _report(passed, got, expected, difference, worst):
    if passed:
        return Comparison(True, show(expected), show(got), "", worst)
    if got.size <= SHOWN:
        problem = f"The largest error in the {{what}} is {worst:.4g}."
        return Comparison(False, show(expected), show(got), problem, worst)
    place = tuple(int(i) for i in np.unravel_index(difference.argmax(), difference.shape))
    wrong = int((difference > 0.1 * worst).sum()) if np.isfinite(worst) else int(got.size)
    problem = (
        f"The largest error in the {{what}} is {worst:.4g}; {wrong} of {got.size} values are off."
    )
    where = list(place)
    return Comparison(
        False, f"{expected[place]:.5g} at {where}", f"{got[place]:.5g} at {where}", problem, worst
    )
