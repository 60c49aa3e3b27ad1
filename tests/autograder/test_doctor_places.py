"""A notebook that is not where it should be, or is no notebook: found, and mended where it can."""

import json
import os
import subprocess
import sys
import zipfile

import nbformat
import pytest

from autograder.doctor import examine, mend, report
from tests.course import sample
from tests.unprivileged import unprivileged

MODULE = "m02_transformer"
LAB, QUIZ = f"{MODULE}/lab1_means.ipynb", f"{MODULE}/quiz.ipynb"
ANSWER = "def mean(x):\n    return sum(x) / len(x)"
HUGE = 600 * 2**20


@pytest.fixture
def lab(workspace):
    sample.put(workspace / LAB, "mean", ANSWER)
    return workspace / LAB


def answer(path):
    cells = {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}
    return cells["mean"]


def renamed(lab):
    lab.rename(lab.with_name("lab1_means (1).ipynb"))


def in_another_folder(lab):
    lab.rename(lab.parents[1] / lab.name)


def suffix_txt(lab):
    lab.rename(lab.with_name(f"{lab.name}.txt"))


def suffix_json(lab):
    lab.rename(lab.with_name("lab1_means (2).json"))


def zipped(lab):
    with zipfile.ZipFile(lab.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(lab, lab.name)
    lab.unlink()


def copied(lab):
    lab.with_name("lab1_means (1).ipynb").write_bytes(lab.read_bytes())


def copied_twice_and_lost(lab):
    for name in ("a.ipynb", "b.ipynb"):
        lab.with_name(name).write_bytes(lab.read_bytes())
    lab.unlink()


def work_beside_an_untouched_one(lab):
    lab.rename(lab.with_name("mine.ipynb"))
    lab.write_text(sample.lab())


def work_beside_an_unreadable_one(lab):
    lab.with_name("mine.ipynb").write_bytes(lab.read_bytes())
    lab.write_text("no notebook")


def linked(lab):
    elsewhere = lab.parents[2] / "elsewhere.ipynb"
    lab.rename(elsewhere)
    lab.symlink_to(elsewhere)


def linked_within_the_workspace(lab):
    lab.rename(lab.with_name("mine.ipynb"))
    lab.symlink_to("mine.ipynb")


def unpacked_into_a_folder(lab):
    content = lab.read_bytes()
    lab.unlink()
    lab.mkdir()
    (lab / lab.name).write_bytes(content)


def swapped_with_the_quiz(lab):
    quiz = lab.with_name("quiz.ipynb")
    content = quiz.read_bytes()
    lab.replace(quiz)
    lab.write_bytes(content)


def under_the_name_of_the_quiz(lab):
    lab.replace(lab.with_name("quiz.ipynb"))


def forbidden(lab):
    lab.chmod(0)


def only_in_the_checkpoint(lab):
    checkpoint = lab.parent / ".ipynb_checkpoints" / "lab1_means-checkpoint.ipynb"
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(lab.read_bytes())
    lab.write_text(sample.lab())
    os.utime(lab, (1_700_000_000, 1_700_000_000))


def large_through_its_outputs(lab):
    def fill(content):
        run = {"output_type": "stream", "name": "stdout", "text": "loss\n" * 5_000_000}
        content["cells"][6]["outputs"] = [run]

    sample.edit(lab, fill)


def answer_cut_off(lab):
    only_in_the_checkpoint(lab)
    checkpoint = lab.parent / ".ipynb_checkpoints" / "lab1_means-checkpoint.ipynb"
    text = nbformat.writes(nbformat.read(checkpoint, as_version=4))
    lab.write_text(text[: text.index("sum(x)")])


SECOND = "lab1_means.ipynb is handed in"


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (renamed, [f"{LAB}: It is called {MODULE}/lab1_means (1).ipynb."]),
        (in_another_folder, [f"{LAB}: It is called lab1_means.ipynb."]),
        (suffix_txt, [f"{LAB}: It is called {LAB}.txt."]),
        (suffix_json, [f"{LAB}: It is called {MODULE}/lab1_means (2).json."]),
        (zipped, [f"{LAB}: It is packed in {MODULE}/lab1_means.zip."]),
        (copied,
         [f"{MODULE}/lab1_means (1).ipynb: It is a copy of {LAB} with nothing else in it."]),
        (copied_twice_and_lost, [f"{LAB}: It is called {MODULE}/a.ipynb, {MODULE}/b.ipynb."]),
        (work_beside_an_untouched_one,
         [f"{LAB}: {MODULE}/mine.ipynb is a second notebook of this lab, and only {LAB} is "
          "handed in, which is as it was handed out."]),
        (work_beside_an_unreadable_one,
         [f"{LAB}: {MODULE}/mine.ipynb is a second notebook of this lab, and only {LAB} is "
          "handed in, which cannot be read."]),
        (linked, [f"{LAB}: It is a link, and a link cannot be handed in."]),
        (linked_within_the_workspace, [f"{LAB}: It is a link, and a link cannot be handed in."]),
        (unpacked_into_a_folder, [f"{LAB}: A folder has its name."]),
        (swapped_with_the_quiz,
         [f"{LAB}: It holds {MODULE}/quiz, not this lab.",
          f"{QUIZ}: It holds {MODULE}/lab1_means, not this lab."]),
        (under_the_name_of_the_quiz,
         [f"{LAB}: It lies under another lab's name.",
          f"{QUIZ}: It holds {MODULE}/lab1_means, not this lab."]),
        (forbidden, [f"{LAB}: You have no right to read it."]),
        (only_in_the_checkpoint,
         [f"{LAB}: JupyterLab's last checkpoint is newer and holds other work."]),
        (large_through_its_outputs, [f"{LAB}: It is larger than 20 MB."]),
    ],
)  # fmt: skip
def test_place_is_found_and_mended(workspace, labs, lab, damage, says):
    """The answer is in its place again, and nothing that a learner wrote is gone."""
    damage(lab)
    findings = examine(workspace, labs)
    assert [str(finding) for finding in findings] == says
    done, left = mend(findings)
    assert len(done) == 1
    assert left == examine(workspace, labs) == []
    assert answer(lab) == ANSWER
    assert lab.is_file()
    assert not lab.is_symlink()


def test_cut_off_answer_comes_from_the_checkpoint(workspace, labs, lab):
    answer_cut_off(lab)
    os.utime(lab)
    broken = lab.read_bytes()
    findings = examine(workspace, labs)
    assert "It was not whole JSON" in str(findings)
    done, _ = mend(findings)
    assert "; from the last checkpoint came mean; as it was, it is .course/backup/" in done[0]
    assert examine(workspace, labs) == []
    assert answer(lab) == ANSWER
    assert [p.read_bytes() for p in (workspace / ".course/backup").rglob("*.ipynb")] == [broken]


def test_large_notebook_keeps_its_quiz_answers_and_a_copy(workspace, labs, lab):
    record = {"item": "q01", "answer": "a", "parameters": {}, "learner": "mia"}

    def fill(content):
        content["cells"][0]["outputs"] = [
            {"output_type": "stream", "name": "stdout", "text": "x" * 21_000_000},
            {"output_type": "display_data", "metadata": {}, "data": {sample.ANSWER: record}},
        ]

    sample.edit(workspace / QUIZ, fill)
    mend(examine(workspace, labs))
    outputs = json.loads((workspace / QUIZ).read_text())["cells"][0]["outputs"]
    assert [output["data"] for output in outputs] == [{sample.ANSWER: record}]
    copies = list((workspace / ".course/backup").rglob("*.ipynb"))
    assert [path.stat().st_size > 21_000_000 for path in copies] == [True]


@pytest.mark.parametrize("lost", ["cleared", "text"])
def test_quiz_answer_comes_back(workspace, labs, lost):
    """Cleared outputs take it from `quiz_answers.json`; text is turned back into a record."""
    record = {"item": "q01", "answer": "b", "parameters": {}, "learner": "mia",
              "module": MODULE}  # fmt: skip
    text = {"output_type": "display_data", "metadata": {},
            "data": {sample.ANSWER: json.dumps(record)}}  # fmt: skip

    def clear(content):
        content["cells"][0]["outputs"] = [] if lost == "cleared" else [text]

    sample.edit(workspace / QUIZ, clear)
    if lost == "cleared":
        answers = workspace / MODULE / "quiz_answers.json"
        answers.write_text(json.dumps({MODULE: {"q01": record}}))
    says = {"cleared": "Its answer is in quiz_answers.json only.",
            "text": "Its saved answer had been turned into text."}  # fmt: skip
    findings = examine(workspace, labs)
    assert [str(f) for f in findings] == [f"{QUIZ}, cell q01-answer: {says[lost]}"]
    mend(findings)
    assert examine(workspace, labs) == []
    outputs = json.loads((workspace / QUIZ).read_text())["cells"][0]["outputs"]
    assert outputs[0]["data"][sample.ANSWER] == record


@pytest.mark.parametrize("name", ["mean.py", "__init__.py"])
def test_file_of_the_own_package_that_python_cannot_read(workspace, labs, name):
    """It goes to the backup, and the others can be imported again."""
    folder = workspace / "mytransformer" / MODULE
    folder.mkdir(parents=True)
    for one in ("mean", "total"):
        (folder / f"{one}.py").write_text(f"def {one}(x):\n    return x\n")
    (folder / "__init__.py").write_text("from .mean import mean\nfrom .total import total\n")
    (folder.parent / "__init__.py").write_text(f"from .{MODULE} import *\n")
    (folder / name).write_text("def mean(x:\n")
    findings = examine(workspace, labs)
    assert [str(f) for f in findings] == [
        f"mytransformer/{MODULE}/{name}: Python cannot read it: line 1, '(' was never closed."
    ]
    mend(findings)
    assert examine(workspace, labs) == []
    code = "import mytransformer; print(mytransformer.total(3))"
    python = [sys.executable, "-c", code]
    done = subprocess.run(python, cwd=workspace, capture_output=True, text=True, check=True)
    assert done.stdout == "3\n"
    kept = list((workspace / ".course/backup").rglob(name))
    assert [path.read_text() for path in kept] == ["def mean(x:\n"]


def conflict_with_two_answers(lab):
    text = nbformat.writes(nbformat.read(lab, as_version=4))
    line = next(line for line in text.split("\n") if "sum(x)" in line)
    other = line.replace("sum", "fsum")
    lab.write_text(text.replace(line, f"<<<<<<< a\n{line}\n=======\n{other}\n>>>>>>> b"))


def conflict_in_a_cell_with_two_answers(lab):
    other = ANSWER.replace("sum", "math.fsum")
    sample.put(lab, "mean", f"<<<<<<< a\n{ANSWER}\n=======\n{other}\n>>>>>>> b")


def magic_that_swallows(lab):
    sample.put(lab, "mean", f"%%timeit\n{ANSWER}")


def too_deep_an_expression(lab):
    sample.put(lab, "mean", f"x = {'-' * 100_000}1")


def too_many_cells(lab):
    sample.edit(lab, lambda c: c["cells"].extend([{"cell_type": "markdown", "source": ""}] * 2001))


def larger_than_can_be_cleared(lab):
    os.truncate(lab, HUGE)


def newer_checkpoint_beside_work(lab):
    content = lab.read_text()
    only_in_the_checkpoint(lab)
    lab.write_text(content.replace("sum", "fsum"))
    os.utime(lab, (1_700_000_000, 1_700_000_000))


def two_of_other_names(lab):
    lab.with_name("b.ipynb").write_text(lab.read_text().replace("sum", "fsum"))
    lab.rename(lab.with_name("a.ipynb"))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (conflict_with_two_answers, "its two sides hold different answers. Mend it, then run"),
        (conflict_in_a_cell_with_two_answers, "keep one side, delete the marks"),
        (magic_that_swallows, "%%timeit keeps what this cell defines from the notebook"),
        (too_deep_an_expression, "Python cannot read this cell: it is nested too deeply"),
        (too_many_cells, "it has more than 2000 cells. Mend it, then run"),
        (larger_than_can_be_cleared, "It is larger than 20 MB: clear its outputs in JupyterLab"),
        (newer_checkpoint_beside_work, "Revert Notebook to Checkpoint, or save it anew"),
        (two_of_other_names, f"It is called {MODULE}/a.ipynb, {MODULE}/b.ipynb: give the one"),
    ],
)
def test_what_only_the_learner_can_mend_is_left_as_it_is(workspace, labs, lab, damage, says):
    damage(lab)
    files = {p: p.stat().st_size for p in workspace.rglob("*") if p.is_file()}
    findings = examine(workspace, labs)
    assert len(findings) == 1
    assert says in findings[0].sentence
    assert mend(findings) == ([], findings)
    assert {p: p.stat().st_size for p in workspace.rglob("*") if p.is_file()} == files


def deep_json(lab):
    lab.write_text("[" * 100_000 + "]" * 100_000)


def deep_metadata(lab):
    text = lab.read_text()
    deep = '"course": {"x": ' + "[" * 100_000 + "]" * 100_000 + "},"
    lab.write_text(text.replace('"metadata": {', '"metadata": {' + deep, 1))


def pipe(lab):
    lab.unlink()
    os.mkfifo(lab)


def empty_folder(lab):
    lab.unlink()
    lab.mkdir()


def dangling(lab):
    lab.unlink()
    lab.symlink_to("/nowhere/at/all")


def empty(lab):
    lab.write_bytes(b"")


def web_page(lab):
    lab.write_text("<!DOCTYPE html><title>Log in</title>")


def damaged_zip(lab):
    lab.write_bytes(b"PK\x03\x04 and so on")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (deep_json, "It cannot be read: it is not readable JSON: it is nested too deeply."),
        (deep_metadata, "It cannot be read: it is not readable JSON: it is nested too deeply."),
        (pipe, "A special file has its name."),
        (empty_folder, "A folder has its name."),
        (dangling, "It is a link, and a link cannot be handed in."),
        (empty, "It cannot be read: it is empty."),
        (web_page, "It cannot be read: it is a web page and not JSON, so it is no notebook."),
        (damaged_zip, "It cannot be read: it is a damaged zip archive."),
    ],
)
def test_what_is_no_notebook_is_kept_and_replaced(workspace, labs, lab, damage, says):
    """One sentence, no traceback; what was there is still somewhere in the workspace."""
    damage(lab)
    findings = examine(workspace, labs)
    assert [str(finding) for finding in findings] == [f"{LAB}: {says}"]
    before = os.lstat(lab)
    done, left = mend(findings)
    assert "the released notebook is back" in done[0]
    assert left == examine(workspace, labs) == []
    assert lab.read_text() == sample.lab()
    inodes = [os.lstat(path).st_ino for path in workspace.rglob("*")]
    assert before.st_ino in inodes


def test_folder_that_cannot_be_opened_is_one_sentence(workspace, labs, lab):
    """Its notebooks are neither missed nor written anew; the right to read it can be given."""
    (workspace / MODULE).chmod(0)
    code = f"""if True:
        from autograder.doctor import examine, mend
        for turn in range(2):
            findings = examine({str(workspace)!r}, {str(labs)!r})
            print(*findings, sep="\\n")
        print(*mend(findings)[0])
    """
    done = subprocess.run(unprivileged(code), capture_output=True, text=True)
    (workspace / MODULE).chmod(0o755)
    assert done.stderr == ""
    sentence = f"{MODULE}: This folder cannot be opened (Permission denied)."
    mended = f"{MODULE}: it can be opened again; run this once more."
    assert done.stdout.splitlines() == [sentence, sentence, mended]
    assert answer(lab) == ANSWER
    assert examine(workspace, labs) == []


def test_output_that_no_file_can_hold_is_mended_too(workspace, labs, lab):
    def change(content):
        half = {"output_type": "stream", "name": "stdout", "text": "\ud83d"}
        content["cells"][6]["outputs"] = [half, {"output_type": "display_data"}, 3]
        del content["metadata"]["course"]

    sample.edit(lab, change)
    assert mend(examine(workspace, labs))[1] == examine(workspace, labs) == []
    cells = nbformat.read(lab, as_version=4).cells
    assert [output.text for output in cells[6].outputs] == ["?"]


def test_released_notebook_kept_in_the_workspace_may_be_damaged(workspace, labs, lab):
    """Then the present release takes its place."""
    (workspace / ".course" / "base" / LAB).write_bytes(b"\xff")
    assert report(examine(workspace, labs)) == "Everything is in order."
