"""Dropout: in training, some of the values left out at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynets import rng
from tinynets.arrays import Array, Shape, is_finite_number
from tinynets.errors import ShapeError
from tinynets.layers.base import Buffers, Layer


class Dropout(Layer):
    """In training each value is 0 with probability `rate` and else divided by 1 - rate; otherwise out = x.

    x and out (..., units). What is left out is addressed by seed, the layer's name and the step, and drawn unit after
    unit: what a unit loses does not depend on how many units follow it.

    Raises ShapeError for a rate outside of 0 to below 1. Source: Srivastava et al., "Dropout" (2014).
    """

    kind = "dropout"

    def __init__(self, rate: float = 0.5, *, name: str | None = None) -> None:
        super().__init__(name=name)
        if not is_finite_number(rate) or not 0 <= rate < 1:
            raise ShapeError(f"Dropout: `rate` must be a number from 0 to below 1, not {rate!r}")
        self.rate = float(rate)

    def sizes(self) -> tuple[int | str, ...]:
        return (f"{self.rate:g}",)

    def config(self) -> dict[str, Any]:
        return {"rate": self.rate}

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.mask = None
        if buffers.context.training:
            self._prepare(buffers, shape, dtype)

    def _prepare(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.mask, buffers.dropped = np.empty(shape, dtype), np.empty(shape, dtype)
        buffers.dropped_dx = np.empty(shape, dtype)
        buffers.mask_rows = buffers.mask.reshape(-1, shape[-1])

    def forward(self, x: Array, buffers: Buffers) -> Array:
        buffers.active = buffers.context.training and self.rate > 0
        if not buffers.active:
            buffers.out = x
            return x
        if buffers.mask is None:
            self._prepare(buffers, x.shape, x.dtype)
        self._draw(buffers)
        out: Array = buffers.dropped
        buffers.out = out
        np.multiply(x, buffers.mask, out)
        return out

    def _draw(self, buffers: Buffers) -> None:
        """32 random bits for each value, two from a word, so many words for each unit."""
        count, units = buffers.mask_rows.shape
        context, each = buffers.context, (count + 1) // 2
        words = rng.words(context.seed, f"dropout/{self.name}", context.step, units * each)
        bits = words.astype("<u8", copy=False).view("<u4").reshape(units, 2 * each)[:, :count]
        kept = bits >= np.uint32(min(round(self.rate * 2**32), 2**32 - 1))
        np.multiply(kept.T, buffers.mask.dtype.type(1 / (1 - self.rate)), buffers.mask_rows)

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """dx = dout where the value was kept, divided alike, else 0."""
        if buffers.active:
            dout = np.multiply(dout, buffers.mask, buffers.dropped_dx)
        buffers.dx = dout
        return dout
