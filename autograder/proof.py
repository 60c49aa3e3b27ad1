"""What is proved of one exercise, and with how many seeds.

An unwritten answer, constants and the first argument handed back earn 0. The reference earns full
marks for three seeds. Every alternative does, and every misconception loses points and is named,
for two seeds where values alone cross the wire. Where layers or models are made, which takes ten
to a hundred times longer, it is one seed: for misconceptions the one that learners practise with,
for alternatives the three in turn. `--seeds` asks for more. Every case is failed by something.
"""

from dataclasses import dataclass, field

import numpy as np

from autograder.exercise import ALTERNATIVES
from autograder.referee import PRACTICE_SEED, judge
from autograder.wire.in_process import InProcess

SEEDS = (PRACTICE_SEED, "second", "third")
LEAST_MISCONCEPTIONS, LEAST_ALTERNATIVES = 5, 3
RIGHT, SHARE = "right answers", 8  # a part of a proof has so many misconceptions


@dataclass
class Row:
    """What was found for one exercise; `faults` says what is not perfect.

    `seconds` are those of the processor, without what the whole lab needs.
    """

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


def parts(exercise):
    """Return the parts of a proof, which may be made in different processes."""
    return [RIGHT, *range(0, len(exercise.misconceptions), SHARE)]


def prove_part(exercise, namespace, part, count=None):
    """Prove a part.

    Args:
        exercise: the `Exercise`.
        namespace: dict. The names that the lab's reference defines.
        part: one of `parts(exercise)`.
        count: int. Seeds for each answer; few by default.

    Returns:
        A `Row` that counts this part alone, and the names of the cases that something failed.
    """
    row, failed = Row(exercise.id, exercise.points), set()
    judged = _Judged(exercise, namespace, count)
    if part == RIGHT:
        _prove_stub(row, judged)
        _prove_constants(row, judged, failed)
        _prove_reference(row, judged)
        _prove_alternatives(row, judged)
    else:
        for misconception in exercise.misconceptions[part : part + SHARE]:
            _prove_misconception(row, judged, misconception, failed)
    return row, failed


def whole(exercise, proved):
    """Return the `Row` of an exercise from its proved parts."""
    row, failed = Row(exercise.id, exercise.points), set()
    for part, names in proved:
        for name in ("accepted", "alternatives", "killed", "named", "misconceptions"):
            setattr(row, name, getattr(row, name) + getattr(part, name))
        row.stub, row.reference = row.stub + part.stub, row.reference + part.reference
        row.seconds = round(row.seconds + part.seconds, 2)
        row.faults += part.faults
        failed.update(names)
    if row.misconceptions < LEAST_MISCONCEPTIONS:
        row.faults.append(f"fewer than {LEAST_MISCONCEPTIONS} misconceptions")
    idle = [case.name for case in exercise.cases if case.name not in failed]
    if idle:
        row.faults.append(f"nothing fails the cases {', '.join(idle)}")
    return row


@dataclass
class _Judged:
    """Judges answers to one exercise."""

    exercise: object
    namespace: dict
    count: int | None = None

    @property
    def reference(self):
        """The lab's own answer."""
        return self.namespace[self.exercise.name]

    def seeds(self, least):
        """Return the seeds asked for, else `least` of them."""
        count = self.count or least
        return [*SEEDS, *(f"seed {n}" for n in range(4, count + 1))][:count]

    def once(self, answer, seed=PRACTICE_SEED):
        """Judge with one seed."""
        return self._judge(answer, seed)[0]

    def few(self, answer, turn=0):
        """Judge with the seeds asked for, else two, or one of three where objects are made."""
        if self.count:
            return [self.once(answer, seed) for seed in self.seeds(1)]
        first, second, _ = (SEEDS * 2)[turn % 3 : turn % 3 + 3]
        verdict, objects = self._judge(answer, first)
        return [verdict] if objects else [verdict, self.once(answer, second)]

    def _judge(self, answer, seed):
        wire = InProcess(self.namespace | {self.exercise.name: answer})
        return judge(self.exercise, wire, seed), wire.objects


def _prove_stub(row, judged):
    exercise, namespace = judged.exercise, judged.namespace

    def stub(*args, **kwargs):
        raise NotImplementedError

    answer = type("Stub", (), {"__init__": stub}) if exercise.kind == "layer" else stub
    missing = {name: value for name, value in namespace.items() if name != exercise.name}
    unwritten = judged.once(answer).points
    row.stub = max(unwritten, judge(exercise, InProcess(missing)).points)
    if row.stub:
        row.faults.append(f"an unwritten answer earns {row.stub:g}")


def _prove_constants(row, judged, failed):
    if judged.exercise.kind == "layer":
        return
    answers = {
        "None": lambda *args, **kwargs: None,
        "zeros": lambda *args, **kwargs: _zeros(judged.reference(*args, **kwargs)),
        "the first argument": lambda *args, **kwargs: args[0],
    }
    for name, answer in answers.items():
        verdict = judged.once(answer)
        failed.update(case.name for case in verdict.cases if not case.passed)
        if verdict.points:
            row.faults.append(f"returning {name} earns {verdict.points:g}")


def _zeros(value):
    if isinstance(value, tuple | list):
        return type(value)(_zeros(item) for item in value)
    if hasattr(value, "shape") and not callable(value):
        return np.zeros_like(np.asarray(value))
    return 0 if isinstance(value, int | float) else None


def _prove_reference(row, judged):
    verdicts = [judged.once(judged.reference, seed) for seed in judged.seeds(len(SEEDS))]
    row.reference = min(verdict.points for verdict in verdicts)
    if row.reference < row.points:
        why = next(filter(None, map(_first_problem, verdicts)), "it does not say why")
        row.faults.append(f"the reference earns {row.reference:g}: {why}")


def _prove_alternatives(row, judged):
    found = ALTERNATIVES.get(row.exercise, {})
    row.alternatives = len(found)
    for turn, (name, answer) in enumerate(found.items(), 1):
        problems = [_first_problem(v) for v in judged.few(answer, turn) if not v.passed]
        row.accepted += not problems
        if problems:
            row.faults.append(f"the alternative {name} loses points ({problems[0]})")
    if len(found) < LEAST_ALTERNATIVES:
        row.faults.append(f"it has {len(found)} alternatives, fewer than {LEAST_ALTERNATIVES}")


def _first_problem(verdict):
    return next((f"{c.name}: {c.problem}" for c in verdict.cases if not c.passed), verdict.message)


def _prove_misconception(row, judged, misconception, failed):
    """Count it as killed and as named when it is for every seed."""
    answer = _as_learner(judged.exercise, misconception, judged.reference)
    verdicts = judged.few(answer)
    failed.update(case.name for v in verdicts for case in v.cases if not case.passed)
    unnamed = [v for v in verdicts if v.misconception != misconception.message]
    passed = any(verdict.passed for verdict in verdicts)
    row.misconceptions += 1
    row.killed += not passed
    row.named += not unnamed
    if passed:
        row.faults.append(f"the misconception {misconception.name} passes")
    elif unnamed:
        wrong = ", ".join(case.name for case in unnamed[0].cases if not case.passed)
        row.faults.append(f"the misconception {misconception.name} is not named (fails {wrong})")


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
