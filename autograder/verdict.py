"""What the referee decided about one exercise, as plain data."""

from dataclasses import asdict, dataclass, field, fields


@dataclass
class CaseResult:
    """How one case went.

    Attributes:
        name: the case.
        sentence: the property it tests.
        points: what it earned, of `max_points`.
        problem: what is wrong, in one sentence; empty when it passed.
        note: a remark on a case that passed, such as follow-through credit.
        by_value: whether values, not their form or a property, are all that is wrong.
        drawn: whether its inputs were drawn, so that nobody could know them.
        follows: "surely" when it is right given the learner's own, wrong, parts; "maybe" when
            only the other cases can tell; else empty.
    """

    name: str
    sentence: str
    points: float
    max_points: float
    expected: str = ""
    got: str = ""
    problem: str = ""
    difference: float | None = None
    hint: str = ""
    note: str = ""
    by_value: bool = False
    drawn: bool = False
    follows: str = ""

    @property
    def passed(self):
        """Whether the case earned its points."""
        return not self.problem


@dataclass
class Verdict:
    """Points, cases and the misconception that was recognised."""

    exercise: str
    max_points: float
    cases: list = field(default_factory=list)
    misconception: str = ""
    message: str = ""
    state: str = "answered"  # answered, missing, stub, lent, error
    remarks: list = field(default_factory=list)  # what an instructor decided otherwise

    @classmethod
    def from_dict(cls, data):
        """Return the verdict of `as_dict`."""
        values = {each.name: data[each.name] for each in fields(cls)}
        return cls(**values | {"cases": [CaseResult(**case) for case in data["cases"]]})

    @property
    def points(self):
        """Sum over the cases, never above the maximum."""
        if self.state == "lent":
            return 0.0
        return float(min(self.max_points, sum(case.points for case in self.cases)))

    @property
    def passed(self):
        """Whether every case passed."""
        return bool(self.cases) and self.points > self.max_points - 1e-9

    def as_dict(self):
        """Return JSON-ready data."""
        return asdict(self) | {"points": self.points, "passed": self.passed}
