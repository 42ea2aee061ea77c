"""Windows: the positions of a kernel on a grid, for convolutions and pools over any number of axes.

A grid is (B, n1, ..., nd, C). Its windows are gathered by the flat indices of their positions (a `take` of whole
channels, several times faster than a copy through strides), and gradients are scattered back one kernel position at a
time, each with one operation over all windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np

from tinynets.errors import ShapeError
from tinynets.nn.layers.buffers import Buffers
from tinynets.numerics.arrays import Array, Shape, shape_text

Sizes = int | list[int] | tuple[int, ...]
"""One whole number for all axes, or one for each."""


def sizes_along(layer: str, name: str, value: object, axes: int, least: int = 1, word: str = "") -> tuple[int, ...]:
    """`value` for each axis; raises ShapeError that names it otherwise; `word` is another allowed value."""
    given = tuple(value) if isinstance(value, list | tuple) else (value,) * axes
    whole = [n for n in given if isinstance(n, int | np.integer) and not isinstance(n, bool) and n >= least]
    if len(given) != axes or len(whole) != axes:
        several = (f", or {axes} of them" if axes > 1 else "") + (f", or {word!r}" if word else "")
        raise ShapeError(f"{layer}: `{name}` must be a whole number of at least {least}{several}, not {value!r}")
    return tuple(int(n) for n in whole)


def plain(sizes: tuple[int, ...]) -> int | list[int]:
    """Sizes for a description: one number if all axes agree."""
    return sizes[0] if len(set(sizes)) == 1 else list(sizes)


def by(sizes: tuple[int, ...] | str) -> str:
    """Sizes for one-line forms: `3x3`."""
    return sizes if isinstance(sizes, str) else "x".join(map(str, sizes))


@dataclass(frozen=True)
class Windows:
    """A kernel, its stride and dilation, and the zeros before and after each axis."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def span(self) -> tuple[int, ...]:
        """How many positions a kernel spans along each axis."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @property
    def apart(self) -> bool:
        """Whether no windows overlap."""
        return all(s >= n for s, n in zip(self.stride, self.span, strict=True))

    def padded(self, grid: Shape) -> Shape:
        return tuple(a + n + b for a, n, b in zip(self.before, grid, self.after, strict=True))

    def places(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """How many windows fit along each axis of a grid (B, n1, ..., nd, C); raises ShapeError if none does."""
        found: list[int | None] = []
        for axis, span in enumerate(self.span):
            n = shape[1 + axis]
            room = None if n is None else self.before[axis] + n + self.after[axis]
            if room is not None and room < span:
                spans = " x ".join(map(str, self.span))
                padding = " with its padding" if any(self.before + self.after) else ""
                raise ShapeError(f"has a kernel over {spans}, which does not fit into {shape_text(shape)}{padding}")
            found.append(None if room is None else (room - span) // self.stride[axis] + 1)
        return tuple(found)

    def numbers(self, batch: int, grid: Shape) -> Array:
        """Flat indices of the positions in a padded grid: (windows, positions of the kernel)."""
        padded = self.padded(grid)
        flat = np.arange(batch * prod(padded)).reshape(batch, *padded)
        counts = [n or 0 for n in self.places((batch, *grid, None))]
        steps = flat.strides[1:]
        strides = (
            flat.strides[0],
            *(step * s for step, s in zip(steps, self.stride, strict=True)),
            *(step * d for step, d in zip(steps, self.dilation, strict=True)),
        )
        windows = np.lib.stride_tricks.as_strided(flat, (batch, *counts, *self.kernel), strides)
        return windows.reshape(-1, prod(self.kernel)).copy()

    def sources(self, batch: int, grid: Shape) -> Array:
        """If windows do not overlap: the one place of `numbers.T` with each position of a padded grid, or the number
        behind all places."""
        numbers = self.numbers(batch, grid).T
        found = np.full(batch * prod(self.padded(grid)), numbers.size)
        found[numbers] = np.arange(numbers.size).reshape(numbers.shape)
        return found

    def pieces(self, grid: Array) -> list[Array]:
        """For each kernel position, the view of a padded grid (B, n1, ..., nd, C) that it touches."""
        inner = [
            n - a - b for n, a, b in zip(grid.shape[1:-1], self.before, self.after, strict=True)
        ]  # the shape that `places` takes
        counts = [n or 0 for n in self.places((len(grid), *inner, None))]
        found = []
        for position in product(*map(range, self.kernel)):
            starts = [p * d for p, d in zip(position, self.dilation, strict=True)]
            axes = [
                slice(start, start + s * (n - 1) + 1, s)
                for start, s, n in zip(starts, self.stride, counts, strict=True)
            ]
            found.append(grid[(slice(None), *axes)])
        return found

    def inside(self, grid: Array) -> Array:
        """The view of a padded grid that is not padding."""
        axes = [slice(a, n - b) for n, a, b in zip(grid.shape[1:-1], self.before, self.after, strict=True)]
        return grid[(slice(None), *axes)]


def prepare_gradient(windows: Windows, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
    """Buffers for `scatter` into a grid of `shape`."""
    grid = np.zeros((shape[0], *windows.padded(shape[1:-1]), shape[-1]), dtype)
    buffers.dgrid, buffers.dpieces, buffers.dinside = grid, windows.pieces(grid), windows.inside(grid)
    buffers.dx = grid if grid.shape == shape else np.empty(shape, dtype)


def scatter(parts: Sequence[Array], buffers: Buffers) -> Array:
    """The gradient of the grid: `parts`, one for each kernel position, added back to where they came from."""
    buffers.dgrid.fill(0)
    for piece, part in zip(buffers.dpieces, parts, strict=True):
        np.add(piece, part, piece)
    if buffers.dx is not buffers.dgrid:
        np.copyto(buffers.dx, buffers.dinside)
    return buffers.dx
