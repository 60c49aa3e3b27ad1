"""Every kind of damage is found and mended; answers survive; a second run finds nothing."""

from fnmatch import fnmatchcase

import nbformat
import pytest

from autograder.doctor import examine, mend
from tests.autograder.damages import DAMAGES
from tests.course import sample

LAB = "m02_transformer/lab1_means.ipynb"
ANSWERS = {
    "mean": "def mean(x):\n    return sum(x) / len(x)  # Größe",
    "total": "def total(x):\n    return sum(x)",
}


@pytest.fixture
def lab(workspace):
    """A lab with an answer to each exercise, saved as JupyterLab saves it."""
    notebook = nbformat.reads(sample.lab(), as_version=4)
    for cell in notebook.cells:
        cell.source = ANSWERS.get(cell.id, cell.source)
    (workspace / LAB).write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    return workspace / LAB


def sources(path):
    return {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}


@pytest.mark.parametrize("damage", DAMAGES, ids=str)
def test_damage_is_found_and_mended(workspace, labs, lab, damage):
    damage.break_it(lab, "mean", sample.STUB)
    broken = lab.read_bytes()
    found = examine(workspace, labs)
    assert len(found) == len(damage.says)
    for finding, (cell, sentence) in zip(found, damage.says, strict=True):
        assert finding.file == LAB
        assert finding.cell == cell.replace("*", "mean")
        assert fnmatchcase(finding.sentence, sentence)

    done, left = mend(found)
    assert len(done) == 1
    assert left == examine(workspace, labs) == []
    mended = nbformat.read(lab, as_version=4)
    nbformat.validate(mended)
    assert {name: sources(lab)[name] for name in ANSWERS} == ANSWERS
    assert set(sources(lab)) == set(sources(labs / LAB))
    assert mended.metadata.course == nbformat.read(labs / LAB, as_version=4).metadata.course
    copies = [path.read_bytes() for path in (workspace / ".course" / "backup").rglob("*.ipynb")]
    assert copies == [broken]


def test_the_table_names_enough_kinds():
    assert len({str(damage) for damage in DAMAGES}) >= 30
