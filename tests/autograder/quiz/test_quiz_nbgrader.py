"""Under stock nbgrader: Validate passes answered items, autograde gives nothing away."""

import nbformat
import pytest
from nbgrader import utils
from nbgrader.preprocessors import Execute
from nbgrader.validator import Validator

from autograder.build import quiz
from autograder.build.assignments import ROOT, Assignment
from autograder.build.release import released
from autograder.quiz.bank import load
from autograder.quiz.variants import parameters

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture
def submitted(made, write, tmp_path, monkeypatch):
    """Return a bank and a function that writes a quiz with some items answered."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("COURSE_LEARNER", "ada")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / ".ipython"))
    path = write(made)
    bank = load(path)
    todo = Assignment("m02_quiz", "m02_transformer", "quiz", quiz.notebook(bank.module, path))
    text = released([todo])["quiz"].decode()

    def submit(*answered):
        notebook = nbformat.reads(text, as_version=4)
        for cell in notebook.cells:
            item = cell.metadata.course.get("item")
            if cell.metadata.course.role == "answer" and item in answered:
                key = bank.item(item).key(parameters(bank.item(item).choose, "ada", item))
                cell.source += f"\nquiz.answer({item!r}, {key!r})"
        target = tmp_path / "work" / "quiz.ipynb"
        target.parent.mkdir(exist_ok=True)
        nbformat.write(notebook, target)
        return target

    return bank, submit


def test_validate_passes_a_quiz_with_every_item_answered(submitted):
    """The Validate button says success."""
    bank, submit = submitted
    assert Validator().validate(str(submit(*(item.id for item in bank.items)))) == {}


def test_validate_fails_an_open_item_with_one_sentence(submitted):
    """The Validate button names what is open; the answered items pass."""
    bank, submit = submitted
    found = Validator().validate(str(submit(*(item.id for item in bank.items[1:]))))

    (failed,) = found["failed"]
    assert failed["source"] == 'quiz.recorded("q01")'
    sentence = "q01: no answer yet; answer the question above, then go on."
    assert failed["raw_error"] == sentence


def test_stock_autograde_gives_zero_and_says_why(submitted, tmp_path, monkeypatch):
    """Stock grading has no keys: each item gets 0, answered or not, and points to the command."""
    bank, submit = submitted
    notebook = nbformat.read(submit("q01"), as_version=4)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    Execute().preprocess(notebook, {"metadata": {"path": str(tmp_path / "work")}})

    graded = [cell for cell in notebook.cells if utils.is_grade(cell)]
    assert len(graded) == len(bank.items)
    for cell in graded:
        points = bank.item(cell.metadata.course["item"]).points
        assert utils.determine_grade(cell) == (0.0, points)
        shown = cell.outputs[-1].data["text/html"]
        assert shown == ("<p>Not graded here: quizzes are graded by <code>course grade</code>.</p>")
    assert not (tmp_path / "work" / "quiz_answers.json").exists()
