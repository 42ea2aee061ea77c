"""Values survive packing; bytes that are not ours are refused before they cost anything."""

from __future__ import annotations

import re
import struct
import tracemalloc
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinynets.storage.codec import DTYPES, LARGE, MAX_ITEMS, PackingError, pack, pack_pieces, scan, unpack

array_values = hnp.arrays(st.sampled_from(DTYPES), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=300)
    | array_values
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(), inner, max_size=20), max_leaves=30
)


def says(message: str) -> str:
    return f"^{re.escape(message)}$"


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and bool(a == b)


@given(values)
def test_what_is_packed_is_unpacked_the_same(value: Any) -> None:
    assert same(unpack(pack(value)), value)


def test_every_bit_of_nan_and_of_minus_zero_is_kept() -> None:
    odd = np.array([0x7FF8_0000_DEAD_BEEF, 0x8000_0000_0000_0000, 0xFFF0_0000_0000_0001], np.uint64).view(np.float64)
    assert unpack(pack(odd)).tobytes() == odd.tobytes()


@pytest.mark.parametrize("length", [0, 15, 16, 31, 32, 255, 256, 65_535, 65_536])
def test_every_width_of_length_is_understood(length: int) -> None:
    for value in ("x" * length, b"x" * length, [0] * length, {str(i): None for i in range(length)}):
        assert same(unpack(pack(value)), value)
    assert same(unpack(pack(np.zeros(length, "u1"))), np.zeros(length, "u1"))


@pytest.mark.parametrize("size", [4, LARGE])
def test_unpacked_arrays_cannot_be_written(size: int) -> None:
    for packed in (pack([np.arange(size)]), bytearray(pack([np.arange(size)]))):
        (values,) = unpack(memoryview(packed))
        assert not values.flags.writeable
        assert values.tolist() == list(range(size))


def test_large_arrays_are_neither_copied_when_packed_nor_when_unpacked() -> None:
    theta, slot = np.arange(LARGE, dtype=np.float32), np.ones(LARGE)
    parts = pack_pieces({"a": [theta, {"b": slot}], "c": 1})
    assert all(any(np.shares_memory(part, array) for part in parts) for array in (theta, slot))
    packed = b"".join(parts)
    again = unpack(packed)
    assert np.shares_memory(again["a"][0], np.frombuffer(packed, np.uint8))
    assert same(again, {"a": [theta, {"b": slot}], "c": 1})


@given(st.lists(st.integers(0, 3 * LARGE), max_size=4), st.sampled_from(DTYPES))
def test_large_arrays_are_packed_as_msgpack_packs_them(sizes: list[int], dtype: str) -> None:
    arrays = [np.arange(size).astype(dtype) for size in sizes]
    plain = [msgpack.ExtType(1, an_array(dtype.encode(), array.shape, array.tobytes())) for array in arrays]
    assert pack(arrays) == msgpack.packb(plain)
    assert same(unpack(pack(arrays)), arrays)


@pytest.mark.parametrize(
    "array",
    [np.arange(12.0).reshape(3, 4).T, np.arange(12)[::3], np.array(5.0), np.arange(3, dtype=">f4"), np.zeros((0, 3))],
)
def test_arrays_of_any_layout_are_kept_in_c_order(array: np.ndarray[Any, Any]) -> None:
    again = unpack(pack(array))
    assert again.shape == array.shape
    assert np.array_equal(again, array)
    assert again.flags.c_contiguous


def test_tuples_and_numbers_of_numpy_become_plain() -> None:
    value = unpack(pack({"a": (1, 2), "b": np.float32(0.5), "c": np.int64(3), "d": np.bool_(True)}))
    assert same(value, {"a": [1, 2], "b": 0.5, "c": 3, "d": True})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (object(), "a value of type object cannot be packed"),
        ({1, 2}, "a value of type set cannot be packed"),
        (1j, "a value of type complex cannot be packed"),
        ({1: 2}, "a key of a map is not text"),
        ({b"a": 2}, "a key of a map is not text"),
        (np.array([None]), "an array of object cannot be packed, only of <f4, <f8, <i4, <i8, |u1, |b1"),
        (np.array(["a"]), "an array of <U1 cannot be packed, only of <f4, <f8, <i4, <i8, |u1, |b1"),
        (np.zeros((1,) * 9), "an array has 9 axes; at most 8 can be packed"),
        ([0] * MAX_ITEMS, "it holds more than 262,144 items"),
    ],
)
def test_what_could_not_be_unpacked_is_not_packed(value: object, message: str) -> None:
    with pytest.raises(PackingError, match=says(message)):
        pack(value)


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1])
def test_a_number_beyond_64_bits_is_not_packed(value: int) -> None:
    with pytest.raises(PackingError, match=says("a whole number does not fit in 64 bits")):
        pack([value])


def test_broken_text_is_not_packed() -> None:
    with pytest.raises(PackingError, match=r"^it cannot be packed: .*surrogates not allowed$"):
        pack("\ud800")


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_nesting_is_allowed_to_a_depth_and_refused_beyond() -> None:
    assert unpack(pack(nested(16))) == nested(16)
    with pytest.raises(PackingError, match=says("it is nested deeper than 16 levels")):
        pack(nested(17))
    with pytest.raises(PackingError, match=says("it is nested deeper than 16 levels")):
        unpack(b"\x91" * 1_000_000 + b"\xc0")


def test_a_text_is_a_megabyte_at_most_and_bytes_are_more() -> None:
    assert unpack(pack(["x" * 2**20, bytes(2**20 + 1)])) == ["x" * 2**20, bytes(2**20 + 1)]
    for act in (pack, lambda value: unpack(msgpack.packb(value))):
        with pytest.raises(
            PackingError, match=says("a text in it takes 1,048,577 bytes; at most 1,048,576 are allowed")
        ):
            act("x" * (2**20 + 1))


def an_array(dtype: bytes = b"<f8", shape: tuple[int, ...] = (2,), content: bytes = bytes(16)) -> bytes:
    return dtype + struct.pack(f"<B{len(shape)}Q", len(shape), *shape) + content


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (b"", "it ends in the middle of a value"),
        (b"\xc1", "byte 0xc1 begins no value"),
        (b"\xc0\xc0", "it goes on after its value"),
        (b"\x92\xc0", "a list or map claims more items than there are bytes"),
        (b"\xa5abc", "it ends in the middle of a value"),
        (b"\xda\x00", "it ends in the middle of a value"),
        (b"\xa1\xff", "a text in it is not UTF-8"),
        (b"\x81\x01\xc0", "a key of a map is not text"),
        (b"\x82\xa1a\x01\xa1a\x02", "a map has the key `a` twice"),
        (b"\x91\x82\xa1a\x01\xa1a\x01", "a map has the key `a` twice"),
        (b"\xd4\x05\x00", "ext type 5 is not known"),
        (b"\xd6\xff\x00\x00\x00\x00", "ext type 255 is not known"),
        (b"\xc7", "it ends in the middle of a value"),
        (b"\xc7\x00", "it ends in the middle of a value"),
    ],
)
def test_bytes_that_are_no_value_are_refused(packed: bytes, message: str) -> None:
    with pytest.raises(PackingError, match=says(message)):
        unpack(packed)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (b"", "an array has the dtype '', not one of <f4, <f8, <i4, <i8, |u1, |b1"),
        (an_array(b"|O8"), "an array has the dtype '|O8', not one of <f4, <f8, <i4, <i8, |u1, |b1"),
        (an_array(b">f8"), "an array has the dtype '>f8', not one of <f4, <f8, <i4, <i8, |u1, |b1"),
        (an_array(shape=(1,) * 9), "an array has 9 axes; at most 8 are allowed"),
        (b"<f8\x02" + bytes(8), "an array ends in the middle of its shape"),
        (an_array(shape=(3,)), "an array of shape (3,) and dtype <f8 needs 24 bytes, but has 16"),
        (an_array(shape=(1,)), "an array of shape (1,) and dtype <f8 needs 8 bytes, but has 16"),
        (
            an_array(shape=(2**62, 4, 2)),
            f"an array of shape ({2**62}, 4, 2) and dtype <f8 needs {2**68:,} bytes, but has 16",
        ),
        (
            an_array(shape=(0, 2**63), content=b""),
            f"an array has the impossible shape (0, {2**63})",
        ),
        (
            an_array(shape=(2**64 - 1,)),  # -1 if read as signed
            f"an array of shape ({2**64 - 1},) and dtype <f8 needs {2**67 - 8:,} bytes, but has 16",
        ),
        (an_array(b"|b1", (2,), b"\x01\x02"), "an array of booleans holds something else"),
    ],
)
def test_an_array_that_does_not_add_up_is_refused(array: bytes, message: str) -> None:
    with pytest.raises(PackingError, match=says(message)):
        unpack(msgpack.packb(msgpack.ExtType(1, array)))


BOMBS = {
    "list": b"\xdd\xff\xff\xff\xff",
    "map": b"\xdf\xff\xff\xff\xff",
    "text": b"\xdb\xff\xff\xff\xff",
    "bytes": b"\xc6\xff\xff\xff\xff",
    "ext": b"\xc9\xff\xff\xff\xff\x01",
    "array": msgpack.packb(msgpack.ExtType(1, an_array(shape=(2**40,)))),
    "lists in lists": b"\xdd\x00\x00\xf0\x00" * 16 + bytes(2**16),
    "maps in lists": b"\xdd\x00\x00\xf0\x00" * 15 + b"\xdf\x00\x00\x70\x00" + bytes(2**16),
    "many items": b"\xdd\x00\x0f\x00\x00" + bytes(0xF0000),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
@pytest.mark.proof
def test_a_length_that_lies_costs_no_memory(bomb: bytes) -> None:
    unpack(pack([1]))
    tracemalloc.start()
    try:
        with pytest.raises(PackingError):
            unpack(bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


@given(st.binary(max_size=200))
def test_random_bytes_are_a_value_or_refused(packed: bytes) -> None:
    try:
        value = unpack(packed)
    except PackingError:
        return
    scan(packed)
    assert isinstance(value, None | bool | int | float | str | bytes | list | dict | np.ndarray)


@given(values, st.data())
def test_packed_bytes_with_one_changed_are_a_value_or_refused(value: Any, data: st.DataObject) -> None:
    packed = bytearray(pack(value))
    packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    try:
        unpack(bytes(packed))
    except PackingError as error:
        assert str(error)  # noqa: PT017
