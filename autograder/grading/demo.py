"""`course demo`: a made-up class through release, collection, grading, feedback and export.

The class hands in what graders meet: right, partial, empty and wrong answers, a renamed file,
damaged cells, a file that is no notebook, a late one.
"""

import copy
import json
import os
import tempfile
import time
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat

from autograder.build.notebook import BEGIN, END
from autograder.grading.collect import Collected, collect
from autograder.grading.export import Exported, export
from autograder.grading.feedback import Page, feedback
from autograder.grading.folder import ROSTER, ROSTER_COLUMNS, CourseFolder
from autograder.grading.grade import Grades, grade
from autograder.grading.init import init
from autograder.grading.release import release
from autograder.grading.table import grade_table, remarks

LAB, QUIZ = "m02_lab1_self_attention", "m02_quiz"
CLASS = {
    "ada": ("Ada", "Okafor"),
    "ben": ("Ben", "Larsen"),
    "cleo": ("Cleo", "Marchetti"),
    "dan": ("Dan", "Novak"),
    "eva": ("Eva", "Lindqvist"),
    "finn": ("Finn", "Doyle"),
    "gita": ("Gita", "Rao"),
    "hugo": ("Hugo", "Weiss"),
}
UNSCALED = '''def attention_scores(query, key):
    """Return the scores, without dividing by the square root of their size."""
    return ops.matmul(query, ops.swapaxes(key, -1, -2))'''


@dataclass
class Demo:
    """What the demo did, step by step."""

    folder: Path
    collected: Collected
    grades: Grades
    pages: list[Page]
    exported: Exported


def demo(folder=None, console=None, jobs=2):
    """Run the whole way from release to export for a made-up class.

    Args:
        folder: where to make the course folder; a temporary one, removed at the end, by default.
        console: a rich `Console` to print to; the terminal by default.
        jobs: notebooks graded at a time.

    Returns:
        `Demo`.
    """
    from rich.console import Console

    console = console or Console()
    temporary = tempfile.TemporaryDirectory(prefix="course-demo-") if folder is None else None
    with temporary or nullcontext():
        folder = Path(folder) if folder else Path(temporary.name, "course")
        return _demo(folder, console, jobs, kept=temporary is None)


def _demo(folder, console, jobs, kept):
    made = init(folder)
    console.print(f"init      a course folder with {len(made.assignments)} assignments")
    _configure(folder)
    now = datetime.now(UTC)
    due = (now - timedelta(days=1)).strftime("%Y-%m-%d %H:%M UTC")
    names = [name for name in (LAB, QUIZ) if name in made.assignments]
    for row in release(folder, names, due=dict.fromkeys(names, due)):
        console.print(f"release   {row.assignment}: {row.points:g} points, due {row.due}")
    hand_in(CourseFolder(folder), now)
    collected = collect(folder)
    console.print(f"collect   {len(collected.taken)} submissions")
    for problem in collected.problems:
        console.print(f"          {problem}", markup=False)
    begun = time.monotonic()
    grades = grade(folder, jobs=jobs, trust=True)  # the class is ours
    console.print(f"grade     {len(grades.rows)} notebooks in {time.monotonic() - begun:.0f} s")
    pages = feedback(folder)
    console.print(f"feedback  {len(pages)} pages")
    exported = export(folder)
    lines = len(exported.rows) + len(exported.module_rows)
    console.print(f"export    {lines} lines in {exported.path.name} and beside it")
    console.print(grade_table(grades, title="Grades of a made-up class"))
    for line in remarks(grades):
        console.print(line, markup=False, highlight=False)
    if kept:
        console.print(f"Everything is in {folder}; open a page in {folder / 'feedback'}.")
    return Demo(folder, collected, grades, pages, exported)


def _configure(folder):
    """Write the roster and switch the late penalty on."""
    rows = [",".join(ROSTER_COLUMNS)]
    rows += [f"{name},{first},{last},{name}@example.org" for name, (first, last) in CLASS.items()]
    (folder / ROSTER).write_text("\n".join(rows) + "\n")
    with (folder / "nbgrader_config.py").open("a") as file:
        file.write('\nc.AssignLatePenalties.plugin_class = "autograder.grading.late.LatePenalty"\n')


def hand_in(folder, now):
    """Fill the inbox as a learning platform would: many names, one late, some damaged."""
    early, late = now - timedelta(days=2), now - timedelta(hours=20)
    released, solutions = folder.released(LAB), solved(folder, LAB)
    first_two = dict(list(solutions.items())[:2])
    perfect = answered(released, solutions)
    damaged = _damaged(perfect)
    _put(folder, "ada/lab1_self_attention.ipynb", perfect, early)
    _put(folder, "ben/lab1_self_attention.ipynb", answered(released, first_two), early)
    _put(folder, "cleo/lab1_self_attention.ipynb", released, early)
    wrong = answered(released, solutions | {"attention_scores": UNSCALED})
    _put(folder, "dan/lab1_self_attention.ipynb", wrong, early)
    _put(folder, "lindqvisteva_4711_8813_my work (1).ipynb", perfect, early)
    _put(folder, "Finn Doyle_3141_assignsubmission_file_/lab1.ipynb", damaged, early)
    _put(folder, "gita/lab1_self_attention.ipynb", "The notebook did not upload.", early)
    _put(folder, "hugo/lab1_self_attention.ipynb", perfect, late)
    if QUIZ in folder.assignments():
        for learner, share in {"ada": 1.0, "ben": 0.5, "dan": 0.8, "hugo": 0.25}.items():
            notebook = quiz_answers(folder, learner, share, written=learner == "dan")
            when = late if learner == "hugo" else early
            _put(folder, f"{learner}/quiz.ipynb", notebook, when)


def solved(folder, assignment):
    """Return the solutions of an assignment: exercise cell's id to source."""
    stem = folder.assignments()[assignment]
    path = folder.path / "source" / assignment / f"{stem}.ipynb"
    marks = (BEGIN, END)
    return {
        cell.metadata.nbgrader.grade_id: "\n".join(
            line for line in cell.source.split("\n") if line.strip() not in marks
        )
        for cell in nbformat.read(path, as_version=4).cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }


def answered(released, answers):
    """Return a released notebook with answers written into its exercise cells."""
    notebook = copy.deepcopy(released)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in answers:
            cell.source = answers[name]
    return notebook


def _damaged(notebook):
    """Return a notebook after an accident: cells deleted, doubled, retyped, moved and edited."""
    notebook = copy.deepcopy(notebook)
    exercises = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("solution")]
    checks = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade")]
    exercises[0].cell_type = "markdown"
    for key in ("outputs", "execution_count"):
        exercises[0].pop(key, None)
    notebook.cells.append(copy.deepcopy(exercises[1]))
    notebook.cells[-1].id = "pasted"
    notebook.cells.remove(checks[-1])
    checks[0].source = "print('all correct')"
    checks[0].metadata.nbgrader.points = 1000
    notebook.cells.remove(exercises[-1])
    notebook.cells.insert(1, exercises[-1])
    notebook.metadata.kernelspec = {"name": "ir", "display_name": "R", "language": "R"}
    return notebook


def quiz_answers(folder, learner, share, written=False):
    """Return a quiz in which the first `share` of the items is right and the rest is open.

    Args:
        folder: the `CourseFolder`.
        learner: the learner's id, which decides the variants.
        share: float from 0 to 1.
        written: answer by `quiz.answer` lines instead of the widget's records.
    """
    from autograder.quiz.answers import record, saved
    from autograder.quiz.bank import find
    from autograder.quiz.variants import parameters

    notebook = copy.deepcopy(folder.released(QUIZ))
    bank = find(notebook.metadata.course.module)
    for item in bank.items[: round(share * len(bank.items))]:
        own = parameters(item.choose, learner, item.id)
        cell = next(
            c
            for c in notebook.cells
            if c.metadata.course.get("item") == item.id and c.metadata.course.role == "answer"
        )
        answer = item.key(own)
        if written:
            cell.source = f"quiz.answer({json.dumps(item.id)}, {answer!r})"
        else:
            made = record(item.question, answer, own, learner, bank.module)
            data = saved(made)
            cell.outputs = [nbformat.v4.new_output("display_data", data=data)]
    return notebook


def _put(folder, name, content, when):
    """Write one file of the inbox with its time."""
    path = folder.path / "inbox" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else nbformat.writes(content))
    os.utime(path, (when.timestamp(), when.timestamp()))
