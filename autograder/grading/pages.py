"""What nbgrader's pages show, feedback and formgrader alike; `configure` switches it on.

The pages need no network: formulas are MathML, which browsers draw by themselves, and
`templates/base/mathjax.html.j2` puts the course's styles where nbconvert loads MathJax. A source
that is folded in the notebook is left out, so that a quiz shows each question once.
"""

import html
from itertools import pairwise
from xml.etree import ElementTree

from jinja2 import pass_context
from latex2mathml.converter import convert_to_element
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import Preprocessor

MAX_FORMULA = 2000
THIN = "\u2009"
ACTIVE = {"href", "style", "class", "id"}


class Tidy(Preprocessor):
    """Leaves out the sources that are folded in the notebook, and scores that headings show."""

    def preprocess_cell(self, cell, resources, index):
        """Return the cell as a page shows it."""
        folded = cell.metadata.get("jupyter", {}).get("source_hidden")
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
            cell.outputs = [each for each in cell.outputs if each.output_type != "execute_result"]
            cell.source = "" if folded else cell.source  # its heading, with the score, stays
        elif folded:
            cell.metadata["transient"] = {"remove_source": True}
        return cell, resources


class _Renderer(IPythonRenderer):
    def block_math(self, body):
        return formula(body, "block")

    def inline_math(self, body):
        return formula(body, "inline")

    def latex_environment(self, name, body):
        return formula(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block")


@pass_context
def markdown(context, source):
    """Return Markdown as HTML; nbconvert's filter `markdown2html`, with formulas as MathML."""
    attachments = context.get("cell", {}).get("attachments", {})
    renderer = _Renderer(escape=False, attachments=attachments, exclude_anchor_links=True)
    return MarkdownWithMath(renderer=renderer).render(source)


def formula(latex, display):
    """Return a formula as MathML, or as its own text if it cannot be read.

    Args:
        latex: the formula.
        display: `block` or `inline`.
    """
    latex = latex.strip()
    try:
        if len(latex) > MAX_FORMULA:
            raise ValueError("too long")
        tree = convert_to_element(latex, display=display)
        for node in tree.iter():
            # The library writes characters as references, and leaves the escaping to its caller.
            node.text = html.unescape(node.text) if node.text else node.text
            node.attrib = {k: v for k, v in node.attrib.items() if k not in ACTIVE}
            if node.tag == "mo" and node.text == "/":
                node.attrib |= {"lspace": "0", "rspace": "0"}
            _space_functions(node)
        return ElementTree.tostring(tree, encoding="unicode")
    except Exception:  # noqa: BLE001  a learner's formula may be anything
        return f"<code>{html.escape(latex)}</code>"


def _space_functions(row):
    """Set a thin space between the name of a function, such as sin, and what stands beside it."""
    for left, right in pairwise(row):
        if _is_name(right):
            right.text = THIN + right.text
        if _is_name(left) and right.tag != "mo":
            left.text += THIN


def _is_name(node):
    return node.tag == "mi" and len(node.text or "") > 1 and node.text.strip(THIN).isalpha()
