"""The learner's side of a quiz: show questions, take answers, save each one at once.

An answer is saved three times: as a record in the output of its cell, in `quiz_answers.json`
beside the notebook, and, where the front end can, by saving the notebook. `quiz.answer` saves
the same record without a widget.
"""

import html
import os
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from IPython.core.getipython import get_ipython
from IPython.display import display

from autograder.quiz import answers, plain, store, variants
from autograder.quiz.answers import AnswerError, Question

IN_WRITING = "This cell answers in writing: change its quiz.answer line to change the answer."


@dataclass
class Asked:
    """A question shown in a cell.

    Attributes:
        question: what was asked.
        parameters: the learner's variant.
        execution: the kernel's execution count of that cell.
        widget: the widget, or None where widgets do not run.
    """

    question: Question
    parameters: dict
    execution: int | None = None
    widget: object = None


@dataclass
class Session:
    """One quiz in one kernel."""

    module: str = ""
    folder: Path = field(default_factory=Path.cwd)
    learner: str = field(default_factory=variants.learner_id)
    questions: dict = field(default_factory=dict)
    asked: dict = field(default_factory=dict)
    outputs: dict = field(default_factory=dict)
    progress: object = None
    written: dict = field(default_factory=dict)
    made: dict = field(default_factory=dict)
    _in_notebooks: dict | None = None

    def find(self, item):
        """Return the question of an item.

        Raises:
            AnswerError: no question has this id.
        """
        if isinstance(item, str) and item in self.questions:
            return self.questions[item]
        known = ", ".join(self.questions)
        todo = f"write one of {known}" if known else "run the cell with its question first"
        raise AnswerError(f"{answers.shown(item)} is not a question of this quiz; {todo}.")

    def _saved(self, item):
        """Return the saved record of an item, whatever it holds, or an empty one."""
        found = self.made.get(item) or store.load(self.folder).get(self.module, {}).get(item)
        if found is None:
            if self._in_notebooks is None:
                self._in_notebooks = store.from_notebooks(self.folder, self.module)
            found = self._in_notebooks.get(item)
        return found if isinstance(found, dict) else {}

    def restore(self, item):
        """Return `(record, remark)` of an earlier answer; None if there is none that fits."""
        question, found = self.questions.get(item), self._saved(item)
        try:
            answer = answers.read(question, found.get("answer")) if question else None
        except AnswerError:
            answer = None
        if answer is None:
            return None, ""
        asked, seen = self.asked.get(item), found.get("parameters")
        seen = seen if isinstance(seen, dict) else {}
        if asked and seen and seen != asked.parameters:
            return None, (
                f"Your earlier answer was for the numbers of {found.get('learner')}; "
                f"you answer as {self.learner} now, with other numbers."
            )
        return self.make(question, answer, asked.parameters if asked else seen), ""

    def answered(self):
        """Say who answers and how far they are."""
        done = sum(self.restore(item)[0] is not None for item in self.questions)
        text = f"You answer as {self.learner}. {done} of {len(self.questions)} are answered."
        return {"text/plain": text, "text/html": f"<p>{html.escape(text)}</p>"}

    def seen(self, item):
        """Return the numbers of an earlier answer, for a line in a cell without its question."""
        found = self._saved(item)
        seen = found.get("parameters") if found.get("learner") == self.learner else None
        return seen if isinstance(seen, dict) else {}

    def make(self, question, answer, parameters):
        """Return the record of an answer by this learner."""
        return answers.record(question, answer, parameters, self.learner, self.module)

    def save(self, asked, answer):
        """Save an answer everywhere; return a remark when a place failed, else nothing."""
        record = self.make(asked.question, answer, asked.parameters)
        self.made[record["item"]] = record
        remark = ""
        try:
            if "NBGRADER_EXECUTION" not in os.environ:
                store.save(self.folder, record)
        except OSError as error:
            remark = f"{store.NAME} cannot be written ({error.strerror}): save the notebook."
        for handle in self.outputs.get(record["item"], []):
            handle.update(answers.saved(record), raw=True)
        if self.progress is not None:
            self.progress.update(self.answered(), raw=True)
        return remark


_session = None


def current():
    """Return the session of this kernel."""
    global _session
    if _session is None:
        _session = Session()
    return _session


def start(module, **items):
    """Begin a quiz: say who answers and how far they are.

    Args:
        module: slug of the module.
        **items: each item's form, such as `q01="single abcd"` or `q08="match abc 1234"`.
    """
    global _session
    before, _session = _session, Session(module=module)
    if before and before.module == module:  # questions that are on the page keep working
        _session.asked, _session.outputs = before.asked, before.outputs
        _session.made = before.made
    for item, form in items.items():
        kind, *sides = form.split()
        sides = [dict.fromkeys(side, "") for side in sides if kind != "shape"]
        rank = int(form.split()[1]) if kind == "shape" and " " in form else None
        options, right = [*sides, {}, {}][:2]
        _session.questions[item] = Question(item, kind, options, right, rank=rank)
    _session.progress = _show(_session.answered(), display_id=f"quiz-{uuid.uuid4().hex}")


def single(item, **options):
    """Ask for one of several options, given as `a="text", b="text"`."""
    _ask(Question(item, "single", options))


def multiple(item, **options):
    """Ask for all options that hold, given as `a="text", b="text"`."""
    _ask(Question(item, "multiple", options))


def order(item, **options):
    """Ask for the right order of the options, given as `a="text", b="text"`."""
    _ask(Question(item, "order", options))


def match(item, left, right):
    """Ask which entry of `right` belongs to each entry of `left`; both map keys to texts."""
    _ask(Question(item, "match", left, right))


def numeric(item, choose=None):
    """Ask for a number; `choose` maps each parameter to the values it may have."""
    _ask(Question(item, "numeric", choose=choose or {}))


def shape(item, rank=None, choose=None):
    """Ask for the shape of a tensor; `rank` is its number of axes, where that is known."""
    _ask(Question(item, "shape", choose=choose or {}, rank=rank))


def answer(item, value):
    """Answer a question in writing: `quiz.answer("q03", "b")`.

    Args:
        item: the item's id.
        value: `"b"`, `["a", "c"]`, `8.5`, `(2, 5, 64)` or `{"a": "1", "b": "2"}`.

    Raises:
        AnswerError: the answer has the wrong form; shown as one sentence.
    """
    session = current()
    question = session.find(item)
    read = answers.read(question, value)
    asked = session.asked.get(item) or Asked(question, session.seen(item))
    same_cell = asked.execution is not None and asked.execution == _execution()
    session.written[item] = _execution()
    remark = session.save(asked, read)
    made = session.make(question, read, asked.parameters)
    if not same_cell:
        _output(session, item, answers.saved(made))
    if asked.widget is not None:
        asked.widget.answered(read, made, remark)
        if same_cell:
            asked.widget.lock(IN_WRITING)


def recorded(item):
    """Stand in the graded cell of an item, where the grade will be.

    It shows nothing: the question's own cell says whether the answer is saved. Under nbgrader's
    validation an unanswered item fails. Under stock autograding the result is 0, because the keys
    are not there: `course grade` grades quizzes.

    Raises:
        AnswerError: nbgrader validates the notebook, and the item is not answered.
    """
    mode = os.environ.get("NBGRADER_EXECUTION")
    if mode == "validate" and current().restore(item)[0] is None:
        raise AnswerError(f"{item}: no answer yet; answer the question above, then go on.")
    return Ungraded() if mode == "autograde" else None


class Ungraded:
    """The result of a quiz cell under stock autograding: no points, and why."""

    def __repr__(self):
        return "0.0"

    def _repr_html_(self):
        return "<p>Not graded here: quizzes are graded by <code>course grade</code>.</p>"


def _ask(question):
    """Show a question with its earlier answer, and wait for a new one."""
    session = current()
    session.questions[question.item] = question
    asked = Asked(question, _parameters(session, question), _execution())
    session.asked[question.item] = asked
    record, remark = session.restore(question.item)
    shown = plain.bundle(question, asked.parameters)
    if _widgets_run():
        asked.widget = _widget(session, asked, record, remark)
        shown |= asked.widget.view()
    _show(shown)
    session.outputs[question.item] = []
    _output(session, question.item, answers.saved(record))
    if asked.widget is not None and session.written.get(question.item, -1) == asked.execution:
        asked.widget.lock(IN_WRITING)
    if asked.widget is None and remark:
        _show({"text/plain": remark})
    if record:
        session.save(asked, record["answer"])


def _widget(session, asked, record, remark):
    from autograder.quiz.widget import AnswerWidget

    def take(value):
        try:
            read = answers.read(asked.question, value)
        except AnswerError as error:
            return asked.widget.refuse(str(error))
        remark = session.save(asked, read)
        made = session.make(asked.question, read, asked.parameters)
        return asked.widget.answered(read, made, remark)

    return AnswerWidget.of(asked.question, asked.parameters, record, remark, take)


def _parameters(session, question):
    return variants.parameters(question.choose, session.learner, question.item)


def _output(session, item, shown):
    """Show a record in the running cell and remember where, so that it can be replaced."""
    handle = _show(shown, display_id=f"answer-{uuid.uuid4().hex}")
    if handle is not None:
        session.outputs.setdefault(item, []).append(handle)


def _show(shown, display_id=None):
    """Display a MIME bundle; outside a notebook, print its text."""
    if get_ipython() is None:
        print(shown["text/plain"])
        return None
    return display(shown, raw=True, display_id=display_id)


def _execution():
    shell = get_ipython()
    return None if shell is None else shell.execution_count


def _widgets_run():
    """Return whether a widget can be shown: in a notebook's kernel, unless grading."""
    if "NBGRADER_EXECUTION" in os.environ or os.environ.get("COURSE_PLAIN"):
        return False
    return getattr(get_ipython(), "kernel", None) is not None
