"""See the attention weights of a sentence: a widget where widgets run, a figure where they do not.

    AttentionExplorer()                                   heads set by hand: `hand_made_attention`
    AttentionExplorer(model_attention(model, encode))     a model of module 2

Axes: L layers, N heads, T tokens.
"""

import base64
import html
import io

import numpy as np

from course import plot
from course.m03_attention.hand_made_attention import HAND_MADE_HEADS, hand_made_attention

SENTENCE = "the cat saw the dog and the dog saw the cat"
LONGEST = 40  # tokens
OVERVIEW = 6  # maps in one figure


class AttentionExplorer:
    """Type a sentence, choose a layer and a head, see who attends to whom.

    Show it as a cell's last expression. Where no widget runs (a page made by nbconvert, an
    editor without widgets, a reopened notebook), the same cell shows `figure()`.

    Args:
        attention: callable from a sentence to its tokens, a list of T str, and their weights,
            float `(L, N, T, T)`. Defaults to `hand_made_attention`.
        sentence: str. What to show first.
        head_names: optional L lists of N str. What each head does.

    Raises:
        ValueError: if `attention` returns weights of another shape.
    """

    def __init__(self, attention=None, sentence=SENTENCE, head_names=None):
        if attention is None:
            attention, head_names = hand_made_attention, head_names or HAND_MADE_HEADS
        self.attention, self.sentence, self.head_names = attention, sentence, head_names
        self.tokens, self.weights = self.read(sentence)
        self._widget = None

    def read(self, sentence):
        """Return tokens and float32 weights `(L, N, T, T)` of a sentence.

        Raises:
            ValueError: if it is empty or too long, or the weights do not fit the tokens.
        """
        if not sentence.strip():
            raise ValueError("`sentence` must hold at least one word. Received an empty one.")
        tokens, weights = self.attention(sentence)
        tokens, weights = [str(token) for token in tokens], np.float32(weights)
        if weights.ndim != 4 or weights.shape[2:] != (len(tokens), len(tokens)):
            raise ValueError(
                "`attention` must return weights (layers, heads, T, T) for T tokens. Received: "
                f"{len(tokens)} tokens, weights.shape={weights.shape}."
            )
        if len(tokens) > LONGEST:
            raise ValueError(
                f"`sentence` must have at most {LONGEST} tokens. Received: {len(tokens)}."
            )
        return tokens, weights

    def title(self, layer, head):
        """Return what a head is called; layers and heads count from 1."""
        name = self.head_names[layer - 1][head - 1] if self.head_names else ""
        return f"layer {layer}, head {head}" + (f": {name}" if name else "")

    def figure(self, layer=None, head=None):
        """Draw one head as a heat map, or all of them side by side if there are few.

        Args:
            layer: optional int from 1. Without it, all maps if at most 6, else the first.
            head: optional int from 1; the first by default.

        Returns:
            A matplotlib figure.
        """
        from matplotlib.figure import Figure

        layers, heads, length, _ = self.weights.shape
        if layer is not None or layers * heads > OVERVIEW:
            chosen = (layer or 1, head or 1)
            map_ = self.weights[chosen[0] - 1, chosen[1] - 1]
            return plot.heat_map(map_, self.tokens, self.tokens, self.title(*chosen), high=1)
        side = 2.2 + 0.24 * length
        size = (side * heads, side * layers)
        figure = Figure(figsize=size, layout="constrained", facecolor="white")
        axes = figure.subplots(layers, heads, squeeze=False)
        for (row, column), axis in np.ndenumerate(axes):
            title = self.title(row + 1, column + 1)
            map_ = self.weights[row, column]
            plot.heat_map(map_, self.tokens, self.tokens, title, axis, high=1)
        return figure

    def describe(self):
        """Return what `figure()` shows, in words."""
        layers, heads = self.weights.shape[:2]
        chosen = [(m + 1, n + 1) for m in range(layers) for n in range(heads)][:OVERVIEW]
        return "\n".join(
            f"{self.title(m, n)}. {plot.describe(self.weights[m - 1, n - 1], *[self.tokens] * 2)}"
            for m, n in (chosen if layers * heads <= OVERVIEW else [(1, 1)])
        )

    @property
    def widget(self):
        """The anywidget behind the cell's output, made when it is first asked for."""
        if self._widget is None:
            from course.m03_attention.explorer_widget import ExplorerWidget

            self._widget = ExplorerWidget.of(self)
        return self._widget

    def _repr_mimebundle_(self, include=None, exclude=None):
        """Return the widget, and beside it an image with alt text and plain text."""
        buffer = io.BytesIO()
        self.figure().savefig(buffer, format="png", dpi=80)
        image = base64.b64encode(buffer.getvalue()).decode()
        words = self.describe()
        alt = html.escape(words.replace("\n", " "), quote=True)
        picture = f'<img alt="{alt}" src="data:image/png;base64,{image}">'
        return {"text/plain": words, "text/html": picture} | self.widget.view()
