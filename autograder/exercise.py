"""What an exercise is: an oracle, cases, misconceptions and hints, declared in one file.

Files in `autograder/checks/<module>/<lab>.py` create `Exercise` objects; `load_module` collects
them. Alternatives (independent right answers) live in `solutions/`, which learners do not get.
"""

import importlib
import inspect
import pkgutil
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from autograder.errors import CourseError

CHECKS = Path(__file__).parent / "checks"


@dataclass(frozen=True)
class Case:
    """One property that a right answer has, worth some points."""

    name: str
    sentence: str
    points: float
    hint: str
    function: object


@dataclass(frozen=True)
class Misconception:
    """A wrong solution with a name.

    `fails` lists the cases that it fails, for exercises where values cannot be replayed; then
    `function` is real code that `course prove` runs in the learner's place.
    """

    name: str
    message: str
    function: object
    fails: frozenset | None = None


@dataclass
class Exercise:
    """An exercise that learners solve by defining one name in their notebook.

    Args:
        name: str. The function or class that the learner defines.
        points: float. Worth of the whole exercise; the cases' points add up to it.
        kind: str. `"function"` or `"layer"` (a class whose weights the learner lays out).
        signature: str. How it is called, as the lab states it.
        package: str. Dotted path of the course's own version, or empty.
        forbids: list of dotted paths that the learner's code must not call.
        depends_on: list of other exercises of the same lab that this one builds on.
        hints: list of str. Nudge, formula, worked small case.
    """

    name: str
    points: float
    kind: str = "function"
    signature: str = ""
    package: str = ""
    forbids: list = field(default_factory=list)
    depends_on: list = field(default_factory=list)
    hints: list = field(default_factory=list)
    module: str = ""
    lab: str = ""
    cases: list = field(default_factory=list)
    misconceptions: list = field(default_factory=list)
    oracle_function: object = None
    read_weights: object = None

    @property
    def id(self):
        """The exercise's name in the whole course: `<module>.<name>`."""
        return f"{self.module}.{self.name}"

    def oracle(self, function):
        """Register the float64 NumPy function that knows the right answer."""
        self.oracle_function = function
        return function

    def weights(self, function):
        """Register the reader that turns a layer's variables into the oracle's weights."""
        self.read_weights = function
        return function

    def case(self, points=1, hint=""):
        """Register a case; its docstring is the property in one sentence."""

        def register(function):
            sentence = " ".join((inspect.getdoc(function) or "").split())
            self.cases.append(Case(function.__name__, sentence, points, hint, function))
            return function

        return register

    def misconception(self, message, fails=None):
        """Register a wrong solution and what to tell the learner who wrote it."""

        def register(function):
            fails_set = None if fails is None else frozenset(fails)
            self.misconceptions.append(
                Misconception(function.__name__, message, function, fails_set)
            )
            return function

        return register

    def problems(self):
        """Return what is wrong with this declaration, one sentence each."""
        total = sum(case.points for case in self.cases)
        names = [case.name for case in self.cases]
        unknown = {n for m in self.misconceptions for n in (m.fails or ()) if n not in names}
        found = []
        if total != self.points:
            found.append(f"its cases add up to {total:g} points, not {self.points:g}")
        if any(not case.sentence for case in self.cases):
            found.append("a case has no docstring, which would be its property")
        if len(set(names)) < len(names):
            found.append("two cases have the same name")
        if unknown:
            found.append(f"a misconception fails unknown cases: {', '.join(sorted(unknown))}")
        if len(self.hints) != 3:
            found.append(f"it has {len(self.hints)} hints, not three")
        return [f"Exercise {self.id}: {text}." for text in found]


ALTERNATIVES = {}


def alternative(exercise_id):
    """Register an independent right answer to an exercise; used by `course prove`."""

    def register(solution):
        ALTERNATIVES.setdefault(exercise_id, {})[solution.__name__] = solution
        return solution

    return register


def modules():
    """Return the slugs of the modules that have checks."""
    return sorted(p.name for p in CHECKS.iterdir() if p.is_dir() and any(p.glob("lab*.py")))


@cache
def load_module(slug):
    """Return the exercises of a module: a dictionary from id to `Exercise`, in lab order.

    Raises:
        CourseError: the module is unknown, or one of its exercises is declared wrongly.
    """
    if slug not in modules():
        raise CourseError(
            f"There is no module {slug!r} with checks. Choose from: {', '.join(modules())}."
        )
    found = {}
    package = f"autograder.checks.{slug}"
    for info in pkgutil.iter_modules([str(CHECKS / slug)]):
        if not info.name.startswith("lab"):
            continue
        file = importlib.import_module(f"{package}.{info.name}")
        for exercise in vars(file).values():
            if not isinstance(exercise, Exercise) or exercise.lab not in ("", info.name):
                continue
            exercise.module, exercise.lab = slug, info.name
            if exercise.id in found and found[exercise.id] is not exercise:
                raise CourseError(f"Exercise {exercise.id} is declared twice.")
            found[exercise.id] = exercise
    problems = [text for exercise in found.values() for text in exercise.problems()]
    if problems:
        raise CourseError(" ".join(problems))
    return found


def find(exercise_id):
    """Return the exercise of that id (`"m02_transformer.attention_scores"`)."""
    slug, _, name = exercise_id.partition(".")
    if not name:
        raise CourseError(
            f"{exercise_id!r} is no exercise. Write it as module.name, "
            "for example m02_transformer.attention_scores."
        )
    exercises = load_module(slug)
    if exercise_id not in exercises:
        names = ", ".join(e.name for e in exercises.values())
        raise CourseError(f"Module {slug} has no exercise {name!r}. It has: {names}.")
    return exercises[exercise_id]
