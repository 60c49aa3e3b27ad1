"""Hand-ins that are no notebooks, or that cannot even be opened, cost nobody else anything."""

import json
import os
import subprocess

import pytest

from autograder.grading.collect import collect
from tests.autograder.damages import DAMAGES
from tests.autograder.grading.conftest import ASSIGNMENT, LAB
from tests.unprivileged import unprivileged

GRADE = """if True:
    import json
    from autograder.grading.grade import grade
    grades = grade({path!r})
    rows = {{row.learner: [row.score, row.max_score, row.state, row.notes] for row in grades.rows}}
    print(json.dumps([rows, grades.problems]))
"""
COLLECT = """if True:
    import json
    from autograder.grading.collect import collect
    collected = collect({path!r})
    print(json.dumps([[taken.learner for taken in collected.taken], collected.problems]))
"""


def run(code, path):
    """Run code as somebody who may not read everything; return what it printed last."""
    command = unprivileged(code.format(path=str(path)))
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def deep_json(path):
    """100,000 lists in each other."""
    path.write_text("[" * 100_000 + "]" * 100_000)


def deep_metadata(path):
    """A notebook, but for one entry of its metadata."""
    deep = "[" * 100_000 + "]" * 100_000
    path.write_text(path.read_text().replace('"metadata": {', f'"metadata": {{"x": {deep},', 1))


def deep_answer(path):
    """An expression that no parser gets through."""
    path.write_text(
        path.read_text().replace("def causal_mask", f"{'-' * 90_000}1\\ndef causal_mask")
    )


def pipe(path):
    """A FIFO, which would hold up whoever opens it."""
    path.unlink()
    os.mkfifo(path)


def folder_of_its_name(path):
    """A folder called like a notebook, with files in it."""
    path.unlink()
    path.mkdir()
    (path / "data.txt").write_text("more")


def huge(path):
    """600 MB, of which the disk holds nothing."""
    os.truncate(path, 600 * 2**20)


def folder_closed(path):
    """A folder that nobody may list."""
    path.parent.chmod(0)


def folder_not_entered(path):
    """A folder that may be listed, and nothing in it opened."""
    path.parent.chmod(0o444)


def file_closed(path):
    """A file that nobody may read."""
    path.chmod(0)


def closed_file_beside(path):
    """A readable notebook beside a file that is not."""
    path.with_name("data.csv").write_text("1,2")
    path.with_name("data.csv").chmod(0)


DEEP = "it is not readable JSON: it is nested too deeply"
DENIED = "it cannot be opened (Permission denied)"
ZERO = {
    deep_json: DEEP,
    deep_metadata: DEEP,
    pipe: "it is not a plain file",
    folder_of_its_name: "it is not a plain file",
    huge: "it is larger than 20 MB",
    folder_closed: DENIED,
    folder_not_entered: DENIED,
    file_closed: DENIED,
}
OTHERS = (deep_answer, closed_file_beside)


@pytest.fixture
def opened_again(course):
    """Give the rights back, so that the folder can be deleted."""
    yield
    for parent, folders, _ in os.walk(course.path):
        for name in folders:
            os.chmod(os.path.join(parent, name), 0o755)


@pytest.mark.usefixtures("opened_again")
def test_each_earns_nothing_and_one_sentence(course, released, answer, hand_in):
    for damage in (*ZERO, *OTHERS):
        damage(hand_in(damage.__name__, answer(released)))
    hand_in("ada", answer(released))
    hand_in("zoe", answer(released)).parents[1].chmod(0)
    rows, problems = run(GRADE, course.path)

    full = rows["ada"][1]
    assert rows.pop("ada") == [full, full, "graded", []]
    assert rows.pop("closed_file_beside") == [full, full, "graded", []]
    score, _, state, _ = rows.pop("deep_answer")
    assert (0 < score < full, state) == (True, "graded")
    expected = {
        damage.__name__: f"{LAB}.ipynb could not be read: {why}. It earns 0 points."
        for damage, why in ZERO.items()
    }
    assert rows == {name: [0, full, "unreadable", [why]] for name, why in expected.items()}
    told = [f"submitted/{name}/{ASSIGNMENT}: {why}" for name, why in expected.items()]
    closed = f"submitted/zoe/{ASSIGNMENT}: it cannot be opened (Permission denied)."
    assert sorted(problems) == sorted([*told, closed])


@pytest.mark.usefixtures("opened_again")
def test_closed_folders_of_the_inbox_are_told(course, released, answer, hand_in):
    inbox = course.path / "inbox"
    for learner in ("ada", "ben", "cleo"):
        (inbox / learner).mkdir()
        path = hand_in(learner, answer(released))
        path.rename(inbox / learner / "lab1.ipynb")
    (inbox / "ben").chmod(0)
    (inbox / "cleo" / "lab1.ipynb").chmod(0)
    taken, problems = run(COLLECT, course.path)

    assert taken == ["ada"]
    assert sorted(problems) == [
        "ben: it cannot be opened (Permission denied).",
        "cleo/lab1.ipynb: it cannot be opened (Permission denied); it was left in the inbox.",
    ]


def test_damaged_files_of_the_inbox_are_known(course, released, answer, hand_in):
    """What can be mended is collected whatever its name is."""
    for damage in DAMAGES:
        place = course.path / "inbox" / str(damage)
        place.mkdir()
        notebook = answer(released)
        notebook.cells[0].source += " — ünlike"
        path = hand_in(str(damage), notebook)
        damage.break_it(path, "causal_mask", "def causal_mask(length):\n    pass")
        path.rename(place / "work.ipynb")
    collected = collect(course.path)

    assert collected.problems == []
    assert {taken.learner for taken in collected.taken} == {str(damage) for damage in DAMAGES}
    assert {taken.assignment for taken in collected.taken} == {ASSIGNMENT}
