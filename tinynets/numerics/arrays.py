"""Array types, and the checks for data that enters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any, NoReturn, TypeGuard

import numpy as np
from numpy.typing import NDArray

from tinynets.errors import DataError, ShapeError, TinynetsError

Array = NDArray[Any]
Shape = tuple[int, ...]

DTYPES = {"float32": np.dtype(np.float32), "float64": np.dtype(np.float64)}


@dataclass(frozen=True, eq=False)
class Values:
    """An array that belongs to a record: it is read-only and compares by its bytes."""

    array: Array

    def __post_init__(self) -> None:
        own = np.array(self.array, order="C")
        own.flags.writeable = False
        object.__setattr__(self, "array", own)

    def __reduce__(self) -> tuple[type[Values], tuple[Array]]:
        return Values, (self.array,)  # a copy is read-only too

    def __repr__(self) -> str:
        return repr(self.array.tolist())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Values) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[str, Shape, bytes]:
        return self.array.dtype.str, self.array.shape, self.array.tobytes()


def as_array(thing: str, value: Any) -> Array:
    """`value` as an array; raises ShapeError if its rows have different shapes.

    Raises DataError if values in it are masked, or if it is an object of another library that cannot be read.
    """
    if type(value) is np.ndarray and value.dtype != object:
        return value
    with foreign(thing):
        _check_masks(thing, value)
    try:
        found = np.asarray(value)
    except ValueError as error:
        if isinstance(value, tuple | list) and any(word in str(error) for word in RAGGED):
            raise ShapeError(f"`{thing}` is not one array: its rows differ in shape") from None
        unreadable(thing, error)
    except Exception as error:
        unreadable(thing, error)
    return found


RAGGED = ("inhomogeneous", "could not broadcast", "with a sequence")
"""Parts of numpy's messages about rows of different shapes."""


@contextmanager
def foreign(thing: str) -> Iterator[None]:
    """Turn whatever an object of another library raises while it is read into a DataError that names it."""
    try:
        yield
    except TinynetsError:
        raise
    except Exception as error:
        unreadable(thing, error)


def unreadable(thing: str, error: Exception) -> NoReturn:
    """Raise a DataError that says what another library raised."""
    try:
        said = str(error)
    except Exception:
        said = ""
    raise DataError(f"`{thing}` cannot be read: {type(error).__name__}{': ' if said else ''}{said}") from None


MASKED = "fill them, as x.filled(0.0) does, or leave those examples out"


def _check_masks(thing: str, value: Any) -> None:
    """Raise DataError if a masked array, also inside lists, hides values: numpy would bring them back."""
    if isinstance(value, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(value)
        hidden = mask if mask.dtype == np.bool_ else np.ones(mask.shape, np.bool_)  # a structured mask
        if hidden.any():
            place = tuple(int(i) for i in np.unravel_index(int(hidden.argmax()), hidden.shape))
            where = f", the first {place_text(place)}" if place else ""
            count = int(hidden.sum())
            raise DataError(f"`{thing}` has {count:,} masked value{'s' if count > 1 else ''}{where}: {MASKED}")
    elif _holds_rows(value) and not set(map(type, value)) <= NUMBERS:
        for part in value:
            _check_masks(thing, part)
    elif isinstance(value, np.ndarray) and value.dtype == object:
        for part in value.flat:
            _check_masks(thing, part)


def _holds_rows(value: Any) -> bool:
    """Whether numpy would read it as a sequence of its items, like lists, deques and similar types.

    Objects that are arrays themselves are read as arrays.
    """
    if isinstance(value, list | tuple):
        return True
    if isinstance(value, str | bytes | bytearray | memoryview | range | np.ndarray) or hasattr(value, "__array__"):
        return False
    return isinstance(value, Sequence) or (hasattr(type(value), "__len__") and hasattr(type(value), "__getitem__"))


NUMBERS = {int, float, bool, str, type(None), np.float64, np.float32, np.int64, np.int32, np.bool_}
"""Types of items that need no further check in a list."""


def place_text(place: Shape) -> str:
    """A place in an array in words: `in row 3, column 1`."""
    where = f"in row {place[0]}"
    if len(place) == 2:
        where += f", column {place[1]}"
    elif len(place) > 2:
        where += f", at {place[1:]}"
    return where


def float_dtype(name: str | np.dtype[Any] | type) -> np.dtype[Any]:
    """float32 or float64 as a numpy dtype; raises ShapeError for anything else."""
    try:
        dtype = np.dtype(name)
    except TypeError:
        dtype = None
    if dtype is None or dtype.name not in DTYPES:
        raise ShapeError(f"`dtype` must be float32 or float64, not {name!r}")
    return dtype


def scalar(value: float, dtype: np.dtype[Any]) -> Array:
    """A number as an array without axes: numpy calls on small arrays take half as long with it as with a float."""
    return np.array(value, dtype)


def shape_text(shape: tuple[int | None, ...]) -> str:
    """A shape as text, `(32, 30)`; an unknown axis reads `?`."""
    parts = ["?" if n is None else str(n) for n in shape]
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def is_finite_number(value: object) -> TypeGuard[float]:
    """Whether it is a real number (not a bool) that a float can hold, neither NaN nor infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating | np.integer):
        return False
    try:
        return isfinite(value)
    except OverflowError:
        return False


def as_float(value: Any) -> Any:
    """A number as a plain float; anything else unchanged, for a check to refuse."""
    return float(value) if is_finite_number(value) else value


def plain(value: Any) -> Any:
    """A numpy number as Python's own, also inside lists and tuples, which become lists; anything else unchanged."""
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    if isinstance(value, np.floating):
        return float(value)
    return value.item() if isinstance(value, np.generic) else value


def settle_numbers(thing: Any) -> None:
    """Convert the numbers in a frozen dataclass to Python's own: to floats where the default is a float.

    So arithmetic, digests and saves do not depend on the type of number that a setting was given as.
    """
    for field in fields(thing):
        value = plain(getattr(thing, field.name))
        object.__setattr__(thing, field.name, as_float(value) if isinstance(field.default, float) else value)


def is_integer(array: Array) -> bool:
    return array.dtype.kind in "iu"


def converted(values: Array, dtype: np.dtype[Any], thing: str = "") -> Array:
    """The same values in C order, as a dtype.

    For finite values beyond its range, raises DataError that names the first one in `thing`; without `thing` they
    become infinite, and the first step stops at them.
    """
    try:
        with np.errstate(over="raise" if thing else "ignore"):
            return np.asarray(values, dtype, order="C")
    except FloatingPointError:
        with np.errstate(over="ignore"):
            beyond = np.isfinite(values) & ~np.isfinite(values.astype(dtype))
        place = tuple(int(i) for i in np.unravel_index(int(beyond.argmax()), values.shape))
        where = f" {place_text(place)}" if place else ""
        value = f"{values[place]:g}" if np.isfinite(float(values[place])) else str(values[place])
        raise DataError(f"`{thing}` has {value}{where}; {dtype.name} holds at most {np.finfo(dtype).max:g}") from None


def write_into(thing: str, view: Array, value: Any) -> None:
    """Write numbers of the view's shape, or one number for all of it, into a view of a network's vectors.

    Raises ShapeError or DataError that names `thing` if they do not fit or it is read-only; nothing is written then.
    """
    given = as_array(thing, value)
    if given.dtype.kind not in "biuf":
        raise ShapeError(f"`{thing}` takes numbers, not {given.dtype}")
    if given.shape not in (view.shape, ()):
        raise ShapeError(f"`{thing}` is {shape_text(view.shape)}, not {shape_text(given.shape)}")
    if not view.flags.writeable:
        raise ShapeError(f"`{thing}` can only be read: a lab's network changes through the lab's operations")
    view[...] = converted(given, view.dtype, thing)


def ignore_warnings() -> np.errstate:
    """Turn numpy's warnings off, since the step itself finds and names values that are not finite."""
    return np.errstate(all="ignore")


def is_flat(values: list[Any] | tuple[Any, ...]) -> bool:
    """Whether a list holds only whole numbers, of which there can be many (the places of a dropout)."""
    return set(map(type, values)) <= {int}
