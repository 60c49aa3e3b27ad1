"""What an exercise is: an oracle, cases, misconceptions and hints, declared in one file.

Files in `autograder/checks/<module>/<lab>.py` create `Exercise` objects; `load_module` collects
them, and `find` looks one up. Each lab's file is loaded by itself: a broken one costs no other
lab its checks. Alternatives (independent right answers) live in `solutions/`, which learners do
not get.
"""

import importlib
import inspect
import pkgutil
import traceback
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
        """Return what is wrong with this declaration, a clause each."""
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
        return found


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


def load_module(slug):
    """Return the exercises of a module: a dictionary from id to `Exercise`, in lab order.

    Raises:
        CourseError: the module is unknown, or a checks file is broken: one sentence each.
    """
    found, broken = load_labs(slug)
    if broken:
        raise CourseError("\n".join(broken.values()))
    return found


def load_labs(slug):
    """Return the exercises of the labs whose checks can be used, and what is wrong with others.

    Returns:
        found: dictionary from id to `Exercise`, in lab order.
        broken: dictionary from lab to the sentence that says what is wrong with its file.

    Raises:
        CourseError: the module is unknown.
    """
    found, broken = {}, {}
    for lab in _labs(slug):
        try:
            exercises = _load_lab(slug, lab)
        except CourseError as error:
            broken[lab] = str(error)
            continue
        twice = [found[name] for name in exercises if name in found]
        if twice:
            also = f"{twice[0].name} is declared in {twice[0].lab} too"
            broken[lab] = f"{_file(slug, lab)}: {also}."
        else:
            found |= exercises
    return found, broken


def find(exercise_id):
    """Return the exercise of that id (`"m02_transformer.attention_scores"`).

    Raises:
        CourseError: there is none, or its lab's checks file is broken.
    """
    slug, _, name = exercise_id.partition(".")
    if not name:
        raise CourseError(
            f"{exercise_id!r} is no exercise. Write it as module.name, "
            "for example m02_transformer.attention_scores."
        )
    names, broken = [], []
    for lab in _labs(slug):
        try:
            exercises = _load_lab(slug, lab)
        except CourseError as error:
            broken.append(str(error))
            continue
        if exercise_id in exercises:
            return exercises[exercise_id]
        names += [exercise.name for exercise in exercises.values()]
    if broken:
        raise CourseError("\n".join(broken))
    raise CourseError(f"Module {slug} has no exercise {name!r}. It has: {', '.join(names)}.")


def _labs(slug):
    """Return the labs of a module that have checks."""
    if slug not in modules():
        raise CourseError(
            f"There is no module {slug!r} with checks. Choose from: {', '.join(modules())}."
        )
    names = (info.name for info in pkgutil.iter_modules([str(CHECKS / slug)]))
    return [name for name in names if name.startswith("lab")]


def _file(slug, lab):
    return f"checks/{slug}/{lab}.py"


@cache
def _load_lab(slug, lab):
    """Return the exercises of one checks file; what another lab has claimed is not its own."""
    try:
        file = importlib.import_module(f"autograder.checks.{slug}.{lab}")
    except Exception as error:  # noqa: BLE001  whatever a file does when it runs, name it
        raise CourseError(_import_problem(slug, lab, error)) from None
    found, problems = {}, []
    for exercise in vars(file).values():
        if not isinstance(exercise, Exercise) or exercise.lab not in ("", lab):
            continue
        exercise.module, exercise.lab = slug, lab
        if found.setdefault(exercise.id, exercise) is not exercise:
            problems.append(f"{exercise.name} is declared twice")
    problems += [f"{e.name}: {text}" for e in found.values() for text in e.problems()]
    if problems:
        raise CourseError(f"{_file(slug, lab)}: {'; '.join(problems)}.")
    return found


def _import_problem(slug, lab, error):
    """Say where in the file, and what, went wrong when it was imported."""
    path, text, line = str(CHECKS / slug / f"{lab}.py"), str(error), None
    if isinstance(error, SyntaxError):
        text, line = error.msg, error.lineno if error.filename == path else None
    for frame in traceback.extract_tb(error.__traceback__):
        line = frame.lineno if frame.filename == path else line
    where = f"{_file(slug, lab)}{f', line {line}' if line else ''}"
    reason = ": ".join(filter(None, [type(error).__name__, text.partition("\n")[0].rstrip(".")]))
    return f"{where}: the file cannot be loaded: {reason}."
