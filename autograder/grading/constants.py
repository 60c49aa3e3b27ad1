"""The text that an expression of constants gives, computed without running it."""

import ast
import base64
import binascii
import codecs

LONGEST_TEXT, DEEPEST = 1000, 60  # of what constants are put together to
SAFE_METHODS = ("join", "replace", "lower", "upper", "strip", "removeprefix", "removesuffix",
                "decode", "encode", "swapcase", "title", "capitalize")  # fmt: skip


def text_of(node, depth=0):
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
