"""Makes saves with right checksums and wrong contents: any field in docs/save-format.md, any order of records.

`foreign(kind, seed)` always makes the same file. It makes one to five changes to a small save: a field gets another
type, shape, dtype or size (0, 1, huge), is left out, or is put where it does not belong; records are swapped, doubled,
dropped, cut off, reversed, or taken from a save of another kind. The digest of the data is usually corrected, since
somebody who writes a wrong file on purpose would do that too.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import msgpack
import numpy as np
from mutations import (
    Place,
    a_place,
    alter_array,
    alter_everywhere,
    alter_layer,
    alter_number,
    alter_text,
    array_head,
    copied,
    filed,
    odd,
    packed,
    places,
    twin_key,
)
from samples import KINDS, Sample
from samples import sample as made_sample

from tinynets.data import payload_digest
from tinynets.storage.codec import ARRAY

PAGE = Path(__file__).parents[2] / "docs" / "save-format.md"
WORD = re.compile(r"`([a-z_0-9]+)`")
MANY = (2, 50, 300, 1000)
Record = dict[str, Any]
Records = list[Any]


@cache
def sample(kind: str) -> Sample:
    """The whole file of a kind, made once; its records are copied before they are altered."""
    return made_sample(kind)


# -- the fields in the docs


@cache
def fields_named() -> dict[str, tuple[str, ...]]:
    """Kind of record -> its fields in the tables of docs/save-format.md, including those of maps in it."""
    found: dict[str, tuple[str, ...]] = {}
    for part in re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.M)[1:]:
        title, _, text = part.partition("\n")
        text = re.split(r"^## ", text, flags=re.M)[0]
        words = dict.fromkeys([*_fields_in(text), *(WORD.findall(text) if title == "recipe" else ())])
        for kind in title.split(","):
            found[kind.strip()] = tuple(words)
    return found


def _fields_in(text: str) -> Iterator[str]:
    """The words in the columns that hold field names."""
    columns: tuple[int, ...] = ()
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not cells:
            columns = ()
        elif not columns:
            columns = (0,) if cells[0] == "field" or cells[0].startswith("of ") else (len(cells) - 1,)
            if cells[0].startswith("`"):  # the heading of this table names fields itself: an edit's, a payload's
                yield from WORD.findall(" ".join(cells))
        else:
            yield from (word for column in columns for word in WORD.findall(cells[column]))
            if cells[0].startswith("`hyper`") or "maps:" in cells[-1] or cells[-1].startswith("operations on"):
                yield from WORD.findall(cells[-1])


def fields_of(record: Any) -> Iterator[Place]:
    return (place for place in places([record]) if isinstance(place.owner, dict))


# -- wrong values


def wrong_shape(random: Random, value: np.ndarray) -> Any:
    """An array of another shape, dtype or size: no elements, one, too many."""
    flat = value.reshape(-1)
    match random.randrange(6):
        case 0:
            return random.choice([flat[:0], flat[:1], flat[: len(flat) // 2], np.concatenate([flat, flat])])
        case 1:
            return np.zeros(random.choice([0, 1, 2**12, 2**15]), value.dtype)
        case 2:
            return value.reshape(
                random.choice([(*value.shape, 1)[:8], (1, *value.shape)[:8], (-1,), value.shape[::-1]])
            )
        case 3:
            with np.errstate(all="ignore"):
                return value.astype(random.choice(["<f4", "<f8", "<i4", "<i8", "|u1", "|b1"]))
        case 4:
            return np.zeros((0, *value.shape)[:8], value.dtype)
        case _:
            return np.zeros((), value.dtype)


def wrong_size(random: Random, value: Any) -> Any:
    """The same kind of value with no elements, one, or very many."""
    if isinstance(value, np.ndarray):
        return wrong_shape(random, value)
    if isinstance(value, list):
        item = copied(random.choice(value)) if value else random.choice([0, "x", {}, []])
        return random.choice([[], [item], [*value, item], value[::-1], value[:-1], [item] * random.choice(MANY)])
    if isinstance(value, dict):
        keys = list(value)
        some = {key: value[key] for key in random.sample(keys, random.randint(0, len(keys)))}
        return random.choice([{}, some, value | {f"k{i}": 0 for i in range(random.choice(MANY))}])
    if isinstance(value, str | bytes):
        return random.choice([value[:0], value[:1], value * 2, value * random.choice(MANY)])
    if isinstance(value, bool) or value is None:
        return random.choice([True, False, None])
    return random.choice([0, 1, -1, 2 * value, 2**31, 2**62, -(2**63), value + 1, value - 1])


def wrong_type(random: Random, records: Records) -> Any:
    plain = [
        None, True, -1, 0, 2**62, -(2**63), 1.5, float("nan"), float("inf"), "", "x", "hidden[0:9]", b"x", b"\xff/x",
        [], {}, [1], [[]], {"kind": "x"}, ["x"], np.zeros(0), np.zeros(3), np.zeros((2, 2), np.float32),
        np.zeros((0, 6), np.int64), np.arange(5), np.array(1), np.zeros(3, np.bool_), np.zeros(3, np.uint8),
        [None] * 300, "é" * 300,
    ]  # fmt: skip
    return random.choice(plain) if random.random() < 0.7 else odd(random, records)


# -- fields


def spoil_field(random: Random, records: Records) -> tuple[str, str] | None:
    """Spoil a documented field wherever it is in records of its kind; add it where it is missing.

    Returns the kind and the field.
    """
    there = sorted({str(record["record"]) for record in records} & set(fields_named()))
    if not there:
        return None
    kind = random.choice(there)
    record = random.choice([record for record in records if record["record"] == kind])
    key = random.choice(fields_named()[kind])
    found = [place for place in fields_of(record) if place.key == key]
    if found:
        place = random.choice(found)
    else:
        place = Place(random.choice([record, *(p.value for p in fields_of(record) if type(p.value) is dict)]), key)
        place.put(None)
    spoil(random, records, place)
    return kind, key


def spoil_any(random: Random, records: Records) -> None:
    place = a_place(random, records)
    if place:
        spoil(random, records, place)


def spoil(random: Random, records: Records, place: Place) -> None:
    match random.randrange(8):
        case 0 | 1 | 2:
            place.put(wrong_type(random, records))
        case 3 | 4:
            place.put(wrong_size(random, place.value))
        case 5:
            others = [other.value for other in places(few(random, records)) if other.key == place.key]
            place.put(copied(random.choice(others or [None])))
        case 6:
            del place.owner[place.key]
        case _:
            alike = [p.value for p in places(few(random, records)) if type(p.value) is type(place.value)]
            place.put(copied(random.choice(alike or [None])))


def few(random: Random, records: Records) -> Records:
    return random.sample(records, min(4, len(records)))


# -- records


def swap(random: Random, records: Records) -> None:
    a, b = random.randrange(len(records)), random.randrange(len(records))
    records[a], records[b] = records[b], records[a]


def move(random: Random, records: Records) -> None:
    records.insert(random.randrange(len(records)), records.pop(random.randrange(len(records))))


def duplicate(random: Random, records: Records) -> None:
    at = random.randrange(len(records))
    times = random.choice([1, 1, 1, 1, 2, 20, 200])
    where = random.choice([at, random.randrange(len(records) + 1), len(records)])
    records[where:where] = [copied(records[at]) for _ in range(times)]


def drop(random: Random, records: Records) -> None:
    at = random.randrange(len(records))
    del records[at : at + random.choice([1, 1, 1, 2, 5])]


def truncate(random: Random, records: Records) -> None:
    del records[random.randrange(len(records)) :]


def turn_round(random: Random, records: Records) -> None:
    a, b = sorted(random.randrange(len(records) + 1) for _ in range(2))
    records[a:b] = records[a:b][::-1]


def splice(random: Random, records: Records) -> None:
    """Add the records of another save, or put one of them in the place of one of the same kind."""
    record = random.choice(fresh_records(random.choice(KINDS)))
    same = [at for at, mine in enumerate(records) if mine["record"] == record["record"]]
    if same and random.random() < 0.7:
        records[random.choice(same)] = record
    else:
        records.insert(random.randrange(len(records) + 1), record)


def insert_of_journals(random: Random, records: Records) -> None:
    """Add a record that undoes an earlier one: a branch, bookmark or name is dropped."""
    numbers = [r.get("number") for r in records if r["record"] == "branch"] or [0]
    names = [p.value for p in places(records) if p.key == "name" and type(p.value) is str] or ["x"]
    number, name = random.choice([*numbers, 7]), random.choice([*names, "new"])
    made: Record = random.choice(
        [
            {"record": "drop", "branch": number},
            {"record": "rename", "branch": number, "name": name},
            {"record": "unbookmark", "name": name},
            {"record": "bookmark", "name": name, "note": "", "branch": number, "step": random.randrange(9), "edits": 0},
            {"record": "branch", "number": 9, "name": name, "parent": number, "fork": random.randrange(9), "shared": 1},
        ]
    )
    records.insert(random.randrange(len(records) + 1), made)


Change = Callable[[Random, Records], object]
CHANGES: tuple[tuple[Change, int], ...] = (
    (spoil_field, 12), (spoil_any, 5), (alter_number, 2), (alter_text, 2), (alter_array, 2), (alter_everywhere, 2),
    (alter_layer, 1), (twin_key, 1), (swap, 2), (move, 2), (duplicate, 3), (drop, 1), (truncate, 1), (turn_round, 1),
    (splice, 2), (insert_of_journals, 2),
)  # fmt: skip


# -- a file


def altered_records(kind: str, seed: int) -> tuple[Random, Records]:
    random = Random(f"{kind}/{seed}")
    records = fresh_records(kind)
    changes, weights = zip(*CHANGES, strict=True)
    for _ in range(random.choice([1, 1, 1, 1, 2, 2, 3, 5])):
        if records:
            random.choices(changes, weights)[0](random, records)
    if random.random() < 0.8:
        for record in records:
            set_digest(record)
    return random, records


def set_digest(record: Record) -> None:
    if record.get("record") == "data" and isinstance(record.get("payload"), dict):
        try:
            record["sha256"] = payload_digest(record["payload"])
        except Exception:
            return  # its contents have no digest


def foreign(kind: str, seed: int) -> bytes:
    """The file of this kind and seed: right checksums, an end that counts its records, wrong contents."""
    random, records = altered_records(kind, seed)
    made: Sample = sample(kind)
    version = 3 - made.version if random.random() < 0.02 else made.version
    content = filed([quickly_packed(record) for record in records], version, count=None, whole="journal" not in kind)
    return content[: random.randrange(10, len(content) + 1)] if "journal" in kind and random.random() < 0.2 else content


class _SlowError(Exception):
    """A value that only `mutations.packed` can write is in it."""


def quickly_packed(record: Record) -> bytes:
    try:
        done: bytes = msgpack.packb(record, default=_ext, strict_types=True)
        return done
    except (_SlowError, TypeError, ValueError, OverflowError):
        return packed(record)


def _ext(part: Any) -> Any:
    if type(part) is not np.ndarray:
        raise _SlowError
    return msgpack.ExtType(ARRAY, array_head(part.dtype.str, part.shape) + part.tobytes())


@cache
def _payloads(kind: str) -> list[bytes]:
    return [quickly_packed(record) for record in sample(kind).records]


def fresh_records(kind: str) -> Records:
    """The records of a kind, to be altered; unpacked from bytes, which is faster than copying them."""
    return [msgpack.unpackb(payload, ext_hook=_array) for payload in _payloads(kind)]


def _array(code: int, content: bytes) -> Any:
    shape = struct.unpack_from(f"<{content[3]}Q", content, 4)
    return np.frombuffer(content, content[:3].decode(), offset=4 + 8 * len(shape)).reshape(shape)
