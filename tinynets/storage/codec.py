"""The codec turns plain values and arrays into msgpack bytes, and back without trust in the bytes.

A value is None, bool, int (64 bits), float, str, bytes, a list, a dict with str keys, or an array of one of `DTYPES`.
An array is ext type 1: dtype as 3 characters, number of axes (1 byte), each axis (8 bytes, little-endian), then its
elements in C order. `scan` bounds depth, items and every length before anything of the claimed size is allocated.

Large arrays are never copied: `pack_pieces` puts their own memory between the other bytes, and `unpack` returns views
into the bytes read. msgpack itself sees a short mark in place of each.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import msgpack
import numpy as np

from tinynets.numerics.arrays import Array

ARRAY = 1
MARK = 2  # ext type in place of a large array, within this module only
LARGE = 4096  # bytes; arrays of this size and more are not copied
DTYPES = ("<f4", "<f8", "<i4", "<i8", "|u1", "|b1")
NUMPYS = {name.encode(): np.dtype(name) for name in DTYPES}
PLAIN = frozenset({type(None), bool, int, float, str, bytes, np.ndarray})
SMALL = 2048  # bytes; a smaller payload can claim so little that its lengths need no scan
MAX_AXES = 8
MAX_DEPTH = 16
MAX_ITEMS = 2**18
MAX_TEXT = 2**20  # bytes; longer text is kept as bytes


class _Kind(NamedTuple):
    """What the first byte of a value says about the rest."""

    width: int = 0  # bytes of the length field that follows
    length: int = 0  # the length if no field follows
    items: int = 0  # per unit of length: 0 if it counts bytes, 1 in a list, 2 in a map
    is_text: bool = False
    is_ext: bool = False


def _kinds() -> dict[int, _Kind]:
    """The first bytes of msgpack (https://github.com/msgpack/msgpack/blob/master/spec.md)."""
    kinds = {first: _Kind() for first in (*range(0x80), *range(0xE0, 0x100), 0xC0, 0xC2, 0xC3)}
    kinds |= {0x80 + n: _Kind(length=n, items=2) for n in range(16)}
    kinds |= {0x90 + n: _Kind(length=n, items=1) for n in range(16)}
    kinds |= {0xA0 + n: _Kind(length=n, is_text=True) for n in range(32)}
    kinds |= {0xC4 + i: _Kind(width=2**i) for i in range(3)}
    kinds |= {0xC7 + i: _Kind(width=2**i, is_ext=True) for i in range(3)}
    kinds |= {0xCA: _Kind(length=4), 0xCB: _Kind(length=8)}
    kinds |= {0xCC + i: _Kind(length=2 ** (i % 4)) for i in range(8)}
    kinds |= {0xD4 + i: _Kind(length=2**i, is_ext=True) for i in range(5)}
    kinds |= {0xD9 + i: _Kind(width=2**i, is_text=True) for i in range(3)}
    kinds |= {0xDC + i: _Kind(width=2 + 2 * i, items=1) for i in range(2)}
    kinds |= {0xDE + i: _Kind(width=2 + 2 * i, items=2) for i in range(2)}
    return kinds


_KINDS = _kinds()


class PackingError(ValueError):
    """A value that cannot be packed, or bytes that are not a packed value; the message says why."""


Packed = bytes | memoryview
"""Bytes, or memory that is read as bytes."""


class Place(NamedTuple):
    """Where an ext value lies in packed bytes: its first byte, its content, and the first byte after it."""

    begin: int
    content: int
    end: int


def pack(value: object) -> bytes:
    """The msgpack bytes of `value`; tuples become lists and numpy's numbers plain ones. Raises PackingError."""
    return b"".join(pack_pieces(value))


def pack_pieces(value: object) -> list[Packed]:
    """The same in pieces, with large arrays as their own memory, not copied. Raises PackingError."""
    large: list[Array] = []

    def plain(part: object) -> object:
        if isinstance(part, np.ndarray) and part.nbytes >= LARGE:
            large.append(_little(part))
            return msgpack.ExtType(MARK, bytes(4))
        return _plain(part)

    try:
        packed: bytes = msgpack.packb(value, default=plain, strict_types=True, use_bin_type=True)
    except PackingError:
        raise
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise PackingError(f"it cannot be packed: {error}") from None
    found: list[Packed] = []
    at = 0
    marks = [place for place in scan(packed, MARK) if packed[place.content - 1] == MARK]
    for place, array in zip(marks, large, strict=True):  # a map and a list are packed in their order
        head = _array_head(array)
        found += [packed[at : place.begin], _ext_head(len(head) + array.nbytes) + head, _memory(array)]
        at = place.end
    return [*found, packed[at:]]


def unpack(packed: Packed) -> Any:
    """The value in packed bytes; arrays are read-only, large ones views into `packed`. Raises PackingError."""
    if len(packed) <= SMALL:
        with suppress(
            PackingError, ValueError, RecursionError, msgpack.UnpackException
        ):  # the slow path says what is wrong
            return _unpack_small(packed)
    return _unpack_any(packed)


def _unpack_small(packed: Packed) -> Any:
    """A fast path for a payload that is too small to claim much; it does not say what is wrong."""
    value = msgpack.unpackb(packed, raw=False, strict_map_key=True, object_pairs_hook=_distinct, ext_hook=_small_array)
    _check_depth([value], 0)
    return value


def _small_array(code: int, content: bytes) -> Array:
    if code != ARRAY:
        raise PackingError(f"ext type {code} is not known")
    return _array(content)


def _check_depth(values: Iterable[Any], depth: int) -> None:
    for value in values:
        kind = type(value)
        if kind is dict or kind is list:
            if depth == MAX_DEPTH:
                raise PackingError(f"it is nested deeper than {MAX_DEPTH} levels")
            _check_depth(value.values() if kind is dict else value, depth + 1)
        elif kind not in PLAIN:
            raise PackingError(f"a {kind.__name__} stands in it")


def _unpack_any(packed: Packed) -> Any:
    skeleton: list[Packed] = []
    large: list[Packed] = []
    at, view = 0, memoryview(packed)
    for place in scan(packed):
        if place.end - place.content >= LARGE:
            skeleton += [view[at : place.begin], msgpack.packb(msgpack.ExtType(MARK, struct.pack("<I", len(large))))]
            large.append(view[place.content : place.end])
            at = place.end

    def array(code: int, content: bytes) -> Array:
        return _array(large[struct.unpack("<I", content)[0]] if code == MARK else content)

    try:
        return msgpack.unpackb(
            b"".join([*skeleton, view[at:]]) if large else packed,
            raw=False,
            strict_map_key=True,
            object_pairs_hook=_distinct,
            ext_hook=array,
            max_array_len=MAX_ITEMS,
            max_map_len=MAX_ITEMS,
        )
    except PackingError:
        raise
    except UnicodeDecodeError:
        raise PackingError("a text in it is not UTF-8") from None
    except (ValueError, msgpack.UnpackException) as error:
        raise PackingError(f"it is not valid msgpack ({type(error).__name__})") from None


def scan(packed: Packed, *known: int) -> list[Place]:
    """Walk over the lengths in `packed` without building anything; returns where its ext values lie.

    Raises PackingError if lengths do not fit or exceed the bounds, or if an ext type is neither an array's nor `known`.
    """
    end, at, items = len(packed), 0, 0
    left, in_map = [1], [False]  # how many items each open list or map still needs, outermost first
    found: list[Place] = []
    while left:
        if not left[-1]:
            left.pop()
            in_map.pop()
            continue
        items += 1
        if items > MAX_ITEMS:
            raise PackingError(f"it holds more than {MAX_ITEMS:,} items")
        begin = at
        kind, length, at = _begin(packed, at, known)
        if in_map[-1] and left[-1] % 2 == 0 and not kind.is_text:
            raise PackingError("a key of a map is not text")
        left[-1] -= 1
        if kind.is_text and length > MAX_TEXT:
            raise PackingError(f"a text in it takes {length:,} bytes; at most {MAX_TEXT:,} are allowed")
        wanted = kind.items * length
        if not kind.items:
            if kind.is_ext:
                found.append(Place(begin, at, at + length))
            at += length
        elif wanted > end - at:
            raise PackingError("a list or map claims more items than there are bytes")
        elif len(left) > MAX_DEPTH:
            raise PackingError(f"it is nested deeper than {MAX_DEPTH} levels")
        else:
            left.append(wanted)
            in_map.append(kind.items == 2)
    if at > end:
        raise PackingError("it ends in the middle of a value")
    if at < end:
        raise PackingError("it goes on after its value")
    return found


def _begin(packed: Packed, at: int, known: Sequence[int]) -> tuple[_Kind, int, int]:
    """The kind and length of the value that begins at `at`, and where its content begins."""
    if at >= len(packed):
        raise PackingError("it ends in the middle of a value")
    kind = _KINDS.get(packed[at])
    if kind is None:
        raise PackingError(f"byte {packed[at]:#x} begins no value")
    content = at + 1 + kind.width
    length = int.from_bytes(packed[at + 1 : content], "big") if kind.width else kind.length
    if kind.is_ext:
        if content < len(packed) and packed[content] != ARRAY and packed[content] not in known:
            raise PackingError(f"ext type {packed[content]} is not known")
        content += 1
    if content > len(packed):
        raise PackingError("it ends in the middle of a value")
    return kind, length, content


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        value = _little(value)
        return msgpack.ExtType(ARRAY, _array_head(value) + value.tobytes())
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, np.bool_ | np.integer | np.floating):
        return value.item()
    if type(value) is int:
        raise PackingError("a whole number does not fit in 64 bits")
    raise PackingError(f"a value of type {type(value).__name__} cannot be packed")


def _little(values: Array) -> Array:
    """The same array in C order and little-endian, without a copy if it is so already."""
    dtype = values.dtype.newbyteorder("<")
    if dtype.str not in DTYPES:
        raise PackingError(f"an array of {values.dtype} cannot be packed, only of {', '.join(DTYPES)}")
    if values.ndim > MAX_AXES:
        raise PackingError(f"an array has {values.ndim} axes; at most {MAX_AXES} can be packed")
    return np.asarray(values, dtype, order="C")


def _array_head(values: Array) -> bytes:
    return values.dtype.str.encode() + struct.pack(f"<B{values.ndim}Q", values.ndim, *values.shape)


def _ext_head(length: int) -> bytes:
    """The first bytes of a large array's ext value with `length` bytes of content."""
    if length >= 2**32:
        raise PackingError(f"an array takes {length:,} bytes; at most {2**32 - 1:,} can be packed")
    return struct.pack(">BHB", 0xC8, length, ARRAY) if length < 2**16 else struct.pack(">BIB", 0xC9, length, ARRAY)


def _memory(values: Array) -> memoryview:
    """The memory of an array as bytes."""
    return values.reshape(-1).view(np.uint8).data


def _array(packed: Packed) -> Array:
    axes = packed[3] if len(packed) > 3 else 0
    start = 4 + 8 * axes
    dtype = NUMPYS.get(bytes(packed[:3]))
    if dtype is None:
        name = bytes(packed[:3]).decode("latin-1")
        raise PackingError(f"an array has the dtype {name!r}, not one of {', '.join(DTYPES)}")
    if axes > MAX_AXES:
        raise PackingError(f"an array has {axes} axes; at most {MAX_AXES} are allowed")
    if len(packed) < start:
        raise PackingError("an array ends in the middle of its shape")
    shape = struct.unpack_from(f"<{axes}Q", packed, 4)
    wanted, found = math.prod(shape) * dtype.itemsize, len(packed) - start
    if wanted != found:
        raise PackingError(f"an array of shape {shape} and dtype {dtype.str} needs {wanted:,} bytes, but has {found:,}")
    flat = np.frombuffer(packed, dtype, offset=start) if found else np.empty(0, dtype)
    flat.flags.writeable = False
    if dtype.kind == "b" and found and flat.view(np.uint8).max() > 1:
        raise PackingError("an array of booleans holds something else")
    try:
        return flat if axes == 1 and found else flat.reshape(shape)
    except (ValueError, OverflowError):  # one axis is 0 and another too large for numpy
        raise PackingError(f"an array has the impossible shape {shape}") from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if bytes in map(type, value):
        raise PackingError("a key of a map is not text")
    if len(value) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise PackingError(f"a map has the key `{twice[:40]}` twice")
    return value
