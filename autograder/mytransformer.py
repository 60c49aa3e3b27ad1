"""The learner's own package: every exercise that passed becomes a file of `mytransformer`.

The file holds the learner's definition, the helpers it uses from the notebook, the notebook's
imports that it needs, and imports of the learner's earlier answers.
"""

import ast
import builtins
from pathlib import Path

from course.files import write_atomic
from course.workspace import workspace_root

HEADER = '"""Written by you in {lab} of {module}; this file follows your notebook."""\n'
PACKAGE = '"""Your own transformer: each exercise that you solved is a file here."""\n'


def answer(name, namespace, cells):
    """Return the source of the learner's latest definition of `name`, or an empty string."""
    definition = _definitions(cells).get(name)
    return definition or ""


def add(exercise, namespace, cells):
    """Write a solved exercise into `mytransformer`; return the sentence for the learner."""
    workspace = workspace_root()
    if not (workspace / ".course").is_dir():
        return ""
    definitions, imports = _definitions(cells), _imports(cells)
    if exercise.name not in definitions:
        return ""
    folder = workspace / "mytransformer" / exercise.module
    own = {path.stem: path for path in folder.glob("*.py") if path.stem != "__init__"}
    parts, needed, missing = _collect(exercise.name, definitions, imports, own)
    lines = [HEADER.format(lab=exercise.lab, module=exercise.module), *sorted(set(needed))]
    text = "\n".join(lines) + "\n\n\n" + "\n\n\n".join(parts) + "\n"
    write_atomic(folder / f"{exercise.name}.py", text)
    _write_init(folder, {*own, exercise.name})
    _write_parents(folder.parent, exercise.module)
    place = f"mytransformer/{exercise.module}/{exercise.name}.py"
    if missing:
        return f"Saved as {place}; it still needs {', '.join(missing)} from your notebook."
    return f"Saved as {place}."


def _collect(name, definitions, imports, own):
    """Return the definitions, import lines and unknown names that `name` needs."""
    parts, needed, missing, queue, seen = [], [], [], [name], {name}
    while queue:
        current = queue.pop()
        parts.insert(0, definitions[current])
        for free in sorted(_free_names(definitions[current]) - seen):
            seen.add(free)
            if free in own and free != name:
                needed.append(f"from .{free} import {free}")
            elif free in definitions:
                queue.append(free)
            elif free in imports:
                needed.append(imports[free])
            elif not hasattr(builtins, free):
                missing.append(free)
    return parts, needed, missing


def _write_init(folder, names):
    lines = [f"from .{name} import {name}" for name in sorted(names)]
    listed = ", ".join(f'"{name}"' for name in sorted(names))
    text = PACKAGE + "\n" + "\n".join(lines) + f"\n\n__all__ = [{listed}]\n"
    write_atomic(folder / "__init__.py", text)


def _write_parents(package, module):
    slugs = sorted({p.parent.name for p in package.glob("*/__init__.py")} | {module})
    lines = [f"from .{slug} import *  # noqa: F403" for slug in slugs]
    write_atomic(package / "__init__.py", PACKAGE + "\n" + "\n".join(lines) + "\n")


def _trees(cells):
    """Return the cells that are plain Python, parsed; magics and broken cells are left out."""
    trees = []
    for cell in cells:
        lines = [line for line in cell.splitlines() if not line.lstrip().startswith(("%", "!"))]
        text = "\n".join(lines)
        try:
            trees.append((text, ast.parse(text)))
        except (SyntaxError, ValueError):
            continue
    return trees


def _definitions(cells):
    """Return the latest source of every top-level function, class and constant, by name."""
    found = {}
    for text, tree in _trees(cells):
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found[node.name] = _source(text, node)
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        found[target.id] = ast.get_source_segment(text, node)
    return found


def _source(text, node):
    """Return a definition with its decorators."""
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return "\n".join(text.splitlines()[first - 1 : node.end_lineno])


def _imports(cells):
    """Return the import line that binds each imported name."""
    found = {}
    for _, tree in _trees(cells):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    line = f"import {alias.name}"
                    bound = alias.asname or alias.name.partition(".")[0]
                    found[bound] = f"{line} as {alias.asname}" if alias.asname else line
            elif isinstance(node, ast.ImportFrom) and not node.level:
                for alias in node.names:
                    line = f"from {node.module} import {alias.name}"
                    found[alias.asname or alias.name] = (
                        f"{line} as {alias.asname}" if alias.asname else line
                    )
    return found


def _free_names(source):
    """Return the names that a definition uses and does not bind itself."""
    tree = ast.parse(source)
    used, bound = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.alias):
            bound.add(node.asname or node.name.partition(".")[0])
    return used - bound


def renew(package):
    """Write the package's `__init__` files anew, from the files that are there.

    Args:
        package: the folder of the package.
    """
    folders = sorted({path.parent for path in package.glob("*/*.py")})
    for place in folders:
        _write_init(place, {path.stem for path in place.glob("*.py") if path.stem != "__init__"})
    if folders:
        _write_parents(package, folders[0].name)


def folder(workspace=None):
    """Return the folder of the learner's package."""
    return Path(workspace or workspace_root()) / "mytransformer"
