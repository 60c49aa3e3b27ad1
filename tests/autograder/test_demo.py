"""`course demo`: the whole way for a made-up class, in real kernels with TensorFlow."""

import csv
import io

import pytest
from rich.console import Console

from autograder.grading.demo import LAB, QUIZ, demo


@pytest.mark.slow
def test_the_demo_grades_a_class(tmp_path):
    """Each learner gets what the story says, from release to export."""
    printed = Console(file=io.StringIO(), width=100)
    done = demo(tmp_path / "course", console=printed)

    rows = {(row.learner, row.assignment): row for row in done.grades.rows}
    full = rows["ada", LAB].max_score
    for learner in ("ada", "eva", "finn", "hugo"):
        assert rows[learner, LAB].score == full
    for learner in ("cleo", "gita"):
        assert rows[learner, LAB].score == 0
    for learner in ("ben", "dan"):
        assert 0 < rows[learner, LAB].score < full
    assert rows["gita", LAB].state == "unreadable"
    assert rows["hugo", LAB].late_penalty == pytest.approx(0.1 * full)
    assert len(rows["finn", LAB].notes) == 6
    assert any("√d" in note for note in rows["dan", LAB].notes)
    assert rows["ada", QUIZ].score == rows["ada", QUIZ].max_score
    assert len(done.grades.problems) == 1
    assert all(page.path.is_file() for page in done.pages)
    lines = list(csv.DictReader(done.exported.path.read_text().splitlines()))
    assert len(lines) == 16
    text = printed.file.getvalue()
    assert "Grades of a made-up class" in text
    assert "Traceback" not in text
