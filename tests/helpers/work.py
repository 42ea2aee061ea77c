"""Counts work in calls, so that no test depends on how fast the machine is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

Result = TypeVar("Result")


def worked(act: Callable[[], Result]) -> tuple[int, Result]:
    """How many functions (in Python and in C) an act calls, and its result."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        made = act()
    finally:
        sys.setprofile(before)
    return count, made


def weighed(act: Callable[[], Result]) -> tuple[int, Result]:
    """The same for Python functions alone, each counted with the elements of the arrays passed to it."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        if event == "call":
            count += 1 + sum(value.size for value in frame.f_locals.values() if isinstance(value, np.ndarray))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        made = act()
    finally:
        sys.setprofile(before)
    return count, made
