"""Modules and labs are found by every name a person may use."""

import pytest

from course.errors import UsageError
from course.modules import MODULES, find_module
from course.notebooks import find_lab, identity, read_notebook, released_labs, work_in
from tests.course import sample


def test_nine_modules_in_order():
    assert [module.number for module in MODULES] == list(range(1, 10))


@pytest.mark.parametrize("name", ["m02_transformer", "m02", "M02", "2", "02"])
def test_module_by_any_name(name):
    assert find_module(name).slug == "m02_transformer"


@pytest.mark.parametrize("name", ["m10", "0", "transformer", ""])
def test_unknown_module(name):
    with pytest.raises(UsageError, match="m01_sequence_models"):
        find_module(name)


@pytest.fixture
def labs(tmp_path):
    labs = sample.make_labs(tmp_path / "labs")
    for name in ("lab10_late", "lab2_next"):
        (labs / "m02_transformer" / f"{name}.ipynb").write_text(sample.lab())
    return labs


def test_labs_in_the_order_of_study(labs):
    names = [lab.split("/")[1] for lab in released_labs(labs)]
    assert names == ["lab1_means", "lab2_next", "lab10_late", "quiz"]


@pytest.mark.parametrize(
    "name",
    [
        "lab1", "lab1_means", "m02_lab1", "m02_lab1_means", "m02/lab1",
        "m02_transformer/lab1_means", "workspace/m02_transformer/lab1_means.ipynb",
        "./lab1_means.ipynb", "LAB1",
    ],
)  # fmt: skip
def test_lab_by_any_name(labs, name):
    assert find_lab(name, labs) == "m02_transformer/lab1_means"


@pytest.mark.parametrize("name", ["lab3", "means", "..", "m03/lab1"])
def test_unknown_lab(labs, name):
    with pytest.raises(UsageError, match="lab1_means"):
        find_lab(name, labs)


def test_ambiguous_lab_names_both(labs):
    other = labs / "m03_attention"
    other.mkdir()
    (other / "lab1_scores.ipynb").write_text(sample.lab())
    with pytest.raises(UsageError, match="m02_transformer/lab1_means or m03_attention/lab1_scores"):
        find_lab("lab1", labs)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff\xfe", b"[]", b'{"cells": 3}', b'{"cells": ["x"]}', b"[" * 100_000],
)
def test_what_is_no_notebook(data):
    assert read_notebook(data) is None
    assert identity(data) is None


def test_identity_comes_from_the_metadata(labs):
    assert identity(labs / "m02_transformer" / "quiz.ipynb") == ("m02_transformer", "quiz")
    assert identity(b'{"cells": [], "metadata": []}') is None
    assert identity(b'{"cells": [], "metadata": {"course": {"module": "m"}}}') is None


def test_work_in_a_damaged_notebook():
    cells = '[{"metadata": [], "source": [3]}, {"outputs": 3}, {"outputs": [[], {"data": []}]}, {}]'
    assert len(work_in(f'{{"cells": {cells}}}'.encode())) == 4
    assert work_in(b"text") == b"text"


def test_work_is_the_same_however_the_source_is_split():
    one = b'{"cells": [{"cell_type": "code", "source": "a\\nb"}]}'
    two = b'{"cells": [{"cell_type": "code", "source": ["a\\n", "b"], "id": "x"}]}'
    assert work_in(one) == work_in(two)
