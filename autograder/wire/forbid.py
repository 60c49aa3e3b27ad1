"""Forbidden shortcuts: the ready-made thing, used by the notebook, explains itself instead.

While a request runs, the forbidden functions and classes raise `Forbidden` when the learner's
notebook calls them; the library's own calls go through. This teaches; it is no barrier against
somebody who hides the call.
"""

import contextlib
import functools
import importlib
import sys
from types import ModuleType


class Forbidden(Exception):
    """The learner's code used what the exercise asks the learner to write."""


def message(path):
    """Return the sentence that a forbidden call gives."""
    return f"`{path}` is what you are asked to write here. Write it with simpler operations."


@contextlib.contextmanager
def guard(paths, namespace, judged=""):
    """Make the things at the dotted `paths` raise `Forbidden` when the notebook uses them.

    Args:
        paths: dotted paths such as `"keras.layers.MultiHeadAttention"`; those of packages that
            are not imported are passed over, since nothing can have been taken from them. A
            class is named where users find it (`keras.layers`), not in the file that defines it,
            whose own code must keep the real one.
        namespace: dict. The notebook's global names. A name bound to a forbidden thing, or to a
            subclass of it, raises whoever calls it.
        judged: id of the exercise that is judged: its lent version refuses to work.
    """
    stand_ins = _remembered(tuple(paths), len(sys.modules), namespace)
    found = [each for each in stand_ins if vars(each[0]).get(each[1]) is each[2]]
    named = {n: path for n, v in namespace.items() for _, _, t, path, _ in found if _is(v, t)}
    kept = {name: namespace[name] for name in named}
    before, _now["judged"] = _now["judged"], judged
    try:
        for owner, name, _, _, stub in found:
            setattr(owner, name, stub)
        for name, path in named.items():
            namespace[name] = _refusal(path)
        yield
    finally:
        _now["judged"] = before
        for owner, name, value, _, _ in found:
            setattr(owner, name, value)
        namespace.update(kept)


def refuse_lent(exercise):
    """Raise `Forbidden` while an answer to this very exercise is judged."""
    if exercise == _now["judged"]:
        raise Forbidden(
            "Your answer calls the course's version, which is lent for 0 points. Assign it by its "
            "name alone, as `course unlock` says, or write your own."
        )


_now = {"judged": ""}
_latest = {"paths": None, "count": 0, "namespace": None, "stand_ins": ()}


def _remembered(paths, count, namespace):
    """Return (owner, attribute, value, path, stub) of each place, as for the last request.

    The requests of an exercise ask for the same places; looking for them took longer than most
    answers. `count`, the number of modules, makes a new import seen.
    """
    same = (_latest["paths"], _latest["count"]) == (paths, count)
    if not (same and _latest["namespace"] is namespace):
        stand_ins = [(*place, _stub(*place[2:], namespace)) for place in _locate(paths)]
        _latest.update(paths=paths, count=count, namespace=namespace, stand_ins=stand_ins)
    return _latest["stand_ins"]


def not_imported(paths):
    """Return the packages among the dotted paths that are not imported yet."""
    return {name for path in paths if (name := path.split(".")[0]) not in sys.modules}


def _is(value, target):
    if isinstance(value, functools.partial):
        value = value.func
    if value is target:
        return True
    both = isinstance(value, type) and isinstance(target, type)
    return both and issubclass(value, target)


def _locate(paths):
    """Return (owner, attribute, value, path) of each public place where one of them is found.

    `keras.layers.Dense` is found in `tf.keras.layers` too. Files of Keras's own source, and the
    file that defines a class, keep the real one.
    """
    wanted = {}
    for path in paths:
        name = path.rpartition(".")[2]
        for value in _values(path):
            home = value.__module__ if isinstance(value, type) else None
            wanted.setdefault(name, []).append((value, path, home))
    # Thousands of modules, for each request of a check: the others are passed over at once.
    modules = _public_modules(len(sys.modules))
    owners = [entry for entry in modules if not entry[2].keys().isdisjoint(wanted)]
    return [
        (owner, name, value, path)
        for module_name, owner, names in owners
        for name, values in wanted.items()
        for value, path, home in values
        if names.get(name) is value and module_name != home
    ]


def _values(path):
    """Return the thing at a dotted path in a list, empty where it was not imported."""
    owner_path, _, name = path.rpartition(".")
    if owner_path.split(".")[0] not in sys.modules:
        return []
    try:
        return [getattr(importlib.import_module(owner_path), name)]
    except (ImportError, AttributeError):
        return []


@functools.lru_cache(maxsize=1)
def _public_modules(count):
    """Return (name, module, its names) of what a notebook imports from.

    `count` makes a new import seen.
    """
    hidden = ("keras.src.", "keras_hub.src.", "tensorflow.python.", "autograder")
    return [
        (name, module, vars(module))
        for name, module in sys.modules.items()
        if isinstance(module, ModuleType) and not name.startswith((*hidden, "__main__"))
    ]


def _refusal(path):
    def refuse(*args, **kwargs):
        raise Forbidden(message(path))

    return refuse


def _stub(value, path, namespace):
    """Return a stand-in that refuses the notebook's calls and passes on all others."""
    if isinstance(value, type):

        class Stub(value):
            def __new__(cls, *args, **kwargs):
                if _called_from(namespace):
                    raise Forbidden(message(path))
                return value(*args, **kwargs)

        Stub.__name__, Stub.__qualname__ = value.__name__, value.__qualname__
        return Stub

    @functools.wraps(value)
    def stub(*args, **kwargs):
        if _called_from(namespace):
            raise Forbidden(message(path))
        return value(*args, **kwargs)

    return stub


def _called_from(namespace):
    """Whether the notebook's code made the call; wrappers of Keras in between do not count."""
    frame = sys._getframe(2)
    wrappers = ("__new__", "__call__", "wrapper", "error_handler")
    while frame and frame.f_globals.get("__name__", "").startswith("keras"):
        if frame.f_code.co_name not in wrappers:
            return False
        frame = frame.f_back
    return frame is not None and frame.f_globals is namespace
