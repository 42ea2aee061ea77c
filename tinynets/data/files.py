"""Reads the user's own data from an untrusted `.npz` file: arrays `x`, `y` and `weight`, for one split or for each.

Nothing in the file is run (numpy's pickles are refused), and memory is allocated only for arrays that the file declares
and really holds.
"""

from __future__ import annotations

import math
import os
import stat
import zipfile
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from tinynets.data.dataset import MAX_SPLITS
from tinynets.errors import DataError, gate
from tinynets.system.paths import expanded, unusable

SUFFIX = ".npz"
ARRAYS = ("x", "y", "weight")
RULE = "it must be called x, y or weight, or train_x, dev_y, ... of a split"
MAX_BYTES = 2**32
"""Of all arrays together in memory, with 8 bytes per number."""


class _Key(NamedTuple):
    """The split and the array that a key of the file names."""

    split: str
    array: str


def load_file(path: str | Path) -> dict[str, tuple[Any, ...]]:
    """The splits in an `.npz` file, name -> (x, y) or (x, y, weight); y is None if there is none.

    `x`, `y` and `weight` belong to the split `train`; those of others are called `dev_x`, `dev_y` and so on.
    Raises DataError that names the file, the key and the rule.
    """
    file = expanded(path)
    _check(file)
    found: dict[_Key, NDArray[Any]] = {}
    with gate(lambda cause: DataError(f"`{file}` cannot be read: {cause}")):
        try:
            with zipfile.ZipFile(file) as archive:
                _read(file, archive, found)
        except DataError:
            raise
        except (zipfile.BadZipFile, OSError, ValueError) as error:  # these have readable messages
            _wrong(file, f"cannot be read: {error}")
    return _splits(file, found)


def _read(file: str, archive: zipfile.ZipFile, found: dict[_Key, NDArray[Any]]) -> None:
    entries = archive.infolist()
    if len(entries) > MAX_SPLITS * len(ARRAYS):
        _wrong(file, f"holds {len(entries):,} arrays; at most {MAX_SPLITS * len(ARRAYS)} are allowed")
    left = MAX_BYTES
    for entry in entries:
        key = _key(file, entry.filename)
        if key in found:
            _wrong(file, f"has two arrays for `{key.array}` of `{key.split}`")
        found[key] = _array(file, archive, entry, left)
        left -= _held(found[key].size, found[key].itemsize)


def _check(file: str) -> None:
    if why := unusable(file):
        raise DataError(f"`{file!r}` cannot be read: {why}")
    if not file.endswith(SUFFIX):
        raise DataError(f"`{file}`: a file of data must be an {SUFFIX} file, as numpy.savez writes it")
    try:
        mode = os.stat(file).st_mode
    except FileNotFoundError:
        raise DataError(f"`{file}`: there is no such file") from None
    except OSError as error:
        _wrong(file, f"cannot be read: {error.strerror}")
    if not stat.S_ISREG(mode):
        _wrong(file, "is not a regular file")


def _wrong(file: str, what: str) -> NoReturn:
    raise DataError(f"`{file}` {what}") from None


def _key(file: str, name: str) -> _Key:
    key = name.removesuffix(".npy")
    split, line, array = key.rpartition("_")
    if key == name or array not in ARRAYS or (line and not split):
        _wrong(file, f"holds `{key}`: {RULE}")
    return _Key(split or "train", array)


def _array(file: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> NDArray[Any]:
    """An array of the archive, after checking that its header matches its size."""
    key = entry.filename.removesuffix(".npy")
    with archive.open(entry) as stream:
        version = npy.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            _wrong(file, f"holds `{key}` in version {version} of numpy's format; 1.0 and 2.0 can be read")
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, in_columns, dtype = read(stream)
        if dtype.kind not in "biuf":
            _wrong(file, f"holds `{key}`: it must be numbers, not {dtype}")
        if not shape:
            _wrong(file, f"holds `{key}`: it must be a list of examples, not a single number")
        count = math.prod(shape)
        if count * dtype.itemsize != entry.file_size - stream.tell():
            _wrong(file, f"holds `{key}`: its shape {shape} is not that of its bytes")
        if _held(count, dtype.itemsize) > left:
            _wrong(file, f"holds more than the {MAX_BYTES:,} bytes that are allowed")
        raw = stream.read(count * dtype.itemsize)
        if len(raw) != count * dtype.itemsize:
            _wrong(file, f"ends in the middle of `{key}`")
    flat = np.frombuffer(raw, dtype)
    return flat.reshape(shape[::-1]).T if in_columns else flat.reshape(shape)


def _held(count: int, itemsize: int) -> int:
    return count * max(itemsize, 8)


def _splits(file: str, found: dict[_Key, NDArray[Any]]) -> dict[str, tuple[Any, ...]]:
    if not found:
        _wrong(file, "holds no arrays: it needs x, and y where there are targets")
    splits: dict[str, tuple[Any, ...]] = {}
    for split in dict.fromkeys(key.split for key in found):
        x, y, weight = (found.get(_Key(split, array)) for array in ARRAYS)
        if x is None:
            _wrong(file, f"has no `{split}_x`, but other arrays of `{split}`")
        splits[split] = (x, y) if weight is None else (x, y, weight)
    return splits
