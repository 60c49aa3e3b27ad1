"""The built notebook: three cells an item, the same bytes each time, and no key in it."""

import json
import re

import nbformat
import pytest
import yaml

from autograder.build import quiz
from autograder.build.assignments import Assignment
from autograder.build.release import released
from autograder.quiz import bank
from autograder.quiz.items import BankError, Computed

WORDS = re.compile(r"[^{}]{8,}")


@pytest.fixture
def path(made, write):
    """Return the path of the good bank."""
    return write(made)


@pytest.fixture
def built(path):
    """Return the notebook built from it."""
    return quiz.notebook("m02_transformer", path)


def test_three_cells_an_item_with_nbgrader_metadata(built, good):
    """Stem and graded cell are locked; the answer cell is the learner's."""
    nbformat.validate(built)
    cells = {cell.id: cell for cell in built.cells}

    assert list(cells)[:5] == ["quiz-title", "setup", "q01-stem", "q01-answer", "q01"]
    assert built.metadata.course.module == "m02_transformer"
    assert built.metadata.course.lab == "quiz"
    for item in good.items:
        graded = cells[item.id].metadata.nbgrader
        assert (graded.grade, graded.locked, graded.points) == (True, True, item.points)
        assert cells[item.id].source == f'quiz.recorded("{item.id}")'
        assert cells[f"{item.id}-stem"].metadata.nbgrader.locked
        assert "nbgrader" not in cells[f"{item.id}-answer"].metadata
        assert dict(cells[f"{item.id}-answer"].metadata.course) == {
            "role": "answer",
            "item": item.id,
        }
        assert item.stem in cells[f"{item.id}-stem"].source


def test_the_same_bank_gives_the_same_bytes(path):
    """A rebuild differs in nothing."""
    once, twice = (nbformat.writes(quiz.notebook("m02_transformer", path)) for _ in range(2))
    assert once == twice


def test_a_released_question_names_the_release(path, made, write):
    """The release changes with what the learner gets, and not with an explanation."""
    first = quiz.notebook("m02_transformer", path).metadata.course.release
    made["items"][0]["options"][0]["explanation"] += " More."
    assert quiz.notebook("m02_transformer", write(made)).metadata.course.release == first
    made["items"][0]["stem"] = "Which one?"
    assert quiz.notebook("m02_transformer", write(made)).metadata.course.release != first


def test_nbgrader_releases_the_notebook_as_it_is(built):
    """`generate_assignment` keeps every source and id and adds checksums."""
    todo = Assignment("m02_quiz", "m02_transformer", "quiz", built)
    notebook = nbformat.reads(released([todo])["quiz"].decode(), as_version=4)

    assert [(c.id, c.source) for c in notebook.cells] == [(c.id, c.source) for c in built.cells]
    graded = next(cell for cell in notebook.cells if cell.id == "q01")
    assert graded.metadata.nbgrader.checksum
    assert not graded.metadata.editable


def test_no_key_tolerance_or_explanation_is_in_the_notebook(built, good):
    """Every secret of the bank is looked for in the file that learners get."""
    text = nbformat.writes(built)
    for item in good.items:
        for entry in item.entries.values():
            assert json.dumps(entry.explanation)[1:-1] not in text
        if isinstance(item, Computed):
            assert item.key_name not in text
            assert all(mistake.key not in text for mistake in item.mistakes)
            for part in (item, *item.mistakes):
                assert all(piece not in text for piece in WORDS.findall(part.explanation))
    for word in ("correct", "explanation", "tolerance", "mistakes", "place", "matches"):
        assert f'{word}"' not in text.replace("\\", "")
        assert f"{word}=" not in text
    assert quiz.leaks(good, built) == []


@pytest.mark.parametrize("cell", [1, 2, 3, 4])
def test_a_leak_stops_the_build(built, good, cell):
    """The builder searches its own result."""
    built.cells[cell].source += good.item("q01").entries["b"].explanation
    assert quiz.leaks(good, built) == ["q01: 'Option other text of 1.'"]


def test_a_stem_that_holds_an_explanation_is_refused(made, write):
    """The message names the item."""
    made["items"][4]["stem"] += made["items"][4]["options"][1]["explanation"]
    with pytest.raises(BankError, match="the notebook would give away q05: 'Option other text"):
        quiz.notebook("m02_transformer", write(made))


def test_a_bank_that_breaks_a_rule_is_not_built(made, write):
    """The builder reviews the bank."""
    made["items"].pop()
    with pytest.raises(BankError, match="14 items are too few"):
        quiz.notebook("m02_transformer", write(made))


def test_a_bank_of_another_module_is_not_built(path):
    """The folder and the bank name the same module."""
    with pytest.raises(BankError, match="`module` is m02_transformer; it must be m03_attention"):
        quiz.notebook("m03_attention", path)


def test_texts_with_quotes_and_symbols_are_valid_python(made, write):
    """Whatever an option says, its cell parses and says the same."""
    texts = ['"quoted"', "it's √d", "back\\slash", "triple ''' \"\"\""]
    for option, text in zip(made["items"][4]["options"], texts, strict=True):
        option["text"] = text
    built = quiz.notebook("m02_transformer", write(made))
    source = next(cell.source for cell in built.cells if cell.id == "q05-answer")
    found = {}
    exec(source, {"quiz": type("Quiz", (), {"single": lambda item, **kw: found.update(kw)})})
    assert list(found.values()) == texts


def test_every_cell_asks_what_the_bank_asks(built, good):
    """The call in an answer cell makes the question that grading knows."""
    from autograder.quiz.answers import Question

    asked = []

    class Quiz:
        @staticmethod
        def match(item, left, right):
            asked.append(Question(item, "match", left, right))

        @staticmethod
        def numeric(item, choose):
            asked.append(Question(item, "numeric", choose=choose))

        @staticmethod
        def shape(item, choose, rank=None):
            asked.append(Question(item, "shape", choose=choose, rank=rank))

    for kind in ("single", "multiple", "order"):
        ask = lambda item, kind=kind, **kw: asked.append(Question(item, kind, kw))  # noqa: E731
        setattr(Quiz, kind, staticmethod(ask))
    for cell in built.cells:
        if cell.metadata.course.role == "answer":
            exec(cell.source, {"quiz": Quiz})
    assert asked == [item.question for item in good.items]


def test_the_bank_survives_its_own_dump(good, made):
    """What the fixture writes is what the loader reads."""
    assert yaml.safe_load(yaml.safe_dump(made)) == made
    assert isinstance(good, bank.Bank)
