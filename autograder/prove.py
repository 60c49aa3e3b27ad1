"""Prove the grader: what is right gets full marks, what is wrong loses points and is named.

`proof` says what is proved of each exercise. Of each quiz it is that every key can be computed in
every variant, and that no slip gives the key. Several processes share the work (`workers`), the
exercises worth most first. With `confined`, answers are judged in kernels as hand-ins are; quizzes
are left out then, since nothing of a quiz is run.
"""

import argparse
import json
import os
import sys
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, field

from autograder.build.source import read
from autograder.errors import CourseError, UsageError
from autograder.exercise import load_labs, modules
from autograder.proof import Row, parts, whole
from autograder.prove_task import SOLUTIONS, Quiz, Task, source
from autograder.workers import share


@dataclass
class Proof:
    """What was found for each exercise and quiz; `broken` names the checks that do not load."""

    rows: list = field(default_factory=list)
    quizzes: list = field(default_factory=list)
    broken: list = field(default_factory=list)

    @property
    def faults(self):
        """What is not perfect, a sentence each."""
        found = [f"{row.exercise}: {fault}." for row in self.rows for fault in row.faults]
        return self.broken + found

    @property
    def perfect(self):
        """Whether everything is as it should be."""
        return not self.faults and not any(quiz.problems for quiz in self.quizzes)


def prove(module=None, lab=None, say=None, jobs=None, seeds=None, confined=False):
    """Return the `Proof` of the exercises and quizzes.

    Args:
        module: str. A module's slug; all modules by default.
        lab: str. One lab of it, `"lab1_self_attention"` or `"lab1"`, without the quiz.
        say: called with a line on what is being proved, when that changes.
        jobs: int. Processes at a time; one per processor core by default.
        seeds: int. Seeds for each answer; few by default, see `proof`.
        confined: bool. Judge in confined kernels, as `course grade` does.

    Raises:
        CourseError: the module or lab is unknown, there are no sources beside the checks, or
            nothing confines kernels here.
    """
    tier, zygote = _confinement() if confined else ("", None)
    proof, chosen, quizzes = Proof(), [], []
    for slug in [module] if module else modules():
        exercises, broken = load_labs(slug)
        proof.broken += [text for stem, text in broken.items() if _is(lab, stem)]
        found = [exercise for exercise in exercises.values() if _is(lab, exercise.lab)]
        for stem in dict.fromkeys(exercise.lab for exercise in found):
            read(source(slug, stem), exercises)
        chosen += found
        if lab is None and not confined and (SOLUTIONS / slug / "quiz.yaml").is_file():
            quizzes.append(Task(slug))
    if not chosen and not proof.broken:
        raise UsageError(f"There is no lab {lab!r} in {module or 'any module'}.")
    tasks = {exercise.id: _tasks(exercise, seeds, tier, zygote) for exercise in chosen}
    # What is worth most takes longest: it comes first.
    first = sorted(chosen, key=lambda exercise: -exercise.points)
    todo = [task for exercise in first for task in tasks[exercise.id]] + quizzes
    replies = _replies(todo, say, jobs or _cores(), [] if zygote is None else [zygote])
    proof.rows = [_row(exercise, [replies[t] for t in tasks[exercise.id]]) for exercise in chosen]
    proof.quizzes = [_quiz(task.slug, replies[task]) for task in quizzes]
    return proof


def _confinement():
    """Return the tier of this machine, and the socket of a warm process to fork kernels from."""
    from autograder.confine.tiers import reach
    from autograder.kernels.shared import shared_zygote

    found = reach()
    if found.tier == "open":
        raise CourseError(
            f"Nothing confines kernels on this machine: {' '.join(found.reasons)} "
            "Run `course prove` without --confined, or in a Linux container."
        )
    return found.tier, shared_zygote().fileno()


def _is(lab, stem):
    return lab in (None, stem, stem.partition("_")[0])


def _tasks(exercise, *how):
    where = exercise.module, exercise.lab, exercise.name
    return [Task(*where, part, *how) for part in parts(exercise)]


def _replies(tasks, say, jobs, inherit):
    """Return what several processes reply to the tasks, as a dictionary."""
    at_work, replies = [], {}

    def begun(values):
        at_work.append(Task(*values))
        if say:
            names = ", ".join(dict.fromkeys(task.name for task in at_work))
            say(f"{len(replies) / len(tasks):.0%} proved, at work on {names}")

    todo = [list(astuple(task)) for task in tasks]
    for values, reply in share(todo, "autograder.prove_task.prove_task", jobs, begun, inherit):
        task = Task(*values)
        at_work.remove(task)
        replies[task] = reply
    return replies


def _row(exercise, replies):
    """Return the row of an exercise, with a fault for each part that could not be proved."""
    row = whole(exercise, [(Row(**r["row"]), r["failed"]) for r in replies if "row" in r])
    died = dict.fromkeys(reply["died"] for reply in replies if "died" in reply)
    row.faults = [*died] or row.faults
    return row


def _quiz(slug, reply):
    return Quiz(slug, problems=[reply["died"]]) if "died" in reply else Quiz(**reply)


def _cores():
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def table(rows):
    """Return the rows as a rich table."""
    from rich import box
    from rich.table import Table

    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    names = ("points", "stub", "reference", "accepted", "killed", "named", "s")
    shown.add_column("exercise", no_wrap=True)
    for name in names:
        shown.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        shown.add_row(
            f"{'✓' if row.perfect else '✗'} {row.exercise.partition('.')[2]}",
            f"{row.points:g}",
            f"{row.stub:g}",
            f"{row.reference:g}",
            f"{row.accepted}/{row.alternatives}",
            f"{row.killed}/{row.misconceptions}",
            f"{row.named}/{row.misconceptions}",
            f"{row.seconds:.1f}",
        )
    return shown


def as_json(proof):
    """Return the rows, their sums and the quizzes as JSON text."""
    rows = proof.rows
    sums = ("points", "accepted", "alternatives", "killed", "named", "misconceptions")
    total = {name: sum(getattr(row, name) for row in rows) for name in sums}
    total |= {"exercises": len(rows), "perfect": proof.perfect}
    found = {"exercises": [asdict(row) for row in rows], "total": total}
    found |= {"quizzes": [asdict(quiz) for quiz in proof.quizzes], "broken": proof.broken}
    return json.dumps(found, indent=1)


@contextmanager
def progress():
    """Return a function that shows one line of progress, in a terminal only."""
    from rich.console import Console

    with Console(stderr=True).status("Starting the processes") as status:
        yield status.update


def show(proof):
    """Print the table, and below it what was found for the quizzes."""
    from rich.console import Console

    console = Console()
    console.print(table(proof.rows))
    for quiz in proof.quizzes:
        console.print(quiz.line, soft_wrap=True, markup=False, highlight=False)


def main(argv=None):
    """Run `python -m autograder.prove`; exit 1 when something is not perfect."""
    parser = argparse.ArgumentParser(prog="autograder.prove", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("module", nargs="?")
    parser.add_argument("--lab", help="only this lab of the module, such as lab1; no quiz")
    parser.add_argument("--seeds", type=int, help="seeds for each answer; few by default")
    parser.add_argument("--jobs", type=int, help="processes at a time; one per core by default")
    parser.add_argument("--confined", action="store_true", help="judge in confined kernels")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args(argv)
    try:
        with progress() as say:
            how = options.jobs, options.seeds, options.confined
            proof = prove(options.module, options.lab, say, *how)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2
    print(as_json(proof)) if options.json else show(proof)
    for fault in proof.faults:
        print(fault, file=sys.stderr if options.json else sys.stdout)
    return 0 if proof.perfect else 1


if __name__ == "__main__":
    sys.exit(main())
