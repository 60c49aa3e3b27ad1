"""What a person should look at: an answer that is the course's own code, or that calls it.

An answer is read, never run. `review` compares it with the package's source, and follows the
names that it can reach: through imports, assignments, `getattr` and text put together from
constants. What earns points is flagged and keeps them: a person decides.
"""

import ast
import base64
import binascii
import codecs
import io
import re
import tokenize
from collections import defaultdict
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cache

from autograder.build.assignments import ROOT

ALIKE = 0.95  # share of equal tokens; the course's own solutions of the labs reach 0.90
LEAST_TOKENS = 100  # shorter code has few ways to be written
LEAST_WORDS = 4  # of a comment or a message
LONGEST = 100_000  # characters of one notebook's code
LONGEST_TEXT, DEEPEST = 1000, 60  # of what constants are put together to
TRICKS = {"exec", "eval", "__import__", "globals"}
INSIDES = {"__wrapped__", "__globals__", "__code__", "__closure__", "__subclasses__",
           "__builtins__", "f_globals", "f_locals", "f_back", "get_objects",
           "get_referrers"}  # fmt: skip
BROKEN = (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError)


def review(exercise, answer, cells=(), skeleton=""):
    """Return why a person should look at an answer: sentences, most often none.

    Args:
        exercise: the `Exercise`.
        answer: str. The learner's answer cell.
        cells: the texts of the learner's other cells.
        skeleton: str. What the learner was given.
    """
    sources = [answer, *(cell for cell in cells if cell != answer)]
    if sum(map(len, sources)) > LONGEST:
        return ["its code is too long to be compared."]
    code = Code(sources)
    part = code.of(exercise.name)
    found = []
    reached = next(filter(None, (_forbidden(path, exercise) for path in code.paths(part))), "")
    if reached:
        found.append(f"it reaches `{reached}`, which it should write itself.")
    if exercise.package and _is_copy(exercise, code, part, skeleton):
        found.append("it is the course's own code, or nearly so.")
    return found


def hides(cells):
    """Return a sentence when the text of the learner's cells does not say what runs, else ""."""
    if sum(map(len, cells)) > LONGEST:
        return ""  # `review` says so
    names = ", ".join(f"`{name}`" for name in sorted(Code(cells).tricks()))
    return f"what runs cannot be read from its text: {names}." if names else ""


def _forbidden(path, exercise):
    """Return what the exercise forbids, when a dotted path is it, under whatever module."""
    top, _, rest = path.partition(".")
    top = {"tensorflow": "keras"}.get(top, top)
    name = rest.rpartition(".")[2]
    for forbidden in filter(None, (exercise.package, *exercise.forbids)):
        if name == forbidden.rpartition(".")[2] and top == forbidden.partition(".")[0]:
            return forbidden
    return ""


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
        for source in self.sources:
            try:
                self.trees.append(ast.parse(_python(source)))
            except BROKEN:
                self.trees.append(ast.Module([], []))
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
            for node in defining[wanted.pop()]:
                if id(node) not in part:
                    part[id(node)] = node
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
                owner, name = node.args[0], text(node.args[1])
            elif called in ("import_module", "__import__"):
                return text(node.args[0]) or ""
        elif isinstance(node, ast.Subscript):
            if _last(node.value) == "modules":
                return text(node.slice) or ""
            if _last(node.value) == "__dict__" or self._called(node.value) == "vars":
                holder = node.value
                owner = holder.value if isinstance(holder, ast.Attribute) else holder.args[0]
                name = text(node.slice)
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
                if called == "import_module" and text(node.args[0]) is None:
                    found.add("import_module")
                if called == "getattr" and len(node.args) > 1 and text(node.args[1]) is None:
                    if self._path(node.args[0]).partition(".")[0] in ("course", "keras"):
                        found.add("getattr")
        return found


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


SAFE_METHODS = ("join", "replace", "lower", "upper", "strip", "removeprefix", "removesuffix",
                "decode", "encode", "swapcase", "title", "capitalize")  # fmt: skip


def text(node, depth=0):
    """Return the text that an expression of constants gives, or None where it is not constant."""
    try:
        value = _constant(node, depth)
    except (_NotConstant, TypeError, ValueError, AttributeError, ArithmeticError,
            LookupError, RecursionError):  # fmt: skip
        return None
    return value if isinstance(value, str) else None


class _NotConstant(Exception):
    """An expression that depends on more than constants."""


def _constant(node, depth):
    """Compute an expression of constants: short text, bytes, numbers, lists of them."""
    if depth > DEEPEST:
        raise _NotConstant

    def inner(child):
        return _constant(child, depth + 1)

    match node:
        case ast.Constant(value=value):
            result = value
        case ast.List(elts=items) | ast.Tuple(elts=items):
            result = [inner(item) for item in items]
        case ast.JoinedStr(values=parts):
            result = "".join(str(inner(part)) for part in parts)
        case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
            result = inner(value)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            result = inner(left) + inner(right)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            result = -inner(operand)
        case ast.Subscript(value=value, slice=ast.Slice(lower=a, upper=b, step=c)):
            result = inner(value)[slice(*(None if p is None else inner(p) for p in (a, b, c)))]
        case ast.Subscript(value=value, slice=index):
            result = inner(value)[inner(index)]
        case ast.Call(func=ast.Name(id="chr"), args=[code]):
            result = chr(inner(code))
        case ast.Call(func=ast.Name(id="bytes"), args=[codes]):
            result = bytes(list(inner(codes)))
        case ast.Call(func=ast.Name(id="reversed"), args=[value]):
            result = inner(value)[::-1]
        case ast.Call(func=ast.Attribute(attr="b64decode"), args=[code]):
            result = _base64(inner(code))
        case ast.Call(func=ast.Attribute(attr="decode", value=ast.Name()), args=[code, name]):
            if inner(name) not in ("rot13", "rot_13"):
                raise _NotConstant
            result = codecs.decode(inner(code), "rot13")
        case ast.Call(func=ast.Attribute(attr=name, value=value), args=args, keywords=[]):
            if name not in SAFE_METHODS:
                raise _NotConstant
            result = getattr(inner(value), name)(*map(inner, args))
        case _:
            raise _NotConstant
    if isinstance(result, str | bytes | list) and len(result) > LONGEST_TEXT:
        raise _NotConstant
    return result


def _base64(value):
    try:
        return base64.b64decode(value)
    except binascii.Error:
        raise _NotConstant from None


def _is_copy(exercise, code, part, skeleton):
    """Say whether one of the answer's definitions is the package's, in code or in words."""
    own = package_definition(exercise.package)
    if own is None:
        return False
    source, node = own
    words = phrases(source) - phrases(skeleton)
    if words & set().union(*map(phrases, code.sources)):
        return True
    theirs = tokens(node)
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


def phrases(source):
    """Return the lines of comments, docstrings and messages that have several words."""
    found = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type in (tokenize.COMMENT, tokenize.STRING):
                found |= {line.strip(" \t#rf\"'") for line in token.string.split("\n")}
    except BROKEN:
        pass
    return {phrase for phrase in found if len(re.findall("[A-Za-z]{3,}", phrase)) >= LEAST_WORDS}


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
