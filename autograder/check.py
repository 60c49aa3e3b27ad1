"""`check("m02_transformer.attention_scores")`: judge an answer in the learner's own kernel.

It shows a table and returns the score. Under nbgrader's Validate button an incomplete answer
raises one sentence per failed property, which the button shows; under nbgrader's autograder the
score is the cell's result.
"""

import contextlib
import importlib
import io
import os
import sys
import tempfile

from autograder import mytransformer, progress, show
from autograder.errors import CourseError
from autograder.exercise import find
from autograder.referee import judge
from autograder.wire.in_process import InProcess

UNSEEN = (
    "<style>.jp-OutputArea-child:has(.course-score){display:none}</style>"
    '<span class="course-score" hidden></span>'
)


class CheckFailed(Exception):
    """An incomplete answer under the Validate button; shown without a traceback."""

    def _render_traceback_(self):
        return str(self).splitlines()


class Score(float):
    """Points. To nbgrader they are the cell's result; a learner's table has said them already."""

    def __new__(cls, points, max_points):  # noqa: D102  a float takes its value here
        score = super().__new__(cls, points)
        score.max_points = max_points
        return score

    def _repr_mimebundle_(self, **kwargs):
        # The number must be in every saved notebook: nbgrader gives a cell without one full marks.
        return {"text/plain": repr(float(self)), "text/html": UNSEEN}


def check(exercise_id, namespace=None):
    """Check the answer to an exercise and show what was found.

    Args:
        exercise_id: str. `"<module>.<name>"`.
        namespace: dict. Where the answer is defined; by default the notebook.

    Returns:
        The points, a float. After a pass the answer joins the learner's `mytransformer`.
    """
    try:
        exercise = find(exercise_id)
    except CourseError as error:
        raise CheckFailed(str(error)) from None
    namespace = _notebook() if namespace is None else namespace
    with quiet():
        verdict = judge(exercise, InProcess(namespace))
    mode = os.environ.get("NBGRADER_EXECUTION")
    if mode == "validate" and not verdict.passed:
        raise CheckFailed(show.plain(verdict))
    extras = {} if mode else _learn(exercise, verdict, namespace)
    reached = extras.pop("reached", 0)
    _display(show.html(verdict, **extras), show.plain(verdict, **extras), reached)
    return Score(verdict.points, verdict.max_points)


@contextlib.contextmanager
def quiet():
    """Keep what libraries write to standard error out of the cell, where nbgrader scores it 0."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError, ValueError):
            sink = stack.enter_context(tempfile.TemporaryFile())
            kept = os.dup(2)
            stack.callback(os.close, kept)
            stack.callback(os.dup2, kept, 2)
            os.dup2(sink.fileno(), 2)
        stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        yield


def import_keras_quietly():
    """Import Keras in a notebook without the lines that TensorFlow writes at its first import."""
    if _shell() is not None:
        with quiet():
            importlib.import_module("keras")


def _learn(exercise, verdict, namespace):
    """Record the attempt; return what the learner is shown besides the verdict."""
    source = mytransformer.answer(exercise.name, namespace, _cells())
    reached = progress.record(exercise, verdict, source)
    extras = {"reached": reached, "of": len(exercise.hints)}
    extras["hints"] = () if verdict.passed else exercise.hints[:reached]
    if verdict.passed:
        extras["ours"] = show.package_source(exercise.package)
        extras["yours"] = source
        extras["joined"] = mytransformer.add(exercise, namespace, _cells())
    return extras


def _notebook():
    """Return the notebook's names, or those of the running script."""
    shell = _shell()
    return shell.user_ns if shell else vars(sys.modules["__main__"])


def _cells():
    """Return the sources of the cells run so far, oldest first."""
    shell = _shell()
    return list(shell.user_ns.get("In", [])) if shell else []


def _shell():
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def _display(html, plain, reached):
    if _shell() is None:
        print(plain)
        return
    from IPython.display import display

    hints = {progress.MIME: {"reached": reached}} if reached else {}
    display({"text/html": html, "text/plain": plain} | hints, raw=True)
