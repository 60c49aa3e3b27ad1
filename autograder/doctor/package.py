"""The learner's own package `mytransformer`: one file that Python cannot read stops all others."""

import os
from pathlib import Path

from autograder import mytransformer
from autograder.doctor.finding import Finding
from autograder.grading.intake import Unreadable, read_bytes
from autograder.grading.python import problem


def examine_package(care):
    """Return a finding for each file of the package that Python cannot read.

    Args:
        care: the `Care` of the workspace.
    """
    root = mytransformer.folder(care.workspace)
    paths = [Path(parent, name) for parent, _, names in os.walk(root) for name in sorted(names)]
    return [
        _finding(care, root, path, reason)
        for path in paths
        if path.suffix == ".py" and (reason := _problem(path))
    ]


def _problem(path):
    try:
        return problem(read_bytes(path).decode("utf-8-sig"))
    except (Unreadable, UnicodeDecodeError) as error:
        return str(error) if isinstance(error, Unreadable) else "it is not text"


def _finding(care, root, path, reason):
    shown = care.shown(path)

    def shelve():
        kept = care.shelve(path)
        mytransformer.renew(root)
        again = "" if path.stem == "__init__" else "; run its check again, and it comes back"
        return f"{shown}: the file is {kept} now{again}."

    return Finding(shown, f"Python cannot read it: {reason}.", remedy=shelve)
