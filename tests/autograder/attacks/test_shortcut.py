"""Group 17: the ready-made thing, reached unseen by the guard. It is flagged, never zeroed."""

import ast

import pytest

from autograder.grading.copied import package_definition
from tests.autograder.attacks.conftest import ANSWERS, OWN

PACKAGE = "course.m02_transformer"
NAME = "masked_softmax"
CALL = """
def masked_softmax(scores, mask=None):
    return real(tf.convert_to_tensor(scores), mask)
"""
RENAMED = {"scores": "logits", "mask": "seen", "dtype": "kind"}
HEAD = "import tensorflow as tf\n"

IMPORT = f"import {PACKAGE} as m\n"
KEPT = "def real(*args):\n    return kept[0](*args)\n"
WAYS = {
    "getattr": f"{IMPORT}kept = [getattr(m, 'masked_softmax')]\n{KEPT}",
    "importlib": f"""from importlib import import_module
kept = [import_module('{PACKAGE}').masked_softmax]
{KEPT}""",
    "text": f"{IMPORT}kept = [getattr(m, 'xamtfos_deksam'[::-1])]\n{KEPT}",
    "modules": f"import sys\n{IMPORT}kept = [sys.modules['{PACKAGE}'].masked_softmax]\n{KEPT}",
    "exec": """spoken = {}
exec('from course.m02_' + 'transformer import masked_softmax as real', spoken)
real = lambda *args: spoken['real'](*args)
""",
}


@pytest.mark.parametrize("way", WAYS)
def test_the_packages_function(attack, way):
    """It is held where the guard does not look."""
    outcome = attack(answers={NAME: HEAD + WAYS[way] + CALL})

    flagged(outcome, "cannot be read" if way == "exec" else "reaches")


def test_a_copy_of_the_packages_source(attack):
    """Pasted into a cell of its own, names changed, comments and docstring left out."""
    source, _ = package_definition(f"{PACKAGE}.{NAME}")
    function = ast.parse(source).body[0]
    function.name, function.body = "real", function.body[1:]
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            node.id = RENAMED.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = RENAMED[node.arg]
    code = f"{HEAD}from keras import backend, ops\n{ast.unparse(function)}"

    outcome = attack(answers={NAME: code + CALL})

    flagged(outcome, "own code")


LENT = f"from autograder import lend\nlent = lend('{PACKAGE.removeprefix('course.')}.{NAME}')\n"


def test_a_lent_answer_as_it_is_meant(attack):
    """It earns nothing, and what builds on it earns what it is worth."""
    last = "scaled_dot_product_attention"
    outcome = attack(answers={NAME: f"{LENT}{NAME} = lent", last: ANSWERS[last]})

    assert outcome.scores[NAME] == 0
    assert outcome.scores[last] == outcome.maximum[last]
    assert "This answer is lent and earns 0 points." in outcome.text


def test_the_lent_version_within_an_answer(attack):
    """Assigned by its name it would earn nothing, and so it does under another one."""
    outcome = attack(answers={NAME: HEAD + LENT + "real = lambda *args: lent(*args)\n" + CALL})

    outcome.assert_failed()
    assert "lent for 0 points" in outcome.text


def test_the_function_inside_the_lent_version(attack):
    """Python tells what a wrapper wraps; it is held where the guard does not look."""
    inside = f"kept = [lent.__wrapped__]\n{KEPT}"
    outcome = attack(answers={NAME: HEAD + LENT + inside + CALL})

    flagged(outcome, "lent for 0 points")


def flagged(outcome, words):
    """Assert that it kept its points and that a note asks a person to look."""
    assert outcome.scores[NAME] == outcome.maximum[NAME], "a flag must cost nothing"
    assert outcome.scores[OWN] == outcome.maximum[OWN]
    assert outcome.bystander == outcome.maximum
    assert any("Please review" in note and words in note for note in outcome.notes)
    assert "Please review" in outcome.text
    assert not outcome.left
