"""Values as bytes: a JSON header and raw buffers. No pickle, no objects, no code.

    message = length of the header (4 bytes, big-endian) + header (JSON) + buffers

The header holds a tree of tagged values and the list of buffers (dtype, shape). A tag is one
letter: `f` a float that JSON lacks, `l` list, `t` tuple, `d` dictionary, `a` array (index of its
buffer), `h` handle of an object that stays where it is, `o` something that cannot cross.
"""

import json
import math
from dataclasses import dataclass

import numpy as np

from autograder.compare import Opaque

DTYPES = frozenset(
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split()
)
MAX_DEPTH = 16
MAX_BYTES = 64 * 2**20  # a hundred times what the labs send
MAX_HEADER = 4 * 2**20
MAX_TEXT = 10_000
DAMAGED = (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError)


class WireError(Exception):
    """A message that cannot be read or is too large."""


@dataclass(frozen=True)
class Handle:
    """An object that stays on the learner's side, known by a number and a type name."""

    number: int
    type_name: str = ""


def encode(value):
    """Return `value` as bytes. What cannot cross becomes an `Opaque` description."""
    buffers = []
    tree = _pack(value, buffers, 0)
    arrays = [[str(b.dtype), list(b.shape)] for b in buffers]
    header = json.dumps({"value": tree, "arrays": arrays}).encode()
    size = len(header) + sum(b.nbytes for b in buffers)
    if size > MAX_BYTES:
        raise WireError(f"A value of {size / 2**20:.0f} MB is too large to check.")
    parts = [b.tobytes() for b in buffers]
    return len(header).to_bytes(4, "big") + header + b"".join(parts)


def decode(message):
    """Return the value in `message`; arrays are new and writable.

    Raises:
        WireError: the message is damaged or claims more than it holds.
    """
    try:
        return _decode(memoryview(message))
    except WireError:
        raise
    except MemoryError:
        raise WireError("A value is too large to check.") from None
    except DAMAGED as error:
        raise WireError(f"A damaged message: {str(error)[:200]}") from None


def _decode(message):
    if len(message) > MAX_BYTES + MAX_HEADER:
        raise WireError("A message is too large.")
    length = int.from_bytes(message[:4], "big")
    if length > min(MAX_HEADER, len(message) - 4):
        raise WireError("A message claims more than it holds.")
    header = json.loads(bytes(message[4 : 4 + length]))
    arrays, offset = [], 4 + length
    for name, shape in header["arrays"]:
        if name not in DTYPES:
            raise WireError(f"A message holds an array of {str(name)[:40]}.")
        if not all(isinstance(n, int) and 0 <= n < 2**31 for n in shape):
            raise WireError("A message holds an array of impossible shape.")
        dtype = np.dtype(name)
        size = math.prod(shape) * dtype.itemsize
        if offset + size > len(message):
            raise WireError("A message claims more than it holds.")
        flat = np.frombuffer(message[offset : offset + size], dtype)
        arrays.append(flat.reshape(shape).copy())
        offset += size
    return _unpack(header["value"], arrays, 0)


def _pack(value, buffers, depth):
    if depth == MAX_DEPTH:
        return {"o": "a value nested too deeply"}
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value[:MAX_TEXT]
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else {"o": "an integer beyond 64 bits"}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"f": repr(float(value))}
    if isinstance(value, Handle):
        return {"h": value.number, "type": value.type_name}
    if isinstance(value, Opaque):
        return {"o": value.description}
    if isinstance(value, list | tuple):
        tag = "l" if isinstance(value, list) else "t"
        return {tag: [_pack(item, buffers, depth + 1) for item in value]}
    if isinstance(value, dict):
        pairs = [[str(k)[:200], _pack(v, buffers, depth + 1)] for k, v in value.items()]
        return {"d": pairs}
    if isinstance(value, np.ndarray | np.generic):
        return _pack_array(np.asarray(value), buffers)
    return {"o": f"a {type(value).__name__}"}


def _pack_array(array, buffers):
    if str(array.dtype) == "bfloat16":
        array = array.astype("float32")
    if str(array.dtype) not in DTYPES:
        return {"o": f"an array of {str(array.dtype)[:40]}"}
    buffers.append(np.ascontiguousarray(array).reshape(array.shape))
    return {"a": len(buffers) - 1}


def _unpack(tree, arrays, depth):
    if depth > MAX_DEPTH:
        raise WireError("A message is nested too deeply.")
    if not isinstance(tree, dict):
        if isinstance(tree, list):
            raise WireError("A message has an untagged list.")
        if isinstance(tree, int) and not -(2**63) <= tree < 2**63:
            return Opaque("an integer beyond 64 bits")
        return tree[:MAX_TEXT] if isinstance(tree, str) else tree
    if "a" in tree:
        found, arrays[tree["a"]] = arrays[tree["a"]], None
        if found is None:  # a list of the same array many times could fill the memory
            raise WireError("A message holds an array twice.")
        return found
    if "f" in tree:
        return float(tree["f"])
    if "l" in tree:
        return [_unpack(item, arrays, depth + 1) for item in tree["l"]]
    if "t" in tree:
        return tuple(_unpack(item, arrays, depth + 1) for item in tree["t"])
    if "d" in tree:
        return {str(key)[:200]: _unpack(item, arrays, depth + 1) for key, item in tree["d"]}
    if "h" in tree:
        return Handle(int(tree["h"]), str(tree.get("type", ""))[:100])
    if "o" in tree:
        return Opaque(str(tree["o"])[:200])
    raise WireError("A message has an unknown tag.")
