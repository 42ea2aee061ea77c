"""Taps: a Tap is the arithmetic of the interventions at a site; an AppliedTap applies it to a batch and back.

out = x * multiply + add, and dx = dout * multiply. A unit that is multiplied by 0 everywhere is held at the added
value, whatever it was before: so a unit that has become infinite can be zeroed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinynets.errors import ShapeError
from tinynets.numerics.arrays import Array, scalar, shape_text

LAID = 2**16  # up to this many values, factors are expanded to the batch: it takes half the time of broadcasting
SMALL = 4  # if it touches at most 1 / SMALL of the units, the values it changes are put aside rather than all copied
RUNS = 8  # up to this many runs of neighbours are written run by run, which is faster than by an index


@dataclass(frozen=True)
class Tap:
    """The interventions at one site, out * multiply + add: arrays that broadcast to an example there.

    (units,); (T, units) where time steps differ; `add` (..., units) where places differ. Where `add` is random, `draw`
    gives it for a batch of B examples, (B, ..., units), at each forward, and `drawn` are the random units.
    """

    multiply: Array
    add: Array
    draw: Callable[[int], Array] | None = None
    drawn: frozenset[int] = frozenset()

    def terms(self, batch: int) -> Array:
        """The terms to add, for a batch."""
        return self.add if self.draw is None else self.draw(batch)


class AppliedTap:
    """A tap for batches shaped like x, (B, ..., units): the units that it holds, and the arithmetic on the others.

    The arithmetic spans from the first of the others to the last. Raises ShapeError if the tap is made for examples of
    another shape.
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
        self.views = [(self.out[key], value) for key, value in self.held if isinstance(key[-1], slice)]
        self.all_held = tap.draw is None and len(held) == count
        self.idle = not len(held) and not len(others)
        self.span = slice(int(others[0]), int(others[-1]) + 1) if len(others) else slice(0, 0)
        self.whole = self.span == slice(0, count)
        self.part = self.out[..., self.span]
        self.multiply = self._laid(multiply, 1)
        self.add = self._laid(add, 0)
        self.nulls = self._nulls(multiply, held)
        self.keys = [key for key, _ in self.held] + ([] if self.multiply is None else [(..., self.span)])
        of_runs = all(isinstance(key[-1], slice) for key in self.keys)
        self.small = of_runs and len(held) + len(range(count)[self.span]) <= count // SMALL
        self.kept: list[tuple[Any, Array, Array]] = []
        self._given: Array | None = None
        self._dout: Array | None = None

    def _laid(self, array: Array, nothing: int) -> Array | None:
        """A factor or term over the span; None if it changes nothing."""
        array = array[..., self.span]
        if (array == nothing).all():
            return None
        if (array == array.flat[0]).all():
            return scalar(array.flat[0], array.dtype)
        wide = np.broadcast_to(array, self.part.shape)
        return wide.copy() if wide.size <= LAID else wide

    def _nulls(self, multiply: Array, held: Array) -> Array | None:
        """Which values of an example in the span, (..., units), are multiplied by 0, in units that are not held."""
        nulls = multiply == 0
        nulls[..., held] = False
        nulls = nulls[..., self.span]
        return nulls if nulls.any() else None

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
        if self.nulls is not None and not np.isfinite(part).all():
            np.copyto(part, 0 if add is None else add, where=self.nulls)
        if drawn is None and self.views:
            for view, value in self.views:
                view[...] = value
            return out
        for key, value in self.held:
            out[key] = value if drawn is None else drawn[key]
        return out

    def backward(self, dout: Array, own: bool) -> Array:
        """The gradient in front of the tap; in place if `dout` may be changed (`own`) and little of it is."""
        if not self.keys:
            return dout
        given = dout
        if own and self.small:
            self._put_aside(dout)
            if self.multiply is None:
                for _, view, _ in self.kept:
                    view.fill(0)
                return dout
        else:
            if self._dout is None:
                self._dout = np.empty_like(dout)
            given = self._dout
            if not self.all_held and (self.multiply is None or not self.whole):
                np.copyto(given, dout)
                dout = given
        if self.multiply is not None:
            part = given[..., self.span]
            np.multiply(dout[..., self.span], self.multiply, part)
            if self.nulls is not None and not np.isfinite(part).all():
                np.copyto(part, 0, where=self.nulls)
        for key, _ in self.held:
            given[key] = 0
        return given

    def still(self, dx: Array) -> None:
        """Set the gradient of held units to 0, in front of their activation too, whatever its slope."""
        for key, _ in self.held:
            if not np.isfinite(dx[key]).all():
                dx[key] = 0
        if self.nulls is not None and not np.isfinite(dx).all():
            np.copyto(dx[..., self.span], 0, where=self.nulls)

    def _put_aside(self, dout: Array) -> None:
        if dout is not self._given:
            self._given = dout
            self.kept = [(key, dout[key], dout[key].copy()) for key in self.keys]
            return
        for _, view, aside in self.kept:
            np.copyto(aside, view)

    def brought(self, dout: Array) -> Array:
        """A copy of the gradient that backward was given, restored from the array that held it."""
        dout = dout.copy()
        for key, _, aside in self.kept:
            dout[key] = aside
        return dout


def _where(marked: Array) -> Array:
    """The units that are marked anywhere in a mask (..., units)."""
    return np.flatnonzero(marked.reshape(-1, marked.shape[-1]).any(axis=0))


def _keys(units: Array) -> list[Any]:
    """Indices along the last axis for these units: their runs, or one index array if there are many runs."""
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
