"""Variants: the same learner gets the same numbers, wherever they are computed."""

from collections import Counter

import pytest

from autograder.quiz.variants import learner_id, parameters, variants

CHOOSE = {"hidden_dim": [48, 96], "num_heads": [2, 4, 8]}


def test_all_combinations_are_variants():
    """Every combination exists once, in the order of the names."""
    found = variants(CHOOSE)

    assert len(found) == 6
    assert {"hidden_dim": 96, "num_heads": 4} in found
    assert list(found[0]) == ["hidden_dim", "num_heads"]
    assert variants({}) == [{}]


def test_the_order_of_the_names_does_not_matter():
    """A bank whose parameters are written in another order gives the same numbers."""
    turned = dict(reversed(CHOOSE.items()))

    assert all(
        parameters(CHOOSE, f"learner{i}", "q05") == parameters(turned, f"learner{i}", "q05")
        for i in range(50)
    )


def test_the_choice_is_pinned():
    """A changed hash would change the numbers of everybody who has answered."""
    assert parameters(CHOOSE, "ada", "q05") == {"hidden_dim": 48, "num_heads": 2}
    assert parameters(CHOOSE, " ada\n", "q05") == {"hidden_dim": 48, "num_heads": 2}
    assert parameters(CHOOSE, "ada", "q06") == {"hidden_dim": 96, "num_heads": 8}
    assert parameters(CHOOSE, "bob", "q05") == {"hidden_dim": 48, "num_heads": 4}
    assert parameters({}, "ada", "q05") == {}


def test_variants_are_spread_over_learners():
    """600 learners share six variants about evenly."""
    counts = Counter(str(parameters(CHOOSE, f"learner{i}", "q05")) for i in range(600))

    assert len(counts) == 6
    assert min(counts.values()) > 60


@pytest.fixture
def _nobody(monkeypatch, tmp_path):
    for name in ("COURSE_LEARNER", "JUPYTERHUB_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COURSE_WORKSPACE", str(tmp_path))
    monkeypatch.setattr("getpass.getuser", lambda: "login")


@pytest.mark.usefixtures("_nobody")
def test_the_learner_is_named_by_the_first_that_is_there(monkeypatch, tmp_path):
    """Environment, then hub, then workspace, then login name."""
    assert learner_id() == "login"
    (tmp_path / ".course").mkdir()
    (tmp_path / ".course" / "learner").write_text("workspace\n")
    assert learner_id() == "workspace"
    monkeypatch.setenv("JUPYTERHUB_USER", "hub")
    assert learner_id() == "hub"
    monkeypatch.setenv("COURSE_LEARNER", "ada")
    assert learner_id() == "ada"


@pytest.mark.usefixtures("_nobody")
def test_a_machine_without_login_names_has_a_learner(monkeypatch):
    """A container may have no entry for its user."""

    def unknown():
        raise OSError("no such user")

    monkeypatch.setattr("getpass.getuser", unknown)
    assert learner_id() == "learner"
