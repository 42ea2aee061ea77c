"""Makes saves that are altered on purpose, each determined by a kind and a seed alone.

`altered(sample(kind), kind, seed)` always makes the same file. Altered records have right checksums, as if written by
somebody who knows the format; altered bytes have wrong ones, as if damaged by a disk or a network.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

import msgpack
import numpy as np
from samples import Sample

from tinynets.storage.codec import ARRAY
from tinynets.storage.records import END, MAGIC

Record = dict[str, Any]
Records = list[Any]


class Raw(bytes):
    """Bytes that go into a payload unchanged."""


class Pairs(list[tuple[Any, Any]]):
    """The entries of a map, whose keys may be of any kind, and may repeat."""


# -- records, as bytes


def packed(value: Any) -> bytes:
    """A value in msgpack; it may contain `Raw` and `Pairs`."""
    if isinstance(value, Raw):
        return bytes(value)
    if isinstance(value, dict | Pairs):
        pairs = list(value.items()) if isinstance(value, dict) else value
        head: bytes = msgpack.Packer().pack_map_header(len(pairs))
        return head + b"".join(packed(part) for pair in pairs for part in pair)
    if isinstance(value, list):
        head = msgpack.Packer().pack_array_header(len(value))
        return head + b"".join(map(packed, value))
    if isinstance(value, np.ndarray):
        return extension(array_head(value.dtype.str, value.shape) + value.tobytes())
    done: bytes = msgpack.packb(value)
    return done


def array_head(dtype: str, shape: tuple[int, ...], axes: int | None = None) -> bytes:
    sizes = b"".join(struct.pack("<Q", size % 2**64) for size in shape)
    return dtype.encode()[:3].ljust(3) + bytes([(len(shape) if axes is None else axes) % 256]) + sizes


def extension(content: bytes, code: int = ARRAY) -> bytes:
    done: bytes = msgpack.packb(msgpack.ExtType(code, content))
    return done


def framed(payload: bytes) -> bytes:
    return struct.pack("<II", len(payload), zlib.crc32(payload)) + payload


def filed(payloads: list[bytes], version: int, *, count: int | None, whole: bool) -> bytes:
    """A file of payloads, with right checksums and an end that counts them."""
    end = framed(packed({"record": END, "count": len(payloads) if count is None else count}))
    return MAGIC + struct.pack("<H", version) + b"".join(map(framed, payloads)) + (end if whole else b"")


# -- places in records


def copied(value: Any) -> Any:
    """A copy of lists and maps, but not of arrays, which are moved but never written to."""
    if type(value) is dict:
        return {key: copied(part) for key, part in value.items()}
    return [copied(part) for part in value] if type(value) is list else value


@dataclass(frozen=True)
class Place:
    """A value in a list or map."""

    owner: Any
    key: Any

    @property
    def value(self) -> Any:
        return self.owner[self.key]

    def put(self, value: Any) -> None:
        """Put a value here; a whole number beyond 64 bits cannot be packed, so the nearest that can is put."""
        self.owner[self.key] = min(max(value, -(2**63)), 2**64 - 1) if type(value) is int else value


def places(records: Records) -> list[Place]:
    """Every place in the records except the names of their kinds."""
    found: list[Place] = []

    def walk(owner: Any) -> None:
        for key in owner if isinstance(owner, dict) else range(len(owner)):
            if key != "record":
                found.append(Place(owner, key))
                if type(owner[key]) in (dict, list):
                    walk(owner[key])

    for record in records:
        walk(record)
    return found


def a_place(random: Random, records: Records, wanted: type | None = None) -> Place | None:
    """A random place; the record is drawn first, so that long records are not preferred."""
    for _ in range(20):
        found = places([random.choice(records)]) if records else []
        fitting = [place for place in found if wanted is None or type(place.value) is wanted]
        if fitting:
            return random.choice(fitting)
    return None


# -- values that do not belong

NUMBERS = (0, 1, -1, 2, 3, 5, 7, 16, 63, 255, 4096, 2**20, 2**31 - 1, 2**31, 2**40, 2**50, 2**62, 2**63 - 1, -(2**63))
FLOATS = (0.0, -0.0, 1.0, 0.5, -1.5, 1e-300, 1e30, 1e300, math.nan, math.inf, -math.inf)
TEXTS = (
    "",
    "hidden",
    "hidden[1]",
    "hidden[99]",
    "hidden[0:1000000000000]",
    "hidden[-1]",
    "hidden.w[4,3]",
    "rnn[5]@t=3",
    "output",
    "zero",
    "set",
    "lr",
    "train",
    "nowhere",
    "float64",
    "../../etc/passwd",
    "a\0b",
    "\x1b[31m",
    "é" * 50,
    "x" * 70_000,
)
DTYPES = ("<f4", "<f8", "<i4", "<i8", "|u1", "|b1", "<f2", ">f8", "|O8", "<U4", "<c8", "\0\0\0")
SHAPES = ((), (0,), (1,), (2**20,), (2**50,), (2**63,), (-1,), (2**32, 2**32), (0, 2**63), (2**62, 4), (1,) * 9)


def odd(random: Random, records: Records) -> Any:
    """A value of any type; one time in three a value from elsewhere in the file."""
    match random.randrange(9):
        case 0 | 1 | 2:
            place = a_place(random, records)
            return copied(place.value) if place else None
        case 3:
            return random.choice([*NUMBERS, random.randrange(-3, 50)])
        case 4:
            return random.choice(FLOATS)
        case 5:
            return random.choice([*TEXTS, random.choice([b"", b"abc"])])
        case 6:
            return random.choice([None, True, False, [], {}, [[]], [1, 2], {"kind": "linear"}, {"kind": "zzz"}])
        case 7:
            return _array(random)
        case _:
            return Raw(_bomb(random))


def _array(random: Random) -> Any:
    """An array, either whole or with a false header."""
    dtype = random.choice(DTYPES[:6])
    shape = random.choice([(), (0,), (1,), (3,), (8,), (32,), (2, 6), (0, 6), (1, 6), (5, 0), (1, 1, 1, 1, 1, 1, 1, 1)])
    if random.random() < 0.6:
        return np.full(shape, random.choice([0, 1]), dtype)
    content = bytes(random.choice([0, 1, 4, 8, 32, 100, 5000]))
    axes = random.choice([None, None, 0, 1, 8, 9, 255])
    return Raw(
        extension(array_head(random.choice(DTYPES), random.choice(SHAPES), axes) + content, random.choice([1, 1, 2, 5]))
    )


def _bomb(random: Random) -> bytes:
    """Bytes of a value that claims more than there is, or is nested extremely deep."""
    length = random.choice([2**16, 2**20, 2**31 - 1, 2**31, 2**32 - 1])
    head = random.choice([b"\xc6", b"\xdb", b"\xdd", b"\xdf", b"\xc9"]) + struct.pack(">I", length)
    depth = random.choice([15, 17, 500, 50_000])
    twins = [("a", 1), ("a", 2)]
    strange: list[tuple[Any, Any]] = [(random.choice([1, None, b"a", 1.5, [1]]), 1)]
    return random.choice(
        [
            head,
            head + random.randbytes(20),
            b"\x91" * depth + b"\xc0",
            b"\x81\xa1a" * depth + b"\xc0",
            b"\xdc\xff\xff" + b"\xc0" * 0xFFFF,
            b"\xdd\x00\x10\x00\x00" + b"\xc0" * 2**20,
            packed(Pairs(twins)),
            packed(Pairs(strange)),
            b"\xc1",
            b"\xa2\xff\xfe",
            b"\xcf" + b"\xff" * 8,
            b"\xd3\x80" + bytes(7),
            b"\xca\x7f\xc0\x00\x00",
        ]
    )


# -- what is done to records

Change = Callable[[Random, Records], None]


def put(random: Random, records: Records) -> None:
    place = a_place(random, records)
    if place:
        place.put(odd(random, records))


def alter_number(random: Random, records: Records) -> None:
    place = a_place(random, records, random.choice([int, float]))
    if place:
        value = place.value
        near = [value + 1, value - 1, -value, 2 * value, value + 10]
        place.put(random.choice([*near, *near, *NUMBERS, *FLOATS]))


def alter_text(random: Random, records: Records) -> None:
    place = a_place(random, records, str)
    if place:
        at = random.randrange(len(place.value) + 1)
        changed = (
            place.value[:at] + random.choice(["", "x", "[0]", ".pre", "@t=0", ".", "9", "\0"]) + place.value[at + 1 :]
        )
        others = [other.value for other in places(records) if isinstance(other.value, str)]
        place.put(random.choice([changed, random.choice(TEXTS), random.choice(others)]))


def alter_everywhere(random: Random, records: Records) -> None:
    """Put the same value under the same key in all records: a consistent file is read further."""
    place = a_place(random, records)
    if place is None or isinstance(place.value, dict | list | np.ndarray):
        return
    old = place.value
    if isinstance(old, str):
        others = [p.value for p in places(records) if isinstance(p.value, str) and p.key == place.key]
        new: Any = random.choice([*others, *TEXTS])
    elif isinstance(old, int | float) and not isinstance(old, bool):
        new = random.choice([old + 1, old - 1, 2 * old, old + 0.5, *NUMBERS, *FLOATS])
    else:
        new = random.choice([None, True, False, 0, 1, ""])
    for other in places(records):
        if other.key == place.key and type(other.value) is type(old) and other.value == old:
            other.put(new)


def alter_layer(random: Random, records: Records) -> None:
    """Add, drop, double or alter a layer, alike in the recipe and in every keyframe."""
    lists = [
        r["config"].get("layers") for r in records if r.get("record") == "recipe" and isinstance(r.get("config"), dict)
    ]
    lists += [r["state"].get("architecture") for r in records if isinstance(r.get("state"), dict)]
    at, what = random.randrange(6), random.randrange(4)
    made: dict[str, Any] = random.choice(
        [
            {"kind": "tanh"},
            {"kind": "dropout", "rate": 0.5},
            {"kind": "flatten"},
            {"kind": "reshape", "shape": [2**40, -1]},
            {"kind": "max-pool-2d", "kernel": 1, "stride": 2**40},
            {"kind": "residual", "layers": [{"kind": "tanh"}] * random.choice([0, 1, 500, 2000])},
            {"kind": "parallel", "branches": [[{"kind": "identity"}], [{"kind": "identity"}]], "join": "add"},
        ]
    )
    key, value = random.choice(["kind", "name", "inputs", "outputs", "size", "kernel", "padding"]), odd(random, records)
    for layers in lists:
        if isinstance(layers, list) and layers:
            place = at % len(layers)
            if what == 0:
                layers.insert(place, copied(made))
            elif what == 1:
                del layers[place]
            elif what == 2:
                layers.insert(place, copied(layers[place]))
            elif isinstance(layers[place], dict):
                layers[place][key] = copied(value)


def alter_array(random: Random, records: Records) -> None:
    place = a_place(random, records, np.ndarray)
    if place is None:
        return
    array = place.value
    match random.randrange(6):
        case 0:
            with np.errstate(all="ignore"):
                place.put(array.astype(random.choice(DTYPES[:6])))
        case 1:
            shapes = [(*array.shape, 1), (1, *array.shape), (array.size,), array.shape[::-1]]
            place.put(array.reshape(random.choice(shapes)))
        case 2:
            flat = array.reshape(-1)
            place.put(random.choice([flat[: random.randrange(flat.size + 1)], np.concatenate([flat, flat]), flat[:0]]))
        case 3 if array.size:
            changed = array.copy()
            worst = [0, 1, 7, -1, 2**62] if array.dtype.kind in "iub" else [0, 1e30, 3e38, math.nan, math.inf, -1e-45]
            with np.errstate(all="ignore"):
                changed.reshape(-1)[random.randrange(array.size)] = np.asarray(random.choice(worst)).astype(array.dtype)
            place.put(changed)
        case 4:
            dtype, shape = random.choice(DTYPES), random.choice([array.shape, random.choice(SHAPES)])
            place.put(Raw(extension(array_head(dtype, shape, random.choice([None, 0, 3, 255])) + array.tobytes())))
        case _:
            place.put(_array(random))


def remove(random: Random, records: Records) -> None:
    """Remove a record, a key or an item."""
    if random.random() < 0.5:
        del records[random.randrange(len(records))]
        return
    place = a_place(random, records)
    if place:
        del place.owner[place.key]


def double(random: Random, records: Records) -> None:
    """Repeat a record or an item of a list once, or now and then a thousand times."""
    times = random.choice([1, 1, 1, 1, 1, 1, 2, 50, 1000])
    if random.random() < 0.5:
        at = random.randrange(len(records))
        records[at:at] = [copied(records[at]) for _ in range(times)]
        return
    place = a_place(random, records, list)
    if place and place.value:
        place.value.extend([copied(random.choice(place.value))] * times)


def reorder(random: Random, records: Records) -> None:
    one, other = random.randrange(len(records)), random.randrange(len(records))
    if random.random() < 0.5:
        records[one], records[other] = records[other], records[one]
    else:
        records.insert(other, records.pop(one))


def rename_kind(random: Random, records: Records) -> None:
    kinds = ["poem", "", "end", "drop", "rename", "unbookmark", "journal", *(r["record"] for r in records)]
    random.choice(records)["record"] = random.choice(kinds)


def add_record(random: Random, records: Records) -> None:
    """Add a record that a journal may have, at any place."""
    number, name = random.randrange(4), random.choice(["main", "what-if", "here", "new", ""])
    made: Record = random.choice(
        [
            {"record": "drop", "branch": number},
            {"record": "rename", "branch": number, "name": name},
            {"record": "unbookmark", "name": name},
            {"record": "bookmark", "name": name, "note": "", "branch": number, "step": 4, "edits": 2},
            {"record": "branch", "number": 9, "name": "x", "parent": number, "fork": random.randrange(9), "shared": 2},
            {"record": "losses", "branch": number, "first": 0, "values": np.zeros(0, np.float32)},
            {"record": "edits", "branch": number, "edits": []},
        ]
    )
    records.insert(random.randrange(len(records) + 1), made)


def twin_key(random: Random, records: Records) -> None:
    """Make a map in which a key is repeated, or is not text."""
    place = a_place(random, records, dict)
    if place and place.value:
        pairs = list(place.value.items())
        strange = [random.choice([1, -1, None, 1.5, b"a", True]), 0]
        place.put(Pairs([*pairs, random.choice([random.choice(pairs), tuple(strange)])]))


CHANGES: tuple[Change, ...] = (
    put,
    put,
    alter_number,
    alter_number,
    alter_text,
    alter_everywhere,
    alter_everywhere,
    alter_layer,
    alter_array,
    alter_array,
    remove,
    double,
    reorder,
    rename_kind,
    add_record,
    twin_key,
)


# -- what is done to bytes


def spoiled(random: Random, content: bytes) -> bytes:
    """The content with bytes flipped, cut out, inserted or appended."""
    at = random.randrange(len(content) + 1)
    wide = random.choice([1, 1, 4, 64, 5000])
    match random.randrange(6):
        case 0:
            return content[:at]
        case 1:
            return content + random.randbytes(wide)
        case 2:
            return content[:at] + content[at + wide :]
        case 3:
            return content[:at] + random.randbytes(wide) + content[at:]
        case 4:
            return content[:at] + struct.pack("<I", random.choice([0, 2**31, 2**32 - 1])) + content[at + 4 :]
        case _:
            return (
                content[:at]
                + bytes(b ^ random.randrange(1, 256) for b in content[at : at + wide])
                + content[at + wide :]
            )


# -- an input


class Altered(NamedTuple):
    """A file, and whether its bytes are damaged (rather than its records altered): then it must be refused."""

    content: bytes
    damaged: bool = False


def altered(made: Sample, kind: str, seed: int) -> Altered:
    """The file of this kind and seed."""
    random = Random(f"{kind}-{seed}")
    if random.random() < 0.15:
        content = spoiled(random, made.content)
        return Altered(content, content != made.content)
    records = [copied(record) for record in made.records]
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        if records:
            random.choice(CHANGES)(random, records)
    payloads = [packed(record) for record in records]
    if payloads and random.random() < 0.15:  # bytes of a payload, with the checksum corrected
        at = random.randrange(len(payloads))
        payloads[at] = spoiled(random, payloads[at])
    count = random.choice([0, -1, 2**40, len(payloads) + 1]) if random.random() < 0.02 else None
    whole = "journal" not in kind and random.random() > 0.02
    version = random.choice([0, 1, 2, 3, 65535]) if random.random() < 0.02 else made.version
    return Altered(filed(payloads, version, count=count, whole=whole))
