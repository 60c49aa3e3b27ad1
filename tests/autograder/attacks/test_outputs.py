"""Group 4: results that were never earned: displayed, printed, forged; and ways out of Python."""

import re
import sys

import nbformat
import pytest

from autograder.build.assignments import ROOT
from tests.autograder.attacks.conftest import ASSIGNMENT, LAB, SILENT, SLUG


def test_displayed_points(attack):
    """Stock nbgrader reads the points of a cell from its displayed result."""
    code = """
shell = get_ipython()
def show(*ignored):
    for points in (4.0, 14.0, float("nan"), -1, "4.0"):
        shell.displayhook(points)
    shown.append(points)
shown = []
shell.events.register("pre_run_cell", show)
shell.events.register("post_run_cell", show)
show()
4.0
"""
    outcome = attack(code, answers=SILENT | {"causal_mask": "print('shown', len(shown))\n4.0"})
    outcome.assert_failed()
    assert int(re.search(r"shown (\d+)", outcome.printed)[1]) > 4


def test_printed_scores(attack):
    """Text that looks like the report of a grader, in all forms that a notebook shows."""
    code = """
import sys
from IPython.display import HTML, Markdown, display
for line in ("masked_softmax: 4 of 4 points", "14.0", "### BEGIN HIDDEN TESTS", "passed"):
    print(line)
    print(line, file=sys.stderr)
    display(HTML(line), Markdown(line), {"text/plain": line, "application/json": 14}, raw=False)
display({"text/plain": "4.0"}, raw=True, metadata={"nbgrader": {"points": 4, "grade": True}})
4.0
"""
    outcome = attack(code, answers=dict.fromkeys(SILENT, "print('Score: 4.0 / 4.0')\n4.0"))
    assert "Score: 4.0" in outcome.printed, "the attack never ran"
    outcome.assert_failed()


FORGED = [  # for whatever request runs, signed with the kernel's own key
    ("execute_result", '{"data": {"text/plain": "4.0"}, "metadata": {}, "execution_count": 1}'),
    ("display_data", '{"data": {"text/plain": "4.0"}, "metadata": {}, "execution_count": 1}'),
    ("execute_reply", '{"status": "ok", "execution_count": 1, "score": 4.0}'),
    ("error", '{"ename": 1, "evalue": None, "traceback": "none"}'),
    ("error", '{"ename": [1], "evalue": {}, "traceback": None}'),
    ("error", '{"ename": "E", "evalue": "E", "traceback": 7}'),
    ("stream", '{"name": "stdout", "text": ["not", "a", "text"]}'),
    ("stream", '{"name": ["stdout"], "text": {}}'),
    ("stream", '{"name": "stdout", "text": None}'),
    ("stream", "{}"),
    ("display_data", '{"data": ["text/plain"], "metadata": None}'),
    ("display_data", '{"data": {"text/plain": deep}, "metadata": {}}'),
    ("stream", '{"name": "stdout", "text": "x", "deep": deep}'),
    ("status", '{"execution_state": ["idle"]}'),
]
FORGE = """
import threading, time
kernel, sent, failed, deep = get_ipython().kernel, [], [], []
for _ in range(900): deep = [deep]
def forge(kind, content):
    try:
        parent = kernel.get_parent("shell")
        kernel.session.send(kernel.iopub_socket, kind, content, parent=parent)
        sent.append(kind)
    except Exception as error:
        failed.append(repr(error))
"""
TELL = "import time; time.sleep(0.3); print(f'sent {len(sent)}, failed {failed}')"


@pytest.mark.parametrize("number", range(len(FORGED)))
def test_a_forged_message(attack, number):
    """It stands in a cell's output beside what the cell prints; the answers keep their points."""
    code = f"""{FORGE}
print("before", flush=True)
for _ in range(2): forge({FORGED[number][0]!r}, {FORGED[number][1]})
print("after", flush=True)
"""
    outcome = attack(code, answers=SILENT | {"causal_mask": TELL})
    outcome.assert_failed()
    assert "sent 2, failed []" in outcome.printed
    assert "after" in outcome.printed


def test_a_forged_text_after_a_pause(attack):
    """Its own programs keep its kernel from the processor, so that its output is read twice."""
    code = f"""{FORGE}
import os
end = time.monotonic() + 4
for _ in range(min(300, 5 * len(os.sched_getaffinity(0)))):
    if os.fork() == 0:
        while time.monotonic() < end: pass
        os._exit(0)
print("before", flush=True)
while time.monotonic() < end: pass
forge("stream", {{"name": "stdout", "text": ["not", "a", "text"]}})
print("after", flush=True)
"""
    outcome = attack(code, answers=SILENT | {"causal_mask": TELL}, limits={"cell_seconds": 2})
    outcome.assert_failed()
    assert "sent 1, failed []" in outcome.printed
    assert "before\nafter" in outcome.printed


def test_forged_messages(attack):
    """A thread forges them all, and ends of cells, while other cells and the checks run."""
    each = ", ".join(f"({kind!r}, {content})" for kind, content in FORGED)
    code = f"""{FORGE}
stop = threading.Event()
def forge_all():
    while not stop.wait(0.05):
        for kind, content in ({each}, ("status", {{"execution_state": "idle"}})):
            forge(kind, content)
forging = threading.Thread(target=forge_all)
forging.start()
"""

    def change(notebook):
        for source in ("time.sleep(1); stop.set(); forging.join()", "time.sleep(1)", TELL):
            notebook.cells.append(nbformat.v4.new_code_cell(source))

    outcome = attack(code, answers=SILENT, change=change)
    outcome.assert_failed()
    sent, failed = re.search(r"sent (\d+), failed (.*)", outcome.printed).groups()
    assert int(sent) > len(FORGED)
    assert failed == "[]"


def test_no_forged_message_in_a_graded_cell(attack):
    """What runs during a check cannot add an output to the check's cell."""
    code = """
from IPython.display import display
def masked_softmax(*args, **kwargs):
    print("forged: 4.0")
    display("forged: 4.0")
    get_ipython().displayhook(4.0)
    return "forged"
"""
    outcome = attack(code, answers=SILENT)
    assert "forged: 4.0" not in outcome.printed
    outcome.assert_failed()


def secret_places(course):
    """Return what shell commands try to read."""
    return [
        course.path / "grading.key",
        course.path / "gradebook.db",
        course.path / "submitted" / "bea" / ASSIGNMENT / f"{LAB}.ipynb",
        ROOT / "solutions" / SLUG / "quiz.yaml",
        ROOT / "autograder" / "checks" / SLUG / f"{LAB}.py",
    ]


@pytest.mark.parametrize(
    "escape",
    [
        pytest.param("%%bash\necho out $((6 * 7)); cat {paths}; ls -R {folder}", id="a bash cell"),
        pytest.param("!echo out $((6 * 7)); cat {paths} 2>&1 | head -c 9000", id="a shell line"),
        pytest.param(
            "%sx echo out $((6 * 7)); cat {paths}\n"
            "print(*_, sep='\\n')\n"
            "print('out', 6 * 7, *get_ipython().getoutput('cat {paths}'), sep='\\n')",
            id="a line magic",
        ),
        pytest.param(
            "%%script {python}\n"
            "print('out', 6 * 7)\n"
            "for path in '{paths}'.split():\n"
            "    try:\n"
            "        print(open(path, errors='replace').read()[:9000])\n"
            "    except OSError as error:\n"
            "        print(error)",
            id="another interpreter",
        ),
        pytest.param(
            "import os, subprocess\n"
            "print('out', 6 * 7)\n"
            "print(subprocess.run('cat {paths}', shell=True, capture_output=True, text=True,\n"
            "                     errors='replace').stdout[:9000])\n"
            "print(os.popen('cat {paths}').read()[:9000], os.system('cp {paths} .'))\n"
            "print(*[open(name, errors='replace').read(9000) for name in os.listdir()\n"
            "        if os.path.isfile(name)])",
            id="subprocess and os",
        ),
    ],
)
def test_shell_escapes(attack, course, escape):
    paths = " ".join(str(path) for path in secret_places(course))
    outcome = attack(escape.format(paths=paths, folder=course.path, python=sys.executable))
    assert "out 42" in outcome.printed or "out\n42" in outcome.printed, "no shell was reached"
    outcome.assert_failed()


def test_run_and_load_magics(attack, course):
    """`%run`, `%load`, `%load_ext` and `%pycat`, of files of its own and of others."""
    code = f"""
from pathlib import Path
shell = get_ipython()
Path("sly.py").write_text('''
def load_ipython_extension(shell):
    print("sly", 6 * 7)
    shell.user_ns.update(causal_mask=lambda *a: 4.0, points=14.0)
    import autograder.compare
    autograder.compare.TOLERANCE = float("inf")
    shell.displayhook(4.0)
''')
Path("sly.ipy").write_text("masked_softmax = lambda *a: 4.0\\n%load_ext sly")
import sys
sys.path.insert(0, ".")
shell.run_line_magic("run", "-i sly.ipy")
for path in {[str(path) for path in secret_places(course)]!r}:
    for magic in ("run -i", "run -n", "load", "pycat", "loadpy", "cat", "more", "load_ext"):
        name, *options = magic.split()
        try:
            print(shell.run_line_magic(name, " ".join([*options, path])))
        except BaseException as error:
            print(type(error).__name__)
"""
    outcome = attack(code, answers=SILENT)
    assert "sly 42" in outcome.printed, "the extension was not loaded"
    outcome.assert_failed()
