"""What a learner's code defines and what it can reach, read from its text; it is never run.

Names are followed through imports, assignments, `getattr` and text put together from constants.
"""

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache

from autograder.grading.constants import DEEPEST, text_of

TRICKS = {"exec", "eval", "__import__", "globals"}
INSIDES = {"__wrapped__", "__globals__", "__code__", "__closure__", "__subclasses__",
           "__builtins__", "f_globals", "f_locals", "f_back", "get_objects",
           "get_referrers"}  # fmt: skip
BROKEN = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass
class Code:
    """The learner's code: statements of the top level, and what each one defines.

    Args:
        sources: the texts of the cells; the first one defines what the others only help.
    """

    sources: list
    trees: list = field(default_factory=list)
    aliases: dict = field(default_factory=dict)

    def __post_init__(self):
        self.trees = [_tree(source) for source in self.sources]
        for tree in self.trees:
            for node in ast.walk(tree):
                self._note_import(node)

    def _note_import(self, node):
        if isinstance(node, ast.Import):
            for name in node.names:
                bound = name.asname or name.name.partition(".")[0]
                self.aliases[bound] = name.name if name.asname else bound
        elif isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                self.aliases[name.asname or name.name] = f"{node.module}.{name.name}"

    def of(self, name):
        """Return the statements that define a name, and those that they build on."""
        defining = defaultdict(list)
        for tree in self.trees:
            for node in tree.body:
                for bound in _bound(node):
                    defining[bound].append(node)
        wanted, known, part = [name], {name}, {}
        while wanted:
            found = wanted.pop()
            for node in defining[found]:
                single = isinstance(node, ast.ImportFrom)  # of its names, only this one
                key = (id(node), found) if single else id(node)
                if key not in part:
                    part[key] = _only(node, found) if single else node
                    new = _used(node) - known
                    known |= new
                    wanted += new
        return list(part.values())

    def paths(self, part):
        """Yield the dotted paths of what these statements reach outside the notebook."""
        stars = [p[:-2] for p in self.aliases.values() if p.endswith(".*")]
        for statement in part:
            for node in ast.walk(statement):
                path = self._path(node)
                if path:
                    yield path
                elif isinstance(node, ast.Name):
                    yield from (f"{star}.{node.id}" for star in stars)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    yield from (f"{node.module}.{name.name}" for name in node.names)

    def lends(self, part):
        """Yield the ids of the exercises whose lent versions these statements ask for."""
        for node in (each for statement in part for each in ast.walk(statement)):
            if isinstance(node, ast.Call) and node.args and self._called(node) == "lend":
                yield text_of(node.args[0])

    def _path(self, node, depth=0):
        """Return the dotted path that an expression stands for, or an empty string."""
        if depth > DEEPEST:
            return ""
        if isinstance(node, ast.Name):
            return self.aliases.get(node.id, "")
        owner = name = None
        if isinstance(node, ast.Attribute):
            owner, name = node.value, node.attr
        elif isinstance(node, ast.Call) and node.args:
            called = self._called(node)
            if called == "getattr" and len(node.args) > 1:
                owner, name = node.args[0], text_of(node.args[1])
            elif called in ("import_module", "__import__"):
                return text_of(node.args[0]) or ""
        elif isinstance(node, ast.Subscript):
            if _last(node.value) == "modules":
                return text_of(node.slice) or ""
            if _last(node.value) == "__dict__" or self._called(node.value) == "vars":
                holder = node.value
                owner = holder.value if isinstance(holder, ast.Attribute) else holder.args[0]
                name = text_of(node.slice)
        before = self._path(owner, depth + 1) if owner is not None and name else ""
        return f"{before}.{name}" if before else ""

    def _called(self, node):
        """Return the last name of what is called, imported under whatever name."""
        if not isinstance(node, ast.Call):
            return ""
        name = _last(node.func)
        known = self.aliases.get(name, name) if isinstance(node.func, ast.Name) else name
        return known.rpartition(".")[2]

    def tricks(self):
        """Return names with which code hides what it runs."""
        found = set()
        for node in (n for tree in self.trees for n in ast.walk(tree)):
            if isinstance(node, ast.Attribute) and node.attr in INSIDES:
                found.add(node.attr)
            elif isinstance(node, ast.Subscript) and _last(node.value) == "modules":
                found.add("sys.modules")
            elif isinstance(node, ast.Name) and node.id in TRICKS:
                found.add(node.id)
            elif isinstance(node, ast.Call) and node.args:
                called = self._called(node)
                if called == "import_module" and text_of(node.args[0]) is None:
                    found.add("import_module")
                if called == "getattr" and len(node.args) > 1 and text_of(node.args[1]) is None:
                    if self._path(node.args[0]).partition(".")[0] in ("course", "keras"):
                        found.add("getattr")
        return found


@lru_cache(maxsize=32)  # each exercise of a notebook reads the same cells
def _tree(source):
    """Return a cell's tree; an empty one where Python cannot read it. Nobody changes it."""
    try:
        return ast.parse(_python(source))
    except BROKEN:
        return ast.Module([], [])


def _last(node):
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _bound(node):
    """Return the names that a statement of the top level gives a value."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(name.asname or name.name).partition(".")[0] for name in node.names}
    return {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    } | {
        _last(n.value)
        for n in ast.walk(node)
        if isinstance(n, ast.Attribute | ast.Subscript) and isinstance(n.ctx, ast.Store)
    }


def _only(node, name):
    """Return an import that takes one of its names alone."""
    names = [each for each in node.names if (each.asname or each.name) == name]
    return ast.ImportFrom(node.module, names, node.level)


def _used(node):
    """Return the names that a statement takes from outside itself."""
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
    own = {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        own |= {n.id for n in names if isinstance(n.ctx, ast.Store)}
    return {n.id for n in names} - own


def _python(source):
    """Return a cell without IPython's magic lines."""
    lines = source.split("\n")
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)
