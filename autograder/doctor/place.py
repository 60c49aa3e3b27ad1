"""What lies where a notebook should be: nothing, another name's file, a link, a folder, two."""

import os
import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autograder.doctor.care import Care, known
from autograder.doctor.finding import Finding
from autograder.doctor.rearrange import Rearrangement
from autograder.doctor.survey import Survey
from autograder.errors import CourseError
from autograder.grading.intake import MAX_BYTES, read_bytes
from autograder.grading.text import unpacked
from course.files import write_atomic

MAX_CLEARED = 100 * 2**20


@dataclass
class Case:
    """One notebook of the workspace, and what the doctor works with."""

    lab: str
    care: Care
    survey: Survey
    rearrangement: Rearrangement

    @cached_property
    def path(self):
        """Where the notebook should be."""
        return self.care.workspace / f"{self.lab}.ipynb"

    @cached_property
    def name(self):
        """The path as the learner knows it."""
        return self.care.shown(self.path)

    @cached_property
    def release(self):
        """The notebook that was handed out, as `Known`."""
        return known(self.care.release(self.lab))

    @cached_property
    def strays(self):
        """The notebooks of this lab that lie elsewhere."""
        return self.survey.strays.get(self.release.lab, [])

    def finding(self, sentence, remedy=None, cell=""):
        """Return a finding on this notebook."""
        return Finding(self.name, sentence, cell, remedy)


def examine_place(case):
    """Return the findings on a notebook's place, and whether its content can be examined."""
    try:
        status = os.lstat(case.path)
    except FileNotFoundError:
        return [_missing(case)], False
    except OSError as error:
        if case.survey.unopened(case.path):
            return [], False
        return [case.finding(f"It cannot be opened ({error.strerror}).")], False
    if stat.S_ISLNK(status.st_mode):
        return [_replaced(case, "It is a link, and a link cannot be handed in.")], False
    if not stat.S_ISREG(status.st_mode):
        what = "folder" if stat.S_ISDIR(status.st_mode) else "special file"
        return [_replaced(case, f"A {what} has its name.")], False
    if not status.st_mode & stat.S_IRUSR:
        return [_forbidden(case)], False
    if status.st_size > MAX_BYTES:
        return [_large(case, status.st_size)], False
    return _regular(case)


def _regular(case):
    if case.path in case.survey.misplaced:
        return [_misplaced(case)], False
    own = known(case.path)
    if own and all(own.lab) and own.lab != case.release.lab:
        sentence = f"It holds {'/'.join(own.lab)}, not this lab: move it away, then run this again."
        return [case.finding(sentence)], False
    strays = [stray for stray in case.strays if stray.path.suffix.lower() != ".zip"]
    findings, swapped = _seconds(case, own, strays)
    return findings, not swapped


def _missing(case):
    """Find the notebook under another name; else bring it back."""
    works = [stray.known.work for stray in case.strays]
    names = ", ".join(case.care.shown(stray.path) for stray in case.strays)
    if any(work != works[0] for work in works):
        return case.finding(f"It is called {names}: give the one that counts its name.")
    if works:
        packed = case.strays[0].path.suffix.lower() == ".zip"
        sentence = f"It is {'packed in' if packed else 'called'} {names}."
        return case.finding(sentence, lambda: _take(case, case.strays))
    if case.path in case.rearrangement.moves.values():
        return case.finding("It lies under another lab's name.", case.rearrangement)

    def restore():
        return f"{case.name}: {case.care.restore(case.path, case.lab)} is back."

    return case.finding("It is missing.", restore)


def _take(case, strays):
    """Put a stray into the notebook's place; what else is like it goes to the backup."""
    first, *others = strays
    data = read_bytes(first.path)
    if data.startswith(b"PK"):
        write_atomic(case.path, unpacked(data))
        case.care.shelve(first.path)
    else:
        os.replace(first.path, case.path)
    for other in others:
        case.care.shelve(other.path)
    return f"{case.name}: {first.path.name} has its name again."


def _replaced(case, sentence):
    """Put the notebook where a link, a folder or a special file is."""
    works = [stray.known.work for stray in case.strays]
    if any(work != works[0] for work in works):
        return case.finding(f"{sentence} Put the file itself here.")

    def put():
        data = read_bytes(case.strays[0].path) if works else _behind(case)
        kept = case.care.shelve(case.path)
        if data is None:
            what = case.care.restore(case.path, case.lab)
            return f"{case.name}: {what} is back; what was there is {kept}."
        write_atomic(case.path, unpacked(data) if data.startswith(b"PK") else data)
        for stray in case.strays:
            if os.path.lexists(stray.path):
                case.care.shelve(stray.path)
        return f"{case.name}: the notebook itself is here; what was there is {kept}."

    return case.finding(sentence, put)


def _behind(case):
    """Return the notebook of this lab to which a link leads, or None."""
    target = Path(os.path.realpath(case.path))
    found = known(target)
    return read_bytes(target) if found and found.lab == case.release.lab else None


def _forbidden(case):
    def allow():
        case.path.chmod(case.path.stat().st_mode | stat.S_IRUSR | stat.S_IWUSR)
        return f"{case.name}: you may read it again."

    return case.finding("You have no right to read it.", allow)


def _large(case, size):
    """Clear the outputs of a notebook that is too large; answers to quizzes stay."""
    sentence = f"It is larger than {MAX_BYTES // 2**20} MB"
    if size > MAX_CLEARED:
        return case.finding(
            f"{sentence}: clear its outputs in JupyterLab (Edit, Clear Outputs of All Cells), "
            "and save it."
        )

    def clear():
        from autograder.doctor.content import cleared

        text = cleared(read_bytes(case.path, MAX_CLEARED))
        if len(text) > MAX_BYTES:
            raise CourseError(f"{sentence} without its outputs too: remove pictures from its text.")
        case.care.backup(case.path)
        write_atomic(case.path, text)
        return f"{case.name}: its outputs are cleared."

    return case.finding(f"{sentence}.", clear)


def _seconds(case, own, strays):
    """Return findings on further notebooks of this lab, and whether one takes the place."""
    untouched = own is None or own.work == case.release.work
    idle = [case.release.work] + ([own.work] if own else [])
    copies = [stray for stray in strays if stray.known.work in idle]
    others = [stray for stray in strays if stray.known.work not in idle]
    findings = [_copy(case, copy) for copy in copies]
    if not others:
        return findings, False
    second = "{} is a second notebook of this lab, and only {} is handed in"
    sentences = [second.format(case.care.shown(o.path), case.name) for o in others]
    if not untouched or any(o.known.work != others[0].known.work for o in others):
        todo = f"move what you want to keep into {case.path.name}, then delete"
        return findings + [
            case.finding(f"{sentence}: {todo} {other.path.name}.")
            for sentence, other in zip(sentences, others, strict=True)
        ], False

    def swap():
        case.care.shelve(case.path)
        return _take(case, others)

    why = "which cannot be read" if own is None else "which is as it was handed out"
    return [*findings, case.finding(f"{sentences[0]}, {why}.", swap)], True


def _copy(case, stray):
    shown = case.care.shown(stray.path)

    def shelve():
        return f"{shown}: it is in {case.care.shelve(stray.path)} now."

    return Finding(shown, f"It is a copy of {case.name} with nothing else in it.", remedy=shelve)


def _misplaced(case):
    sentence = f"It holds {case.survey.misplaced[case.path]}, not this lab"
    if case.path in case.rearrangement.moves:
        return case.finding(f"{sentence}.", case.rearrangement)
    return case.finding(f"{sentence}: move it away, then run this again.")
