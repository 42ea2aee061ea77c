"""Kohonen: the loss that makes a layer of distances a self-organizing map."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from tinynets.errors import ShapeError
from tinynets.nn.losses.base import Loss, LossBuffers
from tinynets.numerics.arrays import Array, Shape, is_finite_number, plain, settle_numbers, shape_text
from tinynets.numerics.checks import whole_number

LEAST_RADIUS = 1e-6  # its square is a divisor, and neighbours on the grid are 1 apart


@dataclass(frozen=True, eq=False)
class Kohonen(Loss):
    """The mean of sum_j h(c, j) out[j] / 2: squared distances weighted by nearness, on the grid, to the best unit c.

    out (B, rows * columns) squared distances, with unit j at row j // columns, column j % columns of `grid`; no
    targets. h(c, j) = exp(-g(c, j)^2 / (2 radius^2)), g the distance on the grid. The gradient is h / (2 B), so plain
    SGD on Distances, one example at a time, is Kohonen's rule: w_j += lr h(c, j) (x - w_j).

    The radius falls exponentially from `radius` (default: half the longer side) to `final_radius` over `steps` steps,
    addressed by the step. Training uses the radius of its step; measuring (`each`: evaluation, probe) always the final
    one, so that losses measured at different steps can be compared.

    Raises ShapeError for an impossible grid or radius. Source: Kohonen, "Self-organized formation of topologically
    correct feature maps" (1982); the shrinking of the radius: Ritter, Martinetz and Schulten (1992).
    """

    kind: ClassVar[str] = "kohonen"
    grid: tuple[int, int] = (10, 10)
    radius: float = 0.0
    final_radius: float = 0.5
    steps: int = 1000

    def __post_init__(self) -> None:
        grid = self.grid
        sides = plain(grid) if isinstance(grid, tuple | list) else []
        if len(sides) != 2 or not all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in sides):
            raise ShapeError(f"`kohonen`: `grid` must be (rows, columns), whole numbers above 0, not {grid!r}")
        _check_radius("final_radius", self.final_radius)
        if self.radius == 0:
            object.__setattr__(self, "radius", max(self.final_radius, max(sides) / 2))
        _check_radius("radius", self.radius)
        whole_number("`kohonen`: `steps`", self.steps, 1, None, ShapeError)
        settle_numbers(self)
        object.__setattr__(self, "grid", tuple(sides))

    def radius_at(self, step: int) -> float:
        """The radius for the update that leads from `step` to `step` + 1."""
        return float(self.radius * (self.final_radius / self.radius) ** min(step / self.steps, 1.0))

    def targets(self, y: Any, out_shape: Shape, dtype: np.dtype[Any]) -> Array:
        rows, columns = self.grid
        if len(out_shape) != 2 or out_shape[1] != rows * columns:
            raise ShapeError(
                f"kohonen: a grid of {rows} x {columns} takes outputs (B, {rows * columns}), "
                f"not {shape_text(out_shape)}"
            )
        return np.empty((out_shape[0], 0), dtype)

    def allocate(self, buffers: LossBuffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.squares = grid_squares(self.grid).astype(dtype)
        buffers.best = np.empty(shape[0], np.intp)
        buffers.nearness = np.empty(shape, dtype)

    def value(self, out: Array, y: Array, buffers: LossBuffers) -> float:
        nearness = buffers.nearness
        np.argmin(out, axis=1, out=buffers.best)
        buffers.squares.take(buffers.best, 0, nearness, "clip")
        np.multiply(nearness, -0.5 / self.radius_at(buffers.step) ** 2, nearness)
        np.exp(nearness, nearness)
        return float(np.vdot(nearness, out) / (2 * len(out)))

    def gradient(self, buffers: LossBuffers) -> Array:
        """h(c, j) / (2 B)."""
        nearness: Array = buffers.nearness
        return np.divide(nearness, 2 * len(nearness), nearness)

    def each(self, out: Array, y: Array) -> Array:
        return self._each(out, self.final_radius)

    def each_of_batch(self, out: Array, y: Array, buffers: LossBuffers) -> Array:
        return self._each(out, self.radius_at(buffers.step))

    def measured_at(self, step: int) -> int:
        return self.steps

    def _each(self, out: Array, radius: float) -> Array:
        nearness = np.exp(grid_squares(self.grid)[out.argmin(axis=1)] * (-0.5 / radius**2))
        losses: Array = (nearness * out).sum(axis=1) / 2
        return losses


def _check_radius(name: str, value: object) -> None:
    if not is_finite_number(value) or value < LEAST_RADIUS:
        raise ShapeError(f"`kohonen`: `{name}` must be a finite number of at least {LEAST_RADIUS}, not {value!r}")


@lru_cache(maxsize=8)
def grid_squares(grid: tuple[int, int]) -> Array:
    """(units, units) squared distances on the grid, float64."""
    places = np.indices(grid).reshape(2, -1).astype(np.float64)
    squares: Array = ((places[:, :, None] - places[:, None, :]) ** 2).sum(axis=0)
    squares.flags.writeable = False
    return squares
