"""A run of `course grade` leaves nothing behind; `tests/benchmarks/soak.py` does it with 1,000."""

import pytest

from tests.benchmarks.soak import soak

pytestmark = pytest.mark.slow


def test_nothing_is_left_of_a_run():
    """No process, no open descriptor, no file for a moment's use."""
    measured = soak(submissions=12, jobs=2, window=4, every=0.2)
    assert measured["submissions"] == 12
    speeds = measured["per_minute"]  # grades 3 to 6, 7 to 10, and the last four
    assert len(speeds) == len(measured["mb"]) == 3
    assert measured["ratio"] == pytest.approx(speeds[-1] / speeds[0], rel=0.01)
    assert {name: n for name, n in measured.items() if name.endswith("_left") and n} == {}
