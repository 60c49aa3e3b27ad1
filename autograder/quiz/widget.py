"""The widget that takes an answer; its front end is `widget.js` and `widget.css`."""

from pathlib import Path

import anywidget
import traitlets

from autograder.quiz import plain

HERE = Path(__file__).parent


class AnswerWidget(anywidget.AnyWidget):
    """Radio buttons, checkboxes, a field, a list to order or pairs to match."""

    _esm = HERE / "widget.js"
    _css = HERE / "widget.css"
    item = traitlets.Unicode().tag(sync=True)
    kind = traitlets.Unicode().tag(sync=True)
    ask = traitlets.Unicode().tag(sync=True)
    numbers = traitlets.Unicode().tag(sync=True)
    options = traitlets.List().tag(sync=True)
    right = traitlets.List().tag(sync=True)
    answer = traitlets.Any(None, allow_none=True).tag(sync=True)
    record = traitlets.Any(None, allow_none=True).tag(sync=True)
    remark = traitlets.Unicode().tag(sync=True)
    refused = traitlets.Bool(False).tag(sync=True)
    locked = traitlets.Bool(False).tag(sync=True)
    replies = traitlets.Int(0).tag(sync=True)

    @classmethod
    def of(cls, question, parameters, record, remark, take):
        """Make the widget of a question.

        Args:
            question: a `Question`.
            parameters: the learner's variant.
            record: the earlier answer's record, or None.
            remark: a sentence to show, or empty.
            take: called with each new answer, as it comes from the front end.
        """
        widget = cls(
            item=question.item,
            kind=question.kind,
            ask=plain.ASKS[question.kind],
            numbers=plain.numbers(parameters),
            options=list(map(list, question.options.items())),
            right=list(map(list, question.right.items())),
            answer=record["answer"] if record else None,
            record=record,
            remark=remark,
        )
        widget.on_msg(lambda _, content, __: take(content.get("answer")))
        return widget

    def answered(self, answer, record, remark=""):
        """Take over an answer that was saved."""
        with self.hold_sync():
            self.answer, self.record, self.remark = answer, record, remark
            self.refused = False
            self.replies += 1

    def refuse(self, remark):
        """Say why an answer was not taken."""
        with self.hold_sync():
            self.remark, self.refused = remark, True
            self.replies += 1

    def lock(self, remark):
        """Take no more answers; say why."""
        with self.hold_sync():
            self.remark, self.locked = remark, True

    def view(self):
        """Return the part of a MIME bundle that shows the widget."""
        return {
            "application/vnd.jupyter.widget-view+json": {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self.model_id,
            }
        }
