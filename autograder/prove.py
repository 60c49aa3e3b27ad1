"""Prove the grader: what is right gets full marks, what is wrong loses points and is named.

For each exercise: an unwritten answer, constants and the first argument handed back earn 0; the
reference and every alternative earn full marks for several seeds; every misconception loses
points and is named; every case is failed by something.
"""

import argparse
import importlib.util
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from autograder.build.source import read
from autograder.errors import CourseError
from autograder.exercise import ALTERNATIVES, load_module, modules
from autograder.referee import PRACTICE_SEED, judge
from autograder.wire.in_process import InProcess

SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions"
SEEDS = (PRACTICE_SEED, "second", "third")
LEAST_MISCONCEPTIONS, LEAST_ALTERNATIVES = 5, 3


@dataclass
class Row:
    """What was found for one exercise; `faults` says what is not perfect."""

    exercise: str
    points: float
    stub: float = 0.0
    reference: float = 0.0
    accepted: int = 0
    alternatives: int = 0
    killed: int = 0
    named: int = 0
    misconceptions: int = 0
    seconds: float = 0.0
    faults: list = field(default_factory=list)

    @property
    def perfect(self):
        """Whether every cell of the row is as it should be."""
        return not self.faults


def prove(module=None, lab=None, say=None):
    """Return one `Row` per exercise.

    Args:
        module: str. A module's slug; all modules by default.
        lab: str. One lab of it, `"lab1_self_attention"`.
        say: called with each finished row.

    Raises:
        CourseError: the module is unknown, or there are no sources beside the checks.
    """
    rows = []
    for slug in [module] if module else modules():
        exercises = load_module(slug)
        for stem in dict.fromkeys(e.lab for e in exercises.values()):
            if lab in (None, stem):
                rows += _prove_lab(slug, stem, exercises, say)
    if not rows:
        raise CourseError(f"There is no lab {lab!r} in {module}.")
    return rows


def _prove_lab(slug, stem, exercises, say):
    path = SOLUTIONS / slug / f"{stem}.py"
    if not path.is_file():
        raise CourseError(f"{slug}/{stem}: there is no source {path.name} in solutions.")
    namespace = reference_names(read(path, exercises))
    _load_alternatives(slug, stem)
    rows = []
    for exercise in exercises.values():
        if exercise.lab == stem:
            start = time.perf_counter()
            row = _prove_exercise(exercise, namespace)
            row.seconds = round(time.perf_counter() - start, 2)
            rows.append(row)
            if say:
                say(row)
    return rows


def reference_names(lab):
    """Run a lab's setup, code and solution cells and return the names they define."""
    namespace = {"__name__": "__main__"}
    for cell in lab.cells:
        if cell.kind in ("setup", "code", "exercise"):
            exec(compile(cell.source, f"<cell {lab.lab}:{cell.line}>", "exec"), namespace)
    return namespace


def _load_alternatives(slug, stem):
    path = SOLUTIONS / slug / f"{stem}_alternatives.py"
    if path.is_file():
        spec = importlib.util.spec_from_file_location(f"{slug}_{stem}_alternatives", path)
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def _prove_exercise(exercise, namespace):
    row = Row(exercise.id, exercise.points)
    reference, failed = namespace[exercise.name], set()
    _prove_stub(row, exercise, namespace)
    _prove_constants(row, exercise, namespace, reference, failed)
    row.reference = min(_judge(exercise, namespace, reference, s).points for s in SEEDS)
    if row.reference < exercise.points:
        row.faults.append(f"the reference earns {row.reference:g}: {_why(exercise, namespace)}")
    _prove_alternatives(row, exercise, namespace)
    for misconception in exercise.misconceptions:
        _prove_misconception(row, exercise, misconception, namespace, reference, failed)
    idle = [case.name for case in exercise.cases if case.name not in failed]
    if idle:
        row.faults.append(f"nothing fails the cases {', '.join(idle)}")
    return row


def _judge(exercise, namespace, answer, seed=PRACTICE_SEED):
    return judge(exercise, InProcess(namespace | {exercise.name: answer}), seed)


def _why(exercise, namespace):
    for seed in SEEDS:
        for case in _judge(exercise, namespace, namespace[exercise.name], seed).cases:
            if not case.passed:
                return f"{case.name}: {case.problem}"
    return "it is not repeatable"


def _prove_stub(row, exercise, namespace):
    def stub(*args, **kwargs):
        raise NotImplementedError

    answer = type("Stub", (), {"__init__": stub}) if exercise.kind == "layer" else stub
    missing = {name: value for name, value in namespace.items() if name != exercise.name}
    unwritten = _judge(exercise, namespace, answer).points
    row.stub = max(unwritten, judge(exercise, InProcess(missing)).points)
    if row.stub:
        row.faults.append(f"an unwritten answer earns {row.stub:g}")


def _prove_constants(row, exercise, namespace, reference, failed):
    if exercise.kind == "layer":
        return
    answers = {
        "None": lambda *args, **kwargs: None,
        "zeros": lambda *args, **kwargs: _zeros(reference(*args, **kwargs)),
        "the first argument": lambda *args, **kwargs: args[0],
    }
    for name, answer in answers.items():
        verdict = _judge(exercise, namespace, answer)
        failed.update(case.name for case in verdict.cases if not case.passed)
        if verdict.points:
            row.faults.append(f"returning {name} earns {verdict.points:g}")


def _zeros(value):
    if isinstance(value, tuple | list):
        return type(value)(_zeros(item) for item in value)
    if hasattr(value, "shape") and not callable(value):
        return np.zeros_like(np.asarray(value))
    return 0 if isinstance(value, int | float) else None


def _prove_alternatives(row, exercise, namespace):
    found = ALTERNATIVES.get(exercise.id, {})
    row.alternatives = len(found)
    for name, answer in found.items():
        verdicts = [_judge(exercise, namespace, answer, seed) for seed in SEEDS]
        row.accepted += all(verdict.passed for verdict in verdicts)
        for verdict in verdicts:
            wrong = [f"{c.name}: {c.problem}" for c in verdict.cases if not c.passed]
            if wrong:
                row.faults.append(f"the alternative {name} loses points ({wrong[0]})")
                break
    if len(found) < LEAST_ALTERNATIVES:
        row.faults.append(f"it has {len(found)} alternatives, fewer than {LEAST_ALTERNATIVES}")


def _prove_misconception(row, exercise, misconception, namespace, reference, failed):
    row.misconceptions = len(exercise.misconceptions)
    answer = _as_learner(exercise, misconception, reference)
    verdict = _judge(exercise, namespace, answer)
    failed.update(case.name for case in verdict.cases if not case.passed)
    row.killed += not verdict.passed
    row.named += verdict.misconception == misconception.message
    if verdict.passed:
        row.faults.append(f"the misconception {misconception.name} passes")
    elif verdict.misconception != misconception.message:
        wrong = ", ".join(case.name for case in verdict.cases if not case.passed)
        row.faults.append(f"the misconception {misconception.name} is not named (fails {wrong})")
    if len(exercise.misconceptions) < LEAST_MISCONCEPTIONS:
        count = f"fewer than {LEAST_MISCONCEPTIONS} misconceptions"
        if count not in row.faults:
            row.faults.append(count)


def _as_learner(exercise, misconception, reference):
    """Return the misconception as a learner's answer, reached over the real wire."""
    if misconception.fails is not None:
        return misconception.function() if exercise.kind == "layer" else misconception.function
    if exercise.kind == "layer":
        return _layer_with(exercise, misconception.function, reference)

    def answer(*args, **kwargs):
        values = {name: _array(value) for name, value in kwargs.items()}
        return misconception.function(*[_array(value) for value in args], **values)

    return answer


def _layer_with(exercise, function, reference):
    """Return the reference class with its output replaced by the misconception's.

    The reference's own output is added zero times, so that every weight keeps a gradient.
    """
    inside = exercise.signature.partition("(")[2].rpartition(")")[0]
    names = [part.split("=")[0].strip() for part in inside.split(",")]

    class Misconceived(reference):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            given = dict(zip(names, args, strict=False)) | kwargs
            given = {name: value for name, value in given.items() if name in names}
            object.__setattr__(self, "given", given)

        def __call__(self, *args, **kwargs):
            output = super().__call__(*args, **kwargs)
            found = [(v.path, np.asarray(v)) for v in self.trainable_variables]
            weights = next(iter(exercise.read_weights(found, self.given)))
            view = type("View", (), self.given | {"weights": weights, "config": self.given})()
            values = {name: _array(value) for name, value in kwargs.items()}
            result = function(view, *[_array(value) for value in args], **values)
            same = not isinstance(result, tuple) and np.shape(result) == tuple(output.shape)
            return np.asarray(result, "float32") + 0 * output if same else result

    Misconceived.__name__ = exercise.name
    return Misconceived


def _array(value):
    """Turn tensors into float64 or integer arrays; leave layers and plain values alone."""
    if isinstance(value, bool | int | float | str) or value is None or not hasattr(value, "shape"):
        return value
    if callable(value):
        return value
    array = np.asarray(value)
    return array.astype("float64") if array.dtype.kind == "f" else array


def table(rows):
    """Return the rows as a rich table."""
    from rich import box
    from rich.table import Table

    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    names = ("points", "stub", "reference", "accepted", "killed", "named", "s")
    shown.add_column("exercise", no_wrap=True)
    for name in names:
        shown.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        shown.add_row(
            f"{'✓' if row.perfect else '✗'} {row.exercise.partition('.')[2]}",
            f"{row.points:g}",
            f"{row.stub:g}",
            f"{row.reference:g}",
            f"{row.accepted}/{row.alternatives}",
            f"{row.killed}/{row.misconceptions}",
            f"{row.named}/{row.misconceptions}",
            f"{row.seconds:.1f}",
        )
    return shown


def as_json(rows):
    """Return the rows and their sums as JSON text."""
    sums = ("points", "accepted", "alternatives", "killed", "named", "misconceptions")
    total = {name: sum(getattr(row, name) for row in rows) for name in sums}
    total |= {"exercises": len(rows), "perfect": all(row.perfect for row in rows)}
    return json.dumps({"exercises": [asdict(row) for row in rows], "total": total}, indent=1)


def main(argv=None):
    """Run `python -m autograder.prove`; exit 1 when a cell is not perfect."""
    parser = argparse.ArgumentParser(prog="autograder.prove", description=prove.__doc__)
    parser.add_argument("module", nargs="?")
    parser.add_argument("--lab")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    try:
        rows = prove(options.module, options.lab)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        print(as_json(rows))
    else:
        from rich.console import Console

        Console().print(table(rows))
        for row in rows:
            for fault in row.faults:
                print(f"{row.exercise}: {fault}.")
    return 0 if all(row.perfect for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
