"""Bring notebooks home that lie under other labs' names, all in one step: two may be swapped."""

import os

from autograder.doctor.care import known


class Rearrangement:
    """The remedy for notebooks under other labs' names.

    Args:
        care: the `Care` of the workspace.
        misplaced: path of a notebook to the lab that it holds.

    Attributes:
        moves: path to new path, of those that can be moved without losing work.
    """

    def __init__(self, care, misplaced):
        self._care = care
        self.moves = {}
        for path, lab in misplaced.items():
            home = care.workspace / f"{lab}.ipynb"
            if home not in self.moves.values():
                self.moves[path] = home
        while blocked := [path for path, home in self.moves.items() if not self._is_free(home)]:
            del self.moves[blocked[0]]

    def _is_free(self, home):
        if not os.path.lexists(home) or home in self.moves:
            return True
        found, lab = known(home), self._lab(home)
        return found is not None and found.work == known(self._care.release(lab)).work

    def _lab(self, path):
        return self._care.shown(path).removesuffix(".ipynb")

    def __call__(self):
        """Move them, and bring back what then is missing; return what was done."""
        shown = self._care.shown
        waiting = {path: path.with_name(f".{path.name}.moving") for path in self.moves}
        for path, place in waiting.items():
            os.replace(path, place)
        for path, home in self.moves.items():
            if os.path.lexists(home):
                self._care.shelve(home)
            os.replace(waiting[path], home)
        for path in self.moves:
            if not os.path.lexists(path):
                self._care.restore(path, self._lab(path))
        return (
            "; ".join(f"{shown(path)} is {shown(new)} now" for path, new in self.moves.items())
            + "."
        )
