"""Ways in which a notebook breaks between a learner's work and a grader's folder.

Each takes the path of a notebook on disk, the name of one of its exercises, and the text that this
exercise was handed out with. What it does is real: an editor's encoding, a browser's suffix, a
merge, a converter, a slip of the hand. All leave every answer in the file.
"""

import copy
import json
import re
import zipfile
from dataclasses import dataclass

import nbformat


@dataclass(frozen=True)
class Damage:
    """One kind of damage.

    Attributes:
        break_it: function of a path, an exercise's name and its stub.
        says: what the doctor says of it: `(cell, sentence)` each; `*` is the exercise.
    """

    break_it: object
    says: tuple

    def __str__(self):
        return self.break_it.__name__


DAMAGES = []


def damage(*says):
    """Enter a function into the table, with what the doctor says."""

    def enter(function):
        DAMAGES.append(Damage(function, says))
        return function

    return enter


def rewrite(path, change):
    """Change a notebook on disk: `change` gets its JSON."""
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")


def cell(content, name):
    """Return the cell with this grade id."""
    return next(
        one
        for one in content["cells"]
        if one["metadata"].get("nbgrader", {}).get("grade_id") == name
    )


def recode(path, encoding):
    """Save a file in another encoding."""
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))


@damage(("", "It began with a byte order mark."))
def byte_order_mark(path, name, stub):
    recode(path, "utf-8-sig")


@damage(("", "It was saved as UTF-16."))
def utf_16(path, name, stub):
    recode(path, "utf-16")


@damage(("", "It was saved as UTF-16."))
def utf_16_without_a_mark(path, name, stub):
    recode(path, "utf-16-le")


@damage(("", "It was saved in an encoding of Windows."))
def windows_encoding(path, name, stub):
    recode(path, "cp1252")


@damage(("", "Some of its letters were damaged."))
def damaged_letter(path, name, stub):
    rewrite(path, lambda c: c["cells"][0].update(source="# Über Mittelwerte"))
    path.write_bytes(path.read_bytes().replace("Ü".encode(), b"\xdc", 1))


@damage(("", "It ended in empty bytes."))
def empty_bytes_after_a_crash(path, name, stub):
    path.write_bytes(path.read_bytes() + b"\0" * 4096)


@damage(("", "Something stood after its end."))
def remains_of_a_longer_file(path, name, stub):
    path.write_bytes(path.read_bytes() + path.read_bytes()[-200:])


@damage(("", "It was a zip archive."))
def zipped_under_its_own_name(path, name, stub):
    data = path.read_bytes()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"work/{path.name}", data)
        archive.writestr(f"__MACOSX/hand-in/._{path.name}", b"\0")


@damage(("", "It was saved in an old format of notebooks."))
def format_3(path, name, stub):
    notebook = nbformat.convert(nbformat.read(path, as_version=4), 3)
    path.write_text(nbformat.versions[3].writes_json(notebook), encoding="utf-8")


def conflict(path, ours, theirs):
    """Put git's conflict marks around the first count of a run."""
    marked = f"<<<<<<< HEAD\n{ours}\n=======\n{theirs}\n>>>>>>> other"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r' *"execution_count": null,', marked, text, count=1), encoding="utf-8")


@damage(("", "Git's conflict marks were in it."))
def conflict_in_a_count(path, name, stub):
    conflict(path, '   "execution_count": 3,', '   "execution_count": 7,')


@damage(("", "Git's conflict marks were in it."))
def conflict_with_one_whole_side(path, name, stub):
    conflict(path, '   "execution_count": 3', '   "execution_count": 7,')


@damage(("", "The notebook does not say which lab it is."), ("", "It was not whole JSON (line *)."))
def download_that_broke_off(path, name, stub):
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.rindex('"source"') + 20], encoding="utf-8")


@damage(("", "It was not whole JSON (line *)."))
def comma_lost_by_hand(path, name, stub):
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"cell_type": "markdown",', '"cell_type": "markdown"', 1))


@damage(("", "It was not quite JSON (line *)."))
def tab_typed_by_hand(path, name, stub):
    rewrite(path, lambda c: c["cells"][0].update(source="# A title: with a tab"))
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("title: with", "title:\twith"), encoding="utf-8")


@damage(("setup", "This cell was deleted."), ("check-*", "This cell was deleted."))
def locked_cells_deleted(path, name, stub):
    def delete(content):
        for gone in (f"check-{name}", "setup"):
            content["cells"].remove(cell(content, gone))

    rewrite(path, delete)


@damage(("*", "This cell stood 2 times."))
def answer_copied_and_emptied(path, name, stub):
    def duplicate(content):
        content["cells"].append(cell(content, name) | {"id": "copy", "source": ""})

    rewrite(path, duplicate)


@damage(("check-*", "This cell stood 2 times."))
def check_copied(path, name, stub):
    def duplicate(content):
        content["cells"].append(copy.deepcopy(cell(content, f"check-{name}")))

    rewrite(path, duplicate)


@damage(("check-*", "This locked cell was changed."))
def check_edited(path, name, stub):
    rewrite(path, lambda c: cell(c, f"check-{name}").update(source="print('all right')"))


@damage(("*", "This cell was turned into text."))
def answer_turned_into_text(path, name, stub):
    def retype(content):
        answer = cell(content, name)
        answer["cell_type"] = "markdown"
        del answer["outputs"], answer["execution_count"]

    rewrite(path, retype)


@damage(("", "Cells were out of order."))
def cells_out_of_order(path, name, stub):
    rewrite(path, lambda c: c["cells"].insert(1, c["cells"].pop(c["cells"].index(cell(c, name)))))


@damage(("", "Cells had lost their ids."))
def ids_lost_in_another_program(path, name, stub):
    def lose(content):
        content["nbformat_minor"] = 0
        for one in content["cells"]:
            one["metadata"]["id"] = one.pop("id")

    rewrite(path, lose)


@damage(("*", "This cell had lost its mark."))
def mark_lost_by_a_converter(path, name, stub):
    rewrite(path, lambda c: cell(c, name).update(metadata={}, id="x1"))


@damage(("check-*", "Its points, lock or grade id were changed."))
def points_changed(path, name, stub):
    rewrite(path, lambda c: cell(c, f"check-{name}")["metadata"]["nbgrader"].update(points=100))


@damage(("*", "Its points, lock or grade id were changed."))
def grade_id_changed(path, name, stub):
    rewrite(path, lambda c: cell(c, name)["metadata"]["nbgrader"].update(grade_id="mine"))


@damage(("*", "Its answer stood in a cell of its own."))
def answer_below_its_check(path, name, stub):
    _paste(path, name, stub, after=True)


@damage(("*", "Its answer stood in a cell of its own."))
def answer_above_its_cell(path, name, stub):
    _paste(path, name, stub, after=False)


def _paste(path, name, stub, after):
    def paste(content):
        answer, check = cell(content, name), cell(content, f"check-{name}")
        own = {"cell_type": "code", "id": "own", "metadata": {}, "source": answer["source"],
               "outputs": [], "execution_count": None}  # fmt: skip
        answer["source"] = stub
        place = content["cells"].index(check) + 1 if after else content["cells"].index(answer)
        content["cells"].insert(place, own)

    rewrite(path, paste)


@damage(("*", "Git's conflict marks stood in it."))
def conflict_in_an_answer(path, name, stub):
    def mark(content):
        answer = cell(content, name)
        own = "".join(answer["source"])
        answer["source"] = f"<<<<<<< HEAD\n{stub}\n=======\n{own}\n>>>>>>> other"

    rewrite(path, mark)


@damage(("", "It asked for another kernel."))
def another_kernel(path, name, stub):
    other = {"name": "ir", "display_name": "R", "language": "R"}
    rewrite(path, lambda c: c["metadata"].update(kernelspec=other))


@damage(("", "The notebook does not say which lab it is."))
def identity_lost(path, name, stub):
    rewrite(path, lambda c: c["metadata"].pop("course"))


@damage(("", "It was made from another release."))
def made_from_another_release(path, name, stub):
    rewrite(path, lambda c: c["metadata"]["course"].update(release="r0"))
