"""Checks numbers from callers, with errors that name the allowed range."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynets.errors import EditError, TinynetsError


def check_number(name: str, value: Any, low: float, high: float, error: type[TinynetsError] = EditError) -> None:
    """Raise `error` unless it is a number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise error(f"`{name}` must be a number from {low} to {high}, not {value!r}")


def check_whole(name: str, value: Any, low: int, high: int, error: type[TinynetsError] = EditError) -> None:
    """Raise `error` unless it is a whole number from `low` to `high`."""
    whole_number(f"`{name}`", value, low, high, error)


def whole_number(thing: str, value: Any, low: int, high: int | None, error: type[TinynetsError] = EditError) -> int:
    """`value` as a plain int from `low` to `high` (None: no limit); raises `error` otherwise, which names `thing`."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < low or (high is not None and value > high):
        span = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise error(f"{thing} must be a whole number {span}, not {value!r}")
    return int(value)


def true_or_false(thing: str, value: object, error: type[TinynetsError] = EditError) -> bool:
    """`value` as a plain bool; raises `error` otherwise, which names `thing`."""
    if not isinstance(value, bool | np.bool_):
        raise error(f"{thing} must be True or False, not {value!r}")
    return bool(value)
