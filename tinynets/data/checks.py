"""Checks of what enters a data set: plain numbers and arrays, each refused in words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinynets.arrays import as_array
from tinynets.errors import DataError, ShapeError

MAX_CLASSES = 65_536


def whole(thing: str, value: object, low: int, high: int) -> int:
    """`value` as an int from `low` to `high`; DataError otherwise."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise DataError(f"`{thing}` must be a whole number, got {value!r}")
    if not low <= value <= high:
        raise DataError(f"`{thing}` must be {low} to {high}, got {value}")
    return int(value)


def number(thing: str, value: object, low: float, high: float) -> float:
    """`value` as a finite float from `low` to `high`; DataError otherwise."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise DataError(f"`{thing}` must be a number, got {value!r}")
    if not (math.isfinite(value) and low <= value <= high):
        raise DataError(f"`{thing}` must be {low:g} to {high:g}, got {value}")
    return float(value)


def flag(thing: str, value: object) -> bool:
    """`value` as a bool; DataError otherwise."""
    if not isinstance(value, bool | np.bool_):
        raise DataError(f"`{thing}` must be true or false, got {value!r}")
    return bool(value)


def array(thing: str, value: object) -> NDArray[Any]:
    """`value` as a read-only int64 or float64 array of its own: bools and whole numbers become int64, floats float64.

    Raises DataError for other kinds (objects, text, complex), for nothing at all, and for NaN or infinity.
    """
    try:
        given = as_array(thing, value)
    except ShapeError as error:
        raise DataError(str(error)) from None
    if given.dtype.kind in "biu":
        if given.dtype == np.uint64 and given.size and given.max() > np.iinfo(np.int64).max:
            raise DataError(f"`{thing}` must fit in 64-bit signed numbers, got {given.max()}")
        dtype: type[np.int64] | type[np.float64] = np.int64
    elif given.dtype.kind == "f":
        dtype = np.float64
    else:
        raise DataError(f"`{thing}` must hold whole numbers or floats, got dtype {given.dtype}")
    own = np.array(given, dtype=dtype, order="C")
    if not own.size:
        raise DataError(f"`{thing}` is empty: its shape is {own.shape}")
    finite(thing, own)
    own.flags.writeable = False
    return own


def finite(thing: str, values: NDArray[Any]) -> None:
    """DataError naming the first place of `values` that is NaN or infinite."""
    if values.dtype.kind != "f":
        return
    bad = ~np.isfinite(values)
    if bad.any():
        place = tuple(int(i) for i in np.unravel_index(int(bad.argmax()), bad.shape))
        where = f"row {place[0]}"
        if len(place) == 2:
            where += f", column {place[1]}"
        elif len(place) > 2:
            where += f", at {place[1:]}"
        raise DataError(f"`{thing}` has {values[place]} in {where}; every value must be finite")


def targets(split: str, value: object, count: int) -> NDArray[Any]:
    """Targets as `array` gives them; None, or rows without values, become (count, 0): there are none."""
    if value is None or (isinstance(value, np.ndarray) and value.shape == (count, 0)):
        nothing = np.empty((count, 0))
        nothing.flags.writeable = False
        return nothing
    return array(f"{split} y", value)


def weights(split: str, value: object, count: int) -> NDArray[np.float64]:
    """A weight for each of `count` examples, as read-only float64; ShapeError or DataError otherwise."""
    own: NDArray[np.float64] = array(f"{split} weight", value).astype(np.float64)
    if own.shape != (count,):
        raise ShapeError(f"`{split}`: weights must be one a row, ({count},), got shape {own.shape}")
    own.flags.writeable = False
    return own


def pair(split: str, x: NDArray[Any], y: NDArray[Any]) -> None:
    """ShapeError unless `x` (N, ...) and `y`, (N, ...) whole classes or (N, d, ...) floats, fit together."""
    if x.ndim < 2:
        raise ShapeError(f"`{split}`: x must have at least 2 dimensions, (N, ...), got shape {x.shape}")
    if y.ndim < (1 if y.dtype.kind == "i" else 2):
        raise ShapeError(
            f"`{split}`: y must be (N, ...) whole classes or (N, d) floats, got {y.dtype} of shape {y.shape}"
        )
    if len(x) != len(y):
        raise ShapeError(f"`{split}`: x has {len(x)} rows, y has {len(y)}; they must be equal")


def classes(split: str, y: NDArray[Any], count: int) -> None:
    """DataError unless the classes in `y` (N, ...) lie in 0 to `count` - 1; float targets pass."""
    if y.dtype.kind != "i":
        return
    bad = (y < 0) | (y >= count)
    if bad.any():
        place = np.unravel_index(int(bad.argmax()), bad.shape)
        raise DataError(f"`{split}`: y has class {y[place]} in row {place[0]}; classes are 0 to {count - 1}")
