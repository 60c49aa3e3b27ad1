"""Your own text files: layouts, encodings, splits, and what is said when they are wrong."""

import numpy as np
import pytest

from course.data import load
from course.data.read_files import read_folder, read_table, read_text
from course.errors import CourseError


@pytest.fixture
def classes(tmp_path):
    for name, count in (("cats", 5), ("dogs", 7)):
        for i in range(count):
            path = tmp_path / "pets" / name / f"{i}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{name} number {i}\n", encoding="utf-8")
    return tmp_path / "pets"


def write(path, content, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode(encoding))
    return path


def both(path, **options):
    return (load("text_files", split, path=path, **options) for split in ("train", "test"))


def test_a_subfolder_is_a_class(classes):
    (train, labels, names), (test, others, same) = both(classes, test_fraction=0.25)
    assert names.tolist() == same.tolist() == ["cats", "dogs"]
    for texts, numbers in ((train, labels), (test, others)):
        assert [text.split()[0] for text in texts] == [names[i] for i in numbers]
        assert numbers.dtype == "int32"
    assert len(test) == 3
    expected = {f"cats number {i}" for i in range(5)} | {f"dogs number {i}" for i in range(7)}
    assert {*train, *test} == expected


def test_documents_and_lines(tmp_path):
    write(tmp_path / "b.txt", "third line\n")
    write(tmp_path / "a.txt", "first line\n\n  second line  \r\n")
    assert read_folder(tmp_path, "lines") == (["first line", "second line", "third line"], None)
    assert read_folder(tmp_path / "a.txt", "lines") == (["first line", "second line"], None)
    documents, _ = read_folder(tmp_path, "documents")
    assert [text.split() for text in documents] == [
        ["first", "line", "second", "line"],
        ["third", "line"],
    ]
    (train,), (test,) = both(tmp_path, layout="documents")
    assert sorted([*train, *test]) == sorted(documents)


@pytest.mark.parametrize(("suffix", "mark"), [("csv", ","), ("tsv", "\t")])
def test_a_table_with_named_columns(tmp_path, suffix, mark):
    rows = ["id|said|mood", '1|"Yes| and ""no""."|glad', "2|Rain.|sad", '3|"Two\nlines."|sad']
    path = write(tmp_path / f"t.{suffix}", "\r\n".join(rows).replace("|", mark))
    texts, names = read_table(path, "said", "mood")
    assert texts == [f'Yes{mark} and "no".', "Rain.", "Two\nlines."]
    assert names == ["glad", "sad", "sad"]
    assert read_table(path, "said", None) == (texts, None)
    options = {"layout": "table", "text_column": "said", "label_column": "mood"}
    train, labels, classes = load("text_files", path=path, test_fraction=0.4, **options)
    assert classes.tolist() == ["glad", "sad"]
    assert [names[texts.index(text)] for text in train] == [classes[i] for i in labels]


@pytest.mark.parametrize(
    ("written", "read"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("latin-1", "latin-1")]
)
def test_encodings(tmp_path, written, read):
    assert read_text(write(tmp_path / "a.txt", "déjà vu", written), read) == "déjà vu"


@pytest.mark.parametrize(
    ("written", "read", "said"),
    [
        ("latin-1", "utf-8", r"a\.txt is not written in utf-8 \(line 2\).*encoding='latin-1'"),
        ("utf-16", "utf-8", r"not written in utf-8 \(line 1\).*encoding='utf-16'"),
        ("utf-8", "ascii", r"not written in ascii \(line 2\).*encoding='utf-8'"),
    ],
)
def test_a_wrong_encoding_is_named_with_another_to_try(tmp_path, written, read, said):
    path = write(tmp_path / "a.txt", "first\ndéjà vu", written)
    with pytest.raises(CourseError, match=said):
        read_text(path, read)


def test_equal_texts_stay_together(tmp_path):
    path = write(tmp_path / "a.txt", "\n".join(f"line {i % 10}" for i in range(100)))
    for seed in range(5):
        (train,), (test,) = both(path, layout="lines", seed=seed)
        assert not set(train) & set(test)
        assert len(test) == 20
        assert len(train) == 80


def test_the_seed_decides_and_the_order_is_the_files(classes):
    first, again, other = (load("text_files", path=classes, seed=s)[0] for s in (1, 1, 2))
    assert first.tolist() == again.tolist() == sorted(first)
    assert first.tolist() != other.tolist()


def test_each_split_has_a_text_whatever_the_share(tmp_path):
    path = write(tmp_path / "a.txt", "one\ntwo")
    for share in (0.01, 0.99):
        (train,), (test,) = both(path, layout="lines", test_fraction=share)
        assert {*train, *test} == {"one", "two"}
        assert len(train) == len(test) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"path": "missing"}, "missing does not exist"),
        ({"path": "empty"}, "no .txt file in a subfolder of .*empty.*'classes'"),
        ({"path": "empty", "layout": "documents"}, "no .txt file in .*empty.*'documents'"),
        ({"path": "one.txt"}, "one.txt is a file, and the layout 'classes' needs a folder"),
        ({"path": "blank.txt", "layout": "lines"}, "blank.txt holds no text"),
        ({"path": "one.txt", "layout": "lines"}, "only one text"),
        ({"path": "one.txt", "layout": "table"}, "no table.*csv or .tsv"),
        ({"path": "gone.csv", "layout": "table"}, "gone.csv does not exist"),
        ({"path": "empty.csv", "layout": "table"}, "has no column 'text'"),
        ({"path": "wide.csv", "layout": "table"}, "Line 3 of .*wide.csv has more or fewer cells"),
        ({"path": "narrow.csv", "layout": "table"}, "Line 2 of .*narrow.csv has more or fewer"),
        (
            {"path": "open.csv", "layout": "table"},
            "open.csv is no table after line 1: unexp",
        ),
        (
            {"path": "wide.csv", "layout": "table", "text_column": "words"},
            "no column 'words': it has text, label",
        ),
    ],
)
def test_wrong_files_are_one_clear_sentence(tmp_path, options, said):
    (tmp_path / "empty").mkdir()
    write(tmp_path / "one.txt", "one\n")
    write(tmp_path / "blank.txt", "\n \n")
    write(tmp_path / "empty.csv", "")
    write(tmp_path / "wide.csv", "text,label\na,b\na,b,c\n")
    write(tmp_path / "narrow.csv", "text,label\na\n")
    write(tmp_path / "open.csv", 'text,label\n"a,b\n')
    options = options | {"path": tmp_path / options["path"]}
    with pytest.raises(CourseError, match=said) as caught:
        load("text_files", **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"layout": "pdf"}, "`layout`.*classes, documents, lines, table.*'pdf'"),
        ({"encoding": "utf-9"}, "`encoding`.*latin-1.*'utf-9'"),
        ({"test_fraction": 1}, "`test_fraction`.*between 0 and 1.*1"),
        ({"seed": 0.5}, "`seed`.*0.5"),
        ({"labels": "x"}, "text_files.*label_column.*'labels'"),
    ],
)
def test_errors_name_the_argument(classes, options, named):
    with pytest.raises(ValueError, match=named):
        load("text_files", path=classes, **options)
    assert np.unique(load("text_files", path=classes)[1]).tolist() == [0, 1]
