"""Making a course folder, and releasing without moving grades."""

import shutil

import nbformat
import pytest

from autograder.errors import CourseError
from autograder.grading.folder import CourseFolder
from autograder.grading.grade import grade
from autograder.grading.init import init
from autograder.grading.release import release

ASSIGNMENT, LAB = "m02_lab1_self_attention", "lab1_self_attention"


@pytest.fixture
def again(solutions, registry, tmp_path):
    """A copy of the sources, to change, and the function that releases from them."""
    shutil.copytree(solutions, tmp_path / "solutions")
    path = tmp_path / "solutions" / "m02_transformer" / f"{LAB}.py"

    def run(course, **options):
        return release(course.path, solutions=tmp_path / "solutions", registry=registry, **options)

    return path, run


def submit(course, released, hand_in):
    """Hand in and grade one submission."""
    hand_in("ada", released)
    grade(course.path)


def test_a_course_folder_is_whole(made):
    """Sources, configuration, gradebook, roster, inbox, and a key that nobody else reads."""
    names = sorted(path.name for path in made.iterdir())

    assert names == sorted(
        ["nbgrader_config.py", "roster.csv", "grading.key", "gradebook.db", "exchange", "inbox",
         "source", "release", "releases", "submitted"]
    )  # fmt: skip
    assert (made / "grading.key").stat().st_mode & 0o777 == 0o600
    source = made / "source" / ASSIGNMENT
    assert [path.name for path in source.iterdir()] == [f"{LAB}.ipynb"]
    assert "BEGIN SOLUTION" in (source / f"{LAB}.ipynb").read_text()


@pytest.mark.parametrize(
    ("where", "says"),
    [("full", "is not empty"), ("file", "is not a folder"), ("repository", "own repository")],
)
def test_a_bad_place_is_refused_and_untouched(
    tmp_path, solutions, registry, where, says, pytestconfig
):
    """One sentence, and nothing half-made."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    place = pytestconfig.rootpath / "grades" if where == "repository" else tmp_path / where
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(CourseError, match=says):
        init(place, solutions, registry)

    assert sorted(tmp_path.rglob("*")) == before
    assert not (pytestconfig.rootpath / "grades").exists()


def test_a_mistake_in_a_source_leaves_no_folder(tmp_path, solutions, again, registry):
    """Nothing is half-written."""
    path, _ = again
    path.write_text(path.read_text().replace("### END SOLUTION", "", 1))
    with pytest.raises(CourseError, match="without an `END SOLUTION`"):
        init(tmp_path / "new", path.parents[1], registry)

    assert not (tmp_path / "new").exists()
    assert not list(tmp_path.glob(".new*"))


def test_an_empty_folder_is_filled(tmp_path, solutions, registry):
    """An empty folder that exists is fine."""
    (tmp_path / "empty").mkdir()
    assert init(tmp_path / "empty", solutions, registry).assignments == [ASSIGNMENT]


def test_a_release_has_no_solution_and_is_kept_under_its_name(course, released):
    """`releases/` holds each release, so that a submission is graded by its own."""
    name = released.metadata.course.release

    assert "SOLUTION" not in nbformat.writes(released)
    assert course.released(ASSIGNMENT, name) == released
    assert course.released(ASSIGNMENT, "../../../etc/passwd") == released


def test_due_dates_are_kept_in_utc(course, again):
    """A date without a zone is local; a bad one is one sentence."""
    _, run = again
    assert run(course, due={ASSIGNMENT: "2026-03-01 18:00 UTC"})[0].due == "2026-03-01 18:00 UTC"
    assert run(course)[0].due == "2026-03-01 18:00 UTC"
    assert run(course, due={ASSIGNMENT: "2026-03-01T18:00+02:00"})[0].due.endswith("16:00 UTC")
    assert run(course, due={ASSIGNMENT: None})[0].due == ""
    with pytest.raises(CourseError, match="'soon' is not a due date"):
        run(course, due={ASSIGNMENT: "soon"})


def test_a_changed_text_is_released_and_old_submissions_keep_theirs(
    course, again, released, answer, hand_in
):
    """A new release says that it changed; a submission of the old one is graded by the old."""
    submit(course, answer(released), hand_in)
    path, run = again
    path.write_text(path.read_text().replace("# Write `causal_mask`.", "# Write the mask."))
    assert run(course)[0].newer
    row = run(course, refresh=True)[0]

    assert (row.state, row.newer) == ("changed", False)
    assert row.release != released.metadata.course.release
    assert grade(course.path).rows[0].state == "unchanged"


def test_a_release_that_would_move_grades_is_refused(course, again, released, hand_in):
    """An added cell breaks nbgrader; changed points need a yes. Nothing is written meanwhile."""
    submit(course, released, hand_in)
    _, run = again
    source = course.path / "source" / ASSIGNMENT / f"{LAB}.ipynb"
    notebook = nbformat.read(source, as_version=4)
    check = next(c for c in notebook.cells if c.id == "check-causal_mask")
    points = check.metadata.nbgrader.points
    check.metadata.nbgrader.points = points + 1
    nbformat.write(notebook, source)
    before = (course.path / "release" / ASSIGNMENT / f"{LAB}.ipynb").read_bytes()
    says = f"has 1 submissions and this release changes their points .check-causal_mask {points:g}"
    with pytest.raises(CourseError, match=says):
        run(course)
    notebook.cells.remove(check)
    nbformat.write(notebook, source)
    with pytest.raises(CourseError, match="adds or removes graded cells .check-causal_mask"):
        run(course, yes=True)

    assert (course.path / "release" / ASSIGNMENT / f"{LAB}.ipynb").read_bytes() == before


def test_an_unknown_assignment_is_one_sentence(course, again):
    """The sentence names what there is."""
    _, run = again
    with pytest.raises(CourseError, match=f'no assignment "m02_lab9"; there are {ASSIGNMENT}'):
        run(course, names=["m02_lab9"])
    shutil.rmtree(course.path / "release")
    with pytest.raises(CourseError, match="Nothing is released"):
        CourseFolder(course.path).chosen()
