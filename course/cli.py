"""The command line: `course`. Each command is a few lines over a function that can be imported.

What is heavy is imported inside the commands, so that `course --help` answers at once.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from course.errors import CourseError
from course.modules import find_module
from course.options import Assignments, Folder, Group, Learners, Module

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

LEARNER, INSTRUCTOR, AUTHOR = "Learners", "Instructors", "Authors"
app = typer.Typer(
    cls=Group,
    help="A course on transformers in TensorFlow and Keras.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _slug(module):
    return find_module(module).slug if module else None


def _tell(remarks, problems):
    from autograder.grading.outputs import printable  # learners' words may stand in a line

    for remark in remarks:
        typer.echo(printable(remark))
    for problem in problems:
        typer.echo(printable(problem), err=True)


def _show(table):
    from rich.console import Console

    Console().print(table)


@app.command(rich_help_panel=LEARNER)
def lab(
    port: Annotated[int | None, Option(help="The first port to try; 8888 by default.")] = None,
    no_browser: Annotated[
        bool, Option("--no-browser", envvar="NO_BROWSER", help="Only print the address.")
    ] = False,
    learner: Annotated[str | None, Option(help="Your id, which draws your quiz numbers.")] = None,
):
    """Open JupyterLab at the course, in your workspace."""
    from course.lab import start_lab

    start_lab(port, not no_browser, learner)


@app.command(rich_help_panel=LEARNER)
def check(
    lab: Annotated[str | None, Argument(help="A lab, such as lab1; all you worked in.")] = None,
):
    """Grade your notebooks as they are; exit code 0 when everything is solved."""
    from autograder.check_labs import check_lab, chosen_labs
    from autograder.tables import lab_lines

    results = []
    for name in chosen_labs(lab):
        results.append(check_lab(name))
        for part in lab_lines(results[-1]):
            _show(part)
    raise typer.Exit(not all(result.complete for result in results))


@app.command(rich_help_panel=LEARNER)
def doctor(fix: Annotated[bool, Option("--fix", help="Mend without asking.")] = False):
    """Find what would break a hand-in, and mend it."""
    from autograder.doctor import examine, mend, report

    findings = examine()
    typer.echo(report(findings))
    mendable = any(finding.remedy for finding in findings)
    if mendable and (fix or (sys.stdin.isatty() and typer.confirm("Mend it?"))):
        done, findings = mend(findings)
        typer.echo("\n".join(done))
    raise typer.Exit(bool(findings))


@app.command(rich_help_panel=LEARNER)
def status():
    """Show what you have solved."""
    from autograder.status import status
    from autograder.tables import standing_table

    _show(standing_table(status()))


@app.command(rich_help_panel=LEARNER)
def unlock(exercise: Annotated[str, Argument(help="Such as m02_transformer.causal_mask.")]):
    """Borrow the course's version of an exercise, for 0 points."""
    from autograder.unlock import unlock

    line = unlock(exercise)
    typer.echo(f"Put this line into the exercise's cell, in place of your code:\n\n    {line}\n")
    typer.echo("The exercise earns 0 points while the line is there; what builds on it works.")


@app.command(rich_help_panel=LEARNER)
def submit(module: Module = None):
    """Pack your notebooks into one archive, for upload to your learning platform."""
    from autograder.submit import submit

    packed = submit(_slug(module))
    typer.echo(f"{packed.path} holds {', '.join(packed.labs)}: upload this file.")
    if packed.untouched:
        typer.echo(f"Left out, because you wrote nothing in them: {', '.join(packed.untouched)}.")


@app.command(rich_help_panel=INSTRUCTOR)
def init(
    folder: Annotated[Path, Argument(help="A new folder, outside the clone.")],
    db_url: Annotated[
        str | None,
        Option("--db-url", help="Keep the gradebook on a server: postgresql://user@host/database."),
    ] = None,
):
    """Make a course folder for nbgrader: assignments, gradebook, configuration."""
    from autograder.grading.init import init

    made = init(folder, db_url=db_url)
    typer.echo(f"{made.folder} is a course folder with {len(made.assignments)} assignments.")
    typer.echo(f"Next: write its roster.csv, then run `course release {folder}`.")


@app.command(rich_help_panel=INSTRUCTOR)
def release(
    folder: Folder = Path("."),
    assignments: Assignments = (),
    due: Annotated[str | None, Option(help="Due date, as 2026-03-01 18:00.")] = None,
    refresh: Annotated[bool, Option(help="Take the sources anew from the course.")] = False,
    yes: Annotated[bool, Option(help="Also when points of graded work change.")] = False,
):
    """Write what learners get, and set the due date."""
    from autograder.grading.release import release
    from autograder.tables import release_table

    _show(release_table(release(folder, list(assignments), _dates(due, assignments), refresh, yes)))


def _dates(due, assignments):
    if due and not assignments:
        raise CourseError("Name the assignment that is due: --assignment NAME --due DATE.")
    return dict.fromkeys(assignments, due) if due else None


@app.command(rich_help_panel=INSTRUCTOR)
def collect(
    folder: Folder = Path("."),
    inbox: Annotated[Path | None, Option(help="A folder or archive; DIR/inbox by default.")] = None,
):
    """Sort what learners handed in, whatever their files are called."""
    from autograder.grading.collect import collect
    from autograder.tables import collect_table

    collected = collect(folder, inbox)
    _show(collect_table(collected))
    _tell([], collected.problems)
    raise typer.Exit(bool(collected.problems))


@app.command(rich_help_panel=INSTRUCTOR)
def grade(
    folder: Folder = Path("."),
    assignments: Assignments = (),
    learners: Learners = (),
    jobs: Annotated[
        int | None, Option(min=1, help="Notebooks graded at a time; one per processor by default.")
    ] = None,
    again: Annotated[bool, Option(help="Also what was graded and has not changed.")] = False,
    tier: Annotated[
        bool, Option("--tier", help="Only say how this machine confines learners' code.")
    ] = False,
    trust: Annotated[
        bool, Option("--trust", help="Grade even where nothing confines learners' code.")
    ] = False,
    scheduler: Annotated[
        str | None, Option(help="Grade on the workers of this Dask scheduler: tcp://HOST:8786.")
    ] = None,
):
    """Grade what was collected; exit code 1 when a submission could not be graded."""
    from autograder.confine import tiers

    if tier:
        return typer.echo("\n".join(tiers.report()))
    grades = _graded(folder, assignments, learners, jobs, again, trust, scheduler)
    from autograder.grading.table import grade_table, remarks

    _show(grade_table(grades))
    _tell(remarks(grades), grades.problems)
    raise typer.Exit(grades.exit_code)


def _graded(folder, assignments, learners, jobs, again, trust, scheduler):
    """Grade behind a progress bar; the warm process starts while the rest is imported."""
    if not scheduler:
        from autograder.kernels.shared import warm_early

        warm_early()
    from autograder.grading.grade import grade
    from autograder.grading.table import Bar

    with Bar() as bar:
        return grade(folder, assignments, learners, jobs, again, bar, trust, scheduler)


@app.command(rich_help_panel=INSTRUCTOR)
def regrade(
    folder: Folder = Path("."),
    assignments: Assignments = (),
    dry_run: Annotated[bool, Option("--dry-run", help="Only say what would change.")] = False,
):
    """Apply overrides.yaml to what is graded; no learner's code runs again."""
    from autograder.grading.regrade import regrade
    from autograder.grading.table import regrade_table

    done = regrade(folder, list(assignments), dry_run)
    _show(regrade_table(done, "Would change" if dry_run else "Changed"))
    _tell(done.remarks, done.problems)
    raise typer.Exit(done.exit_code)


@app.command(rich_help_panel=INSTRUCTOR)
def feedback(folder: Folder = Path("."), assignments: Assignments = (), learners: Learners = ()):
    """Write a feedback page for each graded submission."""
    from autograder.grading.feedback import feedback

    pages = feedback(folder, list(assignments), list(learners))
    typer.echo(f"{len(pages)} pages are in {folder / 'feedback'}.")


@app.command(rich_help_panel=INSTRUCTOR)
def export(
    folder: Folder = Path("."),
    output: Annotated[Path | None, Option("--output", "-o", help="DIR/grades.csv.")] = None,
):
    """Write the grades as CSV, per assignment and per module."""
    from autograder.grading.export import export

    exported = export(folder, output)
    typer.echo(f"{exported.path}: {len(exported.rows)} grades.")
    typer.echo(f"{exported.modules_path}: {len(exported.module_rows)} sums per module.")


@app.command(rich_help_panel=INSTRUCTOR)
def demo(folder: Annotated[Path | None, Argument(help="Keep the course folder here.")] = None):
    """Take a made-up class from release to export, and print its grades."""
    from autograder.grading.demo import demo

    demo(folder)


@app.command(rich_help_panel=AUTHOR)
def build(
    module: Module = None,
    check: Annotated[bool, Option("--check", help="Compare only; exit 1 on a difference.")] = False,
):
    """Build labs/ from solutions/."""
    from autograder.build.release import build

    changed = build(_slug(module), check)
    done = "differs from what its sources build" if check else "written"
    typer.echo("\n".join(f"labs/{name}: {done}." for name in changed) or "labs/ is up to date.")
    raise typer.Exit(check and bool(changed))


@app.command(rich_help_panel=AUTHOR)
def prove(
    module: Module = None,
    lab: Annotated[str | None, Option(help="Only this lab, such as lab1; no quiz.")] = None,
    seeds: Annotated[int | None, Option(min=1, help="Seeds per answer; few by default.")] = None,
    confined: Annotated[
        bool, Option("--confined", help="In kernels confined as for `course grade`; no quiz.")
    ] = False,
    as_json: Annotated[bool, Option("--json", help="Print JSON instead of the table.")] = False,
):
    """Prove the grader: right answers pass, wrong ones lose points and are named."""
    from autograder import prove

    with prove.progress() as say:
        proof = prove.prove(_slug(module), lab, say, seeds=seeds, confined=confined)
    typer.echo(prove.as_json(proof)) if as_json else prove.show(proof)
    for fault in proof.faults:
        typer.echo(fault, err=True)
    raise typer.Exit(not proof.perfect)
