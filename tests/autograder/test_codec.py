"""The codec carries values, keeps their kind, and refuses what is damaged or too large."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from autograder.compare import Opaque
from autograder.wire import codec
from autograder.wire.codec import Handle, WireError, decode, encode

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(values)
def test_plain_values_come_back(value):
    assert repr(decode(encode(value))) == repr(value)


@given(stn.arrays(st.sampled_from(sorted(codec.DTYPES)), stn.array_shapes(min_dims=0)))
def test_arrays_come_back(array):
    again = decode(encode(array))
    assert again.dtype == array.dtype
    np.testing.assert_array_equal(again, array)


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_refused(message):
    try:
        decode(message)
    except WireError:
        pass
    else:
        assert len(message) >= 4


@given(st.data())
def test_a_cut_message_is_refused(data):
    message = encode({"x": np.arange(7.0)})
    cut = data.draw(st.integers(0, len(message) - 1))
    with pytest.raises(WireError):
        decode(message[:cut])


def test_handles_and_descriptions_cross():
    assert decode(encode([Handle(3, "Dense"), object()])) == [
        Handle(3, "Dense"),
        Opaque("a object"),
    ]


def test_object_arrays_do_not_cross():
    assert decode(encode(np.array([{}]))) == Opaque("an array of object")


@pytest.mark.parametrize(
    "header",
    [
        {"value": {"a": 0}, "arrays": [["object", [1]]]},
        {"value": {"a": 0}, "arrays": [["float32", [2**40]]]},
        {"value": {"a": 0}, "arrays": [["float32", [-1]]]},
        {"value": {"a": 5}, "arrays": []},
        {"value": [1], "arrays": []},
        {"value": {"z": 1}, "arrays": []},
        {"arrays": []},
        {"value": {"f": 10**400}, "arrays": []},
        {"value": {"h": float("inf")}, "arrays": []},
        {"value": {"l": [{"a": 0}, {"a": 0}]}, "arrays": [["float32", [1]]]},
    ],
)
def test_a_forged_header_is_refused(header):
    text = json.dumps(header).encode()
    with pytest.raises(WireError):
        decode(len(text).to_bytes(4, "big") + text + b"\0" * 64)


def test_deep_nesting_is_bounded():
    value = 0
    for _ in range(1000):
        value = [value]
    decode(encode(value))
    text = ('{"value": ' + '{"l":[' * 500 + "0" + "]}" * 500 + ', "arrays": []}').encode()
    with pytest.raises(WireError):
        decode(len(text).to_bytes(4, "big") + text)


def test_too_large_a_value_is_refused(monkeypatch):
    monkeypatch.setattr(codec, "MAX_BYTES", 1000)
    with pytest.raises(WireError, match="too large"):
        encode(np.zeros(1000))


def test_an_integer_beyond_64_bits_is_described():
    text = json.dumps({"value": 10**400, "arrays": []}).encode()
    assert decode(len(text).to_bytes(4, "big") + text) == Opaque("an integer beyond 64 bits")
