"""`course export`: grades as CSV, one line per learner and assignment, and sums per module."""

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import CourseError
from autograder.gradebook import require
from autograder.grading.folder import CourseFolder, Learner
from course.files import write_atomic

COLUMNS = (
    "learner", "last_name", "first_name", "email", "module", "assignment", "due", "submitted",
    "raw_score", "late_penalty", "score", "max_score",
)  # fmt: skip
MODULE_COLUMNS = ("learner", "last_name", "first_name", "email", "module", "score", "max_score")
SIGN = r"[\s\ufeff\"']*[=+\-@＝＋－＠]"  # spreadsheets take wide signs too
FORMULA = re.compile(rf"\s*[\t\r\n]|{SIGN}")
INNER = re.compile(rf"(?<=\S)([;|\t\r\n])(?={SIGN})")  # where some countries' sheets split cells


@dataclass
class Exported:
    """The two files that were written, and their lines as dictionaries."""

    path: Path
    modules_path: Path
    rows: list[dict]
    module_rows: list[dict]


def export(folder, output=None):
    """Write the grades of everybody on the roster or in the gradebook.

    Args:
        folder: the course folder.
        output: the CSV file; `grades.csv` in the folder by default. The sums per module go
            beside it, as `<name>_modules.csv`.

    Returns:
        `Exported`. Who did not submit has 0 points and no time.

    Raises:
        CourseError: the file cannot be written.
    """
    folder = CourseFolder(folder)
    path = Path(output) if output else folder.path / "grades.csv"
    if not path.parent.is_dir():
        raise CourseError(f"{path} cannot be written: there is no folder {path.parent}.")
    rows = _rows(folder)
    sums = _sums(rows)
    modules_path = path.with_name(f"{path.stem}_modules{path.suffix}")
    try:
        write_atomic(path, _csv(COLUMNS, rows))
        write_atomic(modules_path, _csv(MODULE_COLUMNS, sums))
    except OSError as error:
        raise CourseError(f"{path} cannot be written: {error.strerror}.") from None
    return Exported(path, modules_path, rows, sums)


def _rows(folder):
    roster, names = folder.roster(), folder.chosen()
    modules = {name: folder.released(name).metadata["course"]["module"] for name in names}
    with folder.gradebook() as gradebook:
        require(gradebook, folder.url, names)
        learners = sorted(set(roster) | {student.id for student in gradebook.students})
        return [
            _row(gradebook, roster.get(learner, Learner(learner)), name, modules[name])
            for learner in learners
            for name in names
        ]


def _row(gradebook, learner, name, module):
    from nbgrader.api import MissingEntry

    assignment = gradebook.find_assignment(name)
    try:
        submission = gradebook.find_submission(name, learner.learner)
        time, raw = submission.timestamp, submission.score
        penalty = submission.late_submission_penalty or 0
    except MissingEntry:
        time, raw, penalty = None, 0, 0
    values = (
        learner.learner, learner.last_name, learner.first_name, learner.email, module, name,
        _time(assignment.duedate), _time(time), _number(raw), _number(penalty),
        _number(max(0, raw - penalty)), _number(assignment.max_score),
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def _sums(rows):
    """Add up each learner's assignments by module."""
    found = {}
    for row in rows:
        total = found.setdefault(
            (row["learner"], row["module"]),
            {name: row[name] for name in MODULE_COLUMNS} | {"score": 0, "max_score": 0},
        )
        for name in ("score", "max_score"):
            total[name] = _number(total[name] + row[name])
    return list(found.values())


def _time(date):
    return "" if date is None else f"{date:%Y-%m-%d %H:%M:%S} UTC"


def _number(value):
    value = round(float(value or 0), 4)
    return int(value) if value.is_integer() else value


def _csv(columns, rows):
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: quoted(value) for name, value in row.items()} for row in rows)
    return file.getvalue().encode()


def quoted(value):
    """Return a cell that no spreadsheet takes for a formula: a quote mark stands before it.

    One stands also after a mark at which the spreadsheets of some countries split cells.
    """
    if not isinstance(value, str):
        return value
    value = INNER.sub(r"\1'", value)
    return f"'{value}" if FORMULA.match(value) else value
