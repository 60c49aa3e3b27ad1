"""One attack each: a hand-in that tries to cheat, graded the way every hand-in is graded.

`mallory` hands in one right answer, the attack, and nothing else; `bea` hands in everything right.
An attack fails when mallory earns exactly the one answer's points, bea everything, no secret
stands in anything that mallory gets back, and nothing of the kernel is left on the machine.
"""

import copy
import os
import shutil
import tempfile
import time
import uuid
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
import pytest

from autograder.build.assignments import SOLUTIONS
from autograder.confine.identity import FIRST_UID
from autograder.confine.tiers import ORDER, reach
from autograder.grading.feedback import feedback
from autograder.grading.grade import grade
from autograder.kernels.shared import shared_zygote
from autograder.workers import Workers
from tests.autograder.grading.conftest import (  # noqa: F401  fixtures
    ANSWERS,
    ASSIGNMENT,
    LAB,
    SLUG,
    answer,
    course,
    hand_in,
    made,
    registry,
    released,
    solutions,
)

HERE = Path(__file__).parent
GRADES = "autograder.grading.worker.grade_task"
STAY = ("autograder.kernels.zygote", "autograder.grading.worker")
OWN = "attention_scores"  # the exercise that mallory has really solved
SILENT = dict.fromkeys(set(ANSWERS) - {OWN}, "pass")  # cells that leave the attack's names alone


def pytest_collection_modifyitems(items):
    """Mark what lies here: `make attacks` runs it."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.attack)


def tiers():
    """Return the tiers that this machine reaches: each attack is tried under all of them."""
    best = reach().tier
    return list(ORDER[ORDER.index(best) : -1])


@dataclass
class Outcome:
    """What an attack brought.

    Attributes:
        scores: mallory's points by exercise.
        maximum: the points that each exercise gives.
        bystander: bea's points by exercise.
        text: everything that mallory gets back, as one text.
        printed: what stands below mallory's cells.
        notes: what the grader remarks.
        secrets: texts that must not be in it.
        left: processes and files of the kernel that are still there.
    """

    scores: dict
    maximum: dict
    bystander: dict
    text: str
    printed: str
    notes: list
    secrets: dict = field(default_factory=dict)
    left: list = field(default_factory=list)

    def gained(self):
        """Return the points that the attack earned."""
        return sum(self.scores.values()) - self.maximum[OWN]

    def assert_failed(self, keeps_own=True):
        """Assert that the attack gained nothing, learned nothing and harmed nobody.

        Args:
            keeps_own: whether the right answer in the same hand-in must keep its points.
        """
        others = {name: score for name, score in self.scores.items() if name != OWN}
        assert others == dict.fromkeys(others, 0), f"it gained points: {others}"
        if keeps_own:
            assert self.scores[OWN] == self.maximum[OWN], "an honest answer lost its points"
        assert self.bystander == self.maximum, "another hand-in lost points"
        leaked = [name for name, secret in self.secrets.items() if secret in self.text]
        assert not leaked, f"it learned {leaked}"
        assert not self.left, f"left behind: {self.left}"


@pytest.fixture(params=tiers() or ["none"])
def tier(request, monkeypatch):
    """Grade in this tier, whatever more the machine could do."""
    if request.param == "none":
        pytest.skip("this machine confines nothing, so it grades nothing")
    monkeypatch.setattr(
        "autograder.grading.preprocessors.chosen", lambda trust=False: request.param
    )
    return request.param


@pytest.fixture(scope="session")
def place():
    """A short path for the temporary files of all kernels here: sockets allow no long one."""
    path = Path(tempfile.mkdtemp(prefix="attack-"))
    path.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(path))
        patch.setattr(tempfile, "tempdir", None)
        yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def worker(place):
    """The process that grades, which all attacks meet: starting one takes longer than an attack."""
    with Workers(GRADES, 1, [shared_zygote().fileno()]) as workers:
        yield workers


@pytest.fixture
def attack(course, released, answer, hand_in, tier, place, worker, monkeypatch):  # noqa: F811
    """Return the function that hands in an attack and has it graded."""

    def run(code="", *, answers=None, change=None, files=None, learner="mallory", limits=None,
            fresh=False):  # fmt: skip
        """Grade an attack.

        Args:
            code: a cell that the notebook runs before its answers.
            answers: further answers: exercise to source.
            change: called with the notebook, to change it in place, or to return other bytes.
            files: further files of the hand-in: name to bytes, or a function from a path.
            learner: mallory's id.
            fresh: whether a process that starts now grades, instead of the one that is warm.
            limits: settings of the folder's configuration, such as `cell_seconds=2`.
        """
        for name, value in (limits or {}).items():
            with (course.path / "nbgrader_config.py").open("a") as config:
                config.write(f"\nc.Judge.{name} = {value!r}\n")
        notebook = answer(released, **{OWN: ANSWERS[OWN]} | (answers or {}))
        if code:
            notebook.cells.insert(2, nbformat.v4.new_code_cell(code))
        changed = change(notebook) if change else None
        path = hand_in(learner, notebook if changed is None else changed)
        for name, content in (files or {}).items():
            file = path.parent / name
            file.parent.mkdir(parents=True, exist_ok=True)
            content(file) if callable(content) else file.write_bytes(content)
        bea = answer(released)
        secrets = {"another hand-in": uuid.uuid4().hex, "the key": course.key.decode()}
        bea.cells.append(nbformat.v4.new_code_cell(f"mine = {secrets['another hand-in']!r}"))
        hand_in("bea", bea)
        secrets |= repository_secrets()
        if not fresh:
            warm = nullcontext(worker)
            monkeypatch.setattr("autograder.grading.grade.Workers", lambda *_: warm)
        before = surroundings(place)
        grades = grade(course.path, jobs=1)
        left = settled(before, place)
        ungraded = [text for text in grades.problems if "could not be graded" in text]
        assert not ungraded, ungraded
        row = next(row for row in grades.rows if row.learner == learner)
        return Outcome(
            scores=scores(course, learner),
            maximum=maximum(course),
            bystander=scores(course, "bea"),
            text=handed_back(course, learner),
            printed=printed(course, learner),
            notes=row.notes + [p for p in grades.problems if learner in p],
            secrets=secrets,
            left=left,
        )

    return run


def scores(course, learner):  # noqa: F811
    """Return a learner's automatic scores by exercise."""
    with course.gradebook() as gradebook:
        notebook = gradebook.find_submission_notebook(LAB, ASSIGNMENT, learner)
        return {grade.name.removeprefix("check-"): grade.auto_score for grade in notebook.grades}


def maximum(course):  # noqa: F811
    """Return the points of each exercise."""
    with course.gradebook() as gradebook:
        notebook = gradebook.find_submission_notebook(LAB, ASSIGNMENT, "bea")
        return {g.name.removeprefix("check-"): g.max_score for g in notebook.grades}


def handed_back(course, learner):  # noqa: F811
    """Return the autograded notebook and the feedback page of a learner, as text."""
    path = course.path / "autograded" / learner / ASSIGNMENT / f"{LAB}.ipynb"
    pages = feedback(course.path, [ASSIGNMENT], [learner])
    return path.read_text() + "".join(page.path.read_text() for page in pages)


def printed(course, learner):  # noqa: F811
    """Return the text below a learner's cells: printed, displayed, or raised."""
    path = course.path / "autograded" / learner / ASSIGNMENT / f"{LAB}.ipynb"
    outputs = [o for cell in nbformat.read(path, 4).cells for o in cell.get("outputs", [])]
    texts = [o.get("text", o.get("evalue", o.get("data", {}).get("text/plain"))) for o in outputs]
    return "\n".join(text for text in texts if text)


def repository_secrets():
    """Return lines that only the instructor's files hold."""
    checks = (SOLUTIONS.parent / "autograder" / "checks" / SLUG / f"{LAB}.py").read_text()
    quiz = (SOLUTIONS / SLUG / "quiz.yaml").read_text()
    return {
        "the checks": next(line for line in checks.splitlines() if line.startswith("@")).strip(),
        "the quiz": next(line for line in quiz.splitlines() if "key:" in line).strip(),
    }


def surroundings(place):
    """Return the processes and files of kernels that are on the machine, other runs' left out."""
    found = {str(path) for path in place.iterdir()}
    found |= {str(path) for path in Path("/dev/shm").glob("grading-*")}
    for process in psutil.process_iter(["pid", "cmdline", "uids"]):
        command = " ".join(process.info["cmdline"] or [])
        confined = process.info["uids"] and process.info["uids"].real >= FIRST_UID
        above = _commands_above(process)
        if above is None or process.info["pid"] == os.getpid():
            continue
        if above[-1:] == ["this"]:  # a descendant of ours: only warm processes stay
            if len(above) > 1 or not any(name in command for name in STAY):
                found.add(f"process {process.info['pid']} {command[:80]}")
        elif (confined or "autograder.kernels" in command) and not any(map(_is_run, above)):
            found.add(f"process {process.info['pid']} {command[:80]}")  # it has lost its parent
    return found


def _commands_above(process):
    """Return the commands of a process's ancestors, up to "this" process; None when it is gone."""
    commands = []
    try:
        for parent in process.parents():
            if parent.pid == os.getpid():
                return [*commands, "this"]
            commands.append(" ".join(parent.cmdline()))
    except psutil.Error:
        return None
    return commands


def _is_run(command):
    return any(word in command for word in ("pytest", "autograder", "course", "jupyter"))


def settled(before, place, seconds=10.0):
    """Return what stays, besides what was there before; what is just ending has a moment."""
    end = time.monotonic() + seconds
    while (left := surroundings(place) - before) and time.monotonic() < end:
        time.sleep(0.05)
    return sorted(left)


__all__ = ["copy"]
