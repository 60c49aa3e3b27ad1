"""The learner's side in a real kernel: what is shown, what is saved, what comes back."""

import json
import queue
import subprocess
import sys

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient

from autograder.build import quiz
from autograder.build.assignments import ROOT
from autograder.quiz.answers import MIME
from autograder.quiz.bank import load
from autograder.quiz.grade import grade_quiz
from autograder.quiz.variants import parameters

VIEW = "application/vnd.jupyter.widget-view+json"
START = (
    "from autograder import quiz\n"
    "quiz.start('m02_transformer', q01='single ab', q02='multiple abc', q03='numeric', "
    "q04='shape 3', q05='order abc', q06='match ab 12')"
)
SINGLE = "quiz.single('q01', a='one', b='two <b>')"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Let kernels find the package and know the learner, whatever the folder."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("COURSE_LEARNER", "ada")
    monkeypatch.setenv("COURSE_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / ".ipython"))
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.delenv("COURSE_PLAIN", raising=False)


@pytest.fixture
def folder(tmp_path, environment):
    """Return the folder of the notebook."""
    path = tmp_path / "m02_transformer"
    path.mkdir()
    return path


@pytest.fixture
def built(folder, made, write):
    """Return a quiz notebook as it is built, in its folder."""
    notebook = quiz.notebook("m02_transformer", write(made))
    nbformat.write(notebook, folder / "quiz.ipynb")
    return notebook


class Kernel:
    """A kernel that plays JupyterLab: runs cells and sends what a widget sends."""

    def __init__(self, folder):
        self.manager, self.client = start_new_kernel(cwd=str(folder))

    def messages(self, parent=None, patience=10.0):
        """Return the messages of a request until the kernel is idle again."""
        found = []
        while True:
            message = self.client.get_iopub_msg(timeout=patience)
            if message["parent_header"].get("msg_id") != parent:
                continue
            if message["content"].get("execution_state") == "idle":
                return found
            found.append(message)

    def run(self, source):
        """Run a cell; return the messages that make its output."""
        found = self.messages(self.client.execute(source))
        return [m for m in found if m["msg_type"] in ("display_data", "error", "stream")]

    def send(self, model, answer):
        """Send an answer as the front end does; return the updated outputs by display id."""
        content = {"comm_id": model, "data": {"method": "custom", "content": {"answer": answer}}}
        message = self.client.session.msg("comm_msg", content)
        self.client.shell_channel.send(message)
        found = self.messages(message["header"]["msg_id"])
        updates = [m["content"] for m in found if m["msg_type"] == "update_display_data"]
        self.state = {}
        for m in found:
            if m["msg_type"] == "comm_msg" and m["content"]["comm_id"] == model:
                self.state |= m["content"]["data"].get("state", {})
        return {update["transient"]["display_id"]: update["data"] for update in updates}

    def value(self, expression):
        """Return the value of an expression in the kernel."""
        self.client.execute(
            "", user_expressions={"v": f"__import__('json').dumps({expression})"}, silent=True
        )
        while True:
            reply = self.client.get_shell_msg(timeout=10)
            if reply["content"].get("user_expressions"):
                text = reply["content"]["user_expressions"]["v"]["data"]["text/plain"]
                return json.loads(text[1:-1])

    def close(self):
        """Stop the kernel."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def open_kernel(folder):
    """Return a function that opens kernels in the notebook's folder."""
    opened = []

    def start():
        opened.append(Kernel(folder))
        return opened[-1]

    yield start
    for kernel in opened:
        kernel.close()


def model_of(shown):
    """Return the id of the widget among a cell's outputs."""
    views = [m["content"]["data"].get(VIEW) for m in shown]
    return next(view["model_id"] for view in views if view)


def display_ids(shown):
    """Return the display ids of a cell's outputs."""
    return [m["content"]["transient"].get("display_id") for m in shown]


def test_an_answer_from_the_widget_is_saved_in_the_notebook_and_the_file(open_kernel, folder):
    """One message from the front end updates the record, the progress and the file."""
    kernel = open_kernel()
    progress = display_ids(kernel.run(START))[0]
    question, output = kernel.run(SINGLE)
    assert "quiz.answer(&quot;q01&quot;" in question["content"]["data"]["text/html"]
    assert "two &lt;b&gt;" in question["content"]["data"]["text/html"]
    assert MIME not in output["content"]["data"]

    updates = kernel.send(model_of([question]), "b")

    made = updates[display_ids([output])[0]]
    assert made[MIME] == {
        "item": "q01",
        "answer": "b",
        "parameters": {},
        "learner": "ada",
        "module": "m02_transformer",
    }
    assert made["text/html"] == '<p class="quiz-saved">Saved: <b>b</b></p>'
    assert updates[progress]["text/plain"] == "You answer as ada. 1 of 6 are answered."
    stored = json.loads((folder / "quiz_answers.json").read_text())
    assert stored == {"m02_transformer": {"q01": made[MIME]}}
    assert kernel.state["record"] == made[MIME]
    assert [path.name for path in folder.iterdir()] == ["quiz_answers.json"]


def test_the_graded_cell_says_nothing_before_grading(open_kernel):
    """Whether an answer is saved stands once, with the question."""
    kernel = open_kernel()
    kernel.run(START)
    assert kernel.run("quiz.recorded('q01')") == []
    kernel.send(model_of(kernel.run(SINGLE)), "b")
    assert kernel.run("quiz.recorded('q01')") == []


def test_a_wrong_form_from_the_widget_is_refused_and_nothing_is_saved(open_kernel, folder):
    """The sentence goes back to the front end; the earlier answer stays."""
    kernel = open_kernel()
    kernel.run(START)
    model = model_of(kernel.run("quiz.numeric('q03')"))
    assert kernel.send(model, "8,5") == {}
    assert kernel.state["refused"] is True
    assert kernel.state["remark"].startswith('q03: "8,5" is not a number; write one number')
    assert not (folder / "quiz_answers.json").exists()

    kernel.send(model, "8.5")
    assert (kernel.state["refused"], kernel.state["answer"]) == (False, 8.5)
    for garbage in (None, [], {"answer": 1}, [[1]], "x" * 100_000):
        kernel.send(model, garbage)
    assert kernel.run("1 / 1") == []


def test_an_answer_comes_back_in_a_new_kernel(open_kernel):
    """Running the cell again restores widget and record."""
    kernel = open_kernel()
    kernel.run(START)
    kernel.send(model_of(kernel.run(SINGLE)), "b")

    again = open_kernel()
    again.run(START)
    shown = again.run(SINGLE)
    assert shown[1]["content"]["data"][MIME]["answer"] == "b"
    assert again.value("quiz.session.current().asked['q01'].widget.answer") == "b"


def test_an_answer_comes_back_from_the_notebook_alone(open_kernel, built, folder):
    """A notebook that was moved without its file keeps its answers."""
    kernel = open_kernel()
    kernel.run(START)
    made = kernel.send(model_of(kernel.run(SINGLE)), "b")
    (folder / "quiz_answers.json").unlink()
    data = next(data for data in made.values() if MIME in data)
    cell = next(cell for cell in built.cells if cell.id == "q01-answer")
    cell.outputs = [nbformat.v4.new_output("display_data", data=data)]
    nbformat.write(built, folder / "renamed (1).ipynb")
    (folder / "broken.ipynb").write_text("{")

    again = open_kernel()
    again.run(START)
    assert again.run(SINGLE)[1]["content"]["data"][MIME]["answer"] == "b"


def test_an_answer_for_other_numbers_does_not_come_back(open_kernel, monkeypatch):
    """A learner who changes their id answers again, and reads why."""
    cell = "quiz.numeric('q03', choose={'n': [1, 2, 3, 4, 5]})"
    kernel = open_kernel()
    kernel.run(START)
    kernel.send(model_of(kernel.run(cell)), 8.5)

    monkeypatch.setenv("COURSE_LEARNER", "cyd")
    again = open_kernel()
    again.run(START)
    shown = again.run(cell)
    assert MIME not in shown[1]["content"]["data"]
    remark = again.value("quiz.session.current().asked['q03'].widget.remark")
    assert remark.startswith("Your earlier answer was for the numbers of ada; you answer as cyd")


def test_a_line_in_the_cell_counts_and_locks_the_widget(open_kernel):
    """The written answer is the record; the widget says so."""
    kernel = open_kernel()
    kernel.run(START)
    for cell in (f"{SINGLE}\nquiz.answer('q01', 'b')", f"quiz.answer('q01', 'b')\n{SINGLE}"):
        shown = kernel.run(cell)
        assert [m["msg_type"] for m in shown if m["msg_type"] == "error"] == []
        assert kernel.value("quiz.session.current().asked['q01'].widget.locked") is True
        assert kernel.value("quiz.session.current().asked['q01'].widget.answer") == "b"


def test_a_line_alone_makes_the_same_record(open_kernel, folder):
    """`quiz.answer` needs no widget and no question cell."""
    kernel = open_kernel()
    kernel.run(START)
    handed = {"q01": "b", "q02": ["a", "c"], "q03": 8.5, "q04": (2, 5, 64)}
    handed |= {"q05": ["b", "a", "c"], "q06": {"a": "2", "b": "1"}}
    for item, answer in handed.items():
        message = kernel.run(f"quiz.answer({item!r}, {answer!r})")[0]
        assert message["msg_type"] == "display_data"
    stored = json.loads((folder / "quiz_answers.json").read_text())["m02_transformer"]
    answers = {item: made["answer"] for item, made in stored.items()}
    assert answers == handed | {"q04": [2, 5, 64]}


WRONG_LINES = {
    "quiz.answer('q01', 'z')": 'q01: "z" is not an option; write one of a, b.',
    "quiz.answer('q04', (2, 5))": "q04: the shape has 3 axes and yours 2; write one whole ",
    "quiz.answer('q09', 'a')": '"q09" is not a question of this quiz; write one of q01, q02',
    "quiz.answer(['q01'], 'a')": "['q01'] is not a question of this quiz",
    "quiz.answer('q03', print)": "q03: <built-in function print> is not a number",
}


def test_a_wrong_line_is_one_sentence_without_traceback(open_kernel):
    """The learner reads what, where and what to do."""
    kernel = open_kernel()
    kernel.run(START)
    for line, sentence in WRONG_LINES.items():
        (error,) = kernel.run(line)
        assert error["msg_type"] == "error"
        assert len(error["content"]["traceback"]) == 1
        assert error["content"]["traceback"][0].startswith(sentence)


def test_a_damaged_answers_file_is_set_aside(open_kernel, folder):
    """Nothing is lost and nothing stops."""
    (folder / "quiz_answers.json").write_text("{ not json")
    kernel = open_kernel()
    kernel.run(START)
    kernel.send(model_of(kernel.run(SINGLE)), "a")
    assert (folder / "quiz_answers.damaged.json").read_text() == "{ not json"
    stored = json.loads((folder / "quiz_answers.json").read_text())
    assert stored["m02_transformer"]["q01"]["answer"] == "a"


FOREIGN = [
    "[]",
    "3",
    '{"m02_transformer": 3}',
    '{"m02_transformer": {"q01": 3}}',
    '{"m02_transformer": {"q01": {"answer": "z"}}}',
    '{"m02_transformer": {"q01": {"answer": [["a"]], "parameters": 3}}}',
]


def test_a_foreign_answers_file_restores_nothing(open_kernel, folder):
    """What is no answer to the question does not come back as one."""
    kernel = open_kernel()
    for content in FOREIGN:
        (folder / "quiz_answers.json").write_text(content)
        assert "0 of 6" in kernel.run(START)[0]["content"]["data"]["text/plain"]
        assert MIME not in kernel.run(SINGLE)[1]["content"]["data"]
        assert "No answer yet." in kernel.run(SINGLE)[1]["content"]["data"]["text/plain"]


def test_a_file_that_cannot_be_written_leaves_the_record_in_the_notebook(open_kernel):
    """The widget says that the file failed; the record is there."""
    kernel = open_kernel()
    kernel.run(START)
    kernel.run(
        "def full(*_): raise OSError(28, 'No space left on device')\n"
        "import autograder.quiz.store\nautograder.quiz.store.write_atomic = full"
    )
    updates = kernel.send(model_of(kernel.run(SINGLE)), "a")
    assert any(MIME in data for data in updates.values())
    remark = "quiz_answers.json cannot be written (No space left on device): save the notebook."
    assert kernel.state["remark"] == remark


def test_the_plain_form_stands_where_widgets_do_not_run(open_kernel, monkeypatch):
    """`COURSE_PLAIN` shows the options and the line to write."""
    monkeypatch.setenv("COURSE_PLAIN", "1")
    kernel = open_kernel()
    kernel.run(START)
    question = kernel.run(SINGLE)[0]["content"]["data"]
    assert VIEW not in question
    assert question["text/plain"].splitlines() == [
        "q01  Choose one.",
        "  a  one",
        "  b  two <b>",
        "To answer in writing, add a line like this to the cell and run it:",
        'quiz.answer("q01", "a")',
    ]


def test_outside_a_notebook_the_question_is_printed(tmp_path, environment):
    """A plain Python has no displays; the same lines work."""
    script = f"{START}\n{SINGLE}\nquiz.answer('q01', 'b')\nquiz.recorded('q01')\n"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "  a  one" in done.stdout
    assert done.stdout.count("Saved: b") == 1


def test_the_import_is_light(environment):
    """`from autograder import quiz` brings neither TensorFlow nor a widget library."""
    script = "import sys; from autograder import quiz; quiz.single; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"tensorflow", "keras", "anywidget", "ipywidgets", "pydantic", "yaml"}


def test_a_built_quiz_runs_is_answered_and_is_graded(built, folder, made, write):
    """Every cell of a built quiz runs; written keys earn full points in the executed notebook."""
    bank = load(write(made))
    for item in bank.items:
        cell = next(cell for cell in built.cells if cell.id == f"{item.id}-answer")
        key = item.key(parameters(item.choose, "ada", item.id))
        cell.source += f"\nquiz.answer({item.id!r}, {key!r})"
    client = NotebookClient(built, timeout=60, resources={"metadata": {"path": str(folder)}})
    client.execute()

    sources = {cell.id: cell.source for cell in built.cells}
    for cell in built.cells:
        if cell.id.endswith("-answer"):
            cell.source = cell.source.split("\nquiz.answer")[0]
    grades = grade_quiz(bank, built, "ada")
    assert sum(grade.points for grade in grades.values()) == bank.points
    assert {grade.source for grade in grades.values()} == {"record"}
    assert "quiz.answer" in sources["q01-answer"]


def test_no_message_is_left_over(open_kernel):
    """The helper above reads a request to its end."""
    kernel = open_kernel()
    kernel.run(START)
    with pytest.raises(queue.Empty):
        kernel.client.get_iopub_msg(timeout=0.2)
