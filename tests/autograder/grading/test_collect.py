"""Downloads of any naming reach their place; what is not recognised is told and kept."""

import io
import os
import zipfile
from datetime import UTC, datetime

import nbformat
import pytest
from rich.console import Console

from autograder.errors import CourseError
from autograder.grading.collect import collect
from autograder.tables import collect_table

ASSIGNMENT, LAB = "m02_lab1_self_attention", "lab1_self_attention"
ROSTER = """learner,first_name,last_name,email
ada,Ada,Okafor,ada@example.org
eva,Éva,Lindqvist,eva.lindqvist@example.org
s1234,Finn,Doyle,finn@example.org
"""
EARLY, LATE = 1_768_000_000, 1_768_100_000


@pytest.fixture
def roster(course):
    """A roster of three."""
    (course.path / "roster.csv").write_text(ROSTER)


@pytest.fixture
def put(course, released):
    """Return the function that puts a file into the inbox."""

    def write(name, content=None, when=EARLY):
        path = course.path / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = nbformat.writes(released) if content is None else content
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.utime(path, (when, when))
        return path

    return write


def submitted(course):
    """Return what lies in `submitted/`, notebooks only."""
    root = course.path / "submitted"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*.ipynb"))


@pytest.mark.parametrize(
    ("name", "learner"),
    [
        ("ada/lab1_self_attention.ipynb", "ada"),
        ("ada/lab1 (1).ipynb", "ada"),
        ("ada/Untitled.json", "ada"),
        ("ada_lab1_self_attention.ipynb", "ada"),
        ("lab1_self_attention-ada.ipynb", "ada"),
        ("week 3/Ada Okafor/final FINAL.ipynb", "ada"),
        ("okaforada_12345_67890_lab1_self_attention-1.ipynb", "ada"),
        ("lindqvisteva_LATE_123_456_work.ipynb", "eva"),
        ("Finn Doyle_314_assignsubmission_file_/lab1.ipynb", "s1234"),
        ("Éva Lindqvist/lab1.ipynb", "eva"),
        ("eva.lindqvist@example.org/x.ipynb", "eva"),
        (f"s1234/{ASSIGNMENT}/{LAB}.ipynb", "s1234"),
        (f"{ASSIGNMENT}/s1234/{LAB}.ipynb", "s1234"),
    ],
)
def test_a_notebook_is_known_by_its_metadata_and_its_place(course, roster, put, name, learner):
    """The file name never decides what a notebook is."""
    put(name)
    collected = collect(course.path)

    assert collected.problems == []
    assert submitted(course) == [f"{learner}/{ASSIGNMENT}/{LAB}.ipynb"]
    stamp = course.path / "submitted" / learner / ASSIGNMENT / "timestamp.txt"
    assert stamp.read_text() == "2026-01-09 23:06:40.000000 UTC\n"


@pytest.mark.parametrize(
    ("name", "learner"),
    [
        ("ada/lab1.ipynb", "ada"),
        ("ada_lab1.ipynb", "ada"),
        ("Submissions/Ada Okafor/lab1.ipynb", "ada-okafor"),
        ("doejane_12345_67890_lab1.ipynb", "doejane"),
    ],
)
def test_without_a_roster_the_place_names_the_learner(course, put, name, learner):
    """A small class needs no roster."""
    put(name)
    collect(course.path)

    assert submitted(course) == [f"{learner}/{ASSIGNMENT}/{LAB}.ipynb"]


def test_archives_are_opened(course, roster, released, tmp_path):
    """A bulk download holds learners' files, some of them archives themselves."""
    text = nbformat.writes(released)
    inner = tmp_path / "inner.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("work/lab1.ipynb", text)
        archive.writestr("__MACOSX/._lab1.ipynb", "x")
    with zipfile.ZipFile(course.path / "inbox" / "submissions.zip", "w") as archive:
        archive.writestr("okaforada_1_2_lab1.ipynb", text)
        archive.write(inner, "Finn Doyle_3_assignsubmission_file_/my.zip")
        archive.writestr("../../eva/escape.ipynb", text)
    collected = collect(course.path)

    assert {taken.learner for taken in collected.taken} == {"ada", "s1234"}
    assert [p for p in collected.problems if "escape" in p] == collected.problems
    assert not list(course.path.parent.glob("eva"))


@pytest.mark.parametrize("with_roster", [True, False])
def test_the_archive_of_course_submit_names_its_learner(course, released, with_roster):
    """`course submit` writes `<learner>.zip` with a folder for each module."""
    if with_roster:
        (course.path / "roster.csv").write_text(ROSTER)
    with zipfile.ZipFile(course.path / "inbox" / "ada.zip", "w") as archive:
        archive.writestr(f"m02_transformer/{LAB}.ipynb", nbformat.writes(released))

    assert collect(course.path).problems == []
    assert submitted(course) == [f"ada/{ASSIGNMENT}/{LAB}.ipynb"]


def test_what_is_not_recognised_is_told_and_stays(course, roster, put, released):
    """One sentence per file; nothing in the inbox changes."""
    foreign = nbformat.v4.new_notebook()
    other = nbformat.from_dict(released)
    put("nobody/lab1.ipynb")
    put("ada/essay.pdf", b"%PDF-1.7 \xff\xfe")
    put("ada/other.ipynb", nbformat.writes(foreign))
    other.metadata.course.lab = "lab9_unknown"
    put("ada/lab9.ipynb", nbformat.writes(other))
    link = put("ada/link.ipynb")
    link.unlink()
    link.symlink_to("/etc/passwd")
    os.mkfifo(course.path / "inbox" / "ada" / "pipe.ipynb")
    before = sorted((course.path / "inbox").rglob("*"))
    problems = {p.split(":")[0]: p for p in collect(course.path).problems}

    assert problems == {
        "ada/essay.pdf": "ada/essay.pdf: it is not text, so it is no notebook; "
        "it was left in the inbox.",
        "ada/lab9.ipynb": "ada/lab9.ipynb: it names m02_transformer lab9_unknown, which is not "
        "released here; it was left in the inbox.",
        "ada/link.ipynb": "ada/link.ipynb: it is a link, and links are not followed; "
        "it was left in the inbox.",
        "ada/other.ipynb": "ada/other.ipynb: it is no notebook of this course; "
        "it was left in the inbox.",
        "ada/pipe.ipynb": "ada/pipe.ipynb: it is not a plain file; it was left in the inbox.",
        "nobody/lab1.ipynb": f"nobody/lab1.ipynb: it is {ASSIGNMENT}, but roster.csv knows nobody "
        "by the name nobody; it was left in the inbox.",
    }
    assert submitted(course) == []
    assert sorted((course.path / "inbox").rglob("*")) == before


def test_a_file_that_is_no_notebook_counts_where_its_place_says_what_it_is(course, roster, put):
    """It will earn 0 points, with a comment."""
    put("ada/lab1_self_attention.ipynb", "<html>Please log in</html>")
    put("ada/unknown.ipynb", "<html>Please log in</html>")
    collected = collect(course.path)

    assert submitted(course) == [f"ada/{ASSIGNMENT}/{LAB}.ipynb"]
    assert f"it counts as {ASSIGNMENT} of ada, 0 points" in collected.problems[0]
    assert "left in the inbox" in collected.problems[1]


def test_metadata_lost_on_the_way_is_made_up_for_by_the_cells(course, roster, put, released):
    """A tool that drops the notebook's metadata leaves the cells' ids."""
    del released.metadata["course"]
    put("ada/x.ipynb", nbformat.writes(released))
    collect(course.path)

    assert submitted(course) == [f"ada/{ASSIGNMENT}/{LAB}.ipynb"]


def test_the_latest_file_counts(course, roster, put, released):
    """An older file never replaces a newer one, in whatever order they come."""
    late = nbformat.from_dict(released)
    late.cells[-1].source = "late = True"
    put("ada/lab1 (1).ipynb", nbformat.writes(late), when=LATE)
    put("ada/lab1.ipynb")
    states = {taken.source: taken.state for taken in collect(course.path).taken}
    assert states == {"ada/lab1.ipynb": "new", "ada/lab1 (1).ipynb": "newer"}

    states = [taken.state for taken in collect(course.path).taken]
    assert states == ["older", "same"]
    path = course.submission("ada", ASSIGNMENT)
    assert "late = True" in path.read_text()
    stamp = path.with_name("timestamp.txt").read_text()
    assert stamp.startswith(f"{datetime.fromtimestamp(LATE, UTC):%Y-%m-%d %H:%M:%S}")


def test_the_table_shows_names_of_files_as_text(course, roster, put):
    """A terminal obeys no file: neither its codes nor rich's markup."""
    put("ada/\x1b[31mlab1 [bold]x[/bold].ipynb")
    console = Console(width=200, record=True, file=io.StringIO(), force_terminal=True)
    console.print(collect_table(collect(course.path)))
    assert "ada/ [31mlab1 [bold]x[/bold].ipynb" in console.export_text()
    assert "\x1b[31m" not in console.file.getvalue()


def test_a_mistake_of_the_instructor_is_one_sentence(course, tmp_path):
    """A missing inbox, a broken roster."""
    with pytest.raises(CourseError, match="There is no inbox"):
        collect(course.path, tmp_path / "missing")
    (course.path / "roster.csv").write_text("learner,first_name\n../ada,Ada\n")
    with pytest.raises(CourseError, match=r"roster.csv:2: '../ada' is not a learner id"):
        collect(course.path)
