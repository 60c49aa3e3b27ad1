"""The start page: what exists is linked, what does not is in preparation."""

import re
from pathlib import Path

import pytest

from autograder.build.start import build
from course.modules import MODULES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path):
    """A clone with one module that has two labs, a reading and a quiz."""
    sources = tmp_path / "solutions" / "m02_transformer"
    (tmp_path / "course" / "m02_transformer").mkdir(parents=True)
    sources.mkdir(parents=True)
    (tmp_path / "course" / "start.md").write_text((ROOT / "course" / "start.md").read_text())
    (tmp_path / "course" / "m02_transformer" / "reading.md").write_text("# Reading")
    for stem, title in (("lab1_a", "First lab"), ("lab2_b", "Second")):
        (sources / f"{stem}.py").write_text(f"# ---\n# title: {title}\n# ---\n")
    (sources / "lab1_a_alternatives.py").write_text("")
    (sources / "quiz.yaml").write_text("")
    return tmp_path


def rows(text):
    return {
        int(number): line
        for line in text.splitlines()
        if (number := "".join(re.findall(r"^\| \*\*m0(\d) ", line)))
    }


def test_what_exists_is_linked(root):
    text = build(root)["start.md"]
    links = re.findall(r"\]\(([^)]+)\)", rows(text)[2])
    assert links == [
        "m02_transformer/reading.md",
        "m02_transformer/lab1_a.ipynb",
        "m02_transformer/lab2_b.ipynb",
        "m02_transformer/quiz.ipynb",
    ]
    assert "lab 1: First lab" in rows(text)[2].replace("\u00a0", " ")
    assert "**Begin here:** [the reading of module 2](m02_transformer/reading.md)" in text


def test_the_other_eight_are_in_preparation(root):
    lines = rows(build(root)["start.md"])
    assert sorted(lines) == list(range(1, 10))
    assert [n for n, line in lines.items() if "in preparation" in line] == [1, 3, 4, 5, 6, 7, 8, 9]


def test_nothing_is_left_of_the_template(root):
    text = build(root)["start.md"]
    assert "{{" not in text
    for module in MODULES:
        assert f"### m{module.number:02d} {module.title}" in text


def test_plans_add_up():
    text = (ROOT / "course" / "start.md").read_text()
    core = re.search(r"^\| Core path: labs \|(.*)\|$", text, re.M)[1]
    full = re.search(r"^\| Full course: labs \|(.*)\|$", text, re.M)[1]
    labs = sum(len(cell.split(",")) for cell in core.split("|"))
    assert f"{labs} labs of about 50 minutes" in text
    assert f"{sum(int(cell.split()[-1]) for cell in full.split('|'))} labs of at most" in text
    assert 18 <= labs * 50 / 60 + 9 <= 22
