"""Each way to break a notebook is found, named with file and cell, and mended."""

import copy
import json

import nbformat
import pytest

from autograder.doctor import check_up, examine, mend, report
from autograder.errors import CourseError
from course.workspace import prepare
from tests.course import sample

LAB = "m02_transformer/lab1_means.ipynb"
QUIZ = "m02_transformer/quiz.ipynb"
ANSWER = "def mean(x):\n    return sum(x) / len(x)"


@pytest.fixture
def lab(workspace):
    sample.put(workspace / LAB, "mean", ANSWER)
    return workspace / LAB


def sentences(workspace, labs):
    return [str(finding) for finding in examine(workspace, labs)]


def cells(path):
    return {cell["id"]: "".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]}


def heal(workspace, labs):
    """Mend everything and return what was done; nothing may be left."""
    done, left = mend(examine(workspace, labs))
    assert left == []
    assert examine(workspace, labs) == []
    return done


def test_sound_workspace_has_no_findings(workspace, labs, lab):
    assert examine(workspace, labs) == []
    assert report([]) == "Everything is in order."


def delete(content):
    content["cells"] = [c for c in content["cells"] if c["id"] not in ("check-mean", "setup")]


def duplicate(content):
    content["cells"].append(copy.deepcopy(content["cells"][2]))


def edit_locked(content):
    content["cells"][3]["source"] = "print('all right')"


def retype(content):
    content["cells"][2] |= {"cell_type": "markdown"}
    content["cells"][2].pop("outputs")
    content["cells"][2].pop("execution_count")


def reorder(content):
    content["cells"].insert(1, content["cells"].pop(4))


def other_kernel(content):
    content["metadata"]["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}


def no_identity(content):
    del content["metadata"]["course"]


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (delete, [f"{LAB}, cell setup: This cell was deleted.",
                  f"{LAB}, cell check-mean: This cell was deleted."]),
        (duplicate, [f"{LAB}, cell mean: This cell stood 2 times."]),
        (edit_locked, [f"{LAB}, cell check-mean: This locked cell was changed."]),
        (retype, [f"{LAB}, cell mean: This cell was turned into text."]),
        (reorder, [f"{LAB}: Cells were out of order."]),
        (other_kernel, [f"{LAB}: It asked for another kernel."]),
        (no_identity, [f"{LAB}: The notebook does not say which lab it is."]),
    ],
)  # fmt: skip
def test_damaged_notebook_is_found_and_mended(workspace, labs, lab, damage, expected):
    sample.edit(lab, damage)
    broken = lab.read_bytes()
    assert sentences(workspace, labs) == expected
    heal(workspace, labs)
    mended = cells(lab)
    released = cells(labs / LAB)
    assert mended["mean"] == ANSWER
    assert {k: v for k, v in mended.items() if k in released and k != "mean"} == {
        k: v for k, v in released.items() if k != "mean"
    }
    nbformat.validate(nbformat.read(lab, as_version=4))
    copies = [path.read_bytes() for path in (workspace / ".course" / "backup").rglob("*.ipynb")]
    assert copies == [broken]


def test_mending_keeps_outputs_demos_and_own_cells(workspace, labs, lab):
    def change(content):
        run = {"output_type": "stream", "name": "stdout", "text": "1.5\n"}
        content["cells"][6] |= {"source": "print(mean([1, 9]))", "outputs": [run]}
        own = {"cell_type": "code", "id": "mine", "metadata": {}, "source": "scratch = 1",
               "outputs": [], "execution_count": None}  # fmt: skip
        content["cells"].insert(3, own)
        edit_locked({"cells": [c for c in content["cells"] if c["id"] != "mine"]})

    sample.edit(lab, change)
    heal(workspace, labs)
    mended = json.loads(lab.read_text())["cells"]
    demo = next(cell for cell in mended if cell["id"] == "lab1_means-07")
    assert demo["source"] in ("print(mean([1, 9]))", ["print(mean([1, 9]))"])
    assert demo["outputs"][0]["name"] == "stdout"
    assert any("scratch = 1" in "".join(cell["source"]) for cell in mended)


def test_not_json_is_set_aside_and_replaced(workspace, labs, lab):
    lab.write_text('{"cells": [')
    assert sentences(workspace, labs)[0].startswith(f"{LAB}: It cannot be read: it is not JSON")
    done = heal(workspace, labs)
    assert "released notebook is back" in done[0]
    assert lab.with_name("lab1_means.broken.ipynb").read_text() == '{"cells": ['
    assert lab.read_text() == sample.lab()


def test_not_json_comes_back_from_the_checkpoint(workspace, labs, lab):
    checkpoint = lab.parent / ".ipynb_checkpoints" / "lab1_means-checkpoint.ipynb"
    checkpoint.parent.mkdir()
    checkpoint.write_text(lab.read_text())
    lab.write_text("")
    assert "last checkpoint" in heal(workspace, labs)[0]
    assert cells(lab)["mean"] == ANSWER


def test_missing_file_comes_back(workspace, labs, lab):
    lab.unlink()
    assert sentences(workspace, labs) == [f"{LAB}: It is missing."]
    heal(workspace, labs)
    assert lab.read_text() == sample.lab()


def test_renamed_file_gets_its_name_back(workspace, labs, lab):
    lab.rename(workspace / "lab1 (1).ipynb")
    assert sentences(workspace, labs) == [f"{LAB}: It is called lab1 (1).ipynb."]
    heal(workspace, labs)
    assert cells(lab)["mean"] == ANSWER


def test_second_notebook_takes_the_place_of_an_untouched_one(workspace, labs, lab):
    lab.rename(lab.with_name("mine.ipynb"))
    lab.write_text(sample.lab())
    assert "second notebook" in sentences(workspace, labs)[0]
    heal(workspace, labs)
    assert cells(lab)["mean"] == ANSWER


def test_second_notebook_beside_work_is_left_to_the_learner(workspace, labs, lab):
    lab.with_name("other.ipynb").write_text(lab.read_text().replace("sum", "fsum"))
    findings = examine(workspace, labs)
    assert findings[0].remedy is None
    assert "move what you want to keep" in str(findings[0])


def test_another_lab_in_its_place_is_left_to_the_learner(workspace, labs, lab):
    lab.write_text((workspace / QUIZ).read_text())
    sample.put(workspace / QUIZ, "q01", "# my own note")
    findings = examine(workspace, labs)
    assert findings[0].remedy is None
    assert "It holds m02_transformer/quiz, not this lab" in str(findings[0])


def test_syntax_error_is_named_with_cell_and_line(workspace, labs, lab):
    sample.put(lab, "mean", "def mean(x):\n    return sum(x /")
    found = sentences(workspace, labs)
    assert found == [
        f"{LAB}, cell mean: Python cannot read this cell: line 2, '(' was never closed."
    ]


def test_magic_in_an_answer_is_no_syntax_error(workspace, labs, lab):
    sample.put(lab, "mean", f"%time 1 + 1\n{ANSWER}")
    assert examine(workspace, labs) == []


def test_new_release_put_beside_is_nobodys_work(workspace, labs, lab):
    (labs / LAB).write_text(sample.lab("r2"))
    prepare(labs, workspace)
    assert lab.with_name("lab1_means.new-release.ipynb").exists()
    assert examine(workspace, labs) == []


def test_report_counts_what_can_be_mended(workspace, labs, lab):
    sample.edit(lab, edit_locked)
    sample.put(lab, "mean", "def mean(:")
    lines = report(examine(workspace, labs)).splitlines()
    assert lines[-1] == "2 findings; `course doctor --fix` mends 1."


def test_check_up_raises_the_first_finding(workspace, labs, lab):
    check_up(workspace, labs)
    lab.unlink()
    with pytest.raises(CourseError, match=r"It is missing\. Run `course doctor` first\."):
        check_up(workspace, labs)
