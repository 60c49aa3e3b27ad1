"""How far a machine confines is found by trying; without it nothing is graded."""

import json
import os
import subprocess

import pytest

from autograder.confine import tiers, trial
from autograder.errors import CourseError
from tests.conftest import CONFINEMENT_NEEDED, pytest_sessionstart
from tests.ordinary import contained, ordinary


@pytest.fixture(autouse=True)
def _forget():
    tiers.reach.cache_clear()
    yield
    tiers.reach.cache_clear()


def found(monkeypatch, said):
    """Let the trial say this."""

    def run(command, **options):
        return subprocess.CompletedProcess(command, 0, stdout=said, stderr="")

    monkeypatch.setattr(tiers.subprocess, "run", run)


def test_the_best_tier_that_can_be_entered_is_taken(monkeypatch):
    found(monkeypatch, '{"sealed": "unshare: not allowed", "fenced": ""}')
    assert tiers.reach() == tiers.Reach("fenced", ("sealed: unshare: not allowed.",))
    assert tiers.chosen() == "fenced"


def test_without_a_tier_nothing_is_graded_unless_the_call_trusts(monkeypatch):
    found(monkeypatch, '{"sealed": "no namespaces", "fenced": "no Landlock"}')
    with pytest.raises(CourseError, match=r"cannot confine .* no Landlock.*--trust"):
        tiers.chosen()
    assert tiers.chosen(trust=True) == "open"


def test_a_trial_that_breaks_counts_as_no_tier(monkeypatch):
    found(monkeypatch, "Killed")
    assert tiers.reach().tier == "open"


def test_other_platforms_confine_nothing(monkeypatch):
    monkeypatch.setattr(tiers.sys, "platform", "darwin")
    assert tiers.reach().tier == "open"


def test_a_trial_says_why_a_tier_cannot_be_entered(monkeypatch):
    """A call that the kernel refuses is named."""

    def refuse(*arguments):
        raise OSError(1, "unshare: Operation not permitted")

    monkeypatch.setattr("autograder.confine.namespaces.enter_inner", refuse)
    monkeypatch.setattr("autograder.confine.landlock.restrict", refuse)
    assert "unshare: Operation not permitted" in trial.attempt("sealed")
    assert "unshare: Operation not permitted" in trial.attempt("fenced")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
@pytest.mark.skipif(tiers.reach().tier == "open", reason="this machine confines nothing")
@pytest.mark.parametrize("who", [ordinary, contained])
def test_ordinary_users_and_root_of_a_container_reach_the_fenced_tier(who):
    """Root of a container may do little: it cannot even keep the right to read all."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
    command = who(["-m", "autograder.confine.trial"], root)
    done = subprocess.run(command, capture_output=True, text=True, cwd=root)
    if "unshare:" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"Python lies where others cannot go: {done.stderr.strip()}")
    assert json.loads(done.stdout)["fenced"] == "", done.stderr


def test_where_confinement_is_needed_its_absence_stops_the_tests(monkeypatch):
    nothing = json.dumps({"sealed": "no namespaces", "fenced": "no Landlock"})
    found(monkeypatch, nothing)
    monkeypatch.delenv(CONFINEMENT_NEEDED, raising=False)
    pytest_sessionstart()
    monkeypatch.setenv(CONFINEMENT_NEEDED, "1")
    with pytest.raises(pytest.UsageError, match="no Landlock"):
        pytest_sessionstart()
    found(monkeypatch, json.dumps({"sealed": "no namespaces", "fenced": ""}))
    tiers.reach.cache_clear()
    pytest_sessionstart()
