"""A quiz is graded from the answers in the notebook, whatever state the notebook is in."""

import copy
import shutil

import nbformat
import pytest
from bs4 import BeautifulSoup

from autograder.build.assignments import SOLUTIONS
from autograder.grading.demo import quiz_answers
from autograder.grading.feedback import feedback
from autograder.grading.folder import CourseFolder
from autograder.grading.grade import grade
from autograder.grading.init import init
from autograder.grading.regrade import regrade
from autograder.grading.release import release
from autograder.quiz.bank import find
from autograder.quiz.plain import unmarked

SLUG, ASSIGNMENT = "m02_transformer", "m02_quiz"


@pytest.fixture(scope="module")
def made(tmp_path_factory, registry):
    """A course folder whose only assignment is the quiz."""
    root = tmp_path_factory.mktemp("quiz")
    (root / "solutions" / SLUG).mkdir(parents=True)
    for name in ("quiz.yaml", "quiz_keys.py"):
        shutil.copy(SOLUTIONS / SLUG / name, root / "solutions" / SLUG)
    init(root / "course", root / "solutions", registry)
    release(root / "course", solutions=root / "solutions", registry=registry)
    return root / "course"


def put(course, learner, notebook):
    """Hand in a quiz."""
    path = course.submission(learner, ASSIGNMENT)
    path.parent.mkdir(parents=True)
    path.write_text(nbformat.writes(notebook))


def answer_cell(notebook, item):
    """Return the answer cell of an item."""
    return next(c for c in notebook.cells if c.id == f"{item}-answer")


def test_records_lines_and_damaged_notebooks_earn_the_same(course):
    """All answers right: by widget, in writing, and after the cells were mixed up."""
    mixed = quiz_answers(course, "cleo", 1.0)
    mixed.cells = [c for c in mixed.cells[::-1] if "recorded" not in c.source]
    for cell in mixed.cells:
        cell.metadata = {}
    moved = quiz_answers(course, "dan", 1.0)
    moved.cells.append(copy.deepcopy(answer_cell(moved, "q01")))
    moved.cells[-1].id, moved.cells[-1].metadata = "elsewhere", {}
    answer_cell(moved, "q01").outputs = []
    put(course, "ada", quiz_answers(course, "ada", 1.0))
    put(course, "ben", quiz_answers(course, "ben", 1.0, written=True))
    put(course, "cleo", mixed)
    put(course, "dan", moved)
    put(course, "eva", course.released(ASSIGNMENT))
    rows = {row.learner: row for row in grade(course.path).rows}

    full = find(SLUG).points
    assert {name: row.score for name, row in rows.items()} == {
        "ada": full, "ben": full, "cleo": full, "dan": full, "eva": 0,
    }  # fmt: skip
    assert rows["ada"].notes == rows["ben"].notes == rows["eva"].notes == []


def test_numbers_of_another_learner_are_flagged(course):
    """A copied notebook carries the other's name and numbers."""
    put(course, "ada", quiz_answers(course, "ben", 1.0))
    notes = grade(course.path).rows[0].notes

    assert notes
    assert all("The numbers are those of ben, not of ada" in note for note in notes)


def test_words_of_a_learner_are_words_in_notes(course):
    """What a record and a line hold stands in remarks, in comments and above the cells."""
    picture = "![x](//evil.example/t)\x1b[2J"
    notebook = quiz_answers(course, "ben", 1.0)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for made in output.get("data", {}).values():
                if isinstance(made, dict):
                    made["learner"] = picture + "x" * 60
    answer_cell(notebook, "q01").source = f'quiz.answer("q01", {picture!r})'
    put(course, "ada", notebook)
    notes = grade(course.path).rows[0].notes

    assert any("is not an option" in note for note in notes)
    assert any("The numbers are those of ![x](//evil.example/t)" in note for note in notes)
    assert all(note.isprintable() and len(note) < 300 for note in notes)
    (written,) = feedback(course.path)
    page = BeautifulSoup(written.path.read_text(), "html.parser")
    assert "evil.example" in page.get_text()
    assert page.select("[src*='evil.example'], [href*='evil.example']") == []


def test_overrides_of_a_quiz(course):
    """An answer that counts too, an item taken out, and the numbers of one learner alone."""
    wrong = quiz_answers(course, "ada", 1.0, written=True)
    answer_cell(wrong, "q01").source = 'quiz.answer("q01", "b")'
    put(course, "ada", wrong)
    put(course, "ben", quiz_answers(course, "ben", 1.0))
    full, entry = find(SLUG).points, "- exercise: m02_transformer.quiz.{}\n  {}\n{}"
    assert {row.learner: row.score for row in grade(course.path, jobs=1).rows} == {
        "ada": full - 1, "ben": full,
    }  # fmt: skip
    by = "  author: Jane Doe\n  reason: b is right too\n"
    (course.path / "overrides.yaml").write_text(
        entry.format("q01", "accept: b", by) + entry.format("q02", "points: 0", by)
    )
    done = {change.learner: change for change in regrade(course.path).changes}

    assert (done["ada"].new, done["ada"].new_max) == (full - 2, full - 2)
    assert (done["ben"].new, done["ben"].new_max) == (full - 2, full - 2)
    pages = {page.learner: page.path.read_text() for page in feedback(course.path)}
    texts = {name: BeautifulSoup(page, "html.parser").get_text() for name, page in pages.items()}
    assert "1 of 1 points. Your answer: b." in texts["ada"]
    assert "Accepted by Jane Doe: b is right too." in texts["ada"]
    assert "Accepted by Jane Doe" not in texts["ben"]
    assert all("Set to 0 points by Jane Doe" in text for text in texts.values())
    with course.gradebook() as gradebook:
        grades = gradebook.find_submission_notebook("quiz", ASSIGNMENT, "ada").grades
        assert {g.name: g.auto_score for g in grades if g.name in ("q01", "q02")} == {
            "q01": 1, "q02": 0,
        }  # fmt: skip


def test_feedback_explains_and_no_learner_code_runs(course, tmp_path):
    """The graded cells hold score and explanation; a quiz starts no kernel."""
    notebook = quiz_answers(course, "ada", 1.0)
    trace = tmp_path / "ran"
    notebook.cells.append(nbformat.v4.new_code_cell(f"open({str(trace)!r}, 'w')"))
    put(course, "ada", notebook)
    grade(course.path)

    path = course.path / "autograded" / "ada" / ASSIGNMENT / "quiz.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    graded = [c for c in cells if c.metadata.get("nbgrader", {}).get("grade")]
    assert not trace.exists()
    for cell in graded:
        shown, score = cell.outputs
        assert float(score.data["text/plain"]) == cell.metadata.nbgrader.points
        assert len(shown.data["text/html"]) > 50


def test_the_page_shows_each_option_once(course):
    """The folded sources stay out, and every score stays."""
    put(course, "ada", quiz_answers(course, "ada", 1.0))
    grade(course.path)
    (written,) = feedback(course.path)
    page = BeautifulSoup(written.path.read_text(), "html.parser")
    text, bank = page.find(id="notebook").get_text(), find(SLUG)

    assert "quiz." not in text
    for option in bank.item("q01").question.options.values():
        assert text.count(unmarked(option)) == 1
    for item in bank.items:
        heading = page.find(attrs={"name": item.id}).find_next(class_="panel-heading")
        assert f"{item.points:.1f} / {item.points:.1f}" in heading.get_text()


@pytest.fixture
def course(made, tmp_path):
    """A course folder of the test's own."""
    shutil.copytree(made, tmp_path / "course")
    return CourseFolder(tmp_path / "course")
