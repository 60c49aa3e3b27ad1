"""What the commands print: standings, checked labs, releases and collections as tables."""

from rich.table import Table
from rich.text import Text


def standing_table(standings):
    """Return the table of `course status`.

    Args:
        standings: list of `autograder.status.Standing`.
    """
    table = Table()
    table.add_column("lab or quiz", overflow="fold")
    for name in ("items", "solved", "points", "hints", "lent"):
        table.add_column(name, justify="right")
    for standing in standings:
        quiz = standing.lab.endswith("/quiz")
        points = f"? of {standing.max_points:g}" if quiz else _of(standing)
        solved = str(standing.solved)
        extras = ("", "") if quiz else (str(standing.hints), str(standing.lent))
        module, lab = standing.lab.split("/")
        table.add_row(
            module.partition("_")[0], lab, str(standing.exercises), solved, points, *extras
        )
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
    table.add_column("assignment", overflow="fold")
    for name in ("points", "due", "state", "release"):
        table.add_column(name, justify="right" if name == "points" else "left")
    for row in rows:
        state = f"{row.state}, the course has a newer one" if row.newer else row.state
        table.add_row(row.assignment, f"{row.points:g}", row.due or "-", state, row.release)
    return table


def collect_table(collected):
    """Return the table of `course collect`.

    Args:
        collected: `autograder.grading.collect.Collected`.
    """
    table = Table(title=f"Collected: {len(collected.taken)}", title_justify="left")
    for name in ("learner", "assignment", "file", "changed", "state"):
        table.add_column(name, overflow="fold")
    for taken in collected.taken:
        when = f"{taken.when:%Y-%m-%d %H:%M}"
        table.add_row(taken.learner, taken.assignment, taken.source, when, taken.state)
    return table


def _of(standing):
    return f"{standing.points:g} of {standing.max_points:g}"
