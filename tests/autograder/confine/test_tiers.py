"""How far a machine confines is found by trying; without it nothing is graded."""

import subprocess

import pytest

from autograder.confine import tiers, trial
from autograder.errors import CourseError


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
