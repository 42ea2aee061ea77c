"""The units of a layer: where they lie in its output, and what each of them sums and gives."""

from __future__ import annotations

from typing import ClassVar

from tinynets.nn.layers.buffers import Buffers
from tinynets.numerics.arrays import Array, Shape


class Units:
    """Base of `Layer`: describes its units. By default unit u is feature u of the output."""

    has_units: ClassVar[bool] = False
    """Its output has units although it has no parameters (the sum of a residual)."""
    taps_itself: ClassVar[bool] = False
    """It applies interventions inside its forward (at every time step, on every head), not behind it."""
    closed: ClassVar[bool] = False
    """Its units are not the features of its output (they are heads), so nothing behind it joins its block."""
    site_axis: ClassVar[int] = -1
    """The unit axis in an example at the site: the last one, for heads the first."""
    mixes_units: ClassVar[bool] = False
    """Each unit of its output depends on the others (softmax, layer normalization)."""
    gives_distances: ClassVar[bool] = False
    """Its units give their distance to the input: a small value is a strong response."""
    bears_sign: ClassVar[bool] = True
    """Its weights determine the sign of its output."""
    signed_group: ClassVar[int | None] = None
    """The group of columns that determines the sign of a unit's output; None for all of them."""

    def units(self, shape: tuple[int | None, ...]) -> int:
        """How many units an output of `shape` has; 0 if not known."""
        return shape[-1] or 0

    def summands(self, x: Array, buffers: Buffers, example: int, place: int) -> Array | None:
        """(rows,) the values that each unit weighs and sums at a place, in the order of the rows of its weights.

        Its biases are added to that sum. A negative place counts from the end; `x` is the input of the last forward.
        None for a layer whose units are not weighted sums.
        """
        return None

    def attention_pattern(self, buffers: Buffers) -> Array | None:
        """(B, units, T, T) how much each position attends to each; None for a layer without attention."""
        return None

    def site_values(self, buffers: Buffers) -> Array:
        """The values that interventions act on, after the last forward: (B, ..., units), units along `site_axis`."""
        return buffers.out if buffers.tapped is None else buffers.tapped

    def untapped(self, buffers: Buffers) -> Array:
        """The same before the intervention at each time step; interventions at earlier steps are included."""
        values: Array = buffers.out
        return values

    def site_shape(self, before: Shape, after: Shape) -> Shape:
        """The shape of one example of `site_values`, from the shapes of an input and an output without the batch."""
        return after

    def by_unit(self, values: Array) -> Array:
        """(units,) reshaped so that it broadcasts to an example of `site_values`."""
        return values if self.site_axis == -1 else values.reshape(-1, 1, 1)

    def unit_values(self, buffers: Buffers) -> Array:
        """The output of the last forward by unit: (B, ..., units), interventions included."""
        return buffers.out if buffers.tapped is None else buffers.tapped

    def unit_gradients(self, buffers: Buffers, dout: Array) -> Array:
        """The gradient of the last backward by unit, (B, ..., units), given `dout`, that of the output."""
        return dout

    def unit_values_untapped(self, buffers: Buffers) -> Array:
        """The same before interventions, as `untapped`."""
        return self.untapped(buffers)
