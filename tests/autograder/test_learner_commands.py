"""`course status`, `unlock` and `submit`, over a small lab."""

import zipfile

import pytest
from rich.console import Console

from autograder import progress, unlock
from autograder.errors import CourseError, UsageError
from autograder.exercise import Exercise
from autograder.status import status
from autograder.submit import submit
from autograder.tables import standing_table
from course.workspace import prepare
from tests.course import sample

LAB = "m02_transformer/lab1_means"


@pytest.fixture
def labs(tmp_path):
    return sample.make_labs(tmp_path / "labs")


@pytest.fixture
def workspace(tmp_path, labs):
    prepare(labs, tmp_path / "workspace")
    return tmp_path / "workspace"


def answer_quiz(workspace):
    sample.put(workspace / "m02_transformer/quiz.ipynb", "q01-answer", 'quiz.answer("q01", "a")')


def test_fresh_workspace_has_nothing_solved(workspace, labs):
    lab, quiz = status(workspace, labs)
    assert (lab.exercises, lab.solved, lab.points, lab.max_points) == (2, 0, 0, 5)
    assert (quiz.exercises, quiz.solved) == (1, 0)


def test_progress_is_summed_by_lab(workspace, labs):
    mean, total = "m02_transformer.mean", "m02_transformer.total"
    progress.update(workspace, mean, best=3.0, solved=True, hints=1)
    progress.update(workspace, total, best=0.5, hints=2, lent=True)
    answer_quiz(workspace)
    lab, quiz = status(workspace, labs)
    assert (lab.solved, lab.points, lab.hints, lab.lent) == (1, 3.5, 3, 1)
    assert quiz.solved == 1


def test_widget_answer_counts_as_answered(workspace, labs):
    def answer(content):
        record = {"item": "q01", "answer": "a", "parameters": {}, "learner": "mia"}
        data = {sample.ANSWER: record}
        content["cells"][0]["outputs"] = [
            {"output_type": "display_data", "data": data, "metadata": {}}
        ]

    sample.edit(workspace / "m02_transformer/quiz.ipynb", answer)
    assert status(workspace, labs)[1].solved == 1


def test_table_of_standings_has_a_row_for_each(workspace, labs, capsys):
    progress.update(workspace, "m02_transformer.mean", best=3.0, solved=True, hints=1)
    Console(width=80).print(standing_table(status(workspace, labs)))
    shown = capsys.readouterr().out.splitlines()
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown]
    assert ["m02 lab1_means", "1 of 2", "3 of 5", "1", "0"] in lines
    assert ["m02 quiz", "0 of 1", "? of 1", "", ""] in lines


@pytest.fixture
def exercises(monkeypatch):
    """Two modules that share one exercise's name."""

    def exercise(name, module, package="course.somewhere.thing"):
        return Exercise(name, 1, module=module, package=package)

    known = {
        "m02_transformer": [exercise("mean", "m02_transformer"),
                            exercise("count", "m02_transformer", package="")],
        "m03_attention": [exercise("mean", "m03_attention"), exercise("total", "m03_attention")],
    }  # fmt: skip
    monkeypatch.setattr(unlock, "modules", lambda: list(known))
    monkeypatch.setattr(unlock, "load_labs", lambda slug: ({e.id: e for e in known[slug]}, {}))


@pytest.mark.parametrize("name", ["m02_transformer.mean", "m02.mean"])
def test_unlock_marks_and_gives_the_line(workspace, exercises, name):
    assert unlock.unlock(name, workspace) == 'mean = lend("m02_transformer.mean")'
    assert progress.load(workspace)["m02_transformer.mean"]["lent"] is True


def test_unlock_by_bare_name(workspace, exercises):
    assert unlock.unlock("total", workspace) == 'total = lend("m03_attention.total")'


@pytest.mark.parametrize("name", ["nothing", "m02.total", "m09.mean", ""])
def test_unlock_of_an_unknown_exercise(workspace, exercises, name):
    with pytest.raises(UsageError, match="There are mean, count, mean, total"):
        unlock.unlock(name, workspace)


def test_unlock_of_an_ambiguous_name(workspace, exercises):
    with pytest.raises(UsageError, match=r"m02_transformer\.mean or m03_attention\.mean"):
        unlock.unlock("mean", workspace)


def test_unlock_of_what_cannot_be_lent(workspace, exercises):
    with pytest.raises(CourseError, match="nothing can be lent"):
        unlock.unlock("count", workspace)


def test_submit_packs_what_has_work(workspace, labs):
    answer_quiz(workspace)
    packed = submit(None, workspace, labs, "mia")
    assert packed.path == workspace / "mia.zip"
    assert packed.untouched == [LAB]
    with zipfile.ZipFile(packed.path) as archive:
        assert archive.namelist() == ["m02_transformer/quiz.ipynb"]
        content = archive.read("m02_transformer/quiz.ipynb")
    assert content == (workspace / "m02_transformer/quiz.ipynb").read_bytes()


def test_submit_of_nothing(workspace, labs):
    with pytest.raises(CourseError, match="nothing to hand in"):
        submit(None, workspace, labs, "mia")


def test_submit_only_one_module(workspace, labs):
    answer_quiz(workspace)
    with pytest.raises(CourseError, match="nothing to hand in"):
        submit("m03_attention", workspace, labs, "mia")


def test_submit_waits_for_the_doctor(workspace, labs):
    answer_quiz(workspace)
    (workspace / f"{LAB}.ipynb").unlink()
    with pytest.raises(CourseError, match="course doctor"):
        submit(None, workspace, labs, "mia")
    assert not (workspace / "mia.zip").exists()


def test_learner_id_that_cannot_name_a_file(workspace, labs):
    with pytest.raises(CourseError, match="course lab --learner"):
        submit(None, workspace, labs, "../mia")
