"""What a person should look at: an answer that is the course's own code, or that calls it.

An answer is read, never run. What earns points is flagged and keeps them: a person decides.
"""

from autograder.grading.code import Code
from autograder.grading.copied import is_copy

LONGEST = 100_000  # characters of one notebook's code


def review(exercise, answer, cells=(), skeleton=""):
    """Return why a person should look at an answer: sentences, most often none.

    Args:
        exercise: the `Exercise`.
        answer: str. The learner's answer cell.
        cells: the texts of the learner's other cells.
        skeleton: str. What the learner was given.
    """
    sources = [answer, *(cell for cell in cells if cell != answer)]
    if sum(map(len, sources)) > LONGEST:
        return ["its code is too long to be compared."]
    code = Code(sources)
    part = code.of(exercise.name)
    found = []
    reached = next(filter(None, (_forbidden(path, exercise) for path in code.paths(part))), "")
    if reached:
        found.append(f"it reaches `{reached}`, which it should write itself.")
    if exercise.id in code.lends(part):
        found.append("it builds on the course's version, which is lent for 0 points.")
    if exercise.package and is_copy(exercise, code, part, skeleton):
        found.append("it is the course's own code, or nearly so.")
    return found


def hides(cells):
    """Return a sentence when the text of the learner's cells does not say what runs, else ""."""
    if sum(map(len, cells)) > LONGEST:
        return ""  # `review` says so
    names = ", ".join(f"`{name}`" for name in sorted(Code(cells).tricks()))
    return f"what runs cannot be read from its text: {names}." if names else ""


def _forbidden(path, exercise):
    """Return what the exercise forbids, when a dotted path is it, under whatever module."""
    top, _, rest = path.partition(".")
    top = {"tensorflow": "keras"}.get(top, top)
    name = rest.rpartition(".")[2]
    for forbidden in filter(None, (exercise.package, *exercise.forbids)):
        if name == forbidden.rpartition(".")[2] and top == forbidden.partition(".")[0]:
            return forbidden
    return ""
