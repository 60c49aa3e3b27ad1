"""Reading a lab source: what it yields, and one sentence for each authoring error."""

import jupytext
import pytest

from autograder.build.source import read
from autograder.errors import CourseError


def write(tmp_path, text):
    """Write a source where its module is `m00_example`."""
    path = tmp_path / "m00_example" / "lab1_means.py"
    path.parent.mkdir()
    path.write_text(text)
    return path


def line_of(text, needle):
    """Return the number of the first line that holds `needle`."""
    return next(i for i, row in enumerate(text.splitlines(), 1) if needle in row)


def test_a_source_yields_cells_with_kind_exercise_and_options(solutions, exercises):
    """The example has the cells that it spells out."""
    lab = read(solutions / "m00_example" / "lab1_means.py", exercises)

    assert (lab.slug, lab.lab, lab.front["minutes"]) == ("m00_example", "lab1_means", 10)
    kinds = [(cell.kind, cell.exercise) for cell in lab.cells]
    assert kinds == [
        ("markdown", None),
        ("setup", None),
        ("markdown", None),
        ("exercise", "mean"),
        ("check", "mean"),
        ("demo", None),
        ("exercise", "weighted_mean"),
        ("check", "weighted_mean"),
    ]
    assert lab.cells[3].options == {"difficulty": 1, "minutes": 3}
    assert lab.points("weighted_mean") == 3
    assert lab.cells[0].source == ("Averages turn many numbers into one.\n\nA second paragraph.")


def test_jupytext_reads_the_same_cells(solutions, exercises, example):
    """A source is a jupytext percent file: its cells are those that jupytext finds."""
    lab = read(solutions / "m00_example" / "lab1_means.py", exercises)
    cells = jupytext.reads(example, fmt="py:percent").cells

    assert [cell.source.strip() for cell in cells if cell.cell_type != "raw"] == [
        cell.source for cell in lab.cells
    ]


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ("    ### END SOLUTION\n\n\n# %% check=\"mean\"", "\n# %% check=\"mean\"",
         "### BEGIN SOLUTION", "`BEGIN SOLUTION` without an `END SOLUTION`"),
        ("    ### BEGIN SOLUTION\n    return np.sum", "    return np.sum",
         "### END SOLUTION", "`END SOLUTION` without a `BEGIN SOLUTION`"),
        ("    return np.sum(values)", "    ### BEGIN SOLUTION\n    return np.sum(values)",
         None, "`BEGIN SOLUTION` again; line 27 is still open"),
        ("    total = np.sum(weights)\n    ### BEGIN SOLUTION\n", "    ### BEGIN SOLUTION x\n",
         "### BEGIN SOLUTION x", "a solution marker must stand alone"),
        ("    ### BEGIN SOLUTION\n    return np.sum", "    ### BEGIN HIDDEN TESTS\n    return np",
         "HIDDEN", "unknown marker `BEGIN HIDDEN TESTS`"),
        ("print(mean([1, 2, 6]))", "### BEGIN SOLUTION\nprint(1)\n### END SOLUTION",
         None, "outside an exercise cell"),
        ('# %% check="mean" points=2\ncheck("m00_example.mean")\n', "",
         'exercise="mean"', 'exercise "mean" has no check'),
        ('# %% check="weighted_mean" points=3', '# %% check="median" points=3',
         'check="median"', 'check "median" has no exercise'),
        ('exercise="weighted_mean"', 'exercise="mean"',
         None, 'duplicate exercise "mean"; line '),
        ("points=3", "points=4",
         "points=4", 'check "weighted_mean" says 4 points, its cases add up to 3'),
        ("# %% demo", "# %% demonstration",
         "# %% demonstration", "unknown marker `demonstration`"),
        ("difficulty=1 minutes=3", "difficulty=1",
         "difficulty=1", "the exercise marker has no `minutes`"),
        ("difficulty=1 minutes=3", "difficulty=4 minutes=3",
         "difficulty=4", "difficulty is 4"),
        ("# A second paragraph.", "A second paragraph.",
         "A second paragraph.", "a line of a Markdown cell must begin with"),
        ('check("m00_example.mean")', 'check("m00_example.weighted_mean")',
         '# %% check="mean"', 'the check cell of "mean" must end with'),
        ("print(mean([1, 2, 6]))", "print(mean([1, 2, 6])",
         "print(mean", "this is not Python"),
        ("print(mean([1, 2, 6]))", "",
         "# %% demo", "this cell is empty"),
        ("# data: none\n", "", "# ---", "the front matter has no `data`"),
        ("# minutes: 10", "# minutes: ten", "# ---", "`minutes` in the front matter must be int"),
        ("# ---\n# title", "# title", "# title", "must open with a front matter"),
    ],
)  # fmt: skip
def test_an_authoring_error_is_one_sentence_with_its_line(
    tmp_path, exercises, example, old, new, at, says
):
    """Each mistake is named with the file, the line, and nothing else of the same line."""
    assert old in example
    text = example.replace(old, new, 1)
    path = write(tmp_path, text)
    with pytest.raises(CourseError) as caught:
        read(path, exercises)

    sentences = str(caught.value).splitlines()
    matching = [sentence for sentence in sentences if says in sentence]
    assert matching, sentences
    assert all(s.split(":")[0].endswith("m00_example/lab1_means.py") for s in sentences)
    if at:
        assert matching[0].split(":")[1] == str(line_of(text, at))


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path, exercises, example):
    """An author mends a file in one go."""
    text = example.replace("points=3", "points=5").replace("# %% demo", "# %% show")
    with pytest.raises(CourseError) as caught:
        read(write(tmp_path, text), exercises)

    assert len(str(caught.value).splitlines()) == 2


def test_an_exercise_with_checks_but_no_cell_is_named(tmp_path, exercises, example):
    """Checks that no cell runs would be points that nobody can earn."""
    exercises["m00_example.median"] = type(exercises["m00_example.mean"])(
        name="median", points=1.0, lab="lab1_means"
    )
    with pytest.raises(CourseError, match='"median" has checks for this lab but no cell'):
        read(write(tmp_path, example), exercises)
