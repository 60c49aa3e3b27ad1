"""A broken checks file costs its own lab, and is named in one sentence."""

import inspect
import itertools

import pytest
from typer.testing import CliRunner

import autograder.checks
from autograder import exercise as exercises
from autograder import prove
from autograder.build.release import build
from autograder.check import CheckFailed, check
from autograder.errors import CourseError
from autograder.unlock import find_exercise
from course import cli
from tests.autograder import toy

GOOD = inspect.getsource(toy).replace('module="toy", lab="toy", ', "")
OTHER = GOOD.replace('"half"', '"third"').replace('"halved_sum"', '"third_sum"')
LAST = GOOD.replace('"half"', '"fourth"').replace('"halved_sum"', '"fourth_sum"')
BROKEN = {
    "syntax": (
        "def",
        "lab2_bad.py, line 1: the file cannot be loaded: SyntaxError: invalid syntax.",
    ),
    "import": (
        "x = 1\nx.y",
        "lab2_bad.py, line 2: the file cannot be loaded: "
        "AttributeError: 'int' object has no attribute 'y'.",
    ),
    "declared": (
        OTHER.replace("points=2", "points=3").replace('"one", ', ""),
        "lab2_bad.py: third: its cases add up to 2 points, not 3; "
        "third: it has 2 hints, not three.",
    ),
    "twice": (
        OTHER.replace('"third"', '"half"'),
        "lab2_bad.py: half is declared in lab1_good too.",
    ),
}
COUNT = itertools.count()


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write the checks of a made-up module; return its slug."""

    def write(**files):
        slug = f"m99_made_up_{next(COUNT)}"
        folder = tmp_path / "checks" / slug
        folder.mkdir(parents=True)
        for name, text in files.items():
            (folder / f"{name}.py").write_text(text)
        monkeypatch.setattr(exercises, "CHECKS", folder.parent)
        monkeypatch.setattr(autograder.checks, "__path__", [str(folder.parent)])
        return slug

    return write


@pytest.fixture(params=BROKEN)
def broken(request, write):
    """The slug of a module whose second lab is broken, and what is said of it."""
    text, sentence = BROKEN[request.param]
    slug = write(lab1_good=GOOD, lab2_bad=text, lab3_good=LAST)
    return slug, f"checks/{slug}/{sentence}"


def test_the_other_labs_are_checked(broken, capsys):
    slug, _ = broken
    assert check(f"{slug}.half", {"half": lambda x: x / 2}) == 2
    assert exercises.find(f"{slug}.fourth").lab == "lab3_good"
    assert find_exercise("fourth").lab == "lab3_good"


def test_the_broken_lab_says_what_is_wrong(write):
    slug = write(lab1_good=GOOD, lab2_bad="x.y")
    with pytest.raises(CheckFailed, match=r"lab2_bad\.py, line 1: .* name 'x' is not defined"):
        check(f"{slug}.third", {})


def test_an_unknown_exercise_of_sound_labs_is_unknown(write):
    slug = write(lab1_good=GOOD, lab2_good=OTHER)
    with pytest.raises(CourseError, match="no exercise 'fifth'. It has: half, halved_sum, third"):
        exercises.find(f"{slug}.fifth")


def test_the_module_as_a_whole_is_refused(broken):
    slug, sentence = broken
    with pytest.raises(CourseError) as caught:
        exercises.load_module(slug)
    assert str(caught.value) == sentence


def test_build_says_it_and_writes_nothing(broken, tmp_path):
    slug, sentence = broken
    source = tmp_path / "solutions" / slug / "lab1_good.py"
    source.parent.mkdir(parents=True)
    source.write_text("")
    with pytest.raises(CourseError) as caught:
        build(slug, solutions=tmp_path / "solutions", labs=tmp_path / "labs")
    assert str(caught.value) == sentence
    assert caught.value.exit_code == 1
    assert not (tmp_path / "labs").exists()


@pytest.mark.parametrize("kind", ["syntax", "import", "declared"])
def test_prove_says_it_and_ends_with_1(write, monkeypatch, kind):
    text, sentence = BROKEN[kind]
    slug = write(lab2_bad=text)
    monkeypatch.setattr(cli, "_slug", lambda name: name)
    result = CliRunner().invoke(cli.app, ["prove", slug])
    assert result.exit_code == 1
    assert result.stderr == f"checks/{slug}/{sentence}\n"


def test_prove_proves_the_other_labs(broken, monkeypatch):
    slug, sentence = broken
    asked = []
    monkeypatch.setattr(prove, "source", lambda slug, lab: asked.append(lab))
    monkeypatch.setattr(prove, "read", lambda path, exercises: None)
    monkeypatch.setattr(prove, "_replies", lambda tasks, *how: dict.fromkeys(tasks, {}))
    monkeypatch.setattr(prove, "_row", lambda exercise, replies: prove.Row(exercise.name, 1))
    proof = prove.prove(slug)
    names = ["half", "halved_sum", "fourth", "fourth_sum"]
    assert [row.exercise for row in proof.rows] == names
    assert asked == ["lab1_good", "lab3_good"]
    assert proof.faults == [sentence]
    assert not proof.perfect
