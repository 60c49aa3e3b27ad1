"""`make setup`: finds a Python that fits, installs once, repairs what is half done."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course import install

ROOT = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(os.name == "nt", reason="the Makefile is for POSIX shells")


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone in a temporary folder; no command runs, `commands` says which would."""
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    venv = tmp_path / ".venv"
    for name, value in {
        "ROOT": tmp_path, "VENV": venv, "RECORD": venv / "course-setup.json",
        "LOG": venv / "course-setup.log", "PYTHON": Path(sys.executable),
    }.items():  # fmt: skip
        monkeypatch.setattr(install, name, value)
    return tmp_path


@pytest.fixture
def commands(clone, monkeypatch):
    seen = []

    def stage(sentence, command):
        seen.append(command)
        install.VENV.mkdir(exist_ok=True)
        (install.VENV / "pyvenv.cfg").write_text("")
        install.LOG.write_text("ERROR: no such package\n")
        return 0

    monkeypatch.setattr(install, "stage", stage)
    monkeypatch.setattr(install, "runs", lambda *_: install.PYTHON.exists())
    return seen


def test_installs_once(clone, commands):
    install.install(set())
    assert commands[-1][-1] == str(clone)
    assert "-c" in commands[-1]
    before = len(commands)
    install.install(set())
    assert len(commands) == before


def test_extras_add_up(clone, commands):
    install.install({"test"})
    assert commands[-1][-1] == f"{clone}[test]"
    install.install({"parity"})
    assert commands[-1][-1] == f"{clone}[parity,test]"
    before = len(commands)
    install.install({"test"})
    assert len(commands) == before


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_files_install_again(clone, commands, name):
    install.install(set())
    before = len(commands)
    (clone / name).write_text((clone / name).read_text() + "\n# changed\n")
    install.install(set())
    assert len(commands) > before


@pytest.mark.parametrize("content", ["", "[]", '{"extras": []}', '{"fingerprint": "x"}'])
def test_half_written_record_installs_again(clone, commands, content):
    install.install(set())
    before = len(commands)
    install.RECORD.write_text(content)
    install.install(set())
    assert len(commands) > before
    assert json.loads(install.RECORD.read_text())["extras"] == []


def test_broken_environment_is_made_anew(clone, commands, monkeypatch):
    monkeypatch.setattr(install, "PYTHON", clone / "gone")
    install.install(set())
    assert commands[0][1:4] == ["-m", "venv", "--clear"]


def test_failed_installation_leaves_no_record(clone, commands, monkeypatch, capsys):
    monkeypatch.setattr(install, "stage", lambda *_: install.VENV.mkdir(exist_ok=True) or 1)
    install.VENV.mkdir()
    (install.VENV / "pyvenv.cfg").write_text("")
    monkeypatch.setattr(install, "last_error", lambda: "ERROR: no such package")
    with pytest.raises(SystemExit):
        install.install(set())
    assert "The installation failed (ERROR: no such package)" in capsys.readouterr().err
    assert not install.RECORD.exists()


def test_full_disk_is_said_before_the_work(clone, commands, monkeypatch, capsys):
    usage = shutil.disk_usage(clone)._replace(free=10**9)
    monkeypatch.setattr(install.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(SystemExit):
        install.install(set())
    assert "needs 4 GB of disk" in capsys.readouterr().err
    assert commands == []


def test_stage_writes_a_line_and_the_log(clone, capsys):
    code = install.stage("Working", [sys.executable, "-c", "print('hello'); raise SystemExit(3)"])
    assert code == 3
    assert capsys.readouterr().out.splitlines() == ["Working ...", "Working: failed, 0 s"]
    assert install.LOG.read_text() == "hello\n"
    assert install.last_error() == "hello"


@pytest.fixture
def make(tmp_path):
    """Run make in a folder whose install script only says which Python called it."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "install.py").write_text("import sys; print('asked for', sys.argv[1:])")
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()

    def program(name, script):
        path = bin_folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def run(*arguments):
        environment = {"PATH": f"{bin_folder}"}
        program_make = shutil.which("make")
        return subprocess.run(
            [program_make, "SHELL=/bin/sh", *arguments],
            cwd=tmp_path, env=environment, capture_output=True, text=True,
        )  # fmt: skip

    run.program = program
    return run


@posix
@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
class TestMakefile:
    """The Makefile passes over names that exist and fail when they are called."""

    def test_finds_the_python_that_runs(self, make):
        make.program("python3.13", "echo 'pyenv: python3.13: command not found' >&2; exit 127")
        make.program("python3.12", "exit 1")
        make.program("python3", f'exec {sys.executable} "$@"')
        done = make("setup")
        assert done.returncode == 0
        assert done.stdout == "asked for []\n"
        assert done.stderr == ""

    def test_says_in_one_sentence_that_there_is_none(self, make):
        make.program("python3", "exit 1")
        done = make("setup")
        assert done.returncode != 0
        assert "Python 3.11, 3.12 or 3.13 with venv is needed and none was found" in done.stderr

    def test_takes_the_python_that_is_named(self, make):
        done = make("setup", f"PYTHON={sys.executable}")
        assert done.stdout == "asked for []\n"

    def test_a_named_python_that_does_not_fit_is_refused(self, make):
        make.program("old", "exit 1")
        make.program("python3", f'exec {sys.executable} "$@"')
        assert make("setup", "PYTHON=old").returncode != 0

    def test_stops_when_the_installation_fails(self, make, tmp_path):
        (tmp_path / "course" / "install.py").write_text("raise SystemExit(1)")
        make.program("python3", f'exec {sys.executable} "$@"')
        assert make("lab").returncode != 0
