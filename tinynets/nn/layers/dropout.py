"""Dropout: sets random values to 0 in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynets.errors import ShapeError
from tinynets.nn.layers.base import Layer, require_size
from tinynets.nn.layers.buffers import Buffers
from tinynets.nn.layers.feature_map import FeatureMap
from tinynets.numerics import rng
from tinynets.numerics.arrays import Array, Shape, is_finite_number, shape_text

MAX_PLACES = 2**20


class Dropout(Layer):
    """In training each value is 0 with probability `rate` and else divided by 1 - rate; otherwise out = x.

    x and out (..., units). The mask is addressed by seed, the layer's name and the step, and drawn unit by unit: a
    unit's mask does not depend on how many units follow it. `places`: which unit of that drawing each unit uses, after
    units were pruned or grown; by default in order.

    Raises ShapeError for a rate outside of 0 to below 1, and for places that are no whole numbers. Source: Srivastava
    et al., "Dropout" (2014).
    """

    kind = "dropout"
    hands_on = True
    keeps_range = True
    insertable = True
    is_odd = True

    def __init__(self, rate: float = 0.5, *, places: Sequence[int] | None = None, name: str | None = None) -> None:
        super().__init__(name=name)
        if not is_finite_number(rate) or not 0 <= rate < 1:
            raise ShapeError(f"Dropout: `rate` must be a number from 0 to below 1, not {rate!r}")
        self.rate = float(rate)
        if places is not None and (not isinstance(places, list | tuple) or not 0 < len(places) <= MAX_PLACES):
            raise ShapeError(f"Dropout: `places` must be a list of 1 to {MAX_PLACES:,} whole numbers, not {places!r}")
        self.places = None if places is None else _checked(places)

    def sizes(self) -> tuple[int | str, ...]:
        return (f"{self.rate:g}",)

    def config(self) -> dict[str, Any]:
        return {"rate": self.rate} | ({} if self.places is None else {"places": list(self.places)})

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        if self.places is not None and shape[-1] not in (len(self.places), None):
            raise ShapeError(f"has places for {len(self.places)} units, not {shape_text(shape)}")
        return shape

    def passed_on(self, change: FeatureMap, shape: tuple[int | None, ...]) -> FeatureMap:
        return change

    def with_features(self, change: FeatureMap, before: int) -> dict[str, Any]:
        """Its arguments when features change: old ones keep their places, fresh ones get new places."""
        had = np.arange(before) if self.places is None else np.array(self.places)
        places = had[np.where(change.fresh, 0, change.source)]
        places[change.fresh] = had.max() + 1 + np.arange(int(change.fresh.sum()))
        return self.config() | {"places": places.tolist()}

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
        """Draw 32 random bits for each value, two values from a word, and the same number of words for each unit."""
        count, units = buffers.mask_rows.shape
        drawn = units if self.places is None else max(self.places) + 1
        context, each = buffers.context, (count + 1) // 2
        words = rng.words(context.seed, f"dropout/{self.name}", context.step, drawn * each)
        bits = words.astype("<u8", copy=False).view("<u4").reshape(drawn, 2 * each)[:, :count]
        if self.places is not None:
            bits = bits[list(self.places)]
        kept = bits >= np.uint32(min(round(self.rate * 2**32), 2**32 - 1))
        np.multiply(kept.T, buffers.mask.dtype.type(1 / (1 - self.rate)), buffers.mask_rows)

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """dx = dout / (1 - rate) where the value was kept, else 0."""
        if buffers.active:
            dout = np.multiply(dout, buffers.mask, buffers.dropped_dx)
        buffers.dx = dout
        return dout


def _checked(places: Sequence[int]) -> tuple[int, ...]:
    if set(map(type, places)) == {int} and min(places) >= 0 and max(places) < MAX_PLACES:
        return tuple(places)  # checking a million units one by one is slow
    return tuple(map(_place, places))


def _place(value: object) -> int:
    """A whole number from 0 to MAX_PLACES - 1."""
    place = require_size("Dropout", "places", value, 0)
    if place >= MAX_PLACES:
        raise ShapeError(f"Dropout: `places` must lie below {MAX_PLACES:,}, not {place}")
    return place
