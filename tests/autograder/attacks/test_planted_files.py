"""Group 15: files beside the notebook."""

import os
import socket
import zipfile
from datetime import datetime

import nbformat
import pytest

from autograder.grading.collect import collect
from autograder.grading.grade import grade
from tests.autograder.attacks.conftest import OWN
from tests.autograder.grading.conftest import ANSWERS, ASSIGNMENT, LAB

PYTHON = [
    "conftest.py", "sitecustomize.py", "usercustomize.py", "numpy.py", "keras.py", "nbformat.py",
    "json.py", "autograder/__init__.py", "autograder/grading/worker.py", "course/__init__.py",
    "nbgrader_config.py", "jupyter_config.py", "jupyter_nbconvert_config.py", "ipython_config.py",
    ".ipython/profile_default/startup/00-first.py", "profile_default/ipython_config.py",
]  # fmt: skip


@pytest.mark.parametrize("where", ["in the course folder", "in the hand-in"])
def test_files_that_python_or_jupyter_would_load(attack, course, tmp_path, monkeypatch, where):
    """Whoever imports one of them writes a mark; also when the instructor stands beside them."""
    mark = tmp_path / "ran"
    monkeypatch.chdir(course.path)
    code = f"open({str(mark)!r}, 'a').write(__name__ + chr(10))\nc = get_config()\nNAME = 1\n"
    files = {name: code.encode() for name in PYTHON}
    files["mine.pth"] = f"import os; open({str(mark)!r}, 'a').write('pth')\n".encode()
    files["autograder/checks/m02_transformer/lab1_self_attention.py"] = code.encode()
    files["grading.key"] = b"0" * 64
    files["templates/base/mathjax.html.j2"] = b"{{ 1/0 }}"
    if where == "in the hand-in":
        files["here"] = lambda path: monkeypatch.chdir(path.parent)

    outcome = attack(files=files, fresh=True)

    assert not mark.exists(), mark.read_text()
    outcome.assert_failed()


def test_links(attack, course, tmp_path):
    """Links to the machine's files, the key and another hand-in; nothing of them is copied."""
    secret = tmp_path / "secret.txt"
    secret.write_text("only for the instructor")
    targets = {
        "passwd.txt": "/etc/passwd", "etc": "/etc", "key.txt": course.path / "grading.key",
        "bea.txt": course.submission("bea", ASSIGNMENT), "book": course.path / "gradebook.db",
        "deep/er/secret.txt": secret, "up": "..", "self": "self",
    }  # fmt: skip
    outcome = attack(files={n: (lambda p, t=t: p.symlink_to(t)) for n, t in targets.items()})

    outcome.assert_failed()
    for parent, folders, files in os.walk(course.path / "autograded"):
        assert not [name for name in folders + files if os.path.islink(os.path.join(parent, name))]
    graded = (course.path / "autograded" / "mallory").rglob("*")
    assert {p.name for p in graded if p.is_file()} == {f"{LAB}.ipynb", "timestamp.txt"}
    assert secret.read_text() == "only for the instructor"
    assert (course.path / "grading.key").is_file()
    assert course.submission("bea", ASSIGNMENT).is_file()


def test_a_notebook_that_is_a_link(attack, course, tmp_path):
    """The hand-in is a link to the other one; its points are not mallory's."""
    place = course.submission("mallory", ASSIGNMENT)

    def relink(path):
        place.unlink()
        place.symlink_to(course.submission("bea", ASSIGNMENT))

    outcome = attack(files={"note.txt": relink})

    outcome.assert_failed(keeps_own=False)
    assert outcome.scores[OWN] == 0
    assert any("link" in note for note in outcome.notes)


def test_pipes_and_sockets(attack):
    """Whoever opens one waits for ever; so does who reads a time from one."""

    def pipe(path):
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    def plug(path):
        before = os.getcwd()
        os.chdir(path.parent)  # a socket's path may be short only
        try:
            with socket.socket(socket.AF_UNIX) as end:
                end.bind(path.name)
        finally:
            os.chdir(before)

    outcome = attack(
        files={
            "pipe.txt": pipe,
            "a.ipynb": pipe,
            "zz.ipynb": pipe,
            "timestamp.txt": pipe,
            "plug": plug,
            "folder/pipe.py": pipe,
        }  # fmt: skip
    )

    outcome.assert_failed()


@pytest.mark.parametrize(
    "stamp", [b"", b"\xff\xfe\0", b"yesterday", b"9" * 100_000, b"0001-01-01 00:00:00 UTC\n" * 9]
)
def test_a_damaged_time(attack, stamp):
    """The time of a hand-in is no time; the grade is as usual."""
    attack(files={"timestamp.txt": stamp}).assert_failed()


def test_an_earlier_time(course, released, answer, tier):
    """Times in the hand-in's own archive, and a time file in it, do not make it punctual."""
    with course.gradebook() as gradebook:
        gradebook.find_assignment(ASSIGNMENT).duedate = datetime(2026, 1, 1)
        gradebook.db.commit()
    notebook = nbformat.writes(answer(released, **{OWN: ANSWERS[OWN]}))
    inbox = course.path / "inbox" / "mallory"
    inbox.mkdir(parents=True, exist_ok=True)
    files = {f"{LAB}.ipynb": notebook, "timestamp.txt": "2025-01-01 00:00:00.000000 UTC\n"}
    with zipfile.ZipFile(inbox / f"{LAB}.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0)), text)
    (inbox / "timestamp.txt").write_text(files["timestamp.txt"])

    taken = collect(course.path).taken
    rows = grade(course.path, jobs=1).rows

    assert [each.learner for each in taken] == ["mallory"]
    assert taken[0].when.year >= 2026
    assert rows[0].late_seconds > 0
