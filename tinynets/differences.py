"""Central differences: the gradient of anything that gives a number, by trying."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinynets.arrays import Array


def central_differences(
    function: Callable[[], float], array: Array, h: float = 1e-5, places: Array | None = None
) -> Array:
    """d function() / d array, float64; `array` (contiguous, float64) is written and put back.

    With `places`, flat indices (n,), only there: (n,). Otherwise the shape of `array`.
    """
    flat = array.reshape(-1)
    wanted = range(flat.size) if places is None else places.tolist()
    found = np.empty(len(wanted))
    for index, place in enumerate(wanted):
        before = flat[place]
        flat[place] = before + h
        high = function()
        flat[place] = before - h
        low = function()
        flat[place] = before
        found[index] = (high - low) / (2 * h)
    return found.reshape(array.shape) if places is None else found
