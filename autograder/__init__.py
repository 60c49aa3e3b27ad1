"""Builds the labs, checks answers and grades them.

In a notebook: `from autograder import check, lend, quiz`. Importing this package is quick; what
needs TensorFlow imports it when it runs.
"""

import importlib
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before TensorFlow is imported

_HOMES = {"check": "autograder.check", "lend": "autograder.lend"}

__all__ = ["check", "lend", "quiz"]


def __getattr__(name):
    """Import the names of a notebook when they are first used."""
    if name == "quiz":
        return importlib.import_module("autograder.quiz")
    if name in _HOMES:
        importlib.import_module("autograder.check").import_keras_quietly()
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value  # the function, not the module of the same name
        return value
    raise AttributeError(f"module 'autograder' has no attribute {name!r}")
