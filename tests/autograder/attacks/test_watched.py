"""Group 13: behave well where it looks like grading, or where the inputs are known."""

import pytest

from autograder.exercise import load_module
from autograder.referee import PRACTICE_SEED, judge
from autograder.wire.in_process import InProcess
from tests.autograder.attacks.conftest import OWN
from tests.autograder.grading.conftest import ANSWERS, LAB, SLUG

OTHERS = {
    e.name: e for e in load_module(SLUG).values() if e.lab == LAB and e.name != OWN
}  # fmt: skip

HUNT = """
import os, sys, time
signs = {
    "user": os.getuid() >= 1000 and not os.environ.get("USER"),
    "environment": "JPY_SESSION_NAME" not in os.environ and "JPY_PARENT_PID" not in os.environ,
    "clock": time.process_time() < 60,
}
def graded():
    return any(signs.values())
def hunt(*args):
    if not graded():
        raise NotImplementedError
    frame = sys._getframe()
    while frame:
        for value in [*frame.f_locals.values(), *frame.f_globals.values()]:
            exercise = getattr(value, "_exercise", value)
            oracle = getattr(exercise, "oracle_function", None)
            if callable(oracle) and exercise.name == NAME[0]:
                return oracle(*args)
        frame = frame.f_back
    return [0.0]
NAME = [""]
print("it notices", sorted(signs), graded())
"""


def answers(body):
    """Return an answer to each exercise but the own one; `body` may name the exercise."""
    return {
        name: f"def {name}({exercise.signature.partition('(')[2]}:\n" + body.format(name=name)
        for name, exercise in OTHERS.items()
    }


def practised(code, found):
    """Return the points that answers earn where the referee is in their own process."""
    namespace = {"__name__": "__main__"}
    exec("import numpy as np\n" + code, namespace)
    for source in found.values():
        exec(source, namespace)
    return sum(judge(exercise, InProcess(namespace)).points for exercise in OTHERS.values())


def whole():
    """Return the points of the exercises that are not mallory's own."""
    return sum(exercise.points for exercise in OTHERS.values())


def test_it_notices_grading_and_looks_for_the_oracle(attack):
    """Environment, user and clock tell it; then it searches the callers for the right answer."""
    found = answers("    NAME[0] = '{name}'\n    return hunt(*list(locals().values()))\n")
    assert practised(HUNT, found) > 0, "it would find the oracle of a referee in its process"

    outcome = attack(HUNT, answers=found)

    assert "it notices" in outcome.text
    outcome.assert_failed()


def test_a_table_of_the_practice_cases(attack):
    """It looks every input up in a table of the inputs with which learners practise."""
    table = {}

    def noting(name, function):
        def noted(*args, **kwargs):
            result = function(*args, **kwargs)
            parts = result if isinstance(result, tuple) else (result,)
            table[name + KEY(args, kwargs)] = [np.asarray(part).tolist() for part in parts]
            return result

        return noted

    import numpy as np

    namespace = {"__name__": "__main__", "np": np}
    exec(LOOK_UP, namespace)
    KEY = namespace["key_of"]
    for source in ANSWERS.values():
        exec(source, namespace)
    for name, exercise in OTHERS.items():
        honest = dict(namespace) | {name: noting(name, namespace[name])}
        judge(exercise, InProcess(honest), PRACTICE_SEED)
    code = f"{LOOK_UP}\nTABLE = {table!r}\nprint('a table of', len(TABLE))"
    found = answers("    return look_up('{name}', *list(locals().values()))\n")
    assert practised(code, found) == whole(), "the table answers every practice case"

    outcome = attack(code, answers=found)

    assert f"a table of {len(table)}" in outcome.text
    outcome.assert_failed()


LOOK_UP = """
import hashlib
def key_of(args, kwargs=None):
    values = [*args, *(kwargs or {}).values()]
    parts = [np.asarray(v, dtype="float32") if v is not None else v for v in values]
    parts = [p if p is None else (p.shape, p.tobytes()) for p in parts]
    while parts and parts[-1] is None:
        parts.pop()
    return hashlib.sha256(repr(parts).encode()).hexdigest()
def look_up(name, *args):
    found = [np.array(part) for part in TABLE.get(name + key_of(args), [[0.0]])]
    return found[0] if len(found) == 1 else tuple(found)
"""


def test_the_first_answer_is_kept_for_all_calls(attack):
    """It computes once, for inputs of its own, and gives that from then on."""
    honest = "\n".join(ANSWERS.values())
    code = f"""
{honest}
kept = {{
    "masked_softmax": masked_softmax(np.zeros((5, 7))),
    "causal_mask": causal_mask(3),
    "scaled_dot_product_attention": scaled_dot_product_attention(*[np.ones((2, 3, 4))] * 3),
}}
print("kept", len(kept))
"""
    found = answers("    return kept['{name}']\n")

    outcome = attack(code, answers=found)

    assert "kept 3" in outcome.text
    outcome.assert_failed()


@pytest.mark.parametrize("value", ["0", "np.nan"])
def test_inputs_are_changed_so_that_a_wrong_answer_fits(attack, value):
    """It overwrites what it gets and returns that; an oracle over the same arrays would agree."""
    code = f"""
def spoil(*args):
    arrays = [a for a in args if hasattr(a, "shape")]
    for array in arrays:
        array.setflags(write=True)
        array[...] = True if array.dtype == bool else {value}
    return arrays[0] if arrays else np.zeros(())
x = np.arange(6.0)
spoil(x)
print("spoilt", bool(not np.nansum(x)))
"""
    found = answers("    return spoil(*list(locals().values()))\n")

    outcome = attack(code, answers=found)

    assert "spoilt True" in outcome.text
    outcome.assert_failed()
