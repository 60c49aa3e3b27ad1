"""Group 4: results that were never earned: displayed, printed, forged; and ways out of Python."""

import sys

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
shell.events.register("pre_run_cell", show)
shell.events.register("post_run_cell", show)
show()
4.0
"""
    attack(code, answers=SILENT).assert_failed()


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


def test_forged_messages(attack):
    """A thread that signs messages with the kernel's own key, for whatever request runs."""
    code = """
import threading, time
kernel, sent = get_ipython().kernel, []
text = {"data": {"text/plain": "4.0"}, "metadata": {}, "execution_count": 1}
def forge():
    end = time.monotonic() + 8
    while time.monotonic() < end:
        parent = kernel.get_parent("shell")
        try:
            for kind, content in (
                ("execute_result", text),
                ("display_data", text),
                ("execute_reply", {"status": "ok", "execution_count": 1, "score": 4.0}),
                ("error", {"ename": 1, "evalue": None, "traceback": "none"}),
                ("stream", {"name": "stdout", "text": ["not", "a", "text"]}),
                ("status", {"execution_state": "idle"}),
            ):
                kernel.session.send(kernel.iopub_socket, kind, content, parent=parent)
                sent.append(kind)
        except Exception as error:
            sent.append(error)
        time.sleep(0.05)
threading.Thread(target=forge, daemon=True).start()
"""
    tell = SILENT | {"causal_mask": "import time; time.sleep(0.3); print(f'sent {len(sent)}')"}
    attack(code, answers=tell).assert_failed()


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
