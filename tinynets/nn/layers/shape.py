"""Layers that only rearrange their input."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from tinynets.errors import ShapeError
from tinynets.nn.layers.base import Layer, require_size
from tinynets.nn.layers.buffers import Buffers
from tinynets.nn.layers.feature_map import FeatureMap
from tinynets.numerics.arrays import Array, Shape, shape_text

MAX_AXES = 31  # besides the batch axis: some versions of numpy allow no more


class _Rearranged(Layer):
    """Base of layers that give the same values another shape."""

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.in_shape = shape
        buffers.out_shape = self.output_shape(shape)

    def forward(self, x: Array, buffers: Buffers) -> Array:
        buffers.out = out = x.reshape(buffers.out_shape)
        return out

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        buffers.dx = dx = dout.reshape(buffers.in_shape)
        return dx


class Flatten(_Rearranged):
    """Merges all axes after the batch: x (B, ...), out (B, n)."""

    kind = "flatten"
    keeps_range = True
    is_odd = True

    def passed_on(self, change: FeatureMap, shape: tuple[int | None, ...]) -> FeatureMap:
        if None in shape[1:]:
            raise ShapeError(f"{self!r} takes {shape_text(shape)}, whose places are not known")
        return change.repeated(prod(n or 0 for n in shape[1:-1]), shape[-1] or 0)

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        if len(shape) < 2:
            raise ShapeError(f"takes (B, ...) with at least one axis after the batch, not {shape_text(shape)}")
        known = [n for n in shape[1:] if n is not None]
        return (shape[0], prod(known) if len(known) == len(shape) - 1 else None)


class FlattenConsecutive(_Rearranged):
    """Merges each n neighbours in time: x (B, T, C), out (B, T / n, n C), or (B, n C) where T is n.

    Raises ShapeError where n does not divide T. Source: makemore part 5, after van den Oord et al., "WaveNet" (2016).
    """

    kind = "flatten-consecutive"
    keeps_range = True
    is_odd = True

    def passed_on(self, change: FeatureMap, shape: tuple[int | None, ...]) -> FeatureMap:
        return change.repeated(self.n, shape[-1] or 0)

    def __init__(self, n: int, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.n = require_size("FlattenConsecutive", "n", n)

    def sizes(self) -> tuple[int | str, ...]:
        return (self.n,)

    def config(self) -> dict[str, Any]:
        return {"n": self.n}

    def input_shape(self) -> tuple[int | None, ...]:
        return (None, None, None)

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        if len(shape) != 3 or (shape[1] is not None and (shape[1] == 0 or shape[1] % self.n)):
            raise ShapeError(f"takes (B, T, C), T a multiple of {self.n}, not {shape_text(shape)}")
        batch, steps, size = shape
        wide = None if size is None else self.n * size
        if steps == self.n:
            return (batch, wide)
        return (batch, None if steps is None else steps // self.n, wide)


class Reshape(_Rearranged):
    """Gives the values of each example another shape: x (B, ...), out (B, *shape); a size of -1 is inferred."""

    kind = "reshape"
    keeps_range = True

    def __init__(self, shape: Sequence[int], *, name: str | None = None) -> None:
        super().__init__(name=name)
        if isinstance(shape, str) or not isinstance(shape, Sequence) or not shape:
            raise ShapeError(f"Reshape: `shape` must be a list of sizes, not {shape!r}")
        if len(shape) > MAX_AXES:
            raise ShapeError(f"Reshape: `shape` may hold {MAX_AXES} sizes, not {len(shape)}")
        if sum(size == -1 for size in shape) > 1:
            raise ShapeError(f"Reshape: `shape` may hold one -1, not {list(shape)!r}")
        self.shape = tuple(-1 if size == -1 else require_size("Reshape", "shape", size) for size in shape)

    def sizes(self) -> tuple[int | str, ...]:
        return self.shape

    def config(self) -> dict[str, Any]:
        return {"shape": list(self.shape)}

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        given = [n for n in shape[1:] if n is not None]
        if len(given) < len(shape) - 1:
            return (shape[0], *(None if size == -1 else size for size in self.shape))
        fixed = prod(size for size in self.shape if size != -1)
        rest, left = divmod(prod(given), fixed)
        if not shape or left or not rest or (rest != 1 and -1 not in self.shape):
            raise ShapeError(f"takes {'a multiple of ' * (-1 in self.shape)}{fixed} values, not {shape_text(shape)}")
        return (shape[0], *(rest if size == -1 else size for size in self.shape))


class LastStep(Layer):
    """The values at the last time step: x (B, T, C), out (B, C)."""

    kind = "last-step"
    keeps_range = True
    is_odd = True

    def passed_on(self, change: FeatureMap, shape: tuple[int | None, ...]) -> FeatureMap:
        return change

    def input_shape(self) -> tuple[int | None, ...]:
        return (None, None, None)

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        if len(shape) != 3 or shape[1] == 0:
            raise ShapeError(f"takes (B, T, C) with at least one time step, not {shape_text(shape)}")
        return (shape[0], shape[2])

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.out = np.empty((shape[0], shape[2]), dtype)
        buffers.dx = np.zeros(shape, dtype)

    def forward(self, x: Array, buffers: Buffers) -> Array:
        np.copyto(buffers.out, x[:, -1])
        return buffers.out

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """dx is dout at the last step, 0 at the others."""
        buffers.dx[:, -1] = dout
        return buffers.dx
