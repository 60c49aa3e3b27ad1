"""`course release`: what learners get, through nbgrader, and never at the cost of grades."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import nbformat

from autograder.build.assignments import SOLUTIONS, Assignment, assignments, slugs
from autograder.build.release import generate, released, write_source
from autograder.errors import CourseError
from autograder.exercise import load_module
from autograder.grading.amend import worth
from autograder.grading.folder import CourseFolder
from autograder.grading.overrides import load
from autograder.grading.record import Recorder
from course.files import write_atomic


@dataclass
class Released:
    """One released assignment.

    Attributes:
        assignment: its name.
        release: the release's id, which each notebook carries.
        points: what can be earned.
        due: due date as text in UTC, or empty.
        state: "new", "changed" or "unchanged".
        path: the notebook to hand out.
        newer: whether the course has a newer version than this folder's `source/`.
    """

    assignment: str
    release: str
    points: float
    due: str
    state: str
    path: Path
    newer: bool = False


def release(
    folder, names=None, due=None, refresh=False, yes=False, solutions=SOLUTIONS,
    registry=load_module,
):  # fmt: skip
    """Release assignments: write `release/` and the gradebook, set due dates.

    Args:
        folder: the course folder.
        names: assignments; all in `source/` by default.
        due: dict from assignment to a due date, `2026-03-01 18:00` (local time unless it names
            a zone); None as a date removes it.
        refresh: take `source/` anew from the course's lab sources.
        yes: release even if points or checks of graded work change.
        solutions: the folder of lab sources.
        registry: function from slug to the module's exercises.

    Returns:
        List of `Released`.

    Raises:
        CourseError: an assignment is unknown, a date cannot be read, or graded work would move.
    """
    folder = CourseFolder(folder)
    dates = {name: _date(text) for name, text in (due or {}).items()}
    present = _sources(folder)
    try:
        current = _current(solutions, registry)
    except CourseError:  # the folder's own sources are enough
        if refresh:
            raise
        current = {}
    known = present | current if refresh else present
    for name in [*(names or ()), *dates]:
        if name not in known:
            raise CourseError(f'There is no assignment "{name}"; there are {", ".join(known)}.')
    chosen = {name: known[name] for name in (names or known)}
    texts = {name: released([source])[source.lab] for name, source in chosen.items()}
    overrides = load(folder, keep=False)
    if refusals := _moved_grades(folder, texts, overrides, yes):
        raise CourseError("\n".join(refusals))
    return [
        _release(folder, source, texts[name], dates, overrides, current.get(name), refresh)
        for name, source in chosen.items()
    ]


def _sources(folder):
    """Return the assignments in `source/`: a dict from name to `Assignment`."""
    found = {}
    for place in sorted((folder.path / "source").glob("*")):
        notebooks = sorted(place.glob("*.ipynb"))
        if len(notebooks) != 1:
            raise CourseError(f"{place} must hold one notebook; it has {len(notebooks)}.")
        try:
            notebook = nbformat.read(notebooks[0], as_version=4)
            course = notebook.metadata["course"]
            found[place.name] = Assignment(place.name, course.module, course.lab, notebook)
        except (ValueError, KeyError, AttributeError, OSError):
            raise CourseError(f"{notebooks[0]} is no notebook of this course.") from None
        if course.lab != notebooks[0].stem:
            raise CourseError(f"{notebooks[0]} must be called {course.lab}.ipynb.")
    if not found:
        raise CourseError(f"{folder.path / 'source'} is empty: there is nothing to release.")
    return found


def _current(solutions, registry):
    """Return what the course's own sources give now."""
    return {
        assignment.name: assignment
        for slug in slugs(None, solutions)
        for assignment in assignments(slug, solutions, registry)
    }


def _moved_grades(folder, texts, overrides, yes):
    """Return a sentence for each assignment whose submissions a release would change."""
    refusals = []
    for name, text in texts.items():
        count, old = _recorded(folder, name)
        new = worth(nbformat.reads(text.decode(), as_version=4), overrides)
        if not count:
            continue
        added, gone = sorted(new.keys() - old.keys()), sorted(old.keys() - new.keys())
        if added or gone:
            refusals.append(
                f"{name} has {count} submissions and this release adds or removes graded cells "
                f"({', '.join(added + gone)}); nbgrader cannot follow. Release it in a new "
                "course folder."
            )
        elif new != old and not yes:
            moved = ", ".join(
                f"{cell} {old[cell]:g} to {new[cell]:g}" for cell in new if new[cell] != old[cell]
            )
            refusals.append(
                f"{name} has {count} submissions and this release changes their points "
                f"({moved}). Say yes to release it, then grade again."
            )
    return refusals


def _recorded(folder, name):
    """Return how many submissions the gradebook has, and the points of the graded cells."""
    from nbgrader.api import MissingEntry

    with folder.gradebook() as gradebook:
        try:
            assignment = gradebook.find_assignment(name)
        except MissingEntry:
            return 0, {}
        points = {
            cell.name: cell.max_score
            for notebook in assignment.notebooks
            for cell in notebook.grade_cells
        }
        return len(assignment.submissions), points


def _release(folder, source, text, dates, overrides, current, refresh):
    """Release one assignment and archive it under its release's name."""
    path = folder.path / "release" / source.name / f"{source.lab}.ipynb"
    before = path.read_bytes() if path.is_file() else None
    if refresh:
        write_source(folder.path, source)
    if before != text or not _recorded(folder, source.name)[1]:
        generate(folder.path, source.name, folder.config)
    notebook = nbformat.reads(text.decode(), as_version=4)
    name = notebook.metadata["course"]["release"]
    write_atomic(folder.path / "releases" / source.name / f"{name}.ipynb", path.read_bytes())
    points = worth(notebook, overrides)
    with Recorder(folder) as recorder:
        recorder.set_worth(source.name, points)
        if source.name in dates:
            recorder.gradebook.update_or_create_assignment(source.name, duedate=dates[source.name])
        date = recorder.gradebook.find_assignment(source.name).duedate
    newer = current and current.notebook.metadata["course"]["release"] != name
    state = "new" if before is None else "unchanged" if before == text else "changed"
    due = "" if date is None else f"{date:%Y-%m-%d %H:%M} UTC"
    return Released(
        source.name, name, sum(points.values()), due, state, path, bool(newer) and not refresh
    )


def _date(text):
    """Return a due date as a naive datetime in UTC, as nbgrader keeps it."""
    if text is None or isinstance(text, datetime):
        date = text
    else:
        try:
            date = datetime.fromisoformat(str(text).strip().removesuffix(" UTC"))
        except ValueError:
            raise CourseError(
                f"{text!r} is not a due date; write it as 2026-03-01 18:00."
            ) from None
        if str(text).strip().endswith(" UTC"):
            date = date.replace(tzinfo=UTC)
    if date is None:
        return None
    return date.astimezone(UTC).replace(tzinfo=None)
