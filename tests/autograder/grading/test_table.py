"""Grades in a terminal of 80 columns."""

import io

import pytest
from rich.console import Console

from autograder.grading.grade import Grades, Row
from autograder.grading.table import grade_table, lateness, remarks

LAB = "m02_lab6_what_attention_buys"


@pytest.fixture
def grades():
    """Two grades, one of them late and repaired."""
    late = Row(
        "hugo",
        LAB,
        14,
        14,
        1.4,
        90_000,
        state="unreadable",
        notes=["cell causal_mask: It is back."],
    )
    return Grades([late, Row("ada", LAB, 12.5, 14)])


def test_the_table_fits_and_leaves_nothing_out(grades):
    """Names, points, lateness, total and state, sorted by learner."""
    console = Console(file=io.StringIO(), width=80)
    console.print(grade_table(grades))
    ada, hugo = [line for line in console.file.getvalue().splitlines() if LAB in line]

    assert ada.split() == ["ada", LAB, "12.5", "of", "14", "12.5", "graded"]
    assert hugo.split() == [
        "hugo", LAB, "14", "of", "14", "25", "h", "12.6", "unreadable",
    ]  # fmt: skip


def test_remarks_name_learner_and_cell(grades):
    """What was repaired stands below the name."""
    assert remarks(grades) == [f"hugo, {LAB}", "  cell causal_mask: It is back."]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, ""), (30, "1 min"), (5400, "2 h"), (200_000, "2 days")]
)
def test_lateness_is_short(seconds, text):
    """One number and one unit."""
    assert lateness(seconds) == text
