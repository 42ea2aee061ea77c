"""Tapping: a tap applied behind a layer, to a batch and back, touching as little of it as it can.

out = x * multiply + add, and dx = dout * multiply. A unit that is multiplied by 0 everywhere is what is added, whatever
it was: one that has become infinite can be held at zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynets.arrays import Array, shape_text
from tinynets.errors import ShapeError
from tinynets.layers import Tap

LAID = 2**16  # up to so many values, factors are laid out as the batch is: half the time of broadcasting them


class Tapping:
    """A tap over batches shaped like x, (B, ..., units): of its units those from the first that it touches to the last.

    Raises ShapeError where it stands on examples of another shape.
    """

    def __init__(self, tap: Tap, x: Array) -> None:
        self.tap = tap
        _check_places(tap.add.shape[:-1], x)
        touched = _units(np.broadcast_to((tap.multiply != 1) | (tap.add != 0), x.shape[1:]))
        if tap.draw is not None:
            touched = np.arange(x.shape[-1])
        self.idle = not len(touched)
        units = slice(0, None) if self.idle else slice(int(touched[0]), int(touched[-1]) + 1)
        self.whole = len(range(*units.indices(x.shape[-1]))) == x.shape[-1]
        self.out = np.empty_like(x)
        self.part = self.out[..., units]
        multiply, add = tap.multiply[..., units], tap.add[..., units]
        self.sets = not multiply.any()
        self.multiply = None if (multiply == 1).all() else self._laid(multiply)
        self.add = self._laid(add) if self.sets or add.any() else None
        not_always = _units(np.broadcast_to(multiply != 0, self.part.shape[1:]))
        always = np.setdiff1d(np.arange(self.part.shape[-1]), not_always)
        self.set: Any = ... if self.sets else (..., always) if len(always) else None
        self._units = units
        self._dout: Array | None = None
        self._dpart: Any = None

    def _laid(self, array: Array) -> Array:
        wide = np.broadcast_to(array, self.part.shape)
        return wide.copy() if self.part.size <= LAID else wide

    def forward(self, x: Array) -> Array:
        if self.idle:
            return x
        part = self.part
        if not self.whole:
            np.copyto(self.out, x)
            x = part
        add = self.add
        if self.tap.draw is not None:
            add = self.tap.draw(len(part))
            _check_places(add.shape[1:-1], part)
        if not self.sets:
            if self.multiply is not None:
                x = np.multiply(x, self.multiply, part)
            if add is not None:
                np.add(x, add, part)
        if self.set is not None:
            part[self.set] = 0 if add is None else add[self.set]
        return self.out

    def backward(self, dout: Array) -> Array:
        if self.multiply is None:
            return dout
        if self._dout is None:
            self._dout = np.empty_like(dout)
            self._dpart = self._dout[..., self._units]
        if not self.whole:
            np.copyto(self._dout, dout)
            dout = self._dpart
        if self.sets:
            self._dpart.fill(0)
        else:
            np.multiply(dout, self.multiply, self._dpart)
        return self._dout


def _units(where: Array) -> Array:
    """Of (..., units) the units for which it holds anywhere."""
    return np.flatnonzero(where.reshape(-1, where.shape[-1]).any(axis=0))


def _check_places(places: tuple[int, ...], x: Array) -> None:
    if places and (
        len(places) != x.ndim - 2 or any(n not in (1, m) for n, m in zip(places, x.shape[1:-1], strict=True))
    ):
        raise ShapeError(
            f"an intervention stands on examples of {shape_text((*places, x.shape[-1]))}; "
            f"this input gives {shape_text(x.shape[1:])}"
        )
