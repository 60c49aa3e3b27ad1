"""What the doctor mends, the grader reads: the same damaged files earn what whole ones earn."""

import shutil
import zipfile

import nbformat
import pytest

from autograder.grading.folder import CourseFolder
from autograder.grading.grade import grade
from tests.autograder.damages import DAMAGES
from tests.autograder.grading.conftest import ANSWERS, ASSIGNMENT

NAME = "causal_mask"


def renamed(path):
    """Give the notebook another name."""
    path.rename(path.with_name("lab1 final (1).ipynb"))


def suffix_of_a_browser(path):
    """Put `.txt` behind its name."""
    path.rename(path.with_name(f"{path.name}.txt"))


def packed(path):
    """Leave only an archive of it."""
    with zipfile.ZipFile(path.with_suffix(".zip"), "w") as archive:
        archive.write(path, path.name)
    path.unlink()


NAMES = (renamed, suffix_of_a_browser, packed)


@pytest.fixture(scope="module")
def graded(made, tmp_path_factory):
    """The rows of a class in which everybody solved everything, and everything else broke."""
    course = CourseFolder(shutil.copytree(made, tmp_path_factory.mktemp("damaged") / "course"))
    released = course.released(ASSIGNMENT)
    stubs = {c.id: c.source for c in released.cells}
    for cell in released.cells:
        if cell.id in ANSWERS:
            cell.source = f"{ANSWERS[cell.id]}\n# Größe"

    def put(learner):
        path = course.submission(learner, ASSIGNMENT)
        path.parent.mkdir(parents=True)
        path.write_text(nbformat.writes(released) + "\n", encoding="utf-8")
        return path

    put("whole")
    for damage in DAMAGES:
        damage.break_it(put(str(damage)), NAME, stubs[NAME])
    for damage in NAMES:
        damage(put(damage.__name__))
    grades = grade(course.path)
    assert grades.problems == []
    return {row.learner: row for row in grades.rows}


@pytest.mark.parametrize("damage", [*map(str, DAMAGES), *(n.__name__ for n in NAMES)])
def test_damage_costs_no_point(graded, damage):
    assert graded["whole"].score == graded["whole"].max_score > 0
    assert graded[damage].score == graded[damage].max_score


@pytest.mark.parametrize("damage", DAMAGES, ids=str)
def test_damage_is_told_in_the_notes(graded, damage):
    for cell, sentence in damage.says:
        told = sentence.partition(" (line")[0].rstrip(".")
        if told == "The notebook does not say which lab it is":
            continue  # the folder says it
        place = f"cell {cell.replace('*', NAME)}: " if cell else ""
        assert any(note.startswith(place + told) for note in graded[str(damage)].notes)
