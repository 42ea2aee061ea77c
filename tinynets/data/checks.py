"""Checks the numbers and arrays that enter a data set, with errors that say what is wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinynets.errors import DataError, ShapeError, unwritable
from tinynets.numerics.arrays import Shape, as_array, converted, foreign, place_text

MAX_CLASSES = 65_536
SIDES = frozenset(
    (
        *("x", "xs", "y", "ys", "input", "inputs", "output", "outputs", "target", "targets", "feature", "features"),
        *("label", "labels", "class", "classes", "data", "weight", "weights", "image", "images"),
    )
)
"""Common names of the arrays of one split."""
OTHER_WORDS = frozenset(("train", "training", "dev", "val", "valid", "validation", "test", "sample", "all"))
"""Words that may be combined with those, as in `x_train` and `sample_weight`."""
SPLITS = 'a dict here is of splits, {"train": (x, y), "dev": (x, y)}'


def whole(thing: str, value: object, low: int, high: int) -> int:
    """`value` as an int from `low` to `high`; raises DataError otherwise."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise DataError(f"`{thing}` must be a whole number, got {value!r}")
    if not low <= value <= high:
        raise DataError(f"`{thing}` must be {low} to {high}, got {value}")
    return int(value)


def number(thing: str, value: object, low: float, high: float) -> float:
    """`value` as a finite float from `low` to `high`; raises DataError otherwise."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise DataError(f"`{thing}` must be a number, got {value!r}")
    if not (math.isfinite(value) and low <= value <= high):
        raise DataError(f"`{thing}` must be {low:g} to {high:g}, got {value}")
    return float(value)


def flag(thing: str, value: object) -> bool:
    """`value` as a bool; raises DataError otherwise."""
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
        given = converted(given, np.dtype(dtype), thing) if given.dtype.itemsize > 8 else given
    else:
        raise DataError(f"`{thing}` must hold whole numbers or floats, got dtype {given.dtype}")
    own = np.array(given, dtype=dtype, order="C")
    if not own.size:
        raise DataError(f"`{thing}` is empty: its shape is {own.shape}")
    finite(thing, own)
    own.flags.writeable = False
    return own


def finite(thing: str, values: NDArray[Any]) -> None:
    """Raise DataError that names the first place of `values` that is NaN or infinite."""
    if values.dtype.kind != "f":
        return
    bad = ~np.isfinite(values)
    if bad.any():
        place = tuple(int(i) for i in np.unravel_index(int(bad.argmax()), bad.shape))
        where = f" {place_text(place)}" if place else ""
        raise DataError(f"`{thing}` has {values[place]}{where}; every value must be finite")


def targets(split: str, value: object, count: int) -> NDArray[Any]:
    """Targets as `array` returns them; None, or rows without values, become (count, 0), which means no targets."""
    if value is None or (isinstance(value, np.ndarray) and value.shape == (count, 0)):
        nothing = np.empty((count, 0))
        nothing.flags.writeable = False
        return nothing
    return array(f"{split} y", value)


def weights(split: str, value: object, count: int) -> NDArray[np.float64]:
    """A weight for each of `count` examples, as read-only float64; raises ShapeError or DataError otherwise."""
    own: NDArray[np.float64] = array(f"{split} weight", value).astype(np.float64)
    if own.shape != (count,):
        raise ShapeError(f"`{split}`: weights must be one a row, ({count},), got shape {own.shape}")
    own.flags.writeable = False
    return own


def pair(split: str, x: NDArray[Any], y: NDArray[Any]) -> None:
    """Raise ShapeError unless `x` (N, ...) fits `y`, (N, ...) whole classes or (N, d, ...) floats."""
    if x.ndim < 2:
        raise ShapeError(f"`{split}`: x must have at least 2 dimensions, (N, ...), got shape {x.shape}")
    if y.ndim < (1 if y.dtype.kind == "i" else 2):
        raise ShapeError(
            f"`{split}`: y must be (N, ...) whole classes or (N, d) floats, got {y.dtype} of shape {y.shape}"
        )
    if len(x) != len(y):
        raise ShapeError(f"`{split}`: x has {len(x)} rows, y has {len(y)}; they must be equal")


def classes(split: str, y: NDArray[Any], count: int) -> None:
    """Raise DataError unless the classes in `y` (N, ...) lie in 0 to `count` - 1; float targets pass."""
    if y.dtype.kind != "i":
        return
    bad = (y < 0) | (y >= count)
    if bad.any():
        place = np.unravel_index(int(bad.argmax()), bad.shape)
        raise DataError(f"`{split}`: y has class {y[place]} in row {place[0]}; classes are 0 to {count - 1}")


# -- data given in another form than (x, y)


def splits(thing: str, given: Mapping[Any, Any]) -> dict[str, Any]:
    """Any mapping of splits as a dict, name -> value; raises DataError if it is a mapping of x and y instead."""
    with foreign(thing):
        found = {key: given[key] for key in given}
    for key in found:
        if not isinstance(key, str) or not key:
            raise DataError(f"the name of a split must be text, got {key!r}")
    texts("splits", found)
    sides = [key for key in found if is_side(key)]
    if sides:
        named = ", ".join(f"`{key}`" for key in sides)
        raise DataError(
            f"`{thing}` has {named}, which {'is no split' if len(sides) == 1 else 'are no splits'}: {SPLITS}; "
            "give x and y of one split as (x, y)"
        )
    return found


def is_side(key: str) -> bool:
    """Whether a name is that of an array of a split, such as `x`, `Inputs`, `y_train` or `sample_weight`."""
    words = set(re.split(r"[^a-z]+", key.lower())) - {""}
    return bool(words & SIDES) and words <= SIDES | OTHER_WORDS


def no_pairs(thing: str, given: object) -> None:
    """Raise DataError if `given` is, or could be, a list of pairs (x, y), one for each example."""
    if not isinstance(given, tuple | list) or not given:
        return
    if not all(isinstance(part, tuple | list) and len(part) in (2, 3) for part in given):
        return
    if len({len(part) for part in given}) > 1:
        return
    shapes = [{_shape(part[side]) for part in given} for side in range(len(given[0]))]
    if any(len(found) > 1 or None in found for found in shapes):
        return
    count, sides = len(given), ", ".join(("x", "y", "weight")[: len(given[0])])
    apart = "give arrays of all x and all y, (np.array([x for x, y in pairs]), np.array([y for x, y in pairs]))"
    if shapes[0] == {()}:
        apart += ", each x a list of its own: [0.5], not 0.5"
    if count == len(given[0]):
        raise DataError(
            f"`{thing}` is {count} lists of {count}: it can mean {sides.replace(', ', ' and ')} of {count} examples, "
            f"or {count} examples ({sides}), one after the other; {apart}"
        )
    raise DataError(f"`{thing}` is a list of {count} example{'s' if count > 1 else ''} ({sides}); {apart}")


def _shape(value: object) -> Shape | None:
    """The shape of numbers or of nested lists of them; None for anything else."""
    try:
        found = np.asarray(value)
    except Exception:
        return None
    return found.shape if found.dtype.kind in "biuf" else None


def texts(thing: str, said: Iterable[object]) -> None:
    """Raise DataError if one of these is not a text, or cannot be written as UTF-8."""
    for text in said:
        if not isinstance(text, str):
            raise DataError(f"`{thing}` must be text, got {type(text).__name__}")
        if why := unwritable(text):
            raise DataError(f"`{thing}`: {why}")
