"""A gradebook on a PostgreSQL server: the same rows as in SQLite, and one sentence a fault.

The server is Debian's; `server.py` says when these tests are skipped.
"""

import re
import shutil
import sys
from urllib.parse import quote

import nbformat
import psycopg
import pytest
from typer.testing import CliRunner

from autograder import gradebook as gradebooks
from autograder.errors import CourseError
from autograder.grading.export import export
from autograder.grading.feedback import feedback
from autograder.grading.folder import CourseFolder
from autograder.grading.grade import grade
from autograder.grading.init import init
from autograder.grading.record import Recorder
from autograder.grading.regrade import regrade
from autograder.grading.release import release
from autograder.grading.server import press
from course.cli import app
from tests.autograder.grading.server import PASSWORD, USER, Server, free_port
from tests.autograder.grading.test_nbgrader import nbgrader
from tests.autograder.grading.test_record import contents

ASSIGNMENT, LAB = "m02_lab1_self_attention", "lab1_self_attention"
LATE = '\nc.AssignLatePenalties.plugin_class = "autograder.grading.late.LatePenalty"\n'
CLASS = ("ada", "ben", "cleo", "dan")


@pytest.fixture(scope="module")
def server():
    """A running server."""
    with Server() as running:
        yield running


@pytest.fixture
def url(server):
    """An empty database of the test's own."""
    return server.new()


@pytest.fixture(scope="module")
def graded(made, tmp_path_factory):
    """A folder with an SQLite gradebook: a class, half of it late, is graded."""
    course = CourseFolder(shutil.copytree(made, tmp_path_factory.mktemp("sqlite") / "course"))
    with (course.path / "nbgrader_config.py").open("a") as file:
        file.write(LATE)
    (course.path / "roster.csv").write_text("learner,first_name\nzoe,Zoë\n")
    return course


@pytest.fixture(scope="module")
def class_(graded, answer, answers):
    """Put hand-ins of many kinds into it and grade them."""
    with graded.gradebook() as gradebook:
        gradebook.update_or_create_assignment(ASSIGNMENT, duedate="2026-01-10 09:00:00 UTC")
    released = graded.released(ASSIGNMENT)
    one = answer(released, causal_mask=answers["causal_mask"])
    for learner, notebook, hour in zip(
        CLASS, (answer(released), one, released, None), (8, 10, 11, 12), strict=True
    ):
        path = graded.submission(learner, ASSIGNMENT)
        path.parent.mkdir(parents=True)
        path.write_text(nbformat.writes(notebook) if notebook else "This is no notebook.")
        path.with_name("timestamp.txt").write_text(f"2026-01-10 {hour:02d}:00:00.000000 UTC\n")
    grade(graded.path, jobs=1)
    return graded


def moved(course, place, url):
    """Copy a folder and let its gradebook be elsewhere: nothing is graded there yet."""
    shutil.copytree(course.path, place)
    shutil.rmtree(place / "autograded")
    (place / "gradebook.db").unlink()
    with (place / "nbgrader_config.py").open("a") as file:
        file.write(f"\nc.CourseDirectory.db_url = {url!r}\n")
    return CourseFolder(place)


@pytest.fixture
def twin(class_, url, tmp_path, solutions, registry):
    """The same class over a database of the server; its results are still kept."""
    course = moved(class_, tmp_path / "twin", url)
    due = {ASSIGNMENT: "2026-01-10 09:00:00 UTC"}
    release(course.path, due=due, solutions=solutions, registry=registry)
    return course


def test_the_rows_equal_sqlites(class_, twin):
    """Scores, comments, penalties, times, names, the CSV; also regraded there and back."""
    rows = grade(twin.path, jobs=1).rows
    assert contents(twin.url) == contents(class_.url)
    assert export(twin.path).path.read_text() == export(class_.path).path.read_text()
    assert {row.late_penalty > 0 for row in rows} == {True, False}

    overrides = twin.path / "overrides.yaml"
    overrides.write_text(
        "- {exercise: m02_transformer.causal_mask, points: 4, author: Jane, reason: it is hard}"
    )
    moved = {each.learner: each.new - each.old for each in regrade(twin.path).changes}
    assert moved == {"ada": 2, "ben": 2, "cleo": 0, "dan": 0}
    overrides.unlink()
    regrade(twin.path)
    assert {row.state for row in grade(twin.path, jobs=1).rows} == {"unchanged", "unreadable"}
    assert contents(twin.url) == contents(class_.url)
    assert not (twin.path / "gradebook.db").exists()


def test_nbgrader_and_formgrader_write_the_same_rows(class_, twin):
    """`nbgrader autograde` for three, the button for one; then a person's score survives."""
    pressed = press(twin.path, ASSIGNMENT, "ben")
    assert pressed["success"], pressed
    shutil.rmtree(twin.path / "autograded" / "ben")
    done = nbgrader(twin, "autograde", ASSIGNMENT)
    assert done.returncode == 0, done.stderr
    assert contents(twin.url) == contents(class_.url)

    with twin.gradebook() as gradebook:
        found = gradebook.find_grade("check-causal_mask", LAB, ASSIGNMENT, "dan")
        found.manual_score = 1.5
        gradebook.db.commit()
    rows = {row.learner: row for row in grade(twin.path, jobs=1, again=True, learners=["dan"]).rows}
    assert rows["dan"].score == 1.5
    pages = feedback(twin.path)
    assert {page.learner for page in pages} == set(CLASS)


@pytest.mark.filterwarnings("ignore:Object of type .* not in session")
def test_a_folder_is_made_on_an_empty_database_and_on_its_own_tables(
    url, tmp_path, solutions, registry
):
    """The password stays in a file that nobody else reads; a second course is kept out."""
    for name in ("first", "second"):
        init(tmp_path / name, solutions, registry, db_url=url)
        assert CourseFolder(tmp_path / name).url == url
        assert (tmp_path / name / "nbgrader_config.py").stat().st_mode & 0o777 == 0o600
        assert not (tmp_path / name / "gradebook.db").exists()
    release(tmp_path / "first", solutions=solutions, registry=registry)
    with gradebooks.opened(url) as gradebook:
        gradebook.add_student("ada")
        gradebook.add_submission(ASSIGNMENT, "ada")
    with pytest.raises(CourseError, match=f"hand-ins of another course folder .{ASSIGNMENT}.") as e:
        init(tmp_path / "third", solutions, registry, db_url=url)

    assert PASSWORD not in str(e.value)
    assert not (tmp_path / "third").exists()


def test_a_database_that_lost_its_tables_is_one_sentence(twin, server):
    """`course release` is the next step, and it works."""
    with twin.gradebook() as gradebook:
        gradebook.remove_assignment(ASSIGNMENT)
    for command in (grade, export):
        with pytest.raises(CourseError, match="does not know m02_lab1.*run `course release`"):
            command(twin.path)


def test_the_password_may_lie_in_pgpass(url, server, tmp_path, monkeypatch):
    """PostgreSQL's own file, which nobody else may read; without it, one sentence."""
    bare = url.replace(quote(PASSWORD, safe=""), "").replace(":@", "@")
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    with pytest.raises(CourseError, match="no password supplied. Put the password into ~/.pgpass"):
        gradebooks.create(bare)
    secret = PASSWORD.replace(":", r"\:")
    (tmp_path / "pgpass").write_text(f"127.0.0.1:{server.port}:*:{USER}:{secret}\n")
    (tmp_path / "pgpass").chmod(0o600)
    with gradebooks.opened(bare) as gradebook:
        assert gradebook.students == []


def test_tables_of_another_nbgrader_are_left_alone(url, server):
    """A version that is not this nbgrader's is for its own command."""
    gradebooks.create(url)
    database = url.rpartition("/")[2]
    server.ask("UPDATE alembic_version SET version_num = '0'", database)
    with pytest.raises(CourseError, match="run `nbgrader db upgrade`"):
        gradebooks.create(url)


FAULTS = {
    "a wrong password": "password authentication failed for user .jane.*Check the user",
    "no such database": 'database "nowhere" does not exist.*Make that database',
    "a server that is down": "Connection refused.*Start the server",
    "no driver": r"needs the package psycopg: install it with .*\[postgresql\]",
    "no address": "write it as postgresql://",
    "another kind": "write it as postgresql://",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_sentence(server, fault, tmp_path, made, monkeypatch):
    """At the command line, without the password, and no folder is half-made."""
    address = {
        "a wrong password": server.url("postgres", "another s3cret"),
        "no such database": server.url("nowhere"),
        "a server that is down": server.url("x").replace(str(server.port), str(free_port())),
        "no driver": server.url("postgres"),
        "no address": f"postgresql://{USER}:s3cret@host:port/x",
        "another kind": f"oracle://{USER}:s3cret@host/x",
    }[fault]
    if fault == "no driver":
        monkeypatch.setitem(sys.modules, "psycopg", None)
    course = shutil.copytree(made, tmp_path / "course")
    with (course / "nbgrader_config.py").open("a") as file:
        file.write(f"\nc.CourseDirectory.db_url = {address!r}\n")
    before = sorted(tmp_path.rglob("*"))
    for command in (
        ["init", str(tmp_path / "new"), "--db-url", address],
        *([name, str(course)] for name in ("release", "grade", "export", "feedback")),
    ):
        told = CliRunner().invoke(app, command)
        assert told.exit_code == 1, told.output
        assert re.search(FAULTS[fault], told.output), told.output
        assert told.output.count("\n") == 1
        assert "s3cret" not in told.output
        assert "Traceback" not in told.output
    left = set(tmp_path.rglob("*")) - set(before)
    assert {path.name for path in left} <= {".grading.lock"}


def test_a_broken_line_and_a_server_that_stops_leave_whole_grades(class_, twin, server):
    """One is mended, one ends the run; what is recorded stays, and the next run does the rest."""
    database = twin.url.rpartition("/")[2]
    broken = []

    def disturb(row, done, total):
        if done == 1:
            broken.extend(server.disconnect(database))
        elif done == 2:
            server.stop()

    try:
        with pytest.raises(CourseError, match="Connection refused.*Start the server") as told:
            grade(twin.path, jobs=1, progress=disturb)
    finally:
        server.stop()  # where it was not reached above
        server.start()
    assert broken
    assert PASSWORD not in str(told.value)
    assert len(list((twin.path / "autograded").glob("*/*/*.ipynb"))) == 2
    with twin.gradebook() as gradebook:
        assert len(gradebook.find_assignment(ASSIGNMENT).submissions) == 2

    grade(twin.path, jobs=1)
    assert contents(twin.url) == contents(class_.url)


@pytest.mark.parametrize("table", ["alembic_version", "grade"])
def test_a_locked_table_is_one_sentence(twin, table, monkeypatch):
    """Another program's lock is waited for, and not for ever."""
    monkeypatch.setitem(gradebooks.PATIENCE, "options", "-c lock_timeout=200")
    with psycopg.connect(twin.url) as connection:
        connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        with pytest.raises(CourseError, match=r"gradebook postgresql://jane:.* is locked"):
            grade(twin.path, jobs=1)
    assert not list((twin.path / "autograded").glob("*/*"))
    with twin.gradebook() as gradebook:
        assert {student.id for student in gradebook.students} <= {"zoe"}


def test_two_programs_that_add_the_same_learner_both_go_on(twin):
    """nbgrader's own commands hold no lock of ours: the second one writes once more."""
    rows = grade(twin.path, jobs=1, learners=["ada"]).rows
    notebook = twin.path / "autograded" / "ada" / ASSIGNMENT / f"{LAB}.ipynb"
    graded = nbformat.read(notebook, as_version=4)
    with Recorder(twin) as one:
        add = one.gradebook.add_student

        def late(learner):
            with twin.gradebook() as other:
                other.add_student(learner)
            one.gradebook.add_student = add
            return add(learner)

        one.gradebook.add_student = late
        shutil.copytree(
            twin.submission("ada", ASSIGNMENT).parent, twin.submission("eva", ASSIGNMENT).parent
        )
        one.record("eva", ASSIGNMENT, graded)
        assert one.numbers("eva", ASSIGNMENT)[0] == rows[0].score
