"""What is pointed out to a person: the course's own code, what an answer reaches, hidden code."""

import ast
from pathlib import Path

import nbformat
import pytest

from autograder.build.source import read
from autograder.exercise import find, load_module, modules
from autograder.grading.copied import package_definition
from autograder.grading.review import hides, review
from tests.autograder.grading.conftest import ANSWERS

ROOT = Path(__file__).resolve().parents[3]
EXERCISES = [e for slug in modules() for e in load_module(slug).values()]
SOFTMAX = find("m02_transformer.masked_softmax")
PACKAGE = "course.m02_transformer"
NAME = "masked_softmax"


def skeleton(exercise):
    """Return the code that learners are given."""
    path = ROOT / "labs" / exercise.module / f"{exercise.lab}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")


def solution(exercise):
    """Return the lab's own answer, and the code that runs before it."""
    path = ROOT / "solutions" / exercise.module / f"{exercise.lab}.py"
    cells = read(path, load_module(exercise.module)).cells
    own = next(c.source for c in cells if c.kind == "exercise" and c.exercise == exercise.name)
    return own, [c.source for c in cells if c.kind in ("setup", "code", "exercise")]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_the_labs_own_answer_is_not_flagged(exercise):
    answer, cells = solution(exercise)
    assert review(exercise, answer, cells, skeleton(exercise)) == []
    assert not hides(cells)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_no_alternative_is_flagged(exercise):
    path = ROOT / "solutions" / exercise.module / f"{exercise.lab}_alternatives.py"
    text = path.read_text()
    names = [
        node.name
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and any(f"'{exercise.id}'" in ast.unparse(d) for d in node.decorator_list)
    ]
    assert names
    for name in names:
        answer = f"{text}\n{exercise.name} = {name}"
        assert review(exercise, answer, [], skeleton(exercise)) == [], name
    assert not hides([text])


@pytest.mark.parametrize("exercise", [e for e in EXERCISES if e.package], ids=lambda e: e.name)
def test_the_packages_code_is_flagged(exercise):
    source, _ = package_definition(exercise.package)
    assert any("own code" in text for text in review(exercise, source, [], skeleton(exercise)))


def test_renamed_without_words_it_is_still_known():
    source, _ = package_definition(SOFTMAX.package)
    function = ast.parse(source).body[0]
    function.body = function.body[1:]  # no docstring
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            node.id = {"scores": "logits", "mask": "seen"}.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = {"scores": "logits", "mask": "seen"}[node.arg]
    answer = ast.unparse(function)
    assert "logits" in answer
    assert any("own code" in text for text in review(SOFTMAX, answer, [], skeleton(SOFTMAX)))


def test_a_copy_in_another_cell_is_known():
    source, _ = package_definition(SOFTMAX.package)
    helper = source.replace("def masked_softmax", "def mine")
    answer = "def masked_softmax(scores, mask=None):\n    return mine(scores, mask)"
    assert review(SOFTMAX, answer, [helper], skeleton(SOFTMAX))
    assert review(SOFTMAX, "masked_softmax = mine", [helper], skeleton(SOFTMAX))


REACHES = [
    f"from {PACKAGE} import masked_softmax as f",
    f"from {PACKAGE}.scaled_dot_product_attention import masked_softmax as f",
    f"from {PACKAGE} import *\nf = [masked_softmax][0]",
    f"import {PACKAGE} as m\nf = m.masked_softmax",
    f"import {PACKAGE}\nf = {PACKAGE}.masked_softmax.__wrapped__",
    f"import {PACKAGE} as m\nf = getattr(m, 'masked_softmax')",
    f"import {PACKAGE} as m\nf = getattr(m, 'masked' + '_' + 'softmax')",
    f"import {PACKAGE} as m\nf = getattr(m, 'xamtfos_deksam'[::-1])",
    f"import {PACKAGE} as m\nf = getattr(m, '_'.join(['masked', 'softmax']))",
    f"import {PACKAGE} as m\nf = getattr(m, f\"masked_{{'soft'}}max\")",
    f"import {PACKAGE} as m\nimport base64\n"
    "f = getattr(m, base64.b64decode('bWFza2VkX3NvZnRtYXg=').decode())",
    f"import {PACKAGE} as m, codecs\nf = getattr(m, codecs.decode('znfxrq_fbsgznk', 'rot13'))",
    f"import {PACKAGE} as m\nf = m.__dict__['masked_softmax']",
    f"import {PACKAGE} as m\nf = vars(m)['masked_softmax']",
    f"import importlib\nf = importlib.import_module('{PACKAGE}').masked_softmax",
    f"from importlib import import_module as i\nf = getattr(i('{PACKAGE}'), 'masked_softmax')",
    f"f = __import__('{PACKAGE}', fromlist=['x']).masked_softmax",
    f"import sys\nf = sys.modules['{PACKAGE}'].masked_softmax",
    "import keras\nf = lambda s, m=None: keras.layers.Softmax()(s)",
    "import tensorflow as tf\nf = lambda s, m=None: tf.keras.layers.Softmax()(s)",
]  # fmt: skip


@pytest.mark.parametrize("helper", REACHES)
def test_what_an_answer_reaches_is_flagged(helper):
    answer = "def masked_softmax(scores, mask=None):\n    return f(scores, mask)"
    found = review(SOFTMAX, answer, [helper], skeleton(SOFTMAX))
    assert any(text.startswith("it reaches") for text in found)


@pytest.mark.parametrize(
    "code",
    ["exec('f = 1')", "f = eval('1')", "import sys\nf = sys.modules[input()]",
     "import importlib\nf = importlib.import_module(''.join(reversed(open('x').read())))",
     f"import {PACKAGE} as m\nf = getattr(m, open('x').read())", "globals()['f'] = 1",
     "import gc\nf = gc.get_objects()[0]"],
)  # fmt: skip
def test_hidden_code_is_flagged(code):
    assert hides([code])


@pytest.mark.parametrize(
    "cell",
    [
        "import keras\ntheirs = keras.layers.Softmax()\nprint(theirs([[1.0, 2.0]]))",
        "import keras\nscores = keras.layers.Softmax()([[1.0, 2.0]])",  # the name of an argument
        "from course.m02_transformer import masked_softmax as theirs\nprint(theirs)",
        "import importlib, mine\nimportlib.reload(mine)",
        "%load_ext autoreload\n!pip list\nmodel.compile('adam')\nmodel.eval()",
        "names = ['ops']\nimport keras\nfor n in names:\n    print(getattr(np, n))",
    ],
)
def test_an_honest_comparison_beside_the_answer_is_not_flagged(cell):
    answer = ANSWERS[NAME]
    assert review(SOFTMAX, answer, [cell], skeleton(SOFTMAX)) == []
    assert not hides([cell])


@pytest.mark.parametrize(
    "answer",
    ["def masked_softmax(:", "x = " + "(" * 5000, "f" + ".a" * 5000, "\0",
     "x = " + "-" * 3000 + "1",
     "import m\nf = getattr(m, " + "+".join(["'a'"] * 3000) + ")",
     "import course as m\nf = getattr(m, bytes(10 ** 12).decode())"],
)  # fmt: skip
def test_code_of_any_shape_does_no_harm(answer):
    assert isinstance(review(SOFTMAX, answer + "\nmasked_softmax = f", []), list)
    assert isinstance(hides([answer]), str)


def test_very_long_code_is_left_to_a_person():
    long = "a = 1\n" * 20_000
    assert "too long" in review(SOFTMAX, ANSWERS[NAME], [long])[0]
