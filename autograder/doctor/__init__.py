"""`course doctor`: find what would break a submission, and mend it.

Grading rebuilds each submission from its release (`autograder.grading.rebuild`) after it read
the file as far as it can be read (`autograder.grading.rescue`); what those would have to repair
is what the doctor finds. Nothing is lost by mending: `autograder.doctor.care` says how.
"""

from pathlib import Path

from autograder.doctor.care import Care
from autograder.doctor.content import examine_content
from autograder.doctor.finding import Finding
from autograder.doctor.package import examine_package
from autograder.doctor.place import Case, examine_place
from autograder.doctor.rearrange import Rearrangement
from autograder.doctor.survey import Survey
from autograder.errors import CourseError
from course.notebooks import released_labs
from course.workspace import existing_workspace, labs_root

__all__ = ["Finding", "check_up", "examine", "mend", "report"]


def examine(workspace=None, labs=None):
    """Return the findings on every notebook of the workspace, in the order of study.

    Args:
        workspace: the learner's workspace.
        labs: the folder of released labs.

    Raises:
        CourseError: there is no workspace yet.
    """
    workspace, labs = Path(workspace or existing_workspace()), Path(labs or labs_root())
    care = Care(workspace, labs)
    survey = Survey(care)
    rearrangement = Rearrangement(care, survey.misplaced)
    found = list(survey.findings)
    for lab in released_labs(labs):
        found += _examine(Case(lab, care, survey, rearrangement))
    return found + examine_package(care)


def _examine(case):
    """Return the findings on one notebook; what cannot be examined costs no other one."""
    try:
        findings, sound = examine_place(case)
        return findings + (examine_content(case) if sound else [])
    except (OSError, RecursionError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        return [case.finding(f"It cannot be examined ({reason}): move it away.")]


def report(findings):
    """Return the findings as text, a line each, and how many can be mended."""
    if not findings:
        return "Everything is in order."
    mendable = sum(finding.remedy is not None for finding in findings)
    number = f"{len(findings)} findings" if len(findings) > 1 else "1 finding"
    which = "none" if not mendable else "all" if mendable == len(findings) else str(mendable)
    last = f"{number}; `course doctor --fix` mends {which}."
    return "\n".join([*map(str, findings), last])


def mend(findings):
    """Apply the remedies; return what was done and the findings that are left.

    A remedy that fails leaves its finding, and costs no other one.
    """
    left = [finding for finding in findings if finding.remedy is None]
    remedies = {finding.remedy: finding for finding in findings if finding.remedy is not None}
    done = []
    for remedy, finding in remedies.items():
        try:
            done.append(remedy())
        except OSError as error:
            left.append(Finding(finding.file, f"It could not be mended: {error.strerror}."))
        except CourseError as error:
            left.append(Finding(finding.file, f"It could not be mended: {error}"))
    return done, left


def check_up(workspace=None, labs=None):
    """Raise `CourseError` with the first finding, if there is one: for what comes before a hand-in.

    Raises:
        CourseError: a notebook has something to mend.
    """
    findings = examine(workspace, labs)
    if findings:
        more = f" ({len(findings) - 1} more)" if len(findings) > 1 else ""
        raise CourseError(f"{findings[0]}{more} Run `course doctor` first.")
