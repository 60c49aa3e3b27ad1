"""In a course folder nbgrader's own commands work, and give the scores of `course grade`."""

import asyncio
import os
import shutil
import subprocess
import sys

import nbformat
import pytest

from autograder.grading.export import export
from autograder.grading.feedback import feedback
from autograder.grading.folder import CourseFolder
from autograder.grading.grade import grade

ASSIGNMENT, LAB = "m02_lab1_self_attention", "lab1_self_attention"


def scores(course):
    """Return every automatic score in a gradebook."""
    with course.gradebook() as gradebook:
        return {
            (student.id, found.name): found.auto_score
            for student in gradebook.students
            for notebook in gradebook.find_submission(ASSIGNMENT, student.id).notebooks
            for found in notebook.grades
        }


def nbgrader(course, *arguments):
    """Run an nbgrader command in a course folder, as a person would."""
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course.path, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def class_(course, released, answer, answers, hand_in):
    """Submissions of many kinds, one of them under another name."""
    hand_in("ada", answer(released))
    hand_in("ben", answer(released, causal_mask=answers["causal_mask"]))
    hand_in("gita", "This is no notebook.")
    renamed = hand_in("eva", answer(released))
    renamed.rename(renamed.with_name("lab1 (1).ipynb"))
    scripted = answer(released)
    scripted.cells.append(nbformat.v4.new_markdown_cell("<script>alert(1)</script>"))
    scripted.cells.append(
        nbformat.v4.new_code_cell(
            "from IPython.display import HTML, SVG\nHTML('<script>alert(2)</script>')"
        )
    )
    hand_in("mallory", scripted)
    return course


@pytest.fixture
def twin(class_, tmp_path):
    """The same course folder again, before anything was graded."""
    shutil.copytree(class_.path, tmp_path / "twin")
    return CourseFolder(tmp_path / "twin")


def test_nbgrader_autograde_gives_the_same_scores(twin, class_):
    """`nbgrader autograde` and `nbgrader generate_feedback` in a folder of their own."""
    grade(class_.path)
    done = nbgrader(twin, "autograde", ASSIGNMENT)
    assert done.returncode == 0, done.stderr
    assert scores(twin) == scores(class_)

    done = nbgrader(twin, "generate_feedback", ASSIGNMENT)
    assert done.returncode == 0, done.stderr
    page = (twin.path / "feedback" / "ben" / ASSIGNMENT / f"{LAB}.html").read_text()
    assert "course-check" in page


@pytest.mark.filterwarnings("ignore:Object of type .* not in session")
def test_formgrader_grades_inside_a_running_event_loop(twin, class_):
    """The button of formgrader calls nbgrader's API from the server's event loop."""
    from nbgrader.apps.api import NbGraderAPI

    grade(class_.path, learners=["ada"])

    async def press():
        from nbgrader.coursedir import CourseDirectory

        directory = CourseDirectory(config=twin.config)
        api = NbGraderAPI(directory, config=twin.config)
        return api.autograde(ASSIGNMENT, "ada")

    here = os.getcwd()
    result = asyncio.run(press())
    assert os.getcwd() == here
    assert result["success"], result
    assert scores(twin) == scores(class_)


def test_feedback_shows_the_table_and_no_script(class_):
    """The page has the properties and the score, and nothing of a learner that runs."""
    grade(class_.path)
    pages = {page.learner: page.path.read_text() for page in feedback(class_.path)}

    assert set(pages) == {"ada", "ben", "eva", "gita", "mallory"}
    assert "course-check" in pages["ada"]
    assert "could not be read: it is not JSON" in pages["gita"]
    assert "<script>alert" not in pages["mallory"]
    assert "NotImplementedError" in pages["ben"]


def test_export_quotes_formulas_and_adds_up_modules(class_):
    """A spreadsheet shows a name that looks like a formula as text."""
    (class_.path / "roster.csv").write_text(
        "learner,first_name,last_name,email\n"
        'ada,"=HYPERLINK(""http://x"")",+1,@a\n'
        "zoe,-Zoe,Quill,zoe@example.org\n"
    )
    grade(class_.path, learners=["ada"])
    written = export(class_.path)

    text = written.path.read_text()
    assert "\"'=HYPERLINK" in text
    assert ",'+1," in text
    assert ",'@a," in text
    assert ",'-Zoe," in text
    rows = {row["learner"]: row for row in written.rows}
    assert rows["ada"]["score"] == rows["ada"]["max_score"] > 0
    assert (rows["zoe"]["score"], rows["zoe"]["submitted"]) == (0, "")
    sums = {row["learner"]: row for row in written.module_rows}
    assert sums["ada"]["module"] == "m02_transformer"
    assert sums["ada"]["score"] == rows["ada"]["score"]
