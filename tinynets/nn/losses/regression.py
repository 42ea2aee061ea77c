"""Losses for plain values: MSE, MAE, Huber."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinynets.errors import ShapeError
from tinynets.nn.losses.base import Elementwise, LossBuffers
from tinynets.numerics.arrays import Array, Shape, is_finite_number, settle_numbers


class _Difference(Elementwise):
    """Base of losses of the difference out - y. out and y (B, ...), the same shape; or y (B,) for out (B, 1)."""

    def allocate(self, buffers: LossBuffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.difference = np.empty(shape, dtype)
        buffers.scratch = np.empty(shape, dtype)


@dataclass(frozen=True, eq=False)
class MSE(_Difference):
    """The mean of (out - y)^2 over all elements. out and y (B, ...), the same shape."""

    kind: ClassVar[str] = "mse"

    def value(self, out: Array, y: Array, buffers: LossBuffers) -> float:
        difference = np.subtract(out, y, buffers.difference)
        np.multiply(difference, difference, buffers.scratch)
        return float(np.add.reduce(buffers.scratch, axis=None) / difference.size)

    def gradient(self, buffers: LossBuffers) -> Array:
        """2 (out - y) / n."""
        difference: Array = buffers.difference
        return np.multiply(difference, 2 / difference.size, difference)

    def elements(self, out: Array, y: Array) -> Array:
        square: Array = (out - y) ** 2
        return square


@dataclass(frozen=True, eq=False)
class MAE(_Difference):
    """The mean of |out - y| over all elements. out and y (B, ...), the same shape."""

    kind: ClassVar[str] = "mae"

    def value(self, out: Array, y: Array, buffers: LossBuffers) -> float:
        difference = np.subtract(out, y, buffers.difference)
        np.abs(difference, buffers.scratch)
        return float(np.add.reduce(buffers.scratch, axis=None) / difference.size)

    def gradient(self, buffers: LossBuffers) -> Array:
        """sign(out - y) / n, 0 where they are equal."""
        sign: Array = np.sign(buffers.difference, buffers.scratch)
        return np.divide(sign, sign.size, sign)

    def elements(self, out: Array, y: Array) -> Array:
        return np.asarray(np.abs(out - y))


@dataclass(frozen=True, eq=False)
class Huber(_Difference):
    """The mean of d^2 / 2 where |d| <= delta, else of delta (|d| - delta / 2); d = out - y.

    out and y (B, ...), the same shape. Raises ShapeError unless `delta` is above 0. Source: Huber (1964), like PyTorch.
    """

    kind: ClassVar[str] = "huber"
    delta: float = 1.0

    def __post_init__(self) -> None:
        if not is_finite_number(self.delta) or self.delta <= 0:
            raise ShapeError(f"`huber`: `delta` must be a finite number above 0, not {self.delta!r}")
        settle_numbers(self)

    def value(self, out: Array, y: Array, buffers: LossBuffers) -> float:
        """With c = d held within plus and minus delta, both cases are c (d - c / 2)."""
        difference, clipped = np.subtract(out, y, buffers.difference), buffers.scratch
        np.clip(difference, -self.delta, self.delta, clipped)
        total = np.vdot(clipped, difference) - np.vdot(clipped, clipped) / 2
        return float(total / difference.size)

    def gradient(self, buffers: LossBuffers) -> Array:
        """c / n."""
        clipped: Array = buffers.scratch
        return np.divide(clipped, clipped.size, clipped)

    def elements(self, out: Array, y: Array) -> Array:
        difference = out - y
        clipped = np.clip(difference, -self.delta, self.delta)
        losses: Array = clipped * (difference - clipped / 2)
        return losses
