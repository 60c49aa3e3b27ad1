"""Every solution notebook runs from top to bottom, demos included, and earns full marks.

It does so in an ordinary kernel and, with the same outputs, in a confined one.
"""

from dataclasses import dataclass

import pytest
from nbclient import NotebookClient

from autograder.build.assignments import SOLUTIONS
from autograder.build.notebook import instructor_notebook
from autograder.build.source import LabSource, read
from autograder.confine.tiers import reach
from autograder.exercise import load_module, modules
from tests.solutions.fidelity import one_processor, run_confined, told, told_of_check

LABS = [
    (slug, lab)
    for slug in modules()
    for lab in sorted({exercise.lab for exercise in load_module(slug).values()})
]


@dataclass
class Ran:
    """A lab, and its solution notebook as an ordinary kernel ran it."""

    source: LabSource
    notebook: object

    @property
    def code(self):
        """Its code cells."""
        return [cell for cell in self.notebook.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module", params=LABS, ids="-".join)
def ran(request, tmp_path_factory):
    """A lab whose notebook was run once, for all tests of it."""
    slug, lab = request.param
    folder = tmp_path_factory.mktemp(lab)
    source = read(SOLUTIONS / slug / f"{lab}.py", load_module(slug))
    notebook = instructor_notebook(source)
    with pytest.MonkeyPatch.context() as patch, one_processor():
        patch.setenv("COURSE_WORKSPACE", str(folder / "no-workspace"))
        NotebookClient(notebook, kernel_name="python3", timeout=None).execute(cwd=str(folder))
    return Ran(source, notebook)


def test_the_solution_earns_full_marks(ran):
    checks = [cell for cell in ran.code if grading(cell).get("grade")]
    assert [score(cell) for cell in checks] == [grading(cell)["points"] for cell in checks]
    assert len(checks) == len(ran.source.exercises())
    assert noise(ran.notebook) == []


@pytest.mark.thorough
@pytest.mark.skipif(reach().tier == "open", reason="this machine confines nothing")
def test_a_confined_kernel_gives_the_same_outputs(ran, monkeypatch):
    confined = run_confined(ran.notebook, monkeypatch)
    for cell, outputs in zip(ran.code, confined, strict=True):
        if grading(cell).get("grade"):
            assert told_of_check(outputs) == told_of_check(cell.outputs), cell.source
        else:
            assert told(outputs, cell.source) == told(cell.outputs, cell.source), cell.source


def grading(cell):
    return cell.metadata.get("nbgrader", {})


def score(cell):
    results = [o for o in cell.outputs if o.output_type == "execute_result"]
    return float(results[-1].data["text/plain"])


def noise(notebook):
    """What the cells wrote to standard error: a learner should see none of it."""
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    return [o.text for o in outputs if o.output_type == "stream" and o.name == "stderr"]
