"""A solved exercise becomes an importable file with what it needs from the notebook."""

import subprocess
import sys

import pytest

from autograder import mytransformer
from tests.autograder.toy import half, halved_sum

IMPORTS = "import numpy as np\nfrom math import sqrt as root"
OLD = "def half(x):\n    return x"
ANSWER = """FACTOR = 0.5

def scaled(x):
    return np.asarray(x) * FACTOR

def half(x):
    values = [scaled(v) for v in x]
    return np.stack(values)
"""


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    (tmp_path / ".course").mkdir()
    monkeypatch.setenv("COURSE_WORKSPACE", str(tmp_path))
    return tmp_path


def run(workspace, code):
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=workspace, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_latest_definition_is_kept_with_helpers_and_imports(workspace):
    sentence = mytransformer.add(half, {}, [IMPORTS, "%matplotlib inline", OLD, "x = (", ANSWER])
    assert sentence == "Saved as mytransformer/toy/half.py."
    assert run(workspace, "import mytransformer as m; print(m.half([4, 6]))") == "[2. 3.]"


def test_answers_use_the_learners_earlier_answers(workspace):
    mytransformer.add(half, {}, [IMPORTS, ANSWER])
    later = "def halved_sum(x):\n    return half(x).sum(-1)"
    mytransformer.add(halved_sum, {}, [IMPORTS, ANSWER, later])
    assert "from .half import half" in (workspace / "mytransformer/toy/halved_sum.py").read_text()
    assert run(workspace, "import mytransformer as m; print(m.halved_sum([4, 6]))") == "5.0"


def test_an_unknown_name_is_said(workspace):
    sentence = mytransformer.add(half, {}, ["def half(x):\n    return x / DIVISOR"])
    assert "still needs DIVISOR" in sentence


def test_nothing_is_written_without_a_workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_WORKSPACE", str(tmp_path / "none"))
    assert mytransformer.add(half, {}, [ANSWER]) == ""
    assert list(tmp_path.iterdir()) == []
