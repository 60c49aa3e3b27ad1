"""The workspace follows the course and never loses the learner's work."""

import json
import shutil

import pytest

from course.errors import CourseError
from course.files import write_atomic
from course.workspace import (
    base_copy,
    existing_workspace,
    prepare,
    read_released,
    workspace_root,
)
from tests.course import sample


@pytest.fixture
def labs(tmp_path):
    return sample.make_labs(tmp_path / "labs")


@pytest.fixture
def workspace(tmp_path, labs):
    prepare(labs, tmp_path / "workspace")
    return tmp_path / "workspace"


@pytest.fixture
def lab(workspace):
    return workspace / "m02_transformer" / "lab1_means.ipynb"


def release(labs, text):
    (labs / "m02_transformer" / "lab1_means.ipynb").write_text(text)


def test_first_run_copies_everything(tmp_path, labs):
    lines = prepare(labs, tmp_path / "w")
    assert lines == [f"Your workspace is {tmp_path / 'w'}: 5 files copied."]
    copied = {p.relative_to(tmp_path / "w").as_posix() for p in (tmp_path / "w").rglob("*.*")}
    assert "m02_transformer/figures/one.png" in copied
    assert (tmp_path / "w/m02_transformer/lab1_means.ipynb").read_text() == sample.lab()


def test_second_run_changes_nothing(workspace, labs):
    before = {p: p.stat().st_mtime_ns for p in workspace.rglob("*") if p.name != "released.json"}
    assert prepare(labs, workspace) == []
    assert before == {
        p: p.stat().st_mtime_ns for p in workspace.rglob("*") if p.name != "released.json"
    }


def test_untouched_file_is_updated(workspace, labs, lab):
    release(labs, sample.lab("r2", " again"))
    assert prepare(labs, workspace) == ["1 files that you had not changed were updated."]
    assert lab.read_text() == sample.lab("r2", " again")
    assert base_copy(workspace, "m02_transformer/lab1_means.ipynb").read_text() == lab.read_text()


def test_notebook_that_was_only_run_counts_as_untouched(workspace, labs, lab):
    def run(content):
        content["metadata"]["language_info"]["version"] = "3.12.1"
        content["cells"][1] |= {"execution_count": 1, "outputs": []}

    sample.edit(lab, run)
    release(labs, sample.lab("r2"))
    prepare(labs, workspace)
    assert lab.read_text() == sample.lab("r2")


def test_touched_file_is_kept_and_the_new_release_put_beside(workspace, labs, lab):
    sample.put(lab, "mean", "def mean(x):\n    return sum(x) / len(x)")
    mine = lab.read_text()
    release(labs, sample.lab("r2"))
    lines = prepare(labs, workspace)
    assert len(lines) == 1
    assert "lab1_means.new-release.ipynb" in lines[0]
    assert lab.read_text() == mine
    assert lab.with_name("lab1_means.new-release.ipynb").read_text() == sample.lab("r2")
    assert base_copy(workspace, "m02_transformer/lab1_means.ipynb").read_text() == sample.lab()
    assert prepare(labs, workspace) == []


def test_new_release_that_was_edited_is_not_overwritten(workspace, labs, lab):
    sample.put(lab, "mean", "mine = 1")
    release(labs, sample.lab("r2"))
    prepare(labs, workspace)
    beside = lab.with_name("lab1_means.new-release.ipynb")
    sample.put(beside, "mean", "mine = 2")
    edited = beside.read_text()
    release(labs, sample.lab("r3"))
    prepare(labs, workspace)
    assert beside.read_text() == edited
    assert lab.with_name("lab1_means.new-release-2.ipynb").read_text() == sample.lab("r3")


def test_quiz_answer_in_an_output_is_work(workspace, labs):
    quiz = workspace / "m02_transformer" / "quiz.ipynb"

    def answer(content):
        data = {sample.ANSWER: {"item": "q01", "answer": "a"}}
        output = {"output_type": "display_data", "data": data, "metadata": {}}
        content["cells"][0]["outputs"] = [output]

    sample.edit(quiz, answer)
    mine = quiz.read_text()
    (labs / "m02_transformer" / "quiz.ipynb").write_text(sample.quiz().replace("yes", "indeed"))
    assert "quiz.new-release.ipynb" in prepare(labs, workspace)[0]
    assert quiz.read_text() == mine


def test_deleted_file_comes_back(workspace, labs, lab):
    lab.unlink()
    assert prepare(labs, workspace) == [f"1 missing or new files copied to {workspace}."]
    assert lab.read_text() == sample.lab()


def test_renamed_notebook_is_not_copied_again(workspace, labs, lab):
    lab.rename(lab.with_name("my lab.ipynb"))
    lines = prepare(labs, workspace)
    assert lines == ["m02_transformer/lab1_means.ipynb is kept under its new name, my lab.ipynb."]
    assert not lab.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"x": 1}'])
def test_damaged_record_loses_no_work(workspace, labs, lab, content):
    sample.put(lab, "mean", "mine = 1")
    (workspace / ".course" / "released.json").write_text(content)
    mine = lab.read_text()
    release(labs, sample.lab("r2"))
    prepare(labs, workspace)
    assert lab.read_text() == mine
    assert read_released(workspace)


def test_learner_file_of_before_the_record_is_kept(tmp_path, labs):
    path = tmp_path / "w" / "m02_transformer" / "lab1_means.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    prepare(labs, tmp_path / "w")
    assert path.read_text() == "mine"
    assert path.with_name("lab1_means.new-release.ipynb").read_text() == sample.lab()


def test_workspace_inside_the_labs_is_refused(labs):
    with pytest.raises(CourseError, match="COURSE_WORKSPACE"):
        prepare(labs, labs / "workspace")


def test_unwritable_place_is_one_sentence(tmp_path, labs):
    (tmp_path / "file").write_text("")
    with pytest.raises(CourseError, match="cannot be written.*COURSE_WORKSPACE"):
        prepare(labs, tmp_path / "file" / "workspace")


def test_write_atomic_keeps_the_old_file_when_it_fails(tmp_path):
    path = tmp_path / "a.json"
    write_atomic(path, "old")
    with pytest.raises(TypeError):
        write_atomic(path, object())
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_workspace_is_found_upward(workspace, monkeypatch):
    monkeypatch.delenv("COURSE_WORKSPACE", raising=False)
    assert workspace_root(workspace / "m02_transformer") == workspace
    monkeypatch.setenv("COURSE_WORKSPACE", str(workspace / "other"))
    assert workspace_root(workspace / "m02_transformer") == workspace / "other"


def test_missing_workspace_says_what_to_run(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_WORKSPACE", str(tmp_path / "none"))
    with pytest.raises(CourseError, match="course lab"):
        existing_workspace()


def test_base_copies_may_be_deleted(workspace, labs, lab):
    shutil.rmtree(workspace / ".course" / "base")
    prepare(labs, workspace)
    assert json.loads(base_copy(workspace, "m02_transformer/lab1_means.ipynb").read_text())
