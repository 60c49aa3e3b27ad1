"""Judge the answers of a proof as hand-ins are judged: in a confined kernel, over its wire.

The lab's own answers run there cell by cell, as a learner's do. The other answers come along as
the text of a cell, because a confined kernel sees neither checks nor solutions. Limits and
confinement are those of `course grade`.
"""

from contextlib import contextmanager

from autograder.answers import ALTERNATIVES_MODULE
from autograder.errors import CourseError
from autograder.exercise import CHECKS
from autograder.grading.execute import Limits, Sandbox

BRING = "from autograder import answers as __answers\n__brought = __answers.Brought({}, globals())"
BIND = "__brought.bind({!r}, {!r}, {!r})"


class ProofKernel:
    """A confined kernel in which a lab's own answers have run; use it in a `with` block.

    Args:
        source: the `LabSource`.
        tier: str. How it is confined: see `autograder.confine.tiers`.
        alternatives: path of the lab's alternatives, which may be missing.

    Raises:
        CourseError: a cell of the lab, or what the proof brings along, does not run there.
    """

    def __init__(self, source, tier, alternatives):
        self._source, self._alternatives = source, alternatives
        self._sandbox = Sandbox(Limits(), tier)

    def __enter__(self):
        self._sandbox.__enter__()
        try:
            for cell in self._source.cells:
                if cell.kind in ("setup", "code", "exercise"):
                    self._run(cell.source, f"line {cell.line}")
            brought = f"{self._texts()!r}, {self._source.slug!r}, {self._source.lab!r}"
            self._run(BRING.format(brought), "the checks and alternatives")
        except BaseException:
            self._sandbox.__exit__()
            raise
        return self

    def __exit__(self, *exception):
        self._sandbox.__exit__()

    @contextmanager
    def answering(self, exercise, kind, which=None):
        """Open the wire to an answer (see `answers.make`) for a `with` block."""
        self._run(BIND.format(exercise.name, kind, which), f"the {kind} {which or ''}".strip())
        with self._sandbox.probe() as wire:
            yield wire

    def _run(self, source, what):
        ran = self._sandbox.run(source)
        errors = [o for o in ran.outputs if o["output_type"] == "error"]
        problem = ran.problem or next((f"{e['ename']}: {e['evalue']}" for e in errors), "")
        if problem:
            where = f"{self._source.slug}/{self._source.lab}, {what}"
            raise CourseError(f"{where}: it does not run in a confined kernel: {problem}")

    def _texts(self):
        """Return the sources that make the answers, by module; packages are empty."""
        folder = CHECKS / self._source.slug
        package = f"autograder.checks.{self._source.slug}"
        wanted = [path for path in folder.glob("*.py") if not path.stem.startswith("lab")]
        wanted.append(folder / f"{self._source.lab}.py")
        texts = {f"{package}.{path.stem}": path.read_text(encoding="utf-8") for path in wanted}
        texts |= {"autograder.checks": "", package: "", ALTERNATIVES_MODULE: ""}
        if self._alternatives.is_file():
            texts[ALTERNATIVES_MODULE] = self._alternatives.read_text(encoding="utf-8")
        return texts
