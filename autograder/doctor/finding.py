"""What the doctor says: one thing that is wrong, where, and how it is mended."""

from dataclasses import dataclass


@dataclass
class Finding:
    """One thing that is wrong: file, cell ("" for the whole file), sentence, and its remedy.

    `remedy` is called without arguments and returns what was done, in one sentence; None where
    only the learner can mend it. Findings that one step mends share their remedy.
    """

    file: str
    sentence: str
    cell: str = ""
    remedy: object = None

    def __str__(self):
        place = f"{self.file}, cell {self.cell}" if self.cell else self.file
        return f"{place}: {self.sentence}"
