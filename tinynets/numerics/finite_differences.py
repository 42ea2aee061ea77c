"""Finite differences: the numerical gradient of any function that returns a number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from tinynets.numerics.arrays import Array


def central_differences(
    function: Callable[[], float], array: Array, h: float = 1e-5, places: Array | None = None
) -> Array:
    """d function() / d array, float64; `array` (contiguous, float64) is changed and restored.

    With `places`, flat indices (n,), only there, as (n,). Otherwise in the shape of `array`.
    """
    wanted = range(array.size) if places is None else places.tolist()
    found = np.array([(high - low) / (2 * h) for low, high in _beside(function, array, h, wanted)])
    return found.reshape(array.shape) if places is None else found


def one_sided_gaps(function: Callable[[], float], array: Array, h: float, places: Array) -> Array:
    """Forward minus backward difference at flat indices (n,): h f'' where f is smooth, the same for any h at a kink."""
    middle = function()
    return np.array([(high - 2 * middle + low) / h for low, high in _beside(function, array, h, places.tolist())])


def _beside(
    function: Callable[[], float], array: Array, h: float, places: Iterable[int]
) -> Iterator[tuple[float, float]]:
    """The values of `function` with each place of `array` lowered and raised by h."""
    flat = array.reshape(-1)
    for place in places:
        before = flat[place]
        flat[place] = before + h
        high = function()
        flat[place] = before - h
        low = function()
        flat[place] = before
        yield low, high
