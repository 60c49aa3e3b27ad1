"""Whose is a file, and what, by its place: the names that people and platforms give it."""

import re
import unicodedata
from pathlib import PurePath

from autograder.grading.folder import is_learner_id

MOODLE = re.compile(r"^(?P<name>.+?)_\d+_assignsubmission_[a-z]+(?:_.*)?$", re.IGNORECASE)
CANVAS = re.compile(r"^(?P<name>[^_]+)_(?:LATE_)?\d+_\d+_(?P<rest>.+)$")
PLAIN_PLACES = re.compile(
    r"(inbox|downloads?|submissions?|submitted|files?|assignments?|labs?|quiz|notebooks?)"
    r"([ _(-]*\d*\)?)*",
    re.IGNORECASE,
)


class Owners:
    """Finds learners and assignments in paths.

    Args:
        roster: dict from id to `Learner`; when it is empty, any sensible name is an id.
        released: dict from assignment to the `course` metadata of its notebook.
    """

    def __init__(self, roster, released):
        self.released = released
        self.known = {}
        for learner in roster.values():
            for alias in _aliases(learner):
                self.known.setdefault(_key(alias), set()).add(learner.learner)

    @staticmethod
    def is_platform_name(parts):
        """Say whether a platform wrote one of these names."""
        return any(MOODLE.match(part) or CANVAS.match(part) for part in parts)

    def learner(self, parts):
        """Return the learner's id, or None."""
        for name in self._names(parts):
            found = self._resolve(name)
            if found:
                return found
        return None

    def reason(self, parts):
        """Say why no learner was found."""
        platform = [m["name"] for part in parts if (m := MOODLE.match(part) or CANVAS.match(part))]
        folders = [part for part in map(_stem, parts[:-1]) if not PLAIN_PLACES.fullmatch(part)]
        folders = [part for part in folders if not self._names_lab(part)]
        names = platform or folders[-1:]
        if not names:
            return "neither its folder nor its name says whose it is"
        if self.known:
            return f"roster.csv knows nobody by the name {names[0]}"
        return f"{names[0]} cannot be a learner id"

    def assignment(self, parts):
        """Return the assignment that a path names, or None; only for what cannot be read."""
        found = set()
        for part in map(_key, parts):
            for name, course in self.released.items():
                if _key(name) in part or (_key(course["lab"]) in part and course["lab"] != "quiz"):
                    found.add(name)
                elif course["lab"] == "quiz" and "quiz" in part:
                    found.add(name)
        return found.pop() if len(found) == 1 else None

    def _resolve(self, name):
        if self.known:
            found = self.known.get(_key(name), set())
            return next(iter(found)) if len(found) == 1 else None
        name = re.sub(r"\s+", "-", _ascii(name).strip()).lower() if " " in name else _ascii(name)
        return name if is_learner_id(name) else None

    def _names(self, parts):
        """Yield what may name the learner: platform names first, then folders, then the file."""
        for part in reversed(parts):
            if match := MOODLE.match(part) or CANVAS.match(part):
                yield match["name"]
        stems = [_stem(part) for part in parts]
        if self.known:
            for stem in reversed(stems):
                yield from self._with_roster(stem)
            return
        for stem in stems[-2::-1]:
            if not PLAIN_PLACES.fullmatch(stem) and not self._names_lab(stem):
                yield stem
        if rest := self._beside_lab(stems[-1]):
            yield rest

    def _with_roster(self, stem):
        """Yield the whole stem, its beginnings and its ends: `mia_lab1`, `lab1-mia`."""
        words = re.split(r"([ _.()-]+)", stem)
        yield stem
        for n in range(len(words) - 2, 0, -2):
            yield "".join(words[:n])
        for n in range(2, len(words), 2):
            yield "".join(words[n:])

    def _beside_lab(self, stem):
        """Return what stands before or after a lab's name in a file name."""
        for name in self._lab_names():
            match = re.fullmatch(
                rf"(?:(?P<before>.+?)[ _-]+)?{re.escape(name)}(?:[ _-]+(?P<after>.+?))?"
                r"(?:[ _-]*\(\d+\))?",
                stem,
                re.IGNORECASE,
            )
            if match and (match["before"] or match["after"]):
                rest = match["before"] or match["after"]
                return None if re.fullmatch(r"[\d()v ]+|final|copy|new", rest) else rest
        return None

    def _names_lab(self, stem):
        keys = {_key(name) for name in self._lab_names()}
        keys |= {_key(course["module"]) for course in self.released.values()}
        return re.sub(r"\d*$", "", _key(stem)) in keys or _key(stem) in keys

    def _lab_names(self):
        """Return names by which people call a lab, the longest first."""
        names = set()
        for assignment, course in self.released.items():
            names |= {assignment, course["lab"], course["lab"].partition("_")[0]}
        return sorted(names, key=len, reverse=True)


def _aliases(learner):
    """Return the names that a platform or a person may use for a learner."""
    first, last = learner.first_name, learner.last_name
    yield learner.learner
    if first or last:
        yield from (f"{first} {last}", f"{last} {first}")
    if learner.email:
        yield from (learner.email, learner.email.partition("@")[0])


def _key(name):
    """Return a name without case, accents, spaces and punctuation."""
    return re.sub(r"[^a-z0-9]", "", _ascii(name).lower())


def _ascii(name):
    decomposed = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _stem(part):
    """Return a name without the endings of notebooks and archives."""
    while PurePath(part).suffix.lower() in (".ipynb", ".zip", ".json", ".txt"):
        part = PurePath(part).stem
    return part
