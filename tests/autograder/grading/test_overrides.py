"""`overrides.yaml`: the checks' word is not the last one, and nobody's code runs again for it."""

import shutil

import nbformat
import pytest
from bs4 import BeautifulSoup
from typer.testing import CliRunner

from autograder.errors import CourseError
from autograder.grading.export import export
from autograder.grading.feedback import feedback
from autograder.grading.folder import CourseFolder
from autograder.grading.grade import grade
from autograder.grading.overrides import load
from autograder.grading.regrade import regrade
from autograder.grading.release import release
from autograder.grading.server import press
from course.cli import app
from tests.autograder.grading.test_nbgrader import nbgrader
from tests.autograder.grading.test_record import contents

ASSIGNMENT, LAB = "m02_lab1_self_attention", "lab1_self_attention"
CLASS = ("ada", "ben", "cleo", "dora", "gita")
CASE = "a_fully_masked_row_stays_finite"
SOFTMAX = """def masked_softmax(scores, mask=None):
    scores = np.asarray(scores)
    if mask is not None:
        scores = np.where(np.asarray(mask), scores, -np.inf)  # nan where all are hidden
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return scores / scores.sum(axis=-1, keepdims=True)"""
UNSCALED = """def attention_scores(query, key):
    return np.asarray(query) @ np.swapaxes(np.asarray(key), -1, -2)"""
SAME = '''def masked_softmax( scores, mask = None ):
    """Another docstring."""

    scores = np.asarray(scores)
    if mask is not None: scores = np.where(np.asarray(mask), scores, -np.inf)
    scores = np.exp(
        scores - scores.max(axis=-1, keepdims=True),
    )
    return scores / scores.sum(axis=-1, keepdims=True)
'''
BY = "  author: Jane Doe\n  reason: the text was ambiguous\n"
SAYS = "by Jane Doe: the text was ambiguous."
DROP = f"- exercise: m02_transformer.masked_softmax\n  drop: {CASE}\n{BY}"
POINTS = f"- exercise: m02_transformer.causal_mask\n  points: 4\n{BY}"
CODE = "".join(f"    {line}\n" for line in SAME.splitlines())
ACCEPT = f"- exercise: m02_transformer.masked_softmax\n  accept: |\n{CODE}{BY}"
LEARNER = f"- exercise: m02_transformer.masked_softmax\n  accept: ben\n{BY}"


@pytest.fixture(scope="module")
def graded(made, tmp_path_factory, answer, answers):
    """A graded class: right, one case wrong, nothing written, a misconception, unreadable."""
    course = CourseFolder(shutil.copytree(made, tmp_path_factory.mktemp("class") / "course"))
    with (course.path / "nbgrader_config.py").open("a") as file:
        plugin = "autograder.grading.late.LatePenalty"
        file.write(f"\nc.AssignLatePenalties.plugin_class = {plugin!r}\n")
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment(ASSIGNMENT, duedate="2026-01-10 09:00:00 UTC")
    released = course.released(ASSIGNMENT)
    wrong = answer(released, **answers | {"masked_softmax": SOFTMAX})
    unscaled = answer(released, **answers | {"attention_scores": UNSCALED})
    notebooks = (answer(released), wrong, released, unscaled, None)
    for learner, notebook in zip(CLASS, notebooks, strict=True):
        hand_in(course, learner, nbformat.writes(notebook) if notebook else "no notebook")
    grade(course.path, jobs=1)
    return course


def hand_in(course, learner, text):
    """Put a submission where collection puts it, an hour late."""
    path = course.submission(learner, ASSIGNMENT)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.with_name("timestamp.txt").write_text("2026-01-10 10:00:00.000000 UTC\n")


@pytest.fixture
def course(graded, tmp_path):
    """The graded class, to change."""
    return CourseFolder(shutil.copytree(graded.path, tmp_path / "course"))


def decide(course, text):
    """Write the file."""
    (course.path / "overrides.yaml").write_text(text)


def rows(course):
    """Return what `course export` says: learner to score before lateness and maximum."""
    found = export(course.path).rows
    return {row["learner"]: (row["raw_score"], row["max_score"]) for row in found}


def moves(regraded):
    """Return the changes, by learner."""
    return {c.learner: (c.old, c.old_max, c.new, c.new_max) for c in regraded.changes}


def test_a_dropped_case_costs_nobody_points_and_says_so(course):
    """A dry run writes nothing; a second run changes nothing; taken back, all is as before."""
    before = contents(course.url)
    assert rows(course) == {
        "ada": (14, 14), "ben": (13, 14), "cleo": (0, 14), "dora": (11, 14), "gita": (0, 14),
    }  # fmt: skip
    decide(course, DROP)
    files = sorted(course.path.rglob("*"))
    expected = {"ben": (13, 14, 14, 14), "cleo": (0, 14, 1, 14)}
    dry = regrade(course.path, dry_run=True)
    assert moves(dry) == expected
    assert contents(course.url) == before
    assert sorted(course.path.rglob("*")) == files

    done = regrade(course.path)
    assert moves(done) == expected
    reasons = {tuple(change.reasons) for change in done.changes}
    assert reasons == {("Jane Doe: the text was ambiguous (masked_softmax)",)}
    assert {learner: score for learner, (score, _) in rows(course).items()} == {
        "ada": 14, "ben": 14, "cleo": 1, "dora": 11, "gita": 0,
    }  # fmt: skip
    pages = {page.learner: page.path.read_text() for page in feedback(course.path)}
    for learner in ("ada", "ben", "cleo"):
        assert f"Dropped {SAYS}" in BeautifulSoup(pages[learner], "html.parser").get_text()
    with course.gradebook() as gradebook:
        comment = gradebook.find_comment("masked_softmax", LAB, ASSIGNMENT, "ben").auto_comment
    assert f"dropped {SAYS}" in comment

    assert not regrade(course.path).changes
    assert {row.state for row in grade(course.path).rows} == {"unchanged", "unreadable"}
    (course.path / "overrides.yaml").unlink()
    assert moves(regrade(course.path)) == {k: v[2:] + v[:2] for k, v in expected.items()}
    assert contents(course.url) == before


def test_points_move_the_maximum_for_everybody(course, solutions, registry):
    """Scores scale, the late penalty follows, a release keeps it, and it can be taken back."""
    before = contents(course.url)
    decide(course, POINTS)
    assert moves(regrade(course.path)) == {
        "ada": (14, 14, 16, 16), "ben": (13, 14, 15, 16), "cleo": (0, 14, 0, 16),
        "dora": (11, 14, 13, 16), "gita": (0, 14, 0, 16),
    }  # fmt: skip
    assert rows(course)["ada"] == (16, 16)
    penalties = {row["learner"]: row["late_penalty"] for row in export(course.path).rows}
    assert penalties["ada"] == 1.6
    (row,) = release(course.path, solutions=solutions, registry=registry)
    assert (row.state, row.points) == ("unchanged", 16)
    (page,) = [page for page in feedback(course.path) if page.learner == "ada"]
    text = BeautifulSoup(page.path.read_text(), "html.parser").get_text()
    assert "causal_mask: 4 of 4 points." in text
    assert f"Set to 4 points {SAYS}" in text

    decide(course, "")
    regrade(course.path)
    assert contents(course.url) == before


def test_points_reach_those_who_are_not_graded_again(course, answer):
    """Where one is graded, everybody's maximum moves, and the scores with it."""
    decide(course, POINTS)
    grade(course.path, learners=["cleo"], jobs=1)
    assert rows(course) == {
        "ada": (16, 16), "ben": (15, 16), "cleo": (0, 16), "dora": (13, 16), "gita": (0, 16),
    }  # fmt: skip
    penalties = {row["learner"]: row["late_penalty"] for row in export(course.path).rows}
    assert penalties["ada"] == 1.6


@pytest.mark.parametrize("entry", [ACCEPT, LEARNER], ids=["code", "learner"])
def test_an_accepted_answer_earns_everything(course, entry):
    """The same code does, however it is laid out; other code does not."""
    decide(course, entry)
    assert moves(regrade(course.path)) == {"ben": (13, 14, 14, 14)}
    with course.gradebook() as gradebook:
        comment = gradebook.find_comment("masked_softmax", LAB, ASSIGNMENT, "ben").auto_comment
        other = gradebook.find_comment("masked_softmax", LAB, ASSIGNMENT, "ada").auto_comment
    assert f"Accepted {SAYS}" in comment
    assert not other


def test_an_accepted_answer_is_no_misconception_any_more(course):
    """Neither the feedback nor the notes name it; taken back, they do."""

    def told():
        page = next(p for p in feedback(course.path, learners=["dora"]))
        with course.gradebook() as gradebook:
            found = gradebook.find_comment("attention_scores", LAB, ASSIGNMENT, "dora")
            return page.path.read_text().count("did not divide"), found.auto_comment

    before = told()
    assert before[0]
    assert "did not divide" in before[1]
    decide(course, LEARNER.replace("masked_softmax", "attention_scores").replace("ben", "dora"))
    assert moves(regrade(course.path)) == {"dora": (11, 14, 14, 14)}
    assert told() == (0, f"Accepted {SAYS}")
    decide(course, "")
    regrade(course.path)
    assert told() == before


def test_a_learners_answer_is_the_one_that_was_accepted(course, answer, answers):
    """What they hand in later is not accepted unseen; a dry run does not settle which it is."""
    decide(course, LEARNER)
    regrade(course.path, dry_run=True)
    assert not (course.path / "accepted").exists()
    (first,) = load(course).entries
    assert (course.path / "accepted" / "m02_transformer.masked_softmax.ben.py").is_file()
    later = answer(course.released(ASSIGNMENT), **answers | {"masked_softmax": SOFTMAX + "\n    a"})
    hand_in(course, "ben", nbformat.writes(later))
    assert load(course).entries[0].answer == first.answer


def test_one_learner_alone(course):
    """`learner` limits an entry, and `course grade` writes only what an entry touches."""
    decide(course, DROP + "  learner: ben\n")
    states = {row.learner: (row.state, row.score) for row in grade(course.path, jobs=1).rows}
    assert states == {
        "ada": ("unchanged", 14), "ben": ("graded", 14), "cleo": ("unchanged", 0),
        "dora": ("unchanged", 11), "gita": ("unreadable", 0),
    }  # fmt: skip


def test_a_persons_scores_and_comments_stay(course):
    """They count as before; where one is above the new maximum, it is pointed out."""
    with course.gradebook() as gradebook:
        found = gradebook.find_grade("check-masked_softmax", LAB, ASSIGNMENT, "ben")
        found.manual_score, found.extra_credit = 2.5, 0.5
        gradebook.find_comment("masked_softmax", LAB, ASSIGNMENT, "ben").manual_comment = "Well."
        gradebook.db.commit()
    decide(
        course, DROP + POINTS + POINTS.replace("causal_mask", "masked_softmax").replace("4", "2")
    )
    done = regrade(course.path)
    assert moves(done)["ben"] == (12, 14, 14, 13)
    assert done.remarks == [
        f"ben, {ASSIGNMENT}: a person gave 2.5 points for check-masked_softmax, "
        "which is worth 2 now; look at it in formgrader."
    ]
    assert rows(course)["ben"] == (14, 13)
    with course.gradebook() as gradebook:
        found = gradebook.find_grade("check-masked_softmax", LAB, ASSIGNMENT, "ben")
        assert (found.manual_score, found.extra_credit, found.auto_score) == (2.5, 0.5, 2)
        comment = gradebook.find_comment("masked_softmax", LAB, ASSIGNMENT, "ben")
        assert comment.comment == "Well."


@pytest.mark.parametrize("way", ["nbgrader autograde", "the button, then course grade"])
def test_every_way_of_grading_honours_them(course, tmp_path, way):
    """The rows and the notebooks equal those of `course regrade`."""
    other = CourseFolder(shutil.copytree(course.path, tmp_path / "other"))
    for each in (course, other):
        decide(each, DROP + POINTS + LEARNER)
    regrade(course.path)
    shutil.rmtree(other.path / "autograded")
    if way.startswith("the button"):
        assert press(other.path, ASSIGNMENT, "ben")["success"]
        grade(other.path, jobs=1)
    else:
        done = nbgrader(other, "autograde", ASSIGNMENT)
        assert done.returncode == 0, done.stderr
    assert contents(other.url) == contents(course.url)
    for learner in CLASS:
        place = f"autograded/{learner}/{ASSIGNMENT}/{LAB}.ipynb"
        mine, theirs = (nbformat.read(f.path / place, as_version=4) for f in (course, other))
        assert mine.metadata.course == theirs.metadata.course
        assert mine == theirs


def test_the_readmes_example_can_be_used(course, pytestconfig):
    """Its exercises, cases and quiz items exist."""
    readme = (pytestconfig.rootpath / "README.md").read_text()
    example = readme.partition("```yaml\n- exercise:")[2].partition("```")[0]
    decide(course, "- exercise:" + example.replace("accept: mia", "accept: ada"))
    assert [entry.kind for entry in load(course).entries] == ["drop", "points", "accept", "accept"]


def test_what_cannot_be_regraded_is_left_alone(course):
    """A newer hand-in, and a result that is gone: one sentence each, and the old grade."""
    before = contents(course.url)
    decide(course, DROP)
    late = course.submission("ben", ASSIGNMENT).with_name("timestamp.txt")
    late.write_text("2026-01-11 10:00:00.000000 UTC\n")
    for path in (course.path / "results").iterdir():
        path.unlink()
    done = regrade(course.path)
    assert f"ben, {ASSIGNMENT}: the hand-in is not the one that was graded" in done.problems[1]
    assert f"cleo, {ASSIGNMENT}: its result is no longer kept" in done.problems[2]
    assert done.exit_code == 1
    assert contents(course.url) == before


def test_the_command_prints_who_and_why(course):
    """A table: the learner, the score before and after, the author and the reason."""
    decide(course, DROP)
    command = ["regrade", str(course.path), "--dry-run"]
    told = CliRunner().invoke(app, command, env={"COLUMNS": "150"})
    assert told.exit_code == 0, told.output
    line = next(line for line in told.output.splitlines() if line.strip().startswith("ben"))
    assert "13 of 14" in line
    assert "14 of 14" in line
    assert "Jane Doe: the text was ambiguous" in line
    assert "ada" not in told.output


SOFT = "m02_transformer.masked_softmax"
MISTAKES = {
    "drop: x": (r"no case `x`; it has without_a_mask", SOFT),
    "drop: 3": (r"`drop` must be text", SOFT),
    "points: -1": (r"`points` is -1: .*greater than or equal to 0", SOFT),
    "points: .nan": (r"`points` is nan", SOFT),
    "points: many": (r"`points` is 'many': .*number", SOFT),
    "points: 1\n  learner: ada": (r"`points` concerns everybody", SOFT),
    "points: 1\n  drop: x": (r"it has `drop` and `points`", SOFT),
    "learner: ada": (r"it has none of them", SOFT),
    "points: 1\n  because: x": (r"no field `because`; the fields are exercise", SOFT),
    "points: 2": (r"Module m02_transformer has no exercise 'foo'", "m02_transformer.foo"),
    "points: 3": (r"no module 'm99_foo'", "m99_foo.bar"),
    f"drop: {CASE}\n  learner: zoe": (r"There is no learner zoe", SOFT),
    "accept: zoe": (r"no hand-in of zoe", SOFT),
    "accept: gita": (r"gita's answer is what learners were given", SOFT),
    "accept: cleo": (r"cleo's answer is what learners were given", SOFT),
    "accept: x = 1": (r"does not define `masked_softmax`", SOFT),
    "accept: 'def masked_softmax('": (r"is no Python", SOFT),
    "accept: 3": (r"takes code, or the id of a learner", SOFT),
    "drop: q03": (r"A quiz item has no cases.*`points: 0`", "m02_transformer.quiz.q03"),
    "accept: z": (r"q03", "m02_transformer.quiz.q03"),
    "accept: 7": (r"other numbers for each learner", "m02_transformer.quiz.q05"),
    "accept: b": (r"has no item q99", "m02_transformer.quiz.q99"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_with_its_line(course, mistake):
    """Nothing is graded by a file with a mistake."""
    says, exercise = MISTAKES[mistake]
    decide(course, f"{POINTS}\n# a comment\n- exercise: {exercise}\n  {mistake}\n{BY}")
    with pytest.raises(CourseError, match=rf"overrides.yaml:7: .*{says}") as told:
        load(course)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- exercise: a.b\n  points: 1\n  reason: x", ":1: `author` is missing; say who"),
        ("- exercise: a.b\n  points: 1\n  author: x", ":1: `reason` is missing; say why"),
        ("- points: 1\n  author: x\n  reason: ' '", ":1: `exercise` is missing.*\n.*`reason` is"),
        ("a: 1", ":1: write a list"),
        ("- a: [", "this is no YAML"),
        ("- just text", ":1: an entry has fields"),
        (POINTS + POINTS, ":5: .*:1 sets the points of it already"),
        (
            "".join(f"- exercise: m02_transformer.causal_mask\n  drop: {case}\n{BY}"
                    for case in ("three_positions_on_paper", "any_length")),
            ":5: every case of m02_transformer.causal_mask is dropped",
        ),
    ],
)  # fmt: skip
def test_a_damaged_file_is_told_by_its_line(course, text, says):
    """No author, no reason, no list, two entries that contradict each other."""
    decide(course, text)
    for command in (grade, regrade):
        with pytest.raises(CourseError, match=rf"(?s)overrides.yaml{says}|overrides.yaml.*{says}"):
            command(course.path)
