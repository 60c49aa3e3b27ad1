"""A course folder whose only lab is lab 1, answered in NumPy; checks and kernels are real."""

import copy
import shutil

import nbformat
import pytest

from autograder.exercise import load_module
from autograder.grading.folder import CourseFolder
from autograder.grading.init import init
from autograder.grading.release import release

SLUG, LAB, ASSIGNMENT = "m02_transformer", "lab1_self_attention", "m02_lab1_self_attention"

ANSWERS = {
    "attention_scores": '''def attention_scores(query, key):
    """Return scores."""
    query, key = np.asarray(query), np.asarray(key)
    return query @ np.swapaxes(key, -1, -2) / np.sqrt(query.shape[-1])''',
    "masked_softmax": '''def masked_softmax(scores, mask=None):
    """Return weights."""
    scores = np.asarray(scores)
    if mask is not None:
        scores = np.where(np.asarray(mask), scores, -1e9)
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return scores / scores.sum(axis=-1, keepdims=True)''',
    "causal_mask": '''def causal_mask(length):
    """Return a mask."""
    return np.tril(np.ones((length, length), bool))''',
    "scaled_dot_product_attention": '''def scaled_dot_product_attention(
    query, key, value, mask=None
):
    """Return output and weights."""
    weights = masked_softmax(attention_scores(query, key), mask)
    return weights @ np.asarray(value), weights''',
}
HEAD = """# ---
# title: Self-attention
# build: attention
# minutes: 10
# memory: 1 GB
# data: none
# ---

# %% setup
import numpy as np

"""


def source():
    """Return the text of the lab's source, with the points of the real checks."""
    exercises = [e for e in load_module(SLUG).values() if e.lab == LAB]
    parts = [HEAD]
    for exercise in exercises:
        lines = ANSWERS[exercise.name].split("\n")
        end = next(i for i, line in enumerate(lines) if line.endswith('"""')) + 1
        body = [*lines[:end], "    ### BEGIN SOLUTION", *lines[end:], "    ### END SOLUTION"]
        parts += [
            f"# %% [markdown]\n# Write `{exercise.name}`.\n",
            f'# %% exercise="{exercise.name}" difficulty=1 minutes=5\n' + "\n".join(body),
            f'\n# %% check="{exercise.name}" points={exercise.points:g}',
            f'check("{exercise.id}")\n',
        ]
    return "\n".join([*parts, '# %% demo\nraise RuntimeError("a demo is never run")\n'])


@pytest.fixture(scope="session")
def solutions(tmp_path_factory):
    """A folder of sources with this one lab."""
    path = tmp_path_factory.mktemp("solutions") / SLUG / f"{LAB}.py"
    path.parent.mkdir()
    path.write_text(source())
    return path.parents[1]


@pytest.fixture(scope="session")
def registry():
    """The real exercises of this one lab."""
    return lambda slug: {n: e for n, e in load_module(slug).items() if e.lab == LAB}


@pytest.fixture(scope="session")
def made(tmp_path_factory, solutions, registry):
    """A course folder with the lab released, to be copied."""
    folder = tmp_path_factory.mktemp("course") / "course"
    init(folder, solutions, registry)
    release(folder, solutions=solutions, registry=registry)
    with (folder / "nbgrader_config.py").open("a") as file:  # for machines that confine nothing
        file.write("\nc.Judge.trust = True\n")
    return folder


@pytest.fixture
def course(made, tmp_path):
    """A course folder of the test's own."""
    shutil.copytree(made, tmp_path / "course")
    return CourseFolder(tmp_path / "course")


@pytest.fixture
def released(course):
    """The notebook that learners get."""
    return course.released(ASSIGNMENT)


@pytest.fixture(scope="session")
def answer():
    """Return the function that writes answers into exercise cells; all right ones by default."""

    def write(notebook, **answers):
        notebook = copy.deepcopy(notebook)
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if name in ANSWERS:
                cell.source = (answers or ANSWERS).get(name, cell.source)
        return notebook

    return write


@pytest.fixture(scope="session")
def answers():
    """The right answers: exercise to source."""
    return ANSWERS


@pytest.fixture
def hand_in(course):
    """Return the function that puts a submission where collection puts it."""

    def put(learner, notebook, when="2026-01-10 10:00:00.000000 UTC"):
        path = course.submission(learner, ASSIGNMENT)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(notebook if isinstance(notebook, str) else nbformat.writes(notebook))
        path.with_name("timestamp.txt").write_text(f"{when}\n")
        return path

    return put
