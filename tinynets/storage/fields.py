"""Reads the fields of a record without trust: the type, range and shape of each is checked."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from math import isfinite
from typing import Any, NoReturn

import numpy as np

from tinynets.errors import CorruptSave, TinynetsError, gate, shown
from tinynets.history.moment import MAX_NAME, is_name
from tinynets.numerics.arrays import Array
from tinynets.system.paths import restored

CHUNK = 2**16  # elements of an array that are checked together
MAX_NUMBER = 2**31
MAX_STEP = 2**62

UNUSABLE = (TinynetsError, KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""Errors from building something from wrong plain data."""


def gated(path: str | os.PathLike[str]) -> AbstractContextManager[None]:
    """The gate around everything made from a save: unforeseen errors inside become a CorruptSave."""
    return gate(lambda cause: CorruptSave(f"`{path}` cannot be used: {cause}"))


class RecordFields:
    """A record of a file, or a map inside one; errors are CorruptSaves that name both."""

    def __init__(self, file: str, record: Any, what: str = "") -> None:
        if not isinstance(record, dict):
            raise CorruptSave(f"`{file}`: {what or 'a record'} is {type(record).__name__}, not a map")
        self.file, self.record = file, record
        self.what = what or f"record `{record.get('record')}`"

    def wrong(self, message: str) -> NoReturn:
        raise CorruptSave(f"`{self.file}`: {self.what}: {message}")

    def inner(self, key: str, what: str) -> RecordFields:
        """The map under a key."""
        return RecordFields(self.file, self.get(key, dict), what)

    def get(self, key: str, kind: type) -> Any:
        if key not in self.record:
            self.wrong(f"`{key}` is missing")
        value = self.record[key]
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.wrong(f"`{key}` must be {kind.__name__}, not {type(value).__name__}")
        return value

    def path(self, key: str) -> str:
        """A path: text, or bytes if it is not text."""
        kind = bytes if isinstance(self.record.get(key), bytes) else str
        return restored(self.get(key, kind))

    def name(self, key: str) -> str:
        """A valid name of a branch or a bookmark."""
        name: str = self.get(key, str)
        if not is_name(name):
            self.wrong(f"`{key}` must be 1 to {MAX_NAME} printable characters, not {shown(name)}")
        return name

    def optional(self, key: str, kind: type) -> Any:
        """None if it is not there."""
        return None if self.record.get(key) is None else self.get(key, kind)

    def whole(self, key: str, low: int, high: int) -> int:
        value: int = self.get(key, int)
        if not low <= value <= high:
            between = f"from {low} to {high}" if low != high else f"{low}"
            self.wrong(f"`{key}` must be {between}, not {value}")
        return value

    def array(self, key: str, dtype: Any, shape: tuple[int | None, ...], *, finite: bool = True) -> Array:
        """An array; a size of None may be any. Do not write to it: it may be a view into the bytes read."""
        value: Array = self.get(key, np.ndarray)
        if value.dtype != dtype or (value.shape != shape and not _fits(value.shape, shape)):
            wanted = str(shape).replace("None", "n")
            self.wrong(f"`{key}` must be {np.dtype(dtype)} {wanted}, not {value.dtype} {value.shape}")
        if finite and value.dtype.kind == "f" and not all_finite(value):
            self.wrong(f"`{key}` holds NaN or infinity")
        return value


def _fits(found: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(found) == len(wanted) and all(n in (None, m) for n, m in zip(wanted, found, strict=True))


def all_finite(values: Array) -> bool:
    """Whether no element is NaN or infinite; the dot product of a chunk shows this quickly, unless it overflows."""
    flat = values.reshape(-1)
    with np.errstate(all="ignore"):
        for start in range(0, len(flat), CHUNK):
            chunk = flat[start : start + CHUNK]
            if not isfinite(chunk.dot(chunk)) and not np.isfinite(chunk).all():
                return False
    return True
