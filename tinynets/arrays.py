"""The array types that annotations speak of, and the checks made where data enters."""

from __future__ import annotations

from math import isfinite
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from tinynets.errors import ShapeError

Array = NDArray[Any]
Shape = tuple[int, ...]

DTYPES = {"float32": np.dtype(np.float32), "float64": np.dtype(np.float64)}


def as_array(thing: str, value: Any) -> Array:
    """`value` as an array; ShapeError where its rows are not of one shape."""
    try:
        return np.asarray(value)
    except ValueError:
        raise ShapeError(f"`{thing}` is not one array: its rows differ in shape") from None


def float_dtype(name: str | np.dtype[Any] | type) -> np.dtype[Any]:
    """float32 or float64 as a numpy dtype; anything else is a ShapeError."""
    try:
        dtype = np.dtype(name)
    except TypeError:
        dtype = None
    if dtype is None or dtype.name not in DTYPES:
        raise ShapeError(f"`dtype` must be float32 or float64, not {name!r}")
    return dtype


def shape_text(shape: tuple[int | None, ...]) -> str:
    """`(32, 30)`; an axis that is not known yet reads `?`."""
    parts = ["?" if n is None else str(n) for n in shape]
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def is_finite_number(value: object) -> TypeGuard[float]:
    """Whether it is a real number, not a bool, that a float can hold and that is neither NaN nor infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating | np.integer):
        return False
    try:
        return isfinite(value)
    except OverflowError:
        return False


def is_integer(array: Array) -> bool:
    return array.dtype.kind in "iu"
