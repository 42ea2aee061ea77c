"""Measures of a self-organizing map: quantization error, topographic error, U-matrix.

w (inputs, rows * columns) are the prototypes as `Distances` holds them, unit j at row j // columns, column j % columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynets.errors import ShapeError
from tinynets.numerics.arrays import Array, as_array, shape_text

CHUNK = 1024  # examples at once
Grid = tuple[int, int]


def quantization_error(w: Any, x: Any) -> float:
    """The mean distance from an example to its nearest prototype; x (N, inputs). Raises ShapeError."""
    w, x = _checked(w, x)
    nearest = [np.sqrt(_squares(w, x[start : start + CHUNK]).min(axis=1)) for start in range(0, len(x), CHUNK)]
    return float(np.concatenate(nearest).mean())


def topographic_error(w: Any, x: Any, grid: Grid) -> float:
    """The share of examples whose two nearest prototypes are not neighbours on the grid (diagonals are neighbours).

    x (N, inputs). Raises ShapeError. Source: Kiviluoto, "Topology preservation in self-organizing maps" (1996).
    """
    w, x = _checked(w, x)
    _, columns = _on_grid(w, grid)
    if w.shape[1] < 2:
        raise ShapeError("a topographic error needs at least 2 units; the grid has 1")
    torn = 0
    for start in range(0, len(x), CHUNK):
        two = np.argpartition(_squares(w, x[start : start + CHUNK]), 1, axis=1)[:, :2]
        rows, places = np.divmod(two, columns)
        torn += int(((np.abs(np.diff(rows)) > 1) | (np.abs(np.diff(places)) > 1)).sum())
    return torn / len(x)


def u_matrix(w: Any, grid: Grid) -> Array:
    """(rows, columns) mean distance of each prototype to those beside, above and below it: high between clusters.

    Raises ShapeError. Source: Ultsch and Siemon, "Kohonen's self organizing feature maps for exploratory data analysis"
    (1990).
    """
    w = as_array("w", w).astype(np.float64)
    rows, columns = _on_grid(w, grid)
    map_ = w.T.reshape(rows, columns, -1)
    total, count = np.zeros((rows, columns)), np.zeros((rows, columns))
    for axis in (0, 1):
        gaps = np.sqrt((np.diff(map_, axis=axis) ** 2).sum(axis=-1))
        before = (slice(None, -1), slice(None)) if axis == 0 else (slice(None), slice(None, -1))
        after = (slice(1, None), slice(None)) if axis == 0 else (slice(None), slice(1, None))
        for side in (before, after):
            total[side] += gaps
            count[side] += 1
    means: Array = total / np.maximum(count, 1)
    return means


def _squares(w: Array, x: Array) -> Array:
    """(N, units) squared distances, computed so that they cannot fall below zero."""
    squares = np.zeros((len(x), w.shape[1]))
    for feature in range(w.shape[0]):
        squares += (x[:, feature, None] - w[feature]) ** 2
    return squares


def _checked(w: Any, x: Any) -> tuple[Array, Array]:
    w, x = as_array("w", w).astype(np.float64), as_array("x", x).astype(np.float64)
    if w.ndim != 2 or x.ndim != 2 or w.shape[0] != x.shape[1] or not len(x) or not w.shape[1]:
        raise ShapeError(
            f"prototypes {shape_text(w.shape)} must be (inputs, units), examples {shape_text(x.shape)} (N, inputs)"
        )
    return w, x


def _on_grid(w: Array, grid: Grid) -> Grid:
    rows, columns = grid
    if w.ndim != 2 or rows * columns != w.shape[1]:
        raise ShapeError(f"a grid of {rows} x {columns} takes {rows * columns} units; w is {shape_text(w.shape)}")
    return rows, columns
