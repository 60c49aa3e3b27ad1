"""What is proved of one exercise, and with how many seeds.

An unwritten answer, constants and the first argument handed back earn 0. The reference earns full
marks for three seeds. Every alternative does, and every misconception loses points and is named,
for two seeds where values alone cross the wire. Where layers or models are made, which takes ten
to a hundred times longer, it is one seed: for misconceptions the one that learners practise with,
for alternatives the three in turn. `--seeds` asks for more. Every case is failed by something.

Answers are judged in this process or, one seed each, in a confined kernel (`proof_kernel`).
"""

from contextlib import contextmanager
from dataclasses import dataclass, field

from autograder import answers
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


def prove_part(exercise, place, part, count=None):
    """Prove a part.

    Args:
        exercise: the `Exercise`.
        place: where answers are judged: a `Here` or a `proof_kernel.ProofKernel`.
        part: one of `parts(exercise)`.
        count: int. Seeds for each answer; few by default.

    Returns:
        A `Row` that counts this part alone, and the names of the cases that something failed.
    """
    row, failed = Row(exercise.id, exercise.points), set()
    judged = Judged(exercise, place, count)
    if part == RIGHT:
        _prove_stub(row, judged)
        _prove_constants(row, judged, failed)
        _prove_reference(row, judged)
        _prove_alternatives(row, judged)
    else:
        for which in range(part, min(part + SHARE, len(exercise.misconceptions))):
            _prove_misconception(row, judged, which, failed)
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


class Here:
    """Judges answers in this process.

    Args:
        namespace: dict. The names that the lab's reference defines.
    """

    def __init__(self, namespace):
        self._namespace = namespace

    @contextmanager
    def answering(self, exercise, kind, which=None):
        """Open the wire to an answer (see `answers.make`) for a `with` block."""
        names = dict(self._namespace)
        reference = names.pop(exercise.name)
        if kind != answers.MISSING:
            names[exercise.name] = answers.make(exercise, reference, kind, which)
        yield InProcess(names)


@dataclass
class Judged:
    """Judges answers to one exercise, each named by its kind and which of them it is."""

    exercise: object
    place: object
    count: int | None = None

    def seeds(self, least):
        """Return the seeds asked for, else `least` of them."""
        count = self.count or least
        return [*SEEDS, *(f"seed {n}" for n in range(4, count + 1))][:count]

    def once(self, kind, which=None, seed=PRACTICE_SEED):
        """Judge with one seed."""
        return self._judge(kind, which, seed)[0]

    def few(self, kind, which, turn=0):
        """Judge with the seeds asked for, else two, or one of three where that takes long."""
        if self.count:
            return [self.once(kind, which, seed) for seed in self.seeds(1)]
        first, second, _ = (SEEDS * 2)[turn % 3 : turn % 3 + 3]
        verdict, long = self._judge(kind, which, first)
        return [verdict] if long else [verdict, self.once(kind, which, second)]

    def _judge(self, kind, which, seed):
        """Return the verdict, and whether layers were made, or answers lie in a kernel."""
        with self.place.answering(self.exercise, kind, which) as wire:
            verdict = judge(self.exercise, wire, seed)
        return verdict, getattr(wire, "objects", True)


def _prove_stub(row, judged):
    row.stub = max(judged.once(kind).points for kind in (answers.UNWRITTEN, answers.MISSING))
    if row.stub:
        row.faults.append(f"an unwritten answer earns {row.stub:g}")


def _prove_constants(row, judged, failed):
    if judged.exercise.kind == "layer":
        return
    for name in answers.CONSTANTS:
        verdict = judged.once(answers.CONSTANT, name)
        failed.update(case.name for case in verdict.cases if not case.passed)
        if verdict.points:
            row.faults.append(f"returning {name} earns {verdict.points:g}")


def _prove_reference(row, judged):
    seeds = judged.seeds(len(SEEDS))
    verdicts = [judged.once(answers.REFERENCE, seed=seed) for seed in seeds]
    row.reference = min(verdict.points for verdict in verdicts)
    if row.reference < row.points:
        why = next(filter(None, map(_first_problem, verdicts)), "it does not say why")
        row.faults.append(f"the reference earns {row.reference:g}: {why}")


def _prove_alternatives(row, judged):
    found = ALTERNATIVES.get(row.exercise, {})
    row.alternatives = len(found)
    for turn, name in enumerate(found, 1):
        verdicts = judged.few(answers.ALTERNATIVE, name, turn)
        problems = [_first_problem(verdict) for verdict in verdicts if not verdict.passed]
        row.accepted += not problems
        if problems:
            row.faults.append(f"the alternative {name} loses points ({problems[0]})")
    if len(found) < LEAST_ALTERNATIVES:
        row.faults.append(f"it has {len(found)} alternatives, fewer than {LEAST_ALTERNATIVES}")


def _first_problem(verdict):
    return next((f"{c.name}: {c.problem}" for c in verdict.cases if not c.passed), verdict.message)


def _prove_misconception(row, judged, which, failed):
    """Count it as killed and as named when it is for every seed."""
    misconception = judged.exercise.misconceptions[which]
    verdicts = judged.few(answers.MISCONCEPTION, which)
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
