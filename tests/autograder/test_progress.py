"""Hints come one by one, each after a changed wrong answer; a workspace is never half-written."""

import json

import pytest

from autograder import progress
from autograder.referee import judge
from autograder.wire.in_process import InProcess
from tests.autograder.toy import half


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    (tmp_path / ".course").mkdir()
    monkeypatch.setenv("COURSE_WORKSPACE", str(tmp_path))
    return tmp_path


def verdict(answer):
    return judge(half, InProcess({"half": answer}))


def test_each_changed_wrong_answer_unlocks_one_hint(workspace):
    wrong = verdict(lambda x: x * 3)
    assert [progress.record(half, wrong, text) for text in "aabacd"] == [1, 1, 2, 2, 3, 3]
    assert progress.load(workspace)[half.id]["attempts"] == 6


def test_an_unwritten_answer_unlocks_nothing(workspace):
    assert progress.record(half, verdict(None), "") == 0


def test_solved_stays_solved(workspace):
    progress.record(half, verdict(lambda x: x / 2), "right")
    progress.record(half, verdict(lambda x: x * 3), "wrong")
    entry = progress.load(workspace)[half.id]
    assert entry["solved"]
    assert entry["best"] == 2


def test_nothing_is_written_without_a_workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_WORKSPACE", str(tmp_path / "none"))
    assert progress.record(half, verdict(lambda x: x * 3), "a") == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "not json", "[]", '{"toy.half": 3}'])
def test_a_damaged_record_is_replaced(workspace, text):
    path = workspace / ".course" / "progress.json"
    path.write_text(text)
    progress.record(half, verdict(lambda x: x / 2), "right")
    assert json.loads(path.read_text())[half.id]["solved"]
