"""Parameter: an array of a layer, with its shape, its starting values and the unit that each value belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from tinynets.nn.initializers import Initializer
from tinynets.numerics.arrays import Array, Shape


@dataclass(frozen=True)
class Parameter:
    """One array of a layer, learned or carried: its shape, its starting values, and which values belong to which unit.

    Along `unit_axis`, unit u owns the places g * (units * each) + u * each + e, for g < groups and e < each: the four
    gates of an LSTM are groups=4, the columns of an attention head each=head size. None: it belongs to no single unit,
    only to the whole block. `input_axis` is the axis of the input features, `own_axis` that of the layer's own units
    fed back (recurrence). `transient` is a carried array that is an activation (hidden state), not something learned:
    freezing its unit leaves it alone.
    """

    name: str
    shape: Shape
    init: Initializer
    unit_axis: int | None
    fan_in: int = 1
    fan_out: int = 1
    groups: int = 1
    each: int = 1
    transient: bool = False
    input_axis: int | None = None
    own_axis: int | None = None

    @property
    def size(self) -> int:
        return prod(self.shape)

    def places(self, units: Array, whole: bool) -> Array:
        """Flat positions within this array that belong to the units; all of them for a whole block."""
        if whole or self.unit_axis is None:
            return np.arange(self.size if whole else 0)
        return self.across(self.unit_axis, self.along(units))

    @property
    def units(self) -> int:
        """How many units it has values for; 0 if it belongs to no single unit."""
        return 0 if self.unit_axis is None else self.shape[self.unit_axis] // (self.groups * self.each)

    def owners(self) -> Array:
        """(size,) the unit that each flat position belongs to; -1: to no single unit."""
        if self.unit_axis is None:
            return np.full(self.size, -1)
        each = np.arange(self.shape[self.unit_axis]) % (self.units * self.each) // self.each
        shape = [1] * len(self.shape)
        shape[self.unit_axis] = len(each)
        owners: Array = np.broadcast_to(each.reshape(shape), self.shape).reshape(-1)
        return owners

    def along(self, units: Array) -> Array:
        """The places of these units along the unit axis, group after group."""
        starts = np.arange(self.groups)[:, None, None] * (self.units * self.each) + units[None, :, None] * self.each
        places: Array = (starts + np.arange(self.each)).reshape(-1)
        return places

    def across(self, axis: int, along: Array) -> Array:
        """Flat positions within this array of everything at these places along an axis."""
        before, size, behind = prod(self.shape[:axis]), self.shape[axis], prod(self.shape[axis + 1 :])
        rows = np.arange(before)[:, None, None] * (size * behind) + along[None, :, None] * behind
        found: Array = (rows + np.arange(behind)).reshape(-1)
        return found
