"""Checks the arguments of operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinynets.errors import DataError, EditError
from tinynets.numerics.arrays import Array, Values, as_array, converted, is_finite_number, shape_text
from tinynets.numerics.checks import true_or_false, whole_number

LARGEST = float(np.finfo(np.float32).max)


def number(op: str, args: Mapping[str, Any], name: str, low: float = -LARGEST, high: float = LARGEST) -> float:
    """A finite number among an edit's arguments, as a float."""
    value = args.get(name)
    if not is_finite_number(value) or not low <= value <= high:
        wide = (low, high) == (-LARGEST, LARGEST) and not is_finite_number(value)
        between = "" if wide else f" from {low:g} to {high:g}"
        raise EditError(f"`{op}`: `{name}` must be a finite number{between}, not {value!r}")
    return float(value)


def whole(op: str, args: Mapping[str, Any], name: str, low: int, high: int) -> int:
    return whole_number(f"`{op}`: `{name}`", args.get(name), low, high)


def flag(op: str, args: Mapping[str, Any], name: str) -> bool:
    """True or False; False if it is missing."""
    return true_or_false(f"`{op}`: `{name}`", args.get(name, False))


def ordinal(op: str, args: Mapping[str, Any]) -> int:
    """The edit's number on its branch, which addresses its random numbers."""
    return whole(op, args, "ordinal", 0, 2**62)


def values(
    op: str, thing: str, args: Mapping[str, Any], dtype: Any, fits: Callable[[Array], bool], rule: str
) -> Values:
    """The array among an edit's arguments: finite, in the network's dtype, with a shape that fits."""
    given = args.get("values")
    try:
        array = as_array("values", given.array if isinstance(given, Values) else given)
        if array.dtype.kind not in "biuf":
            raise TypeError
        array = converted(array, np.dtype(dtype), "values")
    except DataError as error:
        raise EditError(f"`{op}`: {error}") from None
    except (TypeError, ValueError):
        raise EditError(f"`{op}`: `values` must be numbers, not {given!r}") from None
    if not fits(array):
        raise EditError(f"`{op}` {thing}: `values` must be {rule}, not {shape_text(array.shape)}")
    if not np.isfinite(array).all():
        raise EditError(f"`{op}`: `values` holds NaN or infinity")
    return Values(array)
