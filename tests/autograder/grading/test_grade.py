"""`course grade`: everybody gets what they earned, whatever the others handed in."""

import os
import sqlite3

import nbformat
import pytest

from autograder.errors import CourseError
from autograder.exercise import load_module
from autograder.grading.feedback import feedback
from autograder.grading.grade import grade
from autograder.progress import MIME

ASSIGNMENT, LAB = "m02_lab1_self_attention", "lab1_self_attention"
LOOP = "def causal_mask(length):\n    while True:\n        pass"
FOREVER = "while True:\n    pass"


def row(grades, learner):
    """Return the row of a learner."""
    return next(row for row in grades.rows if row.learner == learner)


def scores(course, learner):
    """Return the gradebook's automatic scores of a learner, by grade id."""
    with course.gradebook() as gradebook:
        notebook = gradebook.find_submission_notebook(LAB, ASSIGNMENT, learner)
        return {grade.name: grade.auto_score for grade in notebook.grades}


def autograded(course, learner):
    """Return the autograded notebook of a learner."""
    path = course.path / "autograded" / learner / ASSIGNMENT / f"{LAB}.ipynb"
    return nbformat.read(path, as_version=4)


def limit(course, seconds):
    """Shorten the time limits in the folder's configuration."""
    with (course.path / "nbgrader_config.py").open("a") as file:
        file.write(f"\nc.Judge.cell_seconds = c.Judge.call_seconds = {seconds}\n")


def test_a_class_of_bad_submissions(course, released, answer, answers, hand_in):
    """Each gets what it earned and one sentence; the exit code says that one was unreadable."""
    wrong = answers | {
        "attention_scores": "attention_scores = None",
        "masked_softmax": "def masked_softmax(scores, mask=None):\n    return scores[0] * np.nan",
        "causal_mask": "def causal_mask(length):\n    return [[1] * length] * length",
    }
    noisy = answer(released)
    noisy.cells.insert(
        2,
        nbformat.v4.new_code_cell(
            "import sys\nsys.stderr.write('W0000 a library talks')\n"
            "get_ipython().displayhook(1000.0)\n1000.0"
        ),
    )
    hand_in("ada", answer(released))
    hand_in("ben", answer(released, causal_mask=answers["causal_mask"]))
    hand_in("cleo", released)
    hand_in("dan", answer(released, **wrong))
    hand_in("eva", noisy)
    hand_in("gita", "This is no notebook.")
    hand_in("ivo", released).unlink()
    grades = grade(course.path)

    full = scores(course, "ada")
    total = row(grades, "ada").max_score
    assert row(grades, "ada").score == row(grades, "eva").score == total == sum(full.values())
    assert scores(course, "ben") == dict.fromkeys(full, 0) | {
        "check-causal_mask": full["check-causal_mask"]
    }
    assert sum(scores(course, "cleo").values()) == 0
    assert sum(scores(course, "gita").values()) == 0
    assert scores(course, "dan")["check-attention_scores"] == 0
    assert scores(course, "dan")["check-causal_mask"] < full["check-causal_mask"]
    assert row(grades, "gita").state == "unreadable"
    assert grades.exit_code == 1
    assert grades.problems == [
        f"submitted/ivo/{ASSIGNMENT}: there is no notebook in it.",
        f"submitted/gita/{ASSIGNMENT}: {LAB}.ipynb could not be read: it is not JSON "
        "(line 1: Expecting value). It earns 0 points.",
    ]


def test_an_unreadable_submission_gets_a_comment(course, hand_in):
    """The learner reads why there are no points."""
    hand_in("gita", "This is no notebook.")
    grade(course.path)

    assert "could not be read: it is not JSON" in autograded(course, "gita").cells[1].source


def test_endless_loops_and_a_dying_kernel_cost_their_own_points(
    course, released, answer, answers, hand_in
):
    """Time limits end them; what comes after is graded in a kernel that knows what came before."""
    limit(course, 2)
    looping = answer(released, **answers | {"causal_mask": LOOP})
    looping.cells.insert(2, nbformat.v4.new_code_cell(FOREVER))
    dying = answer(released, **answers | {"causal_mask": "import os\nos._exit(1)"})
    hand_in("ada", looping)
    hand_in("ben", dying)
    grades = grade(course.path)

    for learner in ("ada", "ben"):
        found = scores(course, learner)
        assert found.pop("check-causal_mask") == 0
        assert all(score > 0 for score in found.values())
    assert row(grades, "ada").notes == [
        "cell added-01: This cell ran for more than 2 seconds and was stopped.",
        "cell check-causal_mask: Your code ran for more than 2 seconds and was stopped.",
    ]
    assert row(grades, "ben").notes == ["cell causal_mask: The kernel died while this cell ran."]
    assert grades.exit_code == 0


def test_a_demo_cell_is_never_run(course, released, answer, hand_in):
    """The demo of this lab raises; nothing of it is seen."""
    hand_in("ada", answer(released))
    grade(course.path)

    demo = next(c for c in autograded(course, "ada").cells if c.metadata.course.role == "demo")
    assert demo.outputs == []


def test_a_second_run_is_free_and_a_change_is_graded(
    course, released, answer, answers, hand_in, monkeypatch
):
    """Nothing runs twice; a new hand-in does."""
    hand_in("ada", released)
    grade(course.path)
    again = grade(course.path)
    assert row(again, "ada").state == "unchanged"

    hand_in("ada", answer(released), when="2026-01-11 10:00:00.000000 UTC")
    assert row(grade(course.path), "ada").score > 0
    with course.gradebook() as gradebook:
        assert gradebook.find_submission(ASSIGNMENT, "ada").timestamp.day == 11


def test_feedback_repeats_the_hints_that_the_learner_had_reached(
    course, released, answer, answers, hand_in
):
    """And no further one: those come with further tries."""
    half = answer(released, attention_scores=answers["attention_scores"], causal_mask="x = 1")
    for cell in half.cells:
        if cell.metadata.get("course", {}).get("role") == "check":
            data = {"text/plain": "0.0", MIME: {"reached": 2}}
            cell.outputs = [nbformat.v4.new_output("display_data", data=data)]
    hand_in("ada", half)
    grade(course.path)
    (page,) = feedback(course.path)
    text = page.path.read_text()
    exercise = load_module("m02_transformer")["m02_transformer.masked_softmax"]
    assert "Hint 2 of 3" in text
    assert "Hint 3 of 3" not in text
    assert text.count("Hint 1 of 3") == 3, "no hint where the answer is right"
    assert exercise.hints[2].split("`")[0] not in text


def test_a_manual_score_survives(course, released, hand_in):
    """A person's score stands when the submission is graded again."""
    hand_in("ada", released)
    grade(course.path)
    with course.gradebook() as gradebook:
        found = gradebook.find_grade("check-causal_mask", LAB, ASSIGNMENT, "ada")
        found.manual_score = 1.5
        gradebook.db.commit()

    assert row(grade(course.path, again=True), "ada").score == 1.5


def test_lateness_costs_what_the_plugin_says(course, released, answer, hand_in):
    """nbgrader's plugin sees the time of the hand-in and the due date."""
    with (course.path / "nbgrader_config.py").open("a") as file:
        file.write('\nc.AssignLatePenalties.plugin_class = "autograder.grading.late.LatePenalty"\n')
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment(ASSIGNMENT, duedate="2026-01-10 12:00 UTC")
    hand_in("ada", answer(released), when="2026-01-10 11:00:00.000000 UTC")
    hand_in("hugo", answer(released), when="2026-01-12 11:00:00.000000 UTC")
    grades = grade(course.path)

    hugo = row(grades, "hugo")
    assert row(grades, "ada").late_penalty == 0
    assert hugo.late_penalty == pytest.approx(0.2 * hugo.score)
    assert hugo.late_seconds == 47 * 3600


def test_a_locked_gradebook_is_one_sentence(course, released, hand_in):
    """Nothing is graded in vain, and nothing is half-written."""
    hand_in("ada", released)
    connection = sqlite3.connect(course.path / "gradebook.db")
    connection.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(CourseError, match=r"The gradebook .* is locked"):
            grade(course.path)
    finally:
        connection.close()
    assert not (course.path / "autograded").exists()


def test_links_and_special_files_are_not_followed(course, released, answer, hand_in, tmp_path):
    """What a link points to is neither read nor copied."""
    secret = tmp_path / "secret.txt"
    secret.write_text("the key")
    linked = hand_in("ada", released)
    linked.unlink()
    linked.symlink_to(secret)
    other = hand_in("ben", answer(released))
    other.with_name("data.txt").symlink_to(secret)
    os.mkfifo(other.with_name("pipe"))
    grades = grade(course.path)

    assert row(grades, "ada").state == "unreadable"
    assert row(grades, "ben").score > 0
    copied = [p.name for p in (course.path / "autograded" / "ben" / ASSIGNMENT).iterdir()]
    assert sorted(copied) == [f"{LAB}.ipynb", "timestamp.txt"]


def test_an_unknown_assignment_or_learner_is_one_sentence(course, released, hand_in):
    """The sentence names what there is."""
    hand_in("ada", released)
    with pytest.raises(CourseError, match=f'no released assignment "m09"; there are {ASSIGNMENT}'):
        grade(course.path, ["m09"])
    with pytest.raises(CourseError, match="no submission of zoe"):
        grade(course.path, learners=["zoe"])
    with pytest.raises(CourseError, match="is not a course folder"):
        grade(course.path / "source")


def test_the_inputs_are_secret_and_differ_between_learners(course):
    """A seed follows the key, the learner and the exercise."""
    seeds = {
        course.seed(learner, exercise)
        for learner in ("ada", "ben")
        for exercise in ("m02_transformer.causal_mask", "m02_transformer.masked_softmax")
    }
    assert len(seeds) == 4
    assert course.key.decode() not in str(seeds)
    assert (course.path / "grading.key").stat().st_mode & 0o777 == 0o600
