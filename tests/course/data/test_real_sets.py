"""SST-2 and AG News, from a mirror where this machine has one."""

import os
from pathlib import Path

import numpy as np
import pytest

from course.data import ag_news, load, sst2
from course.errors import CourseError

BESIDE = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture
def mirror(monkeypatch):
    named = os.environ.get("COURSE_DATA_DIR")
    if not named and not BESIDE.is_dir():
        pytest.skip("neither COURSE_DATA_DIR nor ../shared/data: no mirror of the real sets")
    monkeypatch.setenv("COURSE_DATA_DIR", named or str(BESIDE))


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize(
    ("split", "counts"),
    [("train", [3310, 3610]), ("validation", [428, 444]), ("test", [912, 909])],
)
def test_sst2_has_its_published_rows(split, counts):
    texts, labels = load("sst2", split)
    assert np.bincount(labels).tolist() == counts
    assert len(texts) == sum(counts)
    assert all(text == text.strip() and "\t" not in text for text in texts)
    assert labels.dtype == "int32"


@pytest.mark.usefixtures("mirror")
def test_sst2_labels_go_with_their_texts():
    texts, labels = load("sst2", "validation", num_examples=3)
    assert texts[0] == "one long string of cliches"
    assert labels.tolist() == [0, 0, 0]
    assert sst2.CLASSES[labels[0]] == "negative"


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize(
    ("split", "counts"), [("train", [1259, 1257, 1281, 1203]), ("test", [1900] * 4)]
)
def test_ag_news_has_its_published_rows(split, counts):
    texts, labels = load("ag_news", split)
    assert np.bincount(labels).tolist() == counts
    joined = " ".join(texts)
    assert not any(mark in joined for mark in ("\\", "#39;", "&lt;", "<b>", " quot;"))
    assert "it's" in joined


@pytest.mark.usefixtures("mirror")
def test_ag_news_shares_two_texts_and_its_labels_count_from_zero():
    train, test = load("ag_news")[0], load("ag_news", "test")
    assert len(set(train) & set(test[0])) == 2
    assert test[0][0].startswith("Fears for T N pension after talks Unions")
    assert ag_news.CLASSES[test[1][0]] == "Business"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"a second\team of the  #36;10 million prize", "a second team of the $10 million prize"),
        ("it #39;s AT amp;T", "it's AT&T"),
        ("at &lt;b&gt;...&lt;/b&gt; quot;five quot;", 'at ... "five"'),
        ("Inc. &lt;TXN.N&gt; said", "Inc. <TXN.N> said"),
    ],
)
def test_clean(written, read):
    assert ag_news.clean(written) == read


@pytest.mark.parametrize("name", ["sst2", "ag_news"])
def test_a_mirror_without_the_file_is_one_sentence(name, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    with pytest.raises(CourseError, match=f"COURSE_DATA_DIR has no {name}"):
        load(name)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: load("sst2", "dev"), "`split`.*train, validation, test.*'dev'"),
        (lambda: load("ag_news", "validation"), "`split`.*train, test.*'validation'"),
        (lambda: load("sst2", num_examples=0), "`num_examples`.*0"),
        (lambda: load("ag_news", seed=1), "ag_news.*num_examples.*'seed'"),
    ],
)
def test_errors_name_the_argument(call, named):
    with pytest.raises(ValueError, match=named):
        call()
