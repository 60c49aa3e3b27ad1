"""Judge one exercise: run its cases over the wire, name the misconception, give points.

The same function judges in the learner's kernel, in `course grade` and in `course prove`; only
the transport and the seed differ.
"""

import hashlib

import numpy as np

from autograder.compare import Comparison, Mismatch, Opaque, close
from autograder.follow import answers, follow_through
from autograder.verdict import CaseResult, Verdict
from autograder.wire.client import Lab, LearnerError

PRACTICE_SEED = "practice"
NOT_YET = "Right; it earns its points once another property holds too."
KINDS = ("missing", "class", "function", "value")
TOO_LARGE = "What your code returned is too large to check."


class Draws(np.random.Generator):
    """A generator whose floats are exact in float32, as they arrive on the learner's side."""

    def normal(self, *args, **kwargs):
        """Draw from a normal distribution."""
        return _single(super().normal(*args, **kwargs))

    def uniform(self, *args, **kwargs):
        """Draw from a uniform distribution."""
        return _single(super().uniform(*args, **kwargs))

    def random(self, *args, **kwargs):
        """Draw from [0, 1)."""
        return _single(super().random(*args, **kwargs))


def _single(value):
    return np.asarray(value).astype("float32").astype("float64")


def draws(seed, exercise_id, case_name):
    """Return the generator of one case: a function of seed, exercise and case only."""
    digest = hashlib.sha256(f"{seed}/{exercise_id}/{case_name}".encode()).digest()
    return Draws(np.random.PCG64(int.from_bytes(digest[:16], "big")))


def judge(exercise, transport, seed=PRACTICE_SEED):
    """Return the `Verdict` on the learner's answer to `exercise`.

    Args:
        exercise: the `Exercise`.
        transport: the wire to the learner's names; `request(bytes) -> bytes`.
        seed: str. Source of the cases' random inputs; secret in grading.
    """
    verdict = Verdict(exercise.id, exercise.points)
    try:
        status = Lab(transport, exercise)._status(exercise.name)
    except LearnerError as error:
        return _unanswered(verdict, exercise, "error", error.sentence)
    kind, lent = _read_status(status)
    if kind == "missing":
        sentence = f"You have not defined `{exercise.name}`. Run the cell that defines it first."
        return _unanswered(verdict, exercise, "missing", sentence)
    if lent:
        return _unanswered(verdict, exercise, "lent", "This answer is lent and earns 0 points.")
    problem = _kind_problem(exercise, kind)
    if problem:
        return _unanswered(verdict, exercise, "error", problem)
    calls = _run_cases(verdict, exercise, transport, seed)
    if _is_stub(verdict):
        return _unanswered(verdict, exercise, "stub", "This exercise is not written yet.")
    if not verdict.passed:
        follow_through(verdict, exercise, calls, transport, draws(seed, exercise.id, "parts"))
        settle(verdict, exercise)
    if not verdict.passed:
        verdict.misconception = _name_misconception(verdict, exercise, calls)
    return verdict


def unanswered(exercise, state, message):
    """Return the verdict on an answer that cannot be tested.

    Args:
        exercise: the `Exercise`.
        state: str. `missing`, `stub` or `error`.
        message: str. Why, in one sentence.
    """
    return _unanswered(Verdict(exercise.id, exercise.points), exercise, state, message)


def settle(verdict, exercise):
    """Pay the cases that depend on others; again when one of those was overridden."""
    sure = any(case.follows == "surely" for case in verdict.cases)
    whole = sure and all(case.passed or case.follows for case in verdict.cases)
    names = " and ".join(f"`{name}`" for name in exercise.depends_on)
    for case in verdict.cases:
        if case.follows == "surely" or (case.follows and whole):
            case.points, case.problem = case.max_points, ""
            case.note = f"Right, given your {names}."
    _discount_known(verdict)


def _read_status(status):
    """Return what the name is, as one of `KINDS` or an empty text, and whether it was lent."""
    status = status if isinstance(status, dict) else {}
    kind, lent = status.get("kind"), status.get("lent")
    return kind if isinstance(kind, str) and kind in KINDS else "", lent is True


def _kind_problem(exercise, kind):
    if not kind:
        return "The answer could not be read."
    if exercise.kind == "layer" and kind != "class":
        return f"`{exercise.name}` should be a class; it is a {kind}."
    if exercise.kind == "function" and kind not in ("function", "class"):
        return f"`{exercise.name}` should be a function; it is a {kind}."
    return ""


def _unanswered(verdict, exercise, state, message):
    verdict.state, verdict.message = state, message
    verdict.cases = [
        CaseResult(case.name, case.sentence, 0.0, case.points, problem=message, hint=case.hint)
        for case in exercise.cases
    ]
    return verdict


def _is_stub(verdict):
    return all(case.problem == "The exercise is not written yet." for case in verdict.cases)


def _run_cases(verdict, exercise, transport, seed):
    """Run every case; return the calls that each one recorded."""
    calls = {}
    for case in exercise.cases:
        lab = Lab(transport, exercise)
        rng = draws(seed, exercise.id, case.name)
        verdict.cases.append(_run_case(case, lab, rng))
        calls[case.name] = lab.calls
    return calls


def _run_case(case, lab, rng):
    result = CaseResult(case.name, case.sentence, 0.0, case.points, hint=case.hint)
    before = rng.bit_generator.state
    try:
        comparisons = case.function(lab, rng)
        comparisons = [comparisons] if isinstance(comparisons, Comparison) else list(comparisons)
    except LearnerError as error:
        result.problem, result.got = error.sentence, error.kind
        return result
    except Mismatch as mismatch:
        result.problem = str(mismatch)
        return result
    except MemoryError:
        if not lab.heard:
            raise
        result.problem = TOO_LARGE
        return result
    except Exception as error:  # noqa: BLE001  over what comes from there, a case may raise anything
        if not lab.heard:
            raise
        text = str(error)[:300]
        result.problem = f"What your code returned could not be used: {text}."
        return result
    finally:
        result.drawn = rng.bit_generator.state != before
    if not comparisons:
        raise ValueError(f"Case {case.name} compared nothing.")
    shown = next((c for c in comparisons if not c.passed), comparisons[0])
    result.expected, result.got = shown.expected, shown.got
    result.problem, result.difference = shown.problem, shown.difference
    result.points = case.points if shown.passed else 0.0
    result.by_value = all(c.difference is not None for c in comparisons if not c.passed)
    return result


def _discount_known(verdict):
    """Pay a case whose inputs are the same for all only beside one whose inputs were drawn.

    Its answer can be read in the lab, so it alone shows nothing.
    """
    drawn = [case for case in verdict.cases if case.drawn]
    shown = not drawn or any(case.points for case in drawn)
    for case in verdict.cases:
        if case.points and not shown:
            case.points, case.note = 0.0, NOT_YET
        elif case.note == NOT_YET and shown:
            case.points, case.note = case.max_points, ""


def _name_misconception(verdict, exercise, calls):
    """Return the message of the misconception that explains the answer, if it is one message."""
    failed = {case.name for case in verdict.cases if not case.passed}
    recorded = [c for group in calls.values() for c in answers(exercise, group)]
    replayable = all(answers(exercise, calls[name]) for name in failed)
    matching = [
        misconception
        for misconception in exercise.misconceptions
        if (
            misconception.fails == failed
            if misconception.fails is not None
            else replayable and _explains(misconception.function, recorded)
        )
    ]
    messages = {misconception.message for misconception in matching}
    return messages.pop() if len(messages) == 1 else ""


def _explains(function, recorded):
    """Whether `function` gives what the learner's code gave, on every recorded call.

    Where a layer failed before its weights could be read, those of another one stand in: they
    show whether `function` fails there too.
    """
    compared = 0
    filled = next((c.instance for c in recorded if getattr(c.instance, "weights", None)), None)
    for call in recorded:
        instance = call.instance
        if call.error and instance is not None and not instance.weights:
            instance = filled
        try:
            value = _replay(function, call, instance)
        except Exception:
            if call.error is None:
                return False
            continue
        if call.error is not None or not _same(call.result, value):
            return False
        compared += 1
    return compared > 0


def _replay(function, call, instance):
    with np.errstate(all="ignore"):
        if instance is not None:
            return function(instance, *call.args, **call.kwargs)
        return function(*call.args, **call.kwargs)


def _same(got, value):
    """Whether two results agree up to rounding, NaN and infinity included."""
    if isinstance(value, tuple | list):
        alike = isinstance(got, tuple | list) and len(got) == len(value)
        return alike and all(_same(g, v) for g, v in zip(got, value, strict=True))
    if value is None or isinstance(value, str | Opaque):
        return type(got) is type(value) and got == value
    if not isinstance(got, np.ndarray | np.generic | int | float | bool):
        return False
    got, value = np.asarray(got), np.asarray(value)
    if got.shape != value.shape or (got.dtype.kind == "b") != (value.dtype.kind == "b"):
        return False
    got, value = got.astype("float64"), value.astype("float64")
    same_special = np.array_equal(np.isfinite(got), np.isfinite(value))
    finite = np.isfinite(value)
    return same_special and close(got[finite], value[finite], 1e-4).passed
