"""What a build writes: an nbgrader release, the same bytes each time, or nothing."""

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator

from autograder.build.release import build
from autograder.errors import CourseError


@pytest.fixture
def labs(tmp_path, solutions, registry):
    """A folder of built labs."""
    build(solutions=solutions, labs=tmp_path / "labs", registry=registry)
    return tmp_path / "labs"


def read(labs):
    """Read the built notebook."""
    return nbformat.read(labs / "m00_example" / "lab1_means.ipynb", as_version=4)


def test_a_release_is_valid_and_holds_no_solution(labs):
    """Learners get stubs; nbgrader accepts the metadata."""
    notebook = read(labs)

    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    text = nbformat.writes(notebook)
    assert "SOLUTION" not in text
    assert "np.dot" not in text
    assert text.count("raise NotImplementedError") == 2


def test_a_notebook_says_what_it_is(labs):
    """Module, lab and release are in the metadata; ids derive from exercises and positions."""
    notebook = read(labs)

    assert notebook.metadata.course.module == "m00_example"
    assert notebook.metadata.course.lab == "lab1_means"
    assert len(notebook.metadata.course.release) == 12
    assert notebook.metadata.kernelspec.name == "python3"
    assert [cell.id for cell in notebook.cells] == [
        "lab1_means-title", "lab1_means-01", "setup", "lab1_means-03", "mean", "check-mean",
        "lab1_means-06", "weighted_mean", "check-weighted_mean",
    ]  # fmt: skip
    roles = {cell.id: cell.metadata.course.role for cell in notebook.cells}
    assert roles["lab1_means-06"] == "demo"
    assert "| `weighted_mean` | 3 | 2 of 3 | 5 |" in notebook.cells[0].source
    assert "| 10 | 1 GB | none | 5 |" in notebook.cells[0].source


def test_a_rebuild_is_byte_equal(labs, solutions, registry):
    """Nothing differs after a second build, neither by content nor by time."""
    path = labs / "m00_example" / "lab1_means.ipynb"
    before = path.read_bytes(), path.stat().st_mtime_ns

    assert build(solutions=solutions, labs=labs, registry=registry) == []
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_check_lists_what_differs_and_writes_nothing(labs, solutions, registry):
    """A changed notebook and one without a source are named; both stay."""
    path = labs / "m00_example" / "lab1_means.ipynb"
    path.write_text("{}")
    (labs / "m00_example" / "lab9_gone.ipynb").write_text("{}")

    differing = build(check=True, solutions=solutions, labs=labs, registry=registry)
    assert differing == ["m00_example/lab1_means.ipynb", "m00_example/lab9_gone.ipynb"]
    assert path.read_text() == "{}"


def test_a_mistake_in_a_source_writes_nothing(tmp_path, solutions, registry, exercises):
    """A build is all or nothing."""
    exercises["m00_example.mean"].points = 9.0
    with pytest.raises(CourseError, match="its cases add up to 9"):
        build(solutions=solutions, labs=tmp_path / "labs", registry=registry)

    assert not (tmp_path / "labs").exists()


def test_an_unknown_module_is_one_sentence(tmp_path, solutions, registry):
    """The sentence names the modules that exist."""
    with pytest.raises(CourseError, match='no module "m77"; there are m00_example'):
        build("m77", solutions=solutions, labs=tmp_path, registry=registry)


def test_a_changed_text_changes_the_release_and_a_changed_solution_does_not(
    tmp_path, solutions, registry, example
):
    """The release names what learners get."""
    source = tmp_path / "solutions" / "m00_example" / "lab1_means.py"
    source.parent.mkdir(parents=True)
    releases = []
    for text in (
        example,
        example.replace("np.sum(values) / len(values)", "np.mean(values)"),
        example.replace("Averages turn", "An average turns"),
    ):
        source.write_text(text)
        build(solutions=source.parents[1], labs=tmp_path / "labs", registry=registry)
        releases.append(read(tmp_path / "labs").metadata.course.release)

    assert releases[0] == releases[1] != releases[2]
