"""What every test runs under: TensorFlow, quiet; and how tests are shared among processes."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

TESTS = Path(__file__).parent
LONG_FIRST = ("solutions", "e2e")  # begun last, they would keep one process busy after the others


def pytest_collection_modifyitems(items):
    """Keep the tests of a file in one process, except the solutions: there, those of a lab."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(key=_rank)


def _group(item):
    name = item.path.relative_to(TESTS).as_posix()
    lab = item.callspec.params.get("ran") if hasattr(item, "callspec") else None
    return f"{name}-{lab[1]}" if lab else name


def _rank(item):
    folder = item.path.relative_to(TESTS).parts[0]
    return LONG_FIRST.index(folder) if folder in LONG_FIRST else len(LONG_FIRST)
