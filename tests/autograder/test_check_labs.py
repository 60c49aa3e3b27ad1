"""`course check` grades the learner's notebook as it is, and changes nothing in it."""

import pytest

from autograder import progress
from autograder.check_labs import check_lab, chosen_labs
from autograder.errors import CourseError, UsageError
from course.workspace import prepare
from tests.course import sample

LAB = "m02_transformer/lab1_masks"
STUB = "def causal_mask(length):\n    raise NotImplementedError"
ANSWER = "import numpy as np\n\ndef causal_mask(length):\n    return np.tri(length, dtype=bool)"


@pytest.fixture
def labs(tmp_path):
    labs = sample.make_labs(tmp_path / "labs")
    name = "m02_transformer.causal_mask"
    cells = [
        sample.cell("causal_mask", STUB, "exercise", "causal_mask", exercise=name),
        sample.cell("check-causal_mask", f"check({name!r})", "check", "check-causal_mask", 2,
                    exercise=name),
    ]  # fmt: skip
    (labs / f"{LAB}.ipynb").write_text(sample.notebook(cells, "lab1_masks"))
    return labs


@pytest.fixture
def workspace(tmp_path, labs):
    prepare(labs, tmp_path / "workspace")
    return tmp_path / "workspace"


def test_only_labs_with_work_are_checked(workspace, labs):
    with pytest.raises(CourseError, match="nothing to check"):
        chosen_labs(None, workspace, labs)
    sample.put(workspace / f"{LAB}.ipynb", "causal_mask", ANSWER)
    assert chosen_labs(None, workspace, labs) == [LAB]
    assert chosen_labs("lab1_means", workspace, labs) == ["m02_transformer/lab1_means"]


def test_unknown_lab_and_quiz(workspace, labs):
    with pytest.raises(UsageError, match="There is no lab 'lab9'"):
        chosen_labs("lab9", workspace, labs)
    with pytest.raises(CourseError, match="graded after it was handed in"):
        chosen_labs("quiz", workspace, labs)


@pytest.mark.slow
def test_right_answer_gets_full_points_and_counts(workspace, labs):
    path = workspace / f"{LAB}.ipynb"
    sample.put(path, "causal_mask", ANSWER)
    before = path.read_bytes()
    checked = check_lab(LAB, workspace, labs)
    assert [(row.exercise, row.points, row.max_points) for row in checked.rows] == [
        ("causal_mask", 2.0, 2.0)
    ]
    assert checked.complete
    assert path.read_bytes() == before
    entry = progress.load(workspace)["m02_transformer.causal_mask"]
    assert (entry["solved"], entry["best"]) == (True, 2.0)


@pytest.mark.slow
def test_damaged_notebook_is_graded_and_the_repair_said(workspace, labs):
    def change(content):
        del content["cells"][1]

    sample.put(workspace / f"{LAB}.ipynb", "causal_mask", ANSWER.replace("tri(", "eye("))
    sample.edit(workspace / f"{LAB}.ipynb", change)
    checked = check_lab(LAB, workspace, labs)
    assert checked.notes == ["cell check-causal_mask: This cell was deleted; it is back."]
    assert checked.rows[0].points < 2
    assert "of 2 points" in checked.rows[0].feedback
    assert not checked.complete
    assert not progress.load(workspace).get("m02_transformer.causal_mask", {}).get("solved")


def test_unreadable_notebook_is_one_sentence(workspace, labs):
    (workspace / f"{LAB}.ipynb").write_text("{")
    with pytest.raises(CourseError, match=r"cannot be read.*Run `course doctor`"):
        check_lab(LAB, workspace, labs)
