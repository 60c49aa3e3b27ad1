"""Follow-through: a wrong helper costs its own points once.

What is built on a wrong helper earns its points when it is the oracle's over the learner's own
helper. A helper's answers come from the learner's side, which could make them up once it sees what
is asked. So the helper answers first, for several inputs in mixed order, and what is built on it is
called then: the two agree only where both are what they seem.
"""

import numpy as np

from autograder.compare import close, equal
from autograder.wire.client import Lab, RemoteObject

INPUTS = 5  # of the calls that come after the helper's answers
ROUNDS = 20


class _Asked(Exception):
    """A helper's answer is needed."""


def answers(exercise, calls):
    """Return the calls of the exercise itself, without the construction of layers."""
    return [c for c in calls if c.name == exercise.name and not isinstance(c.result, RemoteObject)]


def follow_through(verdict, exercise, calls, transport, rng):
    """Find where the learner's own, wrong, helper is used as it should be.

    A failed case earns its points when, for all its calls, the answer is the oracle's over the
    learner's own parts, and depends on what goes in. Where the learner's parts make it constant,
    as an inverted mask does without padding, all the other cases must show that it is right.
    """
    if not exercise.depends_on:
        return
    lab = Lab(transport, exercise)
    parts = {name: getattr(lab, name) for name in exercise.depends_on}
    for result in verdict.cases:
        recorded = answers(exercise, calls[result.name])
        if result.passed or not result.by_value or not recorded:
            continue  # only wrong values can come from a helper
        if all(_follows(exercise, call, {}) for call in recorded):
            continue  # right values: something else is wrong, and no helper is to blame
        if all(_follows(exercise, call, parts) for call in recorded) and all(
            _foretold(exercise, call, lab, rng) for call in recorded
        ):
            telling = all(_tells(exercise, call, parts) for call in recorded)
            result.follows = "surely" if telling else "maybe"


def _follows(exercise, call, parts):
    """Whether the answer is the oracle's over the learner's parts."""
    if call.error:
        return False
    try:
        return _agrees(call.result, _with_parts(exercise, call, call.args, parts))
    except Exception:  # noqa: BLE001  over values of the learner's, an oracle may raise anything
        return False


def _tells(exercise, call, parts):
    """Whether the answer varies, and depends on what goes in."""
    try:
        expected = _with_parts(exercise, call, call.args, parts)
        return _varies(call.result) and _listens(exercise, call, expected, parts)
    except Exception:  # noqa: BLE001  as above
        return False


def _foretold(exercise, call, lab, rng):
    """Whether the helpers' answers, given first, foretell those to such calls on other inputs."""
    inputs = [[_mixed(value, rng) for value in call.args] for _ in range(INPUTS)]
    target = call.name if call.instance is None else call.instance
    try:
        expected = _over_early_answers(exercise, call, inputs, lab, rng)
        for i in rng.permutation(INPUTS):
            arguments = {"target": target, "args": tuple(inputs[i]), "kwargs": call.kwargs}
            if not _agrees(lab._send("call", **arguments), expected[i]):
                return False
    except Exception:  # noqa: BLE001  as above
        return False
    return True


def _mixed(value, rng):
    """Return an array's numbers in another order; truth values and all else stay."""
    if not isinstance(value, np.ndarray) or value.dtype.kind == "b":
        return value
    return rng.permuted(value.ravel()).reshape(value.shape)


def _over_early_answers(exercise, call, inputs, lab, rng):
    """Return the oracle's results over the learner's parts, asked for all inputs in mixed order."""
    given, results = [[] for _ in inputs], {}
    for _ in range(ROUNDS):
        questions = []
        for i in set(range(len(inputs))) - set(results):
            parts, asked = _script(exercise, given[i])
            try:
                results[i] = _with_parts(exercise, call, inputs[i], parts)
            except _Asked:
                questions.append((i, *asked))
        if not questions:
            return results
        for j in rng.permutation(len(questions)):
            i, name, args, kwargs = questions[j]
            given[i].append(getattr(lab, name)(*args, **kwargs))
    raise RuntimeError("The oracle asks for more and more.")


def _script(exercise, given):
    """Return parts that answer what was given, and where they say what is asked after that."""
    left, asked = list(given), []

    def part(name):
        def answer(*args, **kwargs):
            if left:
                return left.pop(0)
            asked[:] = name, args, kwargs
            raise _Asked

        return answer

    return {name: part(name) for name in exercise.depends_on}, asked


def _with_parts(exercise, call, args, parts):
    layer = () if call.instance is None else (call.instance,)
    return exercise.oracle_function(*layer, *args, **call.kwargs, **parts)


def _agrees(result, expected):
    """Whether the values agree, truth values and integers exactly and in their kind."""
    numbers = np.asarray(expected) if not isinstance(expected, tuple | list) else None
    exact = numbers is not None and numbers.dtype.kind in "biu"
    return (equal if exact else close)(result, expected).passed


def _listens(exercise, call, expected, parts):
    """Whether the answer over the learner's parts depends on every array that goes in.

    Else a helper that returns a constant would pay for whatever is built on it.
    """
    for place, value in enumerate(call.args):
        if not isinstance(value, np.ndarray) or value.dtype.kind == "b" or value.size < 2:
            continue
        changed = np.roll(value, 1, axis=-1) if value.dtype.kind in "iu" else value[..., ::-1] + 0.5
        if np.array_equal(changed, value):
            continue
        args = (*call.args[:place], changed, *call.args[place + 1 :])
        if _agrees(_with_parts(exercise, call, args, parts), expected):
            return False
    return True


def _varies(result):
    """Whether a result carries information: finite numbers that are not all the same."""
    if isinstance(result, tuple | list):
        return all(_varies(part) for part in result)
    if not isinstance(result, np.ndarray) or result.dtype.kind not in "biuf":
        return False
    return bool(np.isfinite(result).all()) and result.size > 1 and np.ptp(result.astype(float)) > 0
