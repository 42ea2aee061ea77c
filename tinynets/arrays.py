"""The array types that annotations speak of, and the checks made where data enters."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import isfinite
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from tinynets.errors import ShapeError

Array = NDArray[Any]
Shape = tuple[int, ...]

DTYPES = {"float32": np.dtype(np.float32), "float64": np.dtype(np.float64)}


@dataclass(frozen=True, eq=False)
class Values:
    """An array that belongs to a record: it cannot be written, and compares by its bytes."""

    array: Array

    def __post_init__(self) -> None:
        own = np.array(self.array, order="C")
        own.flags.writeable = False
        object.__setattr__(self, "array", own)

    def __repr__(self) -> str:
        return repr(self.array.tolist())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Values) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[str, Shape, bytes]:
        return self.array.dtype.str, self.array.shape, self.array.tobytes()


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


def scalar(value: float, dtype: np.dtype[Any]) -> Array:
    """A number as an array without axes: a numpy call on a small array takes half as long with it as with a float."""
    return np.array(value, dtype)


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


def as_float(value: Any) -> Any:
    """A number as a plain float; anything else as it is, for a check to refuse."""
    return float(value) if is_finite_number(value) else value


def plain(value: Any) -> Any:
    """A numpy number as Python's own, in lists and tuples too, which become lists; anything else as it is."""
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    if isinstance(value, np.floating):
        return float(value)
    return value.item() if isinstance(value, np.generic) else value


def settle_numbers(thing: Any) -> None:
    """Make the numbers that a frozen dataclass was given Python's own: floats where the default is one.

    So arithmetic, digests and saves do not depend on which type of number a setting was given as.
    """
    for field in fields(thing):
        value = plain(getattr(thing, field.name))
        object.__setattr__(thing, field.name, as_float(value) if isinstance(field.default, float) else value)


def is_integer(array: Array) -> bool:
    return array.dtype.kind in "iu"


def converted(values: Array, dtype: np.dtype[Any]) -> Array:
    """The same values in C order as a dtype; those beyond its range become infinite, at which the first step stops."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, dtype)


def is_flat(values: list[Any] | tuple[Any, ...]) -> bool:
    """Whether a list holds nothing but whole numbers, of which there can be many (the places of a dropout)."""
    return set(map(type, values)) <= {int}
