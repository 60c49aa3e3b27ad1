"""Grades as a table for a terminal."""

from rich.box import SIMPLE_HEAD
from rich.table import Table


def grade_table(grades, title="Grades"):
    """Return a rich table of `Grades`, one line per submission, and how its code was confined.

    The total is the points less the late penalty; `remarks` says what was repaired.
    """
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.caption, table.caption_justify = f"Confinement: {grades.tier}", "left"
    table.collapse_padding = True
    for name in ("Learner", "Assignment"):
        table.add_column(name, no_wrap=True)
    for name in ("Points", "Late", "Total"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("State", no_wrap=True)
    for row in _sorted(grades):
        table.add_row(
            row.learner,
            row.assignment,
            f"{row.score:g} of {row.max_score:g}",
            lateness(row.late_seconds),
            f"{row.total:g}",
            row.state,
        )
    return table


def regrade_table(regraded, title="Regraded"):
    """Return a rich table of `Regraded`: the score before and after, who decided, and why."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for name, side in zip(
        ("Learner", "Assignment", "Before", "After"), 2 * ("left",) + 2 * ("right",), strict=True
    ):
        table.add_column(name, justify=side, no_wrap=True)
    table.add_column("Decided by", overflow="fold")
    for change in sorted(regraded.changes, key=lambda each: (each.assignment, each.learner)):
        before = f"{change.old:g} of {change.old_max:g}"
        after = f"{change.new:g} of {change.new_max:g}"
        reasons = "\n".join(dict.fromkeys(change.reasons))
        table.add_row(change.learner, change.assignment, before, after, reasons)
    return table


class Bar:
    """A bar with the time left, for a terminal; `grade` calls it after each submission."""

    def __init__(self):
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as TimeLeft

        columns = (TextColumn("Grading"), BarColumn(), MofNCompleteColumn(), TimeLeft())
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self._task is not None:  # one that never started would write an empty line
            self._progress.stop()

    def __call__(self, row, done, total):
        """Show how many are done."""
        if not self._progress.console.is_terminal:
            return
        if self._task is None:
            self._progress.start()
            self._task = self._progress.add_task("", total=total)
        self._progress.update(self._task, completed=done)


def remarks(grades):
    """Return the notes on submissions as lines: `finn, m02_lab1…` and what was repaired."""
    lines = []
    for row in _sorted(grades):
        if row.notes:
            lines.append(f"{row.learner}, {row.assignment}")
            lines += [f"  {note}" for note in row.notes]
    return lines


def _sorted(grades):
    return sorted(grades.rows, key=lambda row: (row.assignment, row.learner))


def lateness(seconds):
    """Return a duration as `3 h` or `2 days`; nothing when in time."""
    if not seconds:
        return ""
    hours = seconds / 3600
    if hours < 1:
        return f"{max(1, round(seconds / 60))} min"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"
