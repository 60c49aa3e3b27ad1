"""What a solution notebook gives in a confined, warm kernel, and how it may differ from ordinary.

Everything must be equal: kinds of outputs, text, results, errors, and pictures to the last bit.
What follows a clock is listed in `BY_THE_CLOCK`, each with its reason. Both kernels have one
processor: TensorFlow and BLAS share a sum among as many threads as there are processors, so its
last bits depend on their number, and training carries them into the pixels of a curve.
"""

import os
import re
from contextlib import contextmanager

from autograder import show
from autograder.confine.tiers import reach
from autograder.exercise import find
from autograder.grading.execute import Limits, Sandbox
from autograder.referee import judge
from autograder.workers import PLACE

LIMITS = Limits(cell_seconds=900, notebook_seconds=3600)  # demos train; in grading they do not run
BY_THE_CLOCK = [  # text that differs, and why
    (r"(?<=after 8 epochs, )\d+ s", "lab 6 prints the seconds that its training took"),
    (r"(?<=attention )\d+ ms|(?<=LSTM )\d+ ms", "lab 6 prints the milliseconds of a step"),
    (r"(?<=trained for )\d+ s", "labs 3 of module 1 and 2 of module 3 print those of a training"),
    (r"(?<=      time)[ \d.]+", "lab 1 of module 3 prints how much longer a score takes"),
    (r"(?<=additive )[\d.]+(?= dots)", "and how much longer in one step of a decoder"),
]
DRAWN_BY_THE_CLOCK = [  # cells whose picture differs, by a line of theirs, and why
    ("axis.plot(lengths, milliseconds, label=name)", "lab 6 draws the milliseconds of a step"),
    ("plot(lengths, by_length[name], label=name)", "lab 1 of module 3 draws those of a score"),
]
WIDGET = "application/vnd.jupyter.widget-view+json"  # names its model by a number drawn anew


@contextmanager
def one_processor():
    """Let what is started in a `with` block run on one processor."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(before)[_place() % len(before)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _place():
    """Return which of the processes that test this one is, so that each takes a processor."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def run_confined(notebook, monkeypatch):
    """Run a notebook in a confined kernel on one processor, as `course grade` does.

    Returns:
        For each code cell its outputs. Those of a check cell, which is never run there, are what
        the referee writes for it.
    """
    processors = len(os.sched_getaffinity(0))
    monkeypatch.setenv(PLACE, f"{_place() % processors}/{processors}")
    found = []
    with Sandbox(LIMITS, reach().tier) as sandbox:
        for cell in notebook.cells:
            if cell.cell_type == "code":
                check = cell.metadata["course"]["role"] == "check"
                found.append((_judged if check else _run)(sandbox, cell))
    return found


def _run(sandbox, cell):
    ran = sandbox.run(cell.source)
    assert not ran.problem, ran.problem
    return ran.outputs


def _judged(sandbox, cell):
    with sandbox.probe() as transport:
        verdict = judge(find(cell.metadata["course"]["exercise"]), transport)
    data = {"text/html": show.html(verdict), "text/plain": show.plain(verdict)}
    return [
        {"output_type": "display_data", "data": data},
        {"output_type": "execute_result", "data": {"text/plain": repr(verdict.points)}},
    ]


def told(outputs, source=""):
    """Return what outputs tell, as plain values; text of one stream is joined."""
    found = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            before = found.pop()[2] if found and found[-1][:2] == (kind, output["name"]) else ""
            found.append((kind, output["name"], before + output["text"]))
        elif kind == "error":
            found.append((kind, output["ename"], output["evalue"]))
        else:
            found.append((kind, _data(output["data"], source)))
    return [(*rest, _timeless(last)) for *rest, last in found]


def told_of_check(outputs):
    """Return what a check tells: the table, and the score, without how `check` displays it.

    In the learner's kernel `check` adds what belongs to the workspace (that the answer joined
    `mytransformer`, its code beside the course's) and hides the second display of the score.
    """
    table, result = outputs[-2:]
    rows = re.findall(r"<tr>.*?</tr>", table["data"]["text/html"], re.DOTALL)
    return len(outputs), rows, float(result["data"]["text/plain"])


def _data(data, source):
    drawn = any(line in source for line, _ in DRAWN_BY_THE_CLOCK)
    return {
        kind: "drawn by the clock" if drawn and kind.startswith("image/") else value
        for kind, value in data.items()
        if kind != WIDGET
    }


def _timeless(value):
    if isinstance(value, str):
        for pattern, _ in BY_THE_CLOCK:
            value = re.sub(pattern, "by the clock", value)
    return value
