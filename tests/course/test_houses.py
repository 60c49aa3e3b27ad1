"""The rules of the houses: who may import whom, and what stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(p.parent.name for p in (ROOT / "course").glob("m[0-9][0-9]_*/__init__.py"))
LAYER_LINES = 150


def imports(path, top_level=False):
    """The dotted names that a file imports; only outside functions where `top_level`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("slug", MODULES)
def test_a_module_imports_only_lower_numbered_ones(slug):
    higher = {
        (path.name, name)
        for path in (ROOT / "course" / slug).glob("*.py")
        for name in imports(path)
        if name.startswith("course.m") and name.split(".")[1] > slug
    }
    assert higher == set()


def test_course_imports_autograder_only_inside_commands():
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "course").rglob("*.py")
        if any(name.split(".")[0] == "autograder" for name in imports(path, top_level=True))
    }
    assert found == set()


def test_only_the_command_line_reaches_for_the_autograder():
    found = {
        path.name
        for path in (ROOT / "course").rglob("*.py")
        if any(name.split(".")[0] == "autograder" for name in imports(path))
    }
    assert found <= {"cli.py"}


@pytest.mark.parametrize("module", ["course", "course.cli", "autograder", "autograder.quiz"])
def test_imports_stay_light(module):
    heavy = "{'tensorflow', 'keras', 'matplotlib', 'anywidget'}"
    code = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("slug", MODULES)
def test_layer_files_can_be_read_in_one_sitting(slug):
    long = {
        path.name: lines
        for path in (ROOT / "course" / slug).glob("*.py")
        if path.name != "reading.py"
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > LAYER_LINES
    }
    assert long == {}


def test_no_room_is_called_utils():
    houses = ("course", "autograder", "solutions", "tests")
    assert [p for house in houses for p in (ROOT / house).rglob("util*.py")] == []
