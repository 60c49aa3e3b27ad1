"""What an instructor's browser gets of a learner's outputs and text."""

import pytest
from bs4 import BeautifulSoup

from autograder.grading.export import quoted
from autograder.grading.outputs import label, literal, safe_markdown, safe_outputs
from autograder.grading.pages import markdown

PIXEL = "iVBORw0KGgo="


def shown(data, kind="display_data"):
    """Return what is left of an output's data."""
    safe = safe_outputs([{"output_type": kind, "data": data, "metadata": {"a": "<b>"}}])
    assert all(output["metadata"] == {} for output in safe)
    return dict(safe[0]["data"]) if safe else {}


@pytest.mark.parametrize(
    "kind",
    ["text/html", "image/svg+xml", "application/javascript", "text/markdown", "text/latex",
     "application/vnd.jupyter.widget-view+json"],
)  # fmt: skip
def test_markup_is_dropped_and_its_text_stays(kind):
    """A table of a library still shows as text."""
    assert shown({kind: "<script>", "text/plain": "a table"}) == {"text/plain": "a table"}
    assert shown({kind: "<script>"}) == {}


def test_pictures_stay_when_they_are_pictures():
    """A picture's data stands in an attribute, which a quote mark would end."""
    assert shown({"image/png": PIXEL}) == {"image/png": PIXEL}
    assert shown({"image/png": '"><script>alert(1)</script>'}) == {}
    assert shown({"image/png": {"a": 1}}) == {}


def test_a_result_outside_a_check_is_no_score():
    """nbgrader reads a score from the first result of a graded cell; none is left to read."""
    safe = safe_outputs(
        [{"output_type": "execute_result", "data": {"text/plain": "1000.0"}, "metadata": {}}]
    )
    assert safe[0]["output_type"] == "display_data"


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "[x](javascript:alert(1))", "[x][y]\n\n[y]: data:text/html,z",
     "&#60;script>", "$\\href{javascript:alert(1)}{x}$", "~~~\n</textarea><img src=x>"],
)  # fmt: skip
def test_active_markdown_becomes_plain_text(text):
    """It is shown, letter by letter, in a fence that it cannot close."""
    safe = safe_markdown(text)
    fence = safe.split("text\n")[0]
    assert set(fence) == {"~"}
    assert text in safe
    assert fence not in text


@pytest.mark.parametrize("text", ["# A title", "a < b and $x_i$ & more", "- **bold** `code`"])
def test_other_markdown_stays(text):
    """Headings, lists and mathematics are shown as such."""
    assert safe_markdown(text) == text


@pytest.mark.parametrize(
    "text",
    ["![x](//evil/t.png)", "[x](//evil)", "[x]: //evil", "<b>x</b>", "<//evil>", "http://evil/x",
     "$\\href{javascript:alert(1)}{x}$", "\\[x](//evil)", "\\\\(x\\\\)", "&#60;b>",
     "a\n\n# b\x1b[2J"],
)  # fmt: skip
def test_a_sentence_is_literal_in_markdown(text):
    """Whatever a learner's words in it look like, a page shows text."""
    page = BeautifulSoup(markdown({"cell": {}}, literal(f"It names {text}.")), "html.parser")
    assert {tag.name for tag in page.find_all(True)} == {"p"}
    kept = "".join(letter if letter.isprintable() else " " for letter in text)
    assert page.get_text().strip() == f"It names {kept}.".replace("\\", "∖")


def test_a_sentence_of_ours_stays():
    """Code is code in it."""
    sentence = "You did not divide `scores` by √d_k (2 of 3 * points): use a_b."
    assert literal(sentence) == sentence


def test_a_label_is_short_and_printable():
    assert label(" lab1\x1b[2J\r\n\u202ex ") == "lab1 [2J   x"
    assert label("x" * 41) == "x" * 40 + "…"
    assert label("\x07\n") == ""


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@a", "\t=1", " =1", "\r=1", "＝1", "\u00a0=1", '"=1']
)
def test_a_formula_is_quoted(text):
    """A spreadsheet shows it as text."""
    assert quoted(text) == f"'{text}"


def test_a_formula_after_another_countrys_separator_is_quoted():
    """A spreadsheet that splits at semicolons would begin a cell with it."""
    assert quoted("Ada;=1") == "Ada;'=1"
    assert quoted("Ada\t =1") == "Ada\t' =1"


@pytest.mark.parametrize("value", ["Ada", "Ada-Lea; B", "", "2026-01-01", 0, -1.5])
def test_other_values_stay(value):
    """Numbers and names are as they are."""
    assert quoted(value) == value
