"""Every solution notebook runs from top to bottom, demos included, and earns full marks."""

import pytest
from nbclient import NotebookClient

from autograder.build.assignments import SOLUTIONS
from autograder.build.notebook import instructor_notebook
from autograder.build.source import read
from autograder.exercise import load_module, modules

LABS = [
    (slug, lab)
    for slug in modules()
    for lab in sorted({exercise.lab for exercise in load_module(slug).values()})
]


@pytest.mark.parametrize(("slug", "lab"), LABS)
def test_the_solution_earns_full_marks(slug, lab, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_WORKSPACE", str(tmp_path / "no-workspace"))
    source = read(SOLUTIONS / slug / f"{lab}.py", load_module(slug))
    notebook = instructor_notebook(source)
    NotebookClient(notebook, kernel_name="python3", timeout=None).execute(cwd=str(tmp_path))
    checks = [cell for cell in notebook.cells if grading(cell).get("grade")]
    assert [score(cell) for cell in checks] == [grading(cell)["points"] for cell in checks]
    assert len(checks) == len(source.exercises())
    assert noise(notebook) == []


def grading(cell):
    return cell.metadata.get("nbgrader", {})


def score(cell):
    results = [o for o in cell.outputs if o.output_type == "execute_result"]
    return float(results[-1].data["text/plain"])


def noise(notebook):
    """What the cells wrote to standard error: a learner should see none of it."""
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    return [o.text for o in outputs if o.output_type == "stream" and o.name == "stderr"]
