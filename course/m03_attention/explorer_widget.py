"""The widget of the attention explorer; its front end is `explorer.js` and `explorer.css`."""

from pathlib import Path

import anywidget
import traitlets

HERE = Path(__file__).parent


class ExplorerWidget(anywidget.AnyWidget):
    """A sentence, its tokens, and the weights of all heads; the front end draws them.

    The front end sends `{"sentence": ...}`; the answer comes back in the traits, `replies` last.
    """

    _esm = HERE / "explorer.js"
    _css = HERE / "explorer.css"
    sentence = traitlets.Unicode().tag(sync=True)
    tokens = traitlets.List().tag(sync=True)
    shape = traitlets.List().tag(sync=True)  # layers, heads, tokens
    weights = traitlets.Bytes().tag(sync=True)  # float32, little-endian
    names = traitlets.List().tag(sync=True)  # of the heads, by layer
    remark = traitlets.Unicode().tag(sync=True)
    replies = traitlets.Int(0).tag(sync=True)

    @classmethod
    def of(cls, explorer):
        """Make the widget of an `AttentionExplorer`."""
        widget = cls(names=explorer.head_names or [])
        widget.take(explorer.sentence, explorer.tokens, explorer.weights)
        widget.on_msg(lambda _, content, __: widget.answer(explorer, content.get("sentence", "")))
        return widget

    def answer(self, explorer, sentence):
        """Show another sentence, or say why not."""
        try:
            tokens, weights = explorer.read(sentence)
        except Exception as error:  # noqa: BLE001  the callable is the user's: any failure is told
            self.take(remark=str(error) or type(error).__name__)
        else:
            self.take(sentence, tokens, weights)

    def take(self, sentence=None, tokens=None, weights=None, remark=""):
        """Send what changed, at once."""
        with self.hold_sync():
            if tokens is not None:
                self.sentence, self.tokens = sentence, tokens
                self.shape = list(weights.shape[:3])
                self.weights = weights.astype("<f4").tobytes()
            self.remark = remark
            self.replies += 1

    def view(self):
        """Return the part of a MIME bundle that shows the widget."""
        return {
            "application/vnd.jupyter.widget-view+json": {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self.model_id,
            }
        }
