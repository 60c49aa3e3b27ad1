"""What the commands print: standings, checked labs, releases and collections as tables."""

from rich.table import Table
from rich.text import Text


def standing_table(standings):
    """Return the table of `course status`.

    Args:
        standings: list of `autograder.status.Standing`.
    """
    table = Table(caption="A quiz counts answers here; its points come when it is graded.")
    table.add_column("lab or quiz", overflow="fold")
    for name in ("solved", "points", "hints", "lent"):
        table.add_column(name, justify="right")
    for standing in standings:
        module, lab = standing.lab.split("/")
        solved = f"{standing.solved} of {standing.exercises}"
        earned = "?" if lab == "quiz" else f"{standing.points:g}"
        row = (f"{module.partition('_')[0]} {lab}", solved, f"{earned} of {standing.max_points:g}")
        row += () if lab == "quiz" else (str(standing.hints), str(standing.lent))
        table.add_row(*row)
    return table


def lab_lines(check):
    """Return what `course check` prints of one lab: a table, then what is not solved, and notes.

    Args:
        check: `autograder.check_labs.LabCheck`.
    """
    points = sum(row.points for row in check.rows)
    maximum = sum(row.max_points for row in check.rows)
    table = Table()
    table.add_column("")
    table.add_column("exercise", overflow="fold")
    table.add_column("points", justify="right")
    for row in check.rows:
        mark = "✓" if row.points == row.max_points else "✗"
        table.add_row(mark, row.exercise, f"{row.points:g} of {row.max_points:g}")
    open_rows = [row for row in check.rows if row.points < row.max_points]
    notes = [Text(f"Note: {note}") for note in check.notes]
    title = Text(f"{check.lab}: {points:g} of {maximum:g} points")
    return [title, table, *(Text(f"\n{row.feedback}") for row in open_rows if row.feedback), *notes]


def release_table(rows):
    """Return the table of `course release`.

    Args:
        rows: list of `autograder.grading.release.Released`.
    """
    table = Table(title="Released", title_justify="left")
    table.add_column("assignment", no_wrap=True)
    for name in ("points", "due", "state"):
        table.add_column(name, justify="right" if name == "points" else "left")
    for row in rows:
        state = f"{row.state}, the course has a newer one" if row.newer else row.state
        table.add_row(row.assignment, f"{row.points:g}", row.due or "-", state)
    return table


def collect_table(collected):
    """Return the table of `course collect`.

    Args:
        collected: `autograder.grading.collect.Collected`.
    """
    from autograder.grading.outputs import printable  # files may be named by learners

    table = Table(title=f"Collected: {len(collected.taken)}", title_justify="left")
    for name in ("learner", "assignment", "file", "changed", "state"):
        table.add_column(name, overflow="fold", no_wrap=name == "assignment")
    for taken in collected.taken:
        when = f"{taken.when:%Y-%m-%d %H:%M}"
        row = (taken.learner, taken.assignment, taken.source, when, taken.state)
        table.add_row(*(Text(printable(part)) for part in row))
    return table
