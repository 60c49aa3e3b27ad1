"""The commands: thin, quick to start, and never a traceback for a user's mistake."""

import ast
import errno
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from course import cli
from course.workspace import prepare
from tests.course import sample

LEARNER = ("lab", "check", "doctor", "status", "unlock", "submit")
INSTRUCTOR = ("init", "release", "collect", "grade", "feedback", "export", "demo")
AUTHOR = ("build", "prove")
HEAVY = (
    "tensorflow", "keras", "numpy", "jupyterlab", "nbgrader", "nbformat", "rich", "IPython",
    "distributed",
)  # fmt: skip


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command in an empty folder; return its result."""
    monkeypatch.setenv("COURSE_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(cli.app, list(arguments))


def test_every_command_has_its_help(run):
    text = run("--help").output
    for name in (*LEARNER, *INSTRUCTOR, *AUTHOR):
        assert name in text
        assert run(name, "--help").exit_code == 0


def test_starting_imports_nothing_heavy():
    code = f"import course.cli, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_importing_the_package_imports_nothing():
    code = "import sys; before = set(sys.modules); import course; print(set(sys.modules) - before)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "{'course'}"


def test_commands_are_thin():
    for node in ast.parse(Path(cli.__file__).read_text()).body:
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.body[0].lineno < 13, node.name


@pytest.mark.parametrize("command", ["check", "doctor", "status", "submit"])
def test_no_workspace_is_one_sentence(run, command):
    result = run(command)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "run `course lab`" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("build", "m99"), "There is no module 'm99'"),
        (("prove", "nothing"), "There is no module 'nothing'"),
        (("submit", "m99"), "There is no module 'm99'"),
        (("unlock", "nothing"), "There is no exercise 'nothing'"),
    ],
)
def test_unknown_name_is_one_sentence_and_exit_code_2(run, arguments, sentence):
    result = run(*arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["release", "collect", "grade", "feedback", "export"])
def test_folder_that_is_no_course_folder(run, command):
    result = run(command, "nowhere")
    assert result.exit_code == 1
    assert "is not a course folder" in result.stderr
    assert "Traceback" not in result.output + result.stderr


def test_unknown_lab(run, tmp_path):
    prepare(sample.make_labs(tmp_path / "labs"), tmp_path / "workspace")
    result = run("check", "lab99")
    assert result.exit_code == 2
    assert "There is no lab 'lab99'" in result.stderr


def test_unknown_command_and_option(run):
    assert run("nonsense").exit_code == 2
    assert run("status", "--nonsense").exit_code == 2


def test_doctor_without_a_terminal_only_reports(run, tmp_path, monkeypatch):
    labs = sample.make_labs(tmp_path / "labs")
    prepare(labs, tmp_path / "workspace")
    monkeypatch.setattr("autograder.doctor.labs_root", lambda: labs)
    lab = tmp_path / "workspace/m02_transformer/lab1_means.ipynb"
    lab.unlink()
    result = run("doctor")
    assert result.exit_code == 1
    assert "It is missing." in result.output
    assert not lab.exists()
    assert run("doctor", "--fix").exit_code == 0
    assert lab.exists()
    assert run("doctor").exit_code == 0


def test_due_date_needs_its_assignment(run):
    result = run("release", ".", "--due", "2026-03-01 18:00")
    assert result.exit_code == 1
    assert "--assignment" in result.stderr


def test_full_disk_is_one_sentence(run, monkeypatch):
    def full():
        raise OSError(errno.ENOSPC, "No space left on device", "progress.json")

    monkeypatch.setattr("autograder.status.status", full)
    result = run("status")
    assert result.exit_code == 1
    assert result.stderr == "progress.json: No space left on device.\n"
