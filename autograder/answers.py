"""The answers that a proof judges: right, wrong, constant, unwritten; each made where it runs.

In the process of the proof they are made from its own modules. In a confined kernel, which sees
neither checks nor solutions, `Brought` makes them from texts that a cell brings along, as a
learner's notebook brings its code.
"""

import importlib
import importlib.abc
import importlib.util
import sys

import numpy as np

from autograder.exercise import ALTERNATIVES, Exercise

REFERENCE, UNWRITTEN, MISSING = "reference", "unwritten", "missing"
CONSTANT, ALTERNATIVE, MISCONCEPTION = "constant", "alternative", "misconception"
ALTERNATIVES_MODULE = "course_alternatives"


def make(exercise, reference, kind, which=None):
    """Return an answer to an exercise: what the learner's name shall stand for.

    Args:
        exercise: the `Exercise`.
        reference: the lab's own answer.
        kind: str. One of this module's kinds, `MISSING` excepted.
        which: the name of a constant or an alternative, the place of a misconception.
    """
    if kind == REFERENCE:
        return reference
    if kind == UNWRITTEN:
        return _unwritten(exercise)
    if kind == CONSTANT:
        return CONSTANTS[which](reference)
    if kind == ALTERNATIVE:
        return ALTERNATIVES[exercise.id][which]
    return _as_learner(exercise, exercise.misconceptions[which], reference)


class Brought:
    """Answers in a kernel, from texts of the checks and the alternatives.

    Args:
        texts: dict from a module's dotted name to its source; a package's is empty.
        slug: str. The module of the course.
        lab: str. The lab.
        namespace: dict. The notebook's global names, after the lab's own answers have run.
    """

    def __init__(self, texts, slug, lab, namespace):
        sys.meta_path.insert(0, _Texts(texts))
        checks = importlib.import_module(f"autograder.checks.{slug}.{lab}")
        self._exercises = {e.name: e for e in vars(checks).values() if isinstance(e, Exercise)}
        for exercise in self._exercises.values():
            exercise.module, exercise.lab = slug, lab
        importlib.import_module(ALTERNATIVES_MODULE)
        self._namespace = namespace
        self._references = {name: namespace[name] for name in self._exercises}

    def bind(self, name, kind, which=None):
        """Let an exercise's name stand for an answer, and all others for the lab's own."""
        self._namespace.update(self._references)
        if kind == MISSING:
            del self._namespace[name]
        else:
            made = make(self._exercises[name], self._references[name], kind, which)
            self._namespace[name] = made


class _Texts(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports modules from texts."""

    def __init__(self, texts):
        self._texts = texts

    def find_spec(self, name, path=None, target=None):
        """Return the spec of a module that is here."""
        return importlib.util.spec_from_loader(name, self) if name in self._texts else None

    def get_source(self, name):
        """Return a module's text."""
        return self._texts[name]

    def is_package(self, name):
        """Say whether other modules lie in it."""
        return any(other.startswith(f"{name}.") for other in self._texts)


def _unwritten(exercise):
    def stub(*args, **kwargs):
        raise NotImplementedError

    return type("Stub", (), {"__init__": stub}) if exercise.kind == "layer" else stub


def _zeros(value):
    if isinstance(value, tuple | list):
        return type(value)(_zeros(item) for item in value)
    if hasattr(value, "shape") and not callable(value):
        return np.zeros_like(np.asarray(value))
    return 0 if isinstance(value, int | float) else None


CONSTANTS = {
    "None": lambda reference: lambda *args, **kwargs: None,
    "zeros": lambda reference: lambda *args, **kwargs: _zeros(reference(*args, **kwargs)),
    "the first argument": lambda reference: lambda *args, **kwargs: args[0],
}


def _as_learner(exercise, misconception, reference):
    """Return the misconception as a learner's answer."""
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
