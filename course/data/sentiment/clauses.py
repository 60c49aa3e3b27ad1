"""Clauses: an opinion word, and what stands around it and may turn it over.

    {s} was {a}                          keeps the polarity of the adjective
    {s} was anything but {a}             turns it over: "anything but dull" is praise
    {s} was not only {a} but also {e}    keeps it, for all its "not" and "but"

`{s}` is the subject, `{a}` and `{e}` are adjectives, `{n}` is a noun phrase, `{b}` and `{p}` are
a verb, base and past, `{d}` is a degree.
"""

from course.data.sentiment.words import ADJECTIVES, DEGREES, NOUNS, VERBS

KEEP = (
    "{s} was {a}",
    "{s} was {d} {a}",
    "{s} turned out to be {a}",
    "{s} was {a} from start to finish",
    "{s} was not only {a} but also {e}",
    "{s} was nothing if not {a}",
    "{s} was {n}",
    "{s} proved to be {n}",
    "{s} was nothing short of {n}",
    "I {p} {s}",
    "I really {p} {s}",
    "nobody could have {p} {s} more than I did",
)
TURN = (
    "{s} was not {a}",
    "{s} was not {a} at all",
    "{s} was not really {a}",
    "{s} was hardly {a}",
    "{s} was far from {a}",
    "{s} was anything but {a}",
    "{s} was by no means {a}",
    "{s} was never {a}",
    "{s} could not be called {a}",
    "{s} was not {n}",
    "{s} was hardly {n}",
    "{s} was anything but {n}",
    "{s} was by no means {n}",
    "I did not {b} {s}",
    "I could not {b} {s}",
    "nobody could have {p} {s}",
)
PERSONAL = tuple(shape for shape in KEEP + TURN if "I " in shape)  # never in reported speech
SHAPES = {shape: 1 for shape in KEEP} | {shape: -1 for shape in TURN}


def clause(rng, shape, subject, polarity):
    """Return a clause that says something good (1) or bad (-1) of the subject.

    Args:
        rng: random.Random.
        shape: str. A key of `SHAPES`.
        subject: str, such as `"the plot"`.
        polarity: int. 1 or -1: what the clause says, once the shape has turned it or not.
    """
    word = polarity * SHAPES[shape]
    base, past = rng.choice(VERBS[word])
    adjective, second = rng.sample(ADJECTIVES[word], 2)
    return shape.format(
        s=subject,
        a=adjective,
        e=second,
        n=rng.choice(NOUNS[word]),
        b=base,
        p=past,
        d=rng.choice(DEGREES),
    )
