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
# Begun last, these would keep one process busy after the others have ended.
LONG_FIRST = (TESTS / "autograder" / "test_prove.py", TESTS / "solutions", TESTS / "e2e")
ATTACKS = TESTS / "autograder" / "attacks"


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
    """Keep the tests of a file in one process; of the longest, those of a lab or of a module.

    Attacks come last and are dealt out one by one, so that all processes end together.
    What takes minutes to prove the grader is marked: `make thorough` runs it.
    """
    for item in items:
        if not item.path.is_relative_to(ATTACKS):
            item.add_marker(pytest.mark.xdist_group(_group(item)))
        if item.path.stem in THOROUGH:
            item.add_marker(pytest.mark.thorough)
    items.sort(key=_rank)


def _group(item):
    name = item.path.relative_to(TESTS).as_posix()
    given = item.callspec.params if hasattr(item, "callspec") else {}
    if "ran" in given:  # a lab's solution
        return f"{name}-{given['ran'][1]}"
    return f"{name}-{given['module']}" if item.path == LONG_FIRST[0] and "module" in given else name


def _rank(item):
    for rank, place in enumerate(LONG_FIRST):
        if item.path.is_relative_to(place):
            return rank
    return len(LONG_FIRST) + item.path.is_relative_to(ATTACKS)
