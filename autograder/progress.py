"""What the learner has tried and solved, in `.course/progress.json` of their workspace.

A hint is unlocked by each answer that differs from the ones before and is not right. Without a
workspace (a grader, a script) nothing is written.
"""

import hashlib
import json
from pathlib import Path

from course.files import write_atomic
from course.workspace import workspace_root

MIME = "application/vnd.course.hints+json"  # in a check's output, for the feedback after grading
FRESH = {"attempts": 0, "hints": 0, "best": 0.0, "solved": False, "lent": False, "tried": []}


def load(workspace):
    """Return `{exercise id: entry}`; empty when there is no readable record."""
    try:
        entries = json.loads(_file(workspace).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(entries, dict):
        return {}
    return {str(k): FRESH | v for k, v in entries.items() if isinstance(v, dict)}


def update(workspace, exercise_id, **changes):
    """Change one exercise's entry and write the record."""
    entries = load(workspace)
    entries[exercise_id] = FRESH | entries.get(exercise_id, {}) | changes
    write_atomic(_file(workspace), json.dumps(entries, indent=1, sort_keys=True) + "\n")


def record(exercise, verdict, source):
    """Record an attempt and return how many hints the learner has reached."""
    workspace = workspace_root()
    if not (workspace / ".course").is_dir():
        return 0
    entry = FRESH | load(workspace).get(exercise.id, {})
    hints, tried = entry["hints"], list(entry["tried"])
    mark = hashlib.sha256((source or "").encode()).hexdigest()[:16]
    if verdict.state == "answered" and not verdict.passed and mark not in tried:
        tried.append(mark)
        hints = min(len(exercise.hints), hints + 1)
    update(
        workspace,
        exercise.id,
        attempts=entry["attempts"] + 1,
        hints=hints,
        best=max(entry["best"], verdict.points),
        solved=entry["solved"] or verdict.passed,
        tried=tried[-50:],
    )
    return hints


def _file(workspace):
    return Path(workspace) / ".course" / "progress.json"
