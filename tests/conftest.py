"""What every test runs under: TensorFlow, quiet; and how tests are shared among processes."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

TESTS = Path(__file__).parent
THOROUGH = ("test_cluster", "test_faults", "test_huge", "test_killed", "test_postgresql",
            "test_prove_confined", "test_soak")  # fmt: skip
CONFINEMENT_NEEDED = "COURSE_NEEDS_CONFINEMENT"  # by .ci/run
LONG_FIRST = ("solutions", "e2e")  # begun last, they would keep one process busy after the others


def pytest_sessionstart():
    """Stop where confinement is needed and there is none: every attack would be skipped."""
    if os.environ.get(CONFINEMENT_NEEDED):
        from autograder.confine.tiers import reach

        if reach().tier == "open":
            reasons = " ".join(reach().reasons)
            raise pytest.UsageError(
                f"{CONFINEMENT_NEEDED} is set, and this machine confines nothing, so no attack "
                f"would be tried. {reasons}"
            )


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items):
    """Keep the tests of a file in one process, except the solutions: there, those of a lab.

    What takes minutes to prove the grader is marked: `make thorough` runs it.
    """
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
        if item.path.stem in THOROUGH:
            item.add_marker(pytest.mark.thorough)
    items.sort(key=_rank)


def _group(item):
    name = item.path.relative_to(TESTS).as_posix()
    lab = item.callspec.params.get("ran") if hasattr(item, "callspec") else None
    return f"{name}-{lab[1]}" if lab else name


def _rank(item):
    folder = item.path.relative_to(TESTS).parts[0]
    return LONG_FIRST.index(folder) if folder in LONG_FIRST else len(LONG_FIRST)
