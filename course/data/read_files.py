"""Read text files and tables, or say in one sentence why they cannot be read."""

import codecs
import csv
import io
from pathlib import Path

from course.errors import CourseError

DELIMITERS = {".csv": ",", ".tsv": "\t"}
MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read_folder(path, layout, encoding="utf-8"):
    """Return all texts of a folder and, for `"classes"`, a class's name for each; else None.

    Files come in alphabetical order. Empty files and lines are left out.
    """
    path = Path(path)
    if not path.exists():
        raise CourseError(f"{path} does not exist: give the path of your folder of .txt files.")
    if layout == "lines" and path.is_file():
        files = [path]
    elif not path.is_dir():
        raise CourseError(f"{path} is a file, and the layout {layout!r} needs a folder.")
    else:
        files = sorted(path.glob("*/*.txt" if layout == "classes" else "*.txt"))
    if not files:
        where = "a subfolder of " if layout == "classes" else ""
        raise CourseError(f"There is no .txt file in {where}{path}, as the layout {layout!r} has.")
    texts, names = [], []
    for file in files:
        content = read_text(file, encoding)
        found = content.splitlines() if layout == "lines" else [content]
        found = [text.strip() for text in found if text.strip()]
        texts += found
        names += [file.parent.name] * len(found)
    return texts, names if layout == "classes" else None


def read_table(path, text_column="text", label_column="label", encoding="utf-8"):
    """Return the texts of a table, and a class's name for each; None without a label column."""
    path = Path(path)
    if path.suffix.lower() not in DELIMITERS:
        raise CourseError(f"{path} is no table: its name must end in .csv or .tsv.")
    content = io.StringIO(read_text(path, encoding), newline="")
    reader = csv.DictReader(content, delimiter=DELIMITERS[path.suffix.lower()], strict=True)
    texts, names = [], []
    try:
        columns = reader.fieldnames or []
        for column in filter(None, (text_column, label_column)):
            if column not in columns:
                raise CourseError(f"{path} has no column {column!r}: it has {', '.join(columns)}.")
        for row in reader:
            if None in row or None in row.values():
                raise CourseError(
                    f"Line {reader.line_num} of {path} has more or fewer cells than its first line."
                )
            if row[text_column].strip():
                texts.append(row[text_column].strip())
                names.append(row[label_column].strip() if label_column else None)
    except csv.Error as error:
        raise CourseError(f"{path} is no table after line {reader.line_num}: {error}.") from None
    return texts, names if label_column else None


def read_text(path, encoding="utf-8"):
    """Return a file's text, or say in a sentence why it cannot be read."""
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise CourseError(f"{path} does not exist: check the name.") from None
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}.") from None
    utf8 = codecs.lookup(encoding).name == "utf-8"
    try:
        return data.decode("utf-8-sig" if utf8 else encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        guess = MARKS.get(data[:2], "latin-1" if utf8 else "utf-8")
        raise CourseError(
            f"{path} is not written in {encoding} (line {line}): pass encoding={guess!r} "
            "if it was saved so, or save it as UTF-8."
        ) from None
