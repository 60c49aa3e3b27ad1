"""What `course grade` records is what nbgrader's own autograder records with our preprocessors."""

import shutil

import nbformat
import sqlalchemy
from nbgrader.api import SubmittedAssignment, SubmittedNotebook

from autograder.grading.folder import CourseFolder
from autograder.grading.grade import grade
from tests.autograder.grading.test_nbgrader import nbgrader

ASSIGNMENT, LAB = "m02_lab1_self_attention", "lab1_self_attention"
IDS = ("id", "_id")


def contents(url):
    """Return the rows of a gradebook's tables, without the random ids that join them."""
    engine = sqlalchemy.create_engine(url)
    meta = sqlalchemy.MetaData()
    meta.reflect(engine)
    found = {}
    with engine.connect() as connection:
        for table in meta.sorted_tables:
            rows = []
            for row in connection.execute(table.select()).mappings():
                kept = {k: v for k, v in row.items() if not k.endswith(IDS) or k == "student_id"}
                rows.append(sorted((k, str(v)) for k, v in kept.items()))
            found[table.name] = sorted(rows)
    engine.dispose()
    return found


def test_the_gradebook_and_the_notebooks_equal_nbgraders(
    course, released, answer, answers, hand_in, tmp_path
):
    """Scores, comments, late penalties, times and what is in `autograded/`."""
    with (course.path / "nbgrader_config.py").open("a") as file:
        plugin = "autograder.grading.late.LatePenalty"
        file.write(f"\nc.AssignLatePenalties.plugin_class = {plugin!r}\n")
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment(ASSIGNMENT, duedate="2026-01-10 09:00:00 UTC")
    hand_in("ada", answer(released))
    hand_in("ben", answer(released, causal_mask=answers["causal_mask"]))
    late = hand_in("cleo", answer(released), when="2026-01-09 10:00:00.000000 UTC")
    late.with_name("data.csv").write_text("a,b\n1,2\n")
    hand_in("dan", "This is no notebook.")
    other = CourseFolder(shutil.copytree(course.path, tmp_path / "other"))

    grade(course.path)
    done = nbgrader(other, "autograde", ASSIGNMENT)
    assert done.returncode == 0, done.stderr

    assert contents(course.url) == contents(other.url)
    for learner in ("ada", "ben", "cleo", "dan"):
        mine, theirs = (
            folder.path / "autograded" / learner / ASSIGNMENT for folder in (course, other)
        )
        assert sorted(p.name for p in mine.iterdir()) == sorted(p.name for p in theirs.iterdir())
        a, b = (nbformat.read(place / f"{LAB}.ipynb", as_version=4) for place in (mine, theirs))
        assert a == b


def test_a_failure_in_the_middle_leaves_the_old_grade(
    course, released, answer, hand_in, monkeypatch
):
    """Neither the gradebook nor the folder is half-written, and the next run records it."""
    hand_in("ada", released)
    grade(course.path)
    hand_in("ada", answer(released), when="2026-01-11 10:00:00.000000 UTC")
    place = course.path / "autograded" / "ada" / ASSIGNMENT / f"{LAB}.ipynb"
    before = place.read_bytes()

    def broken(*arguments):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("autograder.grading.record._copy_files", broken)
        grades = grade(course.path)
    assert "Input/output error" in grades.problems[0]
    assert place.read_bytes() == before
    assert [path.name for path in place.parent.parent.iterdir()] == [ASSIGNMENT]

    grades = grade(course.path)
    assert grades.rows[0].state == "graded"
    assert grades.rows[0].score == grades.rows[0].max_score


def test_no_grade_is_looked_for_among_everybodys(course):
    """What a class of thousands asks for at each submission reads that submission's rows alone."""
    with course.gradebook() as gradebook:
        for column in (SubmittedAssignment.score, SubmittedNotebook.needs_manual_grade):
            asked = gradebook.db.query(column).filter(column.class_.id == "x").statement
            text = asked.compile(compile_kwargs={"literal_binds": True})
            plan = gradebook.db.execute(sqlalchemy.text(f"EXPLAIN QUERY PLAN {text}")).all()
            steps = [step for *_, step in plan]
            assert any("course_" in step for step in steps)
            assert not [step for step in steps if step.startswith("SCAN") and "CONST" not in step]
