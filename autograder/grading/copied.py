"""Whether an answer is the course's own code: in its words, or token by token."""

import ast
import io
import re
import tokenize
from difflib import SequenceMatcher
from functools import cache, lru_cache

from autograder.build.assignments import ROOT

ALIKE = 0.95  # share of equal tokens; the course's own solutions of the labs reach 0.90
LEAST_TOKENS = 100  # shorter code has few ways to be written
LEAST_WORDS = 4  # of a comment or a message
BROKEN = (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError)


def is_copy(exercise, code, part, skeleton):
    """Say whether one of the answer's definitions is the package's, in code or in words."""
    own = package_definition(exercise.package)
    if own is None:
        return False
    source = own[0]
    words = phrases(source) - phrases(skeleton)
    if words & set().union(*map(phrases, code.sources)):
        return True
    theirs = package_tokens(exercise.package)
    if len(theirs) < LEAST_TOKENS:
        return False
    definitions = [n for n in part if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    return any(alike(tokens(one), theirs) >= ALIKE for one in definitions)


@cache
def package_definition(path):
    """Return the source and the tree of the package's own version; None where there is none."""
    owner, _, name = path.rpartition(".")
    place = ROOT.joinpath(*owner.split("."))
    files = sorted(place.glob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    for file in files:
        if not file.is_file():
            continue
        source = file.read_text(encoding="utf-8")
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
                return ast.get_source_segment(source, node), node
    return None


@cache
def package_tokens(path):
    """Return the tokens of the package's own version."""
    return tokens(package_definition(path)[1])


@lru_cache(maxsize=256)  # each exercise of a notebook reads the same cells
def phrases(source):
    """Return the lines of comments, docstrings and messages that have several words."""
    found = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type in (tokenize.COMMENT, tokenize.STRING):
                found |= {line.strip(" \t#rf\"'") for line in token.string.split("\n")}
    except BROKEN:
        pass
    words = re.compile("[A-Za-z]{3,}")
    return frozenset(p for p in found if len(words.findall(p)) >= LEAST_WORDS)


def tokens(definition):
    """Return the tokens of a definition, with its own names numbered, without words and types."""
    try:
        tree = _Plain(definition).visit(ast.parse(ast.unparse(definition)).body[0])
        text = ast.unparse(ast.fix_missing_locations(tree))
        found = [t.string.strip() for t in tokenize.generate_tokens(io.StringIO(text).readline)]
    except BROKEN:
        return []
    return [token for token in found if token]


class _Plain(ast.NodeTransformer):
    """Numbers the names that a definition gives a value itself; drops docstrings and types."""

    def __init__(self, definition):
        own = {}
        for node in ast.walk(definition):
            if isinstance(node, ast.arg):
                own[node.arg] = True
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                own[node.id] = True
            elif isinstance(node, ast.FunctionDef | ast.ClassDef) and node is not definition:
                own[node.name] = True
        self.numbers = {name: f"v{place}" for place, name in enumerate(own) if name != "self"}

    def visit_Name(self, node):
        node.id = self.numbers.get(node.id, node.id)
        return node

    def visit_arg(self, node):
        node.arg, node.annotation = self.numbers.get(node.arg, node.arg), None
        return node

    def visit_FunctionDef(self, node):
        self._definition(node)
        node.returns = None
        return self.generic_visit(node)

    def visit_ClassDef(self, node):
        self._definition(node)
        return self.generic_visit(node)

    def _definition(self, node):
        node.decorator_list = []
        node.name = node.name if _is_special(node.name) else self.numbers.get(node.name, "v")
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]


def _is_special(name):
    return name.startswith("__")


def alike(one, other):
    """Return the share of tokens that two lists have in common, in order."""
    if not one or not other or max(len(one), len(other)) > 2 * min(len(one), len(other)):
        return 0.0
    return SequenceMatcher(None, one, other, autojunk=False).ratio()
