"""A made-up module with one lab, and a registry that knows its two exercises."""

from pathlib import Path
from types import SimpleNamespace

import pytest

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture
def solutions():
    """The folder of sources."""
    return FIXTURES


@pytest.fixture
def exercises():
    """What `load_module` returns for the made-up module."""
    return {
        f"m00_example.{name}": SimpleNamespace(name=name, points=points, lab="lab1_means")
        for name, points in {"mean": 2.0, "weighted_mean": 3.0}.items()
    }


@pytest.fixture
def registry(exercises):
    """The function that builds call to look exercises up."""
    return lambda slug: exercises


@pytest.fixture
def example():
    """The text of the correct source."""
    return (FIXTURES / "m00_example" / "lab1_means.py").read_text()
