"""Read a learner's variables as the weights of a formula, whatever their layout.

A learner may hold the projections of attention as four Dense layers, as kernels `(D, N, H)`, fused,
stacked, or one small layer per head, in any order, with or without biases. The readers here
propose weights, the likeliest first; the referee keeps the first proposal under which the oracle
gives the layer's own output, so a wrong guess costs nothing and a wrong layer fits none of them.

Axes: D hidden size, N heads, H head size, D = N·H.
"""

import itertools
import re
from dataclasses import dataclass, replace

import numpy as np

MOST = 1000  # proposals of one reader
ROLES = ("query", "key", "value", "output")
NAMES = {
    "query": "q query queries wq qw bq qproj queryproj toq",
    "key": "k key keys wk kw bk kproj keyproj tok",
    "value": "v value values wv vw bv vproj valueproj tov",
    "output": "o out output outputs wo ow bo outproj",
}
LOOSE = {*"projection proj merge combine final concat mix".split()}  # an output, if nothing else
FUSED = {"qkv": "query key value", "kqv": "key query value", "kv": "key value", "vk": "value key"}


def by_shape(variables, shapes, optional=()):
    """Yield every way to give the variables the names in `shapes`, by shape.

    Args:
        variables: list of `(path, array)`.
        shapes: dict from name to shape, such as `{"gamma": (7,)}`. Where several variables have
            one shape, a name found in a variable's path comes first. A matrix may be transposed.
        optional: names that may be absent; they are zeros then.
    """
    names = list(shapes)
    padded = list(variables) + [None] * (len(names) - len(variables))
    if len(padded) > len(names):
        return
    orders = itertools.islice(itertools.permutations(range(len(names))), 5040)
    for order in sorted(orders, key=lambda o: -_shape_score(names, padded, o)):
        found = {}
        for name, index in zip(names, order, strict=True):
            value = _fitted(padded[index], tuple(shapes[name]), name in optional)
            if value is None:
                break
            found[name] = value
        else:
            yield found


def _shape_score(names, variables, order):
    chosen = [variables[index] for index in order]
    return sum(v is not None and n in v[0].lower() for n, v in zip(names, chosen, strict=True))


def _fitted(variable, shape, may_miss):
    if variable is None:
        return np.zeros(shape) if may_miss else None
    value = np.asarray(variable[1], "float64")
    if value.shape == shape:
        return value
    return value.T if value.shape == shape[::-1] else None


def attention(variables, hidden_dim, num_heads):
    """Yield readings of the weights of multi-head attention.

    A reading holds `query`, `key`, `value` `(D, N, H)` and `output` `(N, H, D)`, and their biases
    `query_bias`, `key_bias`, `value_bias` `(N, H)` and `output_bias` `(D,)`; an absent bias is
    zero. A layer with fewer than four projections gets readings that lack a name, so that an
    oracle can say which. Variables that are no such projections get no reading.

    Args:
        variables: list of `(path, array)` of the trainable variables.
        hidden_dim: int. D, a multiple of `num_heads`.
        num_heads: int. N.
    """
    if not _whole(hidden_dim, num_heads):
        return iter(())
    return itertools.islice(_attention(variables, Sizes(hidden_dim, num_heads)), MOST)


def _whole(hidden_dim, num_heads):
    numbers = all(isinstance(n, int) and n > 0 for n in (hidden_dim, num_heads))
    return numbers and hidden_dim % num_heads == 0


@dataclass(frozen=True)
class Sizes:
    """The sizes D and N of a layer."""

    hidden: int
    heads: int

    @property
    def head(self):
        """The size H of a head."""
        return self.hidden // self.heads


@dataclass
class Part:
    """A kernel with its bias, on the way from a variable to a projection.

    `role` is what its name says it is, or None; `slot` its place in a fused kernel.
    """

    path: str
    kernel: np.ndarray
    bias: np.ndarray | None = None
    role: str | None = None
    slot: int = 0


def _attention(variables, sizes):
    if not variables:
        yield {}
        return
    later = []
    for wholes in _structures(variables, sizes):
        readings = _assign(wholes, sizes)
        yield from itertools.islice(readings, 1)  # the likeliest of every structure first
        later.append(readings)
    yield from itertools.chain.from_iterable(later)


def _structures(variables, sizes):
    """Yield lists of whole projections whose roles and flat axes are still open."""
    seen = set()
    for parts in _pairings(variables, sizes):
        for fused in ("blocks", "per head", "innermost"):
            for wholes in _join_heads(_unfuse(parts, fused, sizes), sizes):
                key = tuple(repr(w.kernel.shape).encode() + w.kernel.tobytes() for w in wholes)
                key += tuple(b"" if w.bias is None else w.bias.tobytes() for w in wholes)
                if key not in seen and len(wholes) <= len(ROLES):
                    seen.add(key)
                    yield wholes


def _pairings(variables, sizes):
    """Yield ways to pair kernels with biases: lists of parts in the variables' order."""
    smallest_kernel = sizes.hidden * sizes.head
    arrays = [(path, np.squeeze(np.asarray(v, "float64"))) for path, v in variables]
    groups = {}
    for path, array in arrays:
        is_kernel = array.ndim > 1 and array.size >= smallest_kernel
        kernels, biases = groups.setdefault(path.rpartition("/")[0], ([], []))
        (kernels if is_kernel else biases).append((path, array))
    options = [list(_pair(kernels, biases)) for kernels, biases in groups.values()]
    for choice in itertools.islice(itertools.product(*options), 64):
        yield [part for group in choice for part in group]


def _pair(kernels, biases):
    """Yield ways to give each bias of one sublayer to a kernel of it."""
    parts = [Part(path, kernel, role=_role(path)) for path, kernel in kernels]
    if len(biases) > len(parts):
        return
    roles = [_role(path) for path, _ in biases]
    owners = [next((i for i, p in enumerate(parts) if r and p.role == r), None) for r in roles]
    named = None not in owners and len(set(owners)) == len(owners)
    orders = itertools.permutations(range(len(parts)), len(biases))
    for order in itertools.chain([owners] if named else [], itertools.islice(orders, 24)):
        given = dict(zip(order, biases, strict=True))
        yield [
            replace(part, bias=given[i][1]) if i in given else part for i, part in enumerate(parts)
        ]


def _role(path):
    """Return the role that a variable's path names, a fused name such as `qkv`, or None."""
    parts = path.lower().split("/")
    for word in reversed(parts[1:] or parts):  # the first part is the whole layer's name
        tokens = {token for token in re.split(r"[^a-z]+", word) if token}
        joined = re.sub(r"[^a-z]+", "", word)
        fused = [name for name in FUSED if name in tokens or joined.endswith(name)]
        found = {role for role, names in NAMES.items() if {*tokens, joined} & {*names.split()}}
        if fused:
            return max(fused, key=len)
        if len(found) == 1:
            return found.pop()
        if not found and tokens & LOOSE:
            return "output"
    return None


def _unfuse(parts, fused, sizes):
    """Cut fused and stacked kernels into single ones, each whole or of one head."""
    pieces = []
    for part in parts:
        count = _count(part.kernel, sizes)
        if count == 1:
            pieces.append(part)
            continue
        roles = FUSED.get(part.role, "").split() or (list(ROLES[:count]) if count > 2 else [])
        kernels = _cut(part.kernel, count, fused, sizes)
        biases = [None] * count
        if part.bias is not None:
            biases = _cut(part.bias, count, fused, sizes)
        for slot, (kernel, bias) in enumerate(zip(kernels, biases, strict=True)):
            role = roles[slot] if slot < len(roles) else None
            pieces.append(Part(f"{part.path}/{slot}", kernel, bias, role, slot))
    return pieces


def _count(kernel, sizes):
    """Return how many projections, or heads' projections, a kernel holds."""
    for unit in (sizes.hidden * sizes.hidden, sizes.hidden * sizes.head):
        if kernel.size % unit == 0 and kernel.size // unit <= len(ROLES):
            return kernel.size // unit
    return 1


def _cut(array, count, fused, sizes):
    """Cut `count` equal arrays out of one, along an axis of its own or within a wide axis."""
    own = [axis for axis, size in enumerate(array.shape) if size == count]
    if own and array.ndim > 1:
        return [np.take(array, i, axis=own[0]) for i in range(count)]
    wide = [a for a, s in enumerate(array.shape) if s in (count * sizes.hidden, count * sizes.head)]
    if not wide:
        return [array] * count
    axis, shape = wide[-1], array.shape
    heads = sizes.heads if shape[axis] == count * sizes.hidden else 1
    inner = shape[axis] // count // heads
    split, place = {
        "blocks": ((count, heads, inner), 0),
        "per head": ((heads, count, inner), 1),
        "innermost": ((heads, inner, count), 2),
    }[fused]
    opened = array.reshape(*shape[:axis], *split, *shape[axis + 1 :])
    joined = (*shape[:axis], heads * inner, *shape[axis + 1 :])
    return [np.take(opened, i, axis=axis + place).reshape(joined) for i in range(count)]


def _join_heads(pieces, sizes):
    """Yield lists of whole projections: kernels of single heads are stacked, N at a time."""
    size = sizes.hidden * sizes.head
    small = [p for p in pieces if p.kernel.size == size and sizes.heads > 1]
    wholes = [p for p in pieces if p.kernel.size == sizes.hidden**2]
    if len(small) + len(wholes) < len(pieces) or len(small) % sizes.heads:
        return
    if not small:
        yield wholes
        return
    inward = [p for p in small if p.kernel.shape[0] == sizes.hidden]
    outward = [p for p in small if p.kernel.shape[0] != sizes.hidden]
    for order in ("named", "one kind after the other", "one head after the other"):
        groups = _groups(inward, order, sizes)
        if groups is None or len(outward) not in (0, sizes.heads):
            continue
        stacked = [_stack(group, sizes) for group in groups]
        yield stacked + wholes + ([_stack(outward, sizes)] if outward else [])


def _groups(small, order, sizes):
    """Put the kernels of single heads into groups of one kind, or return None."""
    kinds = len(small) // sizes.heads
    if order == "named":
        roles = dict.fromkeys(p.role for p in small)
        groups = [[p for p in small if p.role == role] for role in roles]
        whole = all(len(group) == sizes.heads for group in groups)
        return groups if whole and None not in roles else None
    if order == "one kind after the other":
        return [small[i * sizes.heads : (i + 1) * sizes.heads] for i in range(kinds)]
    return [small[i::kinds] for i in range(kinds)]


def _stack(group, sizes):
    """Stack kernels of single heads: `(D, H)` to `(D, N, H)`, `(H, D)` to `(N, H, D)`."""
    first = group[0]
    if first.kernel.shape[0] == sizes.hidden:
        kernel, bias_size, join = np.stack([p.kernel for p in group], 1), sizes.head, np.stack
    else:
        kernel, bias_size, join = np.stack([p.kernel for p in group]), sizes.hidden, sum
    given = [p.bias for p in group]
    if all(bias is None for bias in given):
        return replace(first, kernel=kernel)
    biases = [np.zeros(bias_size) if b is None else b for b in given]
    if any(b.shape != (bias_size,) for b in biases):
        return replace(first, kernel=kernel, role="unreadable")
    return replace(first, kernel=kernel, bias=join(biases))


def _assign(wholes, sizes):
    """Yield readings: every role for every projection, and every reading of flat axes."""
    flat = any(p.kernel.ndim == 2 for p in wholes)
    twice = (False, True) if flat and sizes.heads > 1 else (False,)
    styles = list(itertools.product((False, True) if flat else (False,), twice, twice))
    roles = list(itertools.permutations(ROLES, len(wholes)))
    roles.sort(key=lambda chosen: -_agreement(chosen, wholes))
    for style in styles:
        for chosen in roles:
            reading = _reading(dict(zip(chosen, wholes, strict=True)), style, sizes)
            if reading:
                yield reading


def _agreement(roles, wholes):
    return sum(role == part.role for role, part in zip(roles, wholes, strict=True))


def _reading(parts, style, sizes):
    """Return canonical weights, or None where a shape does not fit its role."""
    transposed, interleaved_in, interleaved_out = style
    found = {}
    for role, part in parts.items():
        inward = role != "output"
        interleaved = interleaved_in if inward else interleaved_out
        kernel = _kernel(part.kernel, inward != transposed, interleaved, sizes)
        bias = _bias(part.bias, inward, interleaved, sizes)
        if kernel is None or bias is None:
            return None
        found[role] = kernel if inward else np.moveaxis(kernel, 0, -1)
        found[f"{role}_bias"] = bias
    return found


def _kernel(kernel, hidden_first, interleaved, sizes):
    """Return a kernel as `(D, N, H)`, where D is the side that is not cut into heads."""
    hidden, heads, head = sizes.hidden, sizes.heads, sizes.head
    if kernel.ndim == 2:
        square = kernel if hidden_first else kernel.T
        return _cut_heads(square, interleaved, sizes)
    if kernel.ndim != 3 or sorted(kernel.shape) != sorted((hidden, heads, head)):
        return None
    axis = kernel.shape.index(hidden)
    kernel = np.moveaxis(kernel, axis, 0)
    return kernel if kernel.shape[1] == heads else np.swapaxes(kernel, 1, 2)


def _cut_heads(array, interleaved, sizes):
    """Cut the last axis, of size D, into (N, H)."""
    if interleaved:
        cut = array.reshape(*array.shape[:-1], sizes.head, sizes.heads)
        return np.swapaxes(cut, -1, -2)
    return array.reshape(*array.shape[:-1], sizes.heads, sizes.head)


def _bias(bias, inward, interleaved, sizes):
    """Return a bias as `(N, H)`, that of the output as `(D,)`; zeros where there is none."""
    if bias is None:
        return np.zeros((sizes.heads, sizes.head) if inward else sizes.hidden)
    if bias.size != sizes.hidden:
        return None
    if not inward:
        return bias.reshape(-1)
    if bias.ndim == 2:
        return bias if bias.shape == (sizes.heads, sizes.head) else bias.T
    return _cut_heads(bias.reshape(-1), interleaved, sizes)
