"""Tapping: a tap applied behind a layer, to a batch and back, touching as little of it as it can.

out = x * multiply + add, and dx = dout * multiply. A unit that is multiplied by 0 everywhere is held at what is added,
whatever it was: one that has become infinite can be zeroed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynets.arrays import Array, shape_text
from tinynets.errors import ShapeError
from tinynets.layers import Tap

LAID = 2**16  # up to so many values, factors are laid out as the batch is: half the time of broadcasting them
RUNS = 8  # up to so many runs of neighbours are written run by run, which is faster than by an index


class Tapping:
    """A tap over batches shaped like x, (B, ..., units): the units that it holds, and the arithmetic on the others.

    That spans from the first of the others to the last. Raises ShapeError where the tap stands on examples of another
    shape.
    """

    def __init__(self, tap: Tap, x: Array) -> None:
        self.tap = tap
        _check_places(tap.add.shape[:-1], x)
        multiply, add = (np.broadcast_to(array, x.shape[1:]) for array in (tap.multiply, tap.add))
        self.out = np.empty_like(x)
        count = x.shape[-1]
        held = np.setdiff1d(np.arange(count), _where(multiply != 0))
        others = np.setdiff1d(_where((multiply != 1) | (add != 0)), held) if tap.draw is None else np.arange(count)
        self.held = [((..., key), add[..., key]) for key in _keys(held)]
        self.all_held = tap.draw is None and len(held) == count
        self.idle = not len(held) and not len(others)
        self.span = slice(int(others[0]), int(others[-1]) + 1) if len(others) else slice(0, 0)
        self.whole = self.span == slice(0, count)
        self.part = self.out[..., self.span]
        self.multiply = self._laid(multiply, 1)
        self.add = self._laid(add, 0)
        self._dout: Array | None = None

    def _laid(self, array: Array, nothing: int) -> Array | None:
        """A factor or term over the span; None where it does nothing."""
        array = array[..., self.span]
        if (array == nothing).all():
            return None
        wide = np.broadcast_to(array, self.part.shape)
        return wide.copy() if wide.size <= LAID else wide

    def forward(self, x: Array) -> Array:
        if self.idle:
            return x
        out, part, drawn = self.out, self.part, None
        if self.tap.draw is not None:
            drawn = self.tap.draw(len(x))
            _check_places(drawn.shape[1:-1], x)
        if not self.whole:
            if not self.all_held:
                np.copyto(out, x)
            x = part
        if self.multiply is not None:
            x = np.multiply(x, self.multiply, part)
        add = self.add if drawn is None else drawn
        if add is not None:
            np.add(x, add, part)
        for key, value in self.held:
            out[key] = value if drawn is None else drawn[key]
        return out

    def backward(self, dout: Array) -> Array:
        if self.multiply is None and not self.held:
            return dout
        if self._dout is None:
            self._dout = np.empty_like(dout)
        given: Array = self._dout
        if self.multiply is None or not self.whole:
            if not self.all_held:
                np.copyto(given, dout)
            dout = given[..., self.span]
        if self.multiply is not None:
            np.multiply(dout, self.multiply, given[..., self.span])
        for key, _ in self.held:
            given[key] = 0
        return given


def _where(marked: Array) -> Array:
    """Of (..., units) the units that are marked anywhere."""
    return np.flatnonzero(marked.reshape(-1, marked.shape[-1]).any(axis=0))


def _keys(units: Array) -> list[Any]:
    """Indices along the last axis for these units: their runs, or where those are many all of them at once."""
    runs = np.split(units, np.flatnonzero(np.diff(units) != 1) + 1) if len(units) else []
    return [slice(int(run[0]), int(run[-1]) + 1) for run in runs] if len(runs) <= RUNS else [units]


def _check_places(places: tuple[int, ...], x: Array) -> None:
    wanted = x.shape[1:-1]
    fits = len(places) == len(wanted) and all(n in (1, m) for n, m in zip(places, wanted, strict=True))
    if places and not fits:
        raise ShapeError(
            f"an intervention stands on examples of {shape_text((*places, x.shape[-1]))}; "
            f"this input gives {shape_text(x.shape[1:])}"
        )
