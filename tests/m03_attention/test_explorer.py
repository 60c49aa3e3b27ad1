"""The attention explorer without a browser: weights, figure, words, MIME bundle, messages."""

import base64
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbconvert import HTMLExporter

from course import m03_attention as m03
from tests.contract import close, fill
from tests.course.test_houses import imports

SENTENCE = "a b c a b"


def test_hand_made_heads_do_what_their_names_say():
    """Start, then a b c a b: places 0 to 5."""
    tokens, weights = m03.hand_made_attention("A b c, a b")
    assert tokens == ["<start>", "a", "b", "c", ",", "a", "b"]
    close(weights.sum(-1), np.ones((2, 2, 7)), 1e-5)
    assert weights[0, 0].argmax(-1).tolist() == [0, 0, 1, 2, 3, 4, 5]  # the word before
    close(weights[0, 1, 5], [0, 0.5, 0, 0, 0, 0.5, 0], 1e-5)  # the same word
    assert weights[1, 0].argmax(-1).tolist() == [0, 0, 0, 0, 0, 2, 3]  # what followed
    close(weights[1, 1, 3], [0.25] * 4 + [0] * 3, 1e-5)  # equally


def test_a_model_of_module_2_can_be_explored():
    """Two layers of two heads, read from the model itself."""
    heads = m03.build_induction_heads(5, max_length=4)
    fill(heads, 1)
    ids = np.array([[0, 1, 2, 3]])
    attention = m03.model_attention(heads, lambda sentence: (sentence.split(), ids))
    explorer = m03.AttentionExplorer(attention, "w x y z")
    assert explorer.tokens == ["w", "x", "y", "z"]
    close(explorer.weights[1], m03.attention_maps(heads, ids)["layer_2"][0])


def test_the_figure_shows_all_heads_or_the_chosen_one():
    explorer = m03.AttentionExplorer(sentence=SENTENCE)
    every = [axis.get_title() for axis in explorer.figure().axes if axis.get_title()]
    assert len(every) == 4
    one = explorer.figure(2, 1)
    title = "layer 2, head 1: what followed this word last time"
    assert [axis.get_title() for axis in one.axes][0] == title
    shown = one.axes[0].collections[0].get_array()
    close(np.asarray(shown), explorer.weights[1, 0])
    labels = [label.get_text() for label in one.axes[0].get_yticklabels()]
    assert labels == ["<start>", "a", "b", "c", "a", "b"]


def test_many_heads_show_the_first():
    def attention(sentence):
        return sentence.split(), np.full((7, 2, 2, 2), 0.5)

    explorer = m03.AttentionExplorer(attention, "x y")
    assert [axis.get_title() for axis in explorer.figure().axes][0] == "layer 1, head 1"
    assert explorer.describe().startswith(
        "layer 1, head 1. Attention weights, 2 rows and 2 columns"
    )


@pytest.fixture(scope="module")
def bundle():
    """What a cell shows."""
    return m03.AttentionExplorer(sentence=SENTENCE)._repr_mimebundle_()


def test_where_no_widget_runs_there_is_an_image_with_words(bundle):
    """The bundle's HTML holds a PNG, and what it shows as alt text."""
    page = bundle["text/html"]
    assert base64.b64decode(page.split("base64,")[1][:24]).startswith(b"\x89PNG")
    assert "layer 1, head 1: the word before. Attention weights, 6 rows and 6 columns" in page
    assert "b to a (1.00)" in bundle["text/plain"]
    assert "&lt;start&gt;" in page
    assert "<start>" not in page
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"]


def test_the_widget_answers_another_sentence():
    """A message of the front end changes tokens and weights together."""
    explorer = m03.AttentionExplorer(sentence=SENTENCE)
    widget, replies = explorer.widget, explorer.widget.replies
    widget._handle_custom_msg({"sentence": "x y x"}, [])
    assert widget.tokens == ["<start>", "x", "y", "x"]
    assert (widget.shape, widget.replies) == ([2, 2, 4], replies + 1)
    weights = np.frombuffer(widget.weights, "<f4").reshape(2, 2, 4, 4)
    close(weights, m03.hand_made_attention("x y x")[1])


@pytest.mark.parametrize(
    ("sentence", "said"),
    [(" ", "at least one word"), ("word " * 41, "at most 40 tokens. Received: 42")],
)
def test_the_widget_says_why_not(sentence, said):
    """The old picture stays; the remark goes with the next answer."""
    widget = m03.AttentionExplorer(sentence=SENTENCE).widget
    before, replies = widget.weights, widget.replies
    widget._handle_custom_msg({"sentence": sentence}, [])
    assert said in widget.remark
    assert (widget.weights, widget.replies) == (before, replies + 1)
    widget._handle_custom_msg({"sentence": "x"}, [])
    assert widget.remark == ""


def test_weights_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"2 tokens, weights.shape=\(1, 2, 2\)"):
        m03.AttentionExplorer(lambda s: (s.split(), np.ones((1, 2, 2))), "x y")


def test_only_the_widget_imports_anywidget_and_only_when_it_is_shown():
    """Neither at the top of a file of the package, `explorer_widget.py` apart.

    The package does not import `reading.py`: the build does.
    """
    heavy = ("anywidget", "course.m03_attention.explorer_widget", "matplotlib")
    found = {
        path.name
        for path in Path(m03.__file__).parent.glob("*.py")
        if any(name.startswith(heavy) for name in imports(path, top_level=True))
    } - {"reading.py"}
    assert found == {"explorer_widget.py"}


def test_a_page_of_nbconvert_shows_the_image(bundle):
    """Without the widget's state the exporter falls back to the image."""
    output = nbformat.v4.new_output("display_data", bundle)
    cell = nbformat.v4.new_code_cell("AttentionExplorer()", outputs=[output])
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    assert bundle["text/html"].rstrip(">") in page  # which the exporter closes with "/>"
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] not in page
