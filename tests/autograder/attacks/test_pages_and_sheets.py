"""Group 16: code for the instructor's browser, terminal and spreadsheet."""

import csv
import io
import re
from collections import Counter
from html.parser import HTMLParser

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter

from autograder.grading.export import export
from autograder.grading.feedback import feedback
from autograder.grading.pages import markdown
from course.cli import _tell
from tests.autograder.grading.conftest import ASSIGNMENT, LAB

SCRIPTS = [
    "<script>alert('X5S')</script>", "<img src=x onerror=alert('X5S')>", "<svg onload=alert(1)>",
    "<iframe src='javascript:alert(1)'></iframe>", "<a href='javascript:alert(1)'>X5S</a>",
    "</pre></div><script>alert('X5S')</script>", "<style>*{display:none}</style>",
    "<form action='//evil.example'><input name=a></form>", "<base href='//evil.example'>",
    "<meta http-equiv=refresh content='0;//evil.example'>", "<object data='//evil.example'>",
    "--><script>alert('X5S')</script>", "<math><mtext><script>alert('X5S')</script>",
]  # fmt: skip
MARKDOWN = [
    *SCRIPTS, "[X5S](javascript:alert(1))", "[X5S]( jAvAsCrIpT:alert(1))",
    "![X5S](//evil.example/x.png)", "[X5S][a]\n\n[a]: javascript:alert(1)",
    "<javascript:alert(1)>", "$\\href{javascript:alert(1)}{X5S}$", "$$\\html{<script>}$$",
    "&lt;script&gt;&#x3c;img src=x onerror=alert(1)&#x3e;", "```{=html}\n<script>1</script>\n```",
    "![X5S](attachment:a.png)", "> <script>alert(1)</script>", "\\<script>alert(1)\\</script>",
]  # fmt: skip


class Active(HTMLParser):
    """Collects what a browser would run, load or send."""

    TAGS = ("script", "iframe", "object", "embed", "base", "meta", "form", "input", "svg", "link",
            "style", "math")  # fmt: skip

    def __init__(self, page):
        super().__init__()
        self.found = Counter()
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        """Note tags, handlers and addresses."""
        if tag in self.TAGS:
            self.found[tag] += 1
        for name, value in attributes:
            value = "".join((value or "").split()).lower()
            if name.startswith("on") or value.startswith(("javascript:", "data:text", "vbscript:")):
                self.found[f"{name}={value[:60]}"] += 1
            if name in ("href", "src", "action", "data", "srcset", "xlink:href"):
                if not value.startswith(("#", "data:image/png", "data:image/jpeg")):
                    self.found[f"{name}={value[:60]}"] += 1


def pages(course, learner):
    """Return a learner's pages: the feedback, and the graded notebook as nbconvert shows it."""
    path = course.path / "autograded" / learner / ASSIGNMENT / f"{LAB}.ipynb"
    exporter = HTMLExporter(template_name="classic")
    page, _ = exporter.from_notebook_node(nbformat.read(path, as_version=4))
    (made,) = feedback(course.path, [ASSIGNMENT], [learner])
    return made.path.read_text(), page


def assert_passive(course):
    """Assert that mallory's pages run and load nothing that bea's do not."""
    for mine, theirs in zip(pages(course, "mallory"), pages(course, "bea"), strict=True):
        assert not Active(mine).found - Active(theirs).found


def test_the_search_finds_each_script():
    for text in SCRIPTS:
        assert Active(f"<body>{text.replace('</pre></div>', '').replace('-->', '')}").found, text
    assert not Active("<p>a &lt;script&gt; <a href='#x'>b</a></p>").found


def test_outputs(attack, course):
    """Every kind of output, with metadata, and a picture that leaves its attribute."""
    code = f"""
from IPython.display import display, publish_display_data
for text in {SCRIPTS!r}:
    kinds = ["text/html", "image/svg+xml", "application/javascript", "text/markdown", "text/latex",
             "application/vnd.jupyter.widget-view+json", "text/vnd.mermaid", "application/pdf"]
    for kind in kinds:
        both = {{kind: text, "text/plain": text}}
        display(both, raw=True, metadata={{kind: {{"isolated": False}}}})
    display({{"image/png": "\\"'>" + text}}, raw=True)
    size = {{"image/png": {{"width": "1'>" + text}}}}
    display({{"image/png": "iVBORw0KGgo="}}, raw=True, metadata=size)
    print(text, flush=True)
    print("\\x1b[31m" + text + "\\x1b]8;;javascript:alert(1)\\x07", flush=True)
type("<script>", (Exception,), {{}})
print("shown", "X5S")
raise type("<img src=x onerror=alert(1)>", (Exception,), {{}})("<script>alert('X5S')</script>")
"""
    outcome = attack(code)

    outcome.assert_failed()
    assert "shown X5S" in outcome.text
    assert_passive(course)


def test_text_cells(attack, course):
    """Markdown and raw cells between the exercises, and an answer turned into text."""

    def change(notebook):
        for text in MARKDOWN:
            cell = nbformat.v4.new_markdown_cell(text)
            cell["attachments"] = {"a.png": {"image/svg+xml": "<svg onload=alert(1)>"}}
            notebook.cells.append(cell)
            notebook.cells.insert(3, nbformat.v4.new_raw_cell(text))
        notebook.metadata["title"] = "</title><script>alert('X5S')</script>"
        notebook.metadata["authors"] = [{"name": "<script>alert('X5S')</script>"}]

    outcome = attack(change=change)

    outcome.assert_failed()
    assert "X5S" in outcome.text
    assert_passive(course)


ERRORS = """
NAMES = {scripts!r} + ["[X5S](javascript:alert(1))", "\\x1b]0;X5S\\x07\\x1b[2J", "a\\nb\\rc"]
class TimeLimit(Exception): pass
class KernelDied(Exception): pass
class WireError(Exception): pass
class Forbidden(Exception): pass
class NotDefined(Exception): pass
KINDS = [TimeLimit, KernelDied, WireError, Forbidden, NotDefined]
calls = [0]
def wrong(*args, **kwargs):
    calls[0] += 1
    name = NAMES[calls[0] % len(NAMES)]
    if calls[0] % 3 == 0:
        raise KINDS[{kind}]("10 seconds and was stopped " + "".join(NAMES))
    if calls[0] % 3 == 1:
        raise type(name.replace("\\0", ""), (Exception,), {{}})("".join(NAMES))
    return [type(name, (), {{}})(), name, {{name: name}}]
wrong.__name__ = NAMES[0]
print("armed", len(NAMES))
"""


@pytest.mark.parametrize("kind", range(5))
def test_errors_and_results(attack, course, kind):
    """Names of classes, messages and values that stand in the feedback and in remarks."""
    exercises = ("masked_softmax", "causal_mask", "scaled_dot_product_attention")
    outcome = attack(
        ERRORS.format(scripts=SCRIPTS, kind=kind),
        answers={name: f"def {name}(*args, **kwargs):\n    return wrong()" for name in exercises},
    )

    outcome.assert_failed()
    assert "armed" in outcome.text
    assert_passive(course)
    for note in outcome.notes:
        assert "X5S" not in note, "the learner's words stand in a remark"
        assert note.isprintable(), "a terminal would obey them"


FORMULAS = ["=HYPERLINK(\"//evil.example\",\"X\")", "+1+1", "-1+1", "@SUM(1)", "\t=1", " =1",
            "Ada;=1+1", "Ada\t=1+1", "Ada|=1+1", "\u00a0=1", "＝1+1", "'=1", "\"=1", "\ufeff=1",
            "Ada,=1"]  # fmt: skip


@pytest.mark.parametrize("formula", FORMULAS)
def test_names_in_the_sheet(course, formula):
    """Names come from the platform, where learners write them; sheets split at several marks."""
    roster = io.StringIO()
    writer = csv.writer(roster)
    writer.writerow(["learner", "first_name", "last_name", "email"])
    writer.writerow(["mallory", formula, formula, formula])
    (course.path / "roster.csv").write_text(roster.getvalue(), encoding="utf-8")

    exported = export(course.path)

    for path in (exported.path, exported.modules_path):
        text = path.read_text(encoding="utf-8")
        for delimiter in ",;\t|":
            for row in csv.reader(io.StringIO(text), delimiter=delimiter):
                for value in row:
                    shown = value.strip().strip('"\ufeff').strip()
                    assert not shown.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")), value


LABELS = [
    "\x1b]0;X5S\x07\x1b[2J\r", "![x](https://evil.example/t.png)", "[X5S](https://evil.example)",
    "<https://evil.example>", "https://evil.example/X5S", "www.evil.example", "x@evil.example",
    "<img src=//evil.example/t.png>", "$\\href{javascript:alert(1)}{X5S}$", "X5S" * 1000, "# X5S",
    "X5S\n\n~~~\n\n![x](//evil.example/t.png)", "\\[x](//evil.example)", "\u202eX5S", "`X5S`",
    "\\(\\href{javascript:alert(1)}{X5S}\\)", "&#33;&#91;x&#93;&#40;//evil.example&#41;",
]  # fmt: skip


@pytest.mark.parametrize("label", LABELS)
def test_labels_in_remarks(attack, course, label):
    """What a notebook says of itself stands in remarks: in the terminal, and above its cells."""

    def change(notebook):
        notebook.metadata.course |= {"module": label, "lab": label, "release": label}
        notebook.metadata.kernelspec = {"name": label, "display_name": label}

    outcome = attack(change=change)

    outcome.assert_failed()
    said = next(note for note in outcome.notes if note.startswith("It names "))
    assert len(said) < 160
    assert all(note.isprintable() for note in outcome.notes)
    assert_passive(course)
    path = course.path / "autograded" / "mallory" / ASSIGNMENT / f"{LAB}.ipynb"
    (cell,) = [c for c in nbformat.read(path, 4).cells if c.id == "grading-notes"]
    page = BeautifulSoup(markdown({"cell": cell}, cell.source), "html.parser")
    assert {tag.name for tag in page.find_all(True)} <= {"p", "strong", "ul", "li", "code"}
    for active in ("https://", "www.", "@", "$", "["):  # JupyterLab finds more links than we do
        assert active not in re.sub(r"\\.", "", cell.source)


def test_remarks_in_a_terminal(capsys):
    """The last hand that writes to the terminal lets no code through, whoever wrote the line."""
    _tell(["\x1b[2J\x07finn"], ["a\nb\x9b31m\u202e"])
    written = capsys.readouterr()
    assert written.out.removesuffix("\n").isprintable()
    assert written.err.removesuffix("\n").isprintable()
    assert "finn" in written.out
