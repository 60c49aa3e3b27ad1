"""Feedback and formgrader's page of a submission: formulas without a network, and nothing twice."""

import sys
from xml.etree import ElementTree

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension

from autograder.build.assignments import ROOT
from autograder.grading.feedback import feedback
from autograder.grading.grade import grade
from autograder.grading.pages import formula, markdown

ASSIGNMENT, LAB = "m02_lab1_self_attention", "lab1_self_attention"
LABS = sorted(ROOT.glob("labs/*/*.ipynb"))


@pytest.fixture
def pages(course, released, answer, hand_in, monkeypatch):
    """The feedback and formgrader's page of one submission, with a formula of the learner's."""
    notebook = answer(released)
    notebook.cells.append(
        nbformat.v4.new_markdown_cell(r"I divided by $\sqrt{d}$: $$\frac{a}{b}$$")
    )
    hand_in("ada", notebook)
    grade(course.path)
    (written,) = feedback(course.path)
    return {"feedback": written.path.read_text(), "formgrader": formgraders(course, monkeypatch)}


def formgraders(course, monkeypatch):
    """Return the page of ada's submission as formgrader makes it."""
    monkeypatch.chdir(course.path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    extension = FormgradeExtension()
    extension.initialize([])
    path = course.path / "autograded" / "ada" / ASSIGNMENT / f"{LAB}.ipynb"
    resources = {"notebook_id": LAB, "base_url": "", "index": 0, "total": 1}
    return HTMLExporter(config=extension.config).from_filename(str(path), resources=resources)[0]


def test_the_pages_need_no_network_and_show_scores_once(pages):
    """Nothing is loaded from elsewhere, no formula is raw, and headings alone have the scores."""
    for name, text in pages.items():
        page = BeautifulSoup(text, "html.parser")
        loaded = [tag.get("src") or tag.get("href") for tag in page.select("[src], link[href]")]
        assert [each for each in loaded if "//" in each and not each.startswith("data:")] == []
        assert len(page.select("math msqrt")) == len(page.select("math[display=block] mfrac")) == 1
        assert "$" not in page.find(class_="container").get_text()
        assert len(page.select(".course-check")) == 4
        assert page.select(".output_execute_result") == []
        assert "padding" in text.partition(".rendered_html td {")[2].partition("}")[0], name
    assert "Score: 14.0 / 14.0" in pages["feedback"]


def test_formgrader_finds_an_exchange(course):
    """So that it neither warns nor hides its buttons."""
    directory = CourseDirectory(config=course.config)
    assert not NbGraderAPI(directory, config=course.config).exchange_missing
    assert course.config.Exchange.root == str(course.path / "exchange")


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.stem)
def test_every_formula_of_the_labs_is_drawn(path):
    """No formula is left as text, and no command in it."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            page = BeautifulSoup(markdown({"cell": cell}, cell.source), "html.parser")
            assert "\\" not in "".join(math.get_text() for math in page.select("math"))
            for code in page.select("code, pre"):
                assert "\\" not in code.get_text()
                code.decompose()
            assert "$" not in page.get_text()


def test_a_formula_is_mathml():
    """Characters are characters, names are set apart, and a slash stands close."""
    tree = ElementTree.fromstring(formula(r"x[i] \sin a_i \le 1/2", "inline"))
    assert tree.tag == "{http://www.w3.org/1998/Math/MathML}math"
    assert "".join(tree.itertext()) == "x[i]\u2009sin\u2009ai≤1/2"


@pytest.mark.parametrize("latex", [r"\frac{", "x^", "", "x" * 3000, "{" * 1900 + "}" * 100])
def test_a_formula_that_cannot_be_read_stays_text(latex):
    """A learner may write anything."""
    assert formula(latex, "block") == f"<code>{latex}</code>"


HOSTILE = [
    r"\text{<script>alert(1)</script>}",
    r"\text{&lt;script&gt;alert(1)&lt;/script&gt;}",
    r"\href{javascript:alert(1)}{x}",
    r"\style{background:url(//x)}{x}",
    r'\color{red" onclick="alert(1)}{x}',
    r"\frac{<img src=x onerror=alert(1)>",
]


@pytest.mark.parametrize("latex", HOSTILE)
def test_a_formula_brings_nothing_active(latex):
    """No markup, link, style or handler comes through."""
    page = BeautifulSoup(formula(latex, "inline"), "html.parser")
    assert page.select("math, code")
    for tag in page.find_all(True):
        assert tag.name in {"math", "mrow", "mtext", "mi", "mo", "mn", "mstyle", "mfrac", "code"}
        assert not {"href", "style", "onclick", "onerror", "src"} & set(tag.attrs)
