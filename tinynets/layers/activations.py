"""Activations: each unit's own function of its sum. What saturated and dead mean stands here too.

Source for the thresholds: makemore part 3 (|tanh| > 0.97; a unit is dead when its local gradient vanishes everywhere).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynets.arrays import Array, Shape
from tinynets.layers.base import Buffers, Layer

SATURATED = 0.97


class Activation(Layer):
    """Base: x and out (...), same shape."""

    is_activation = True
    joins = True

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.out = np.empty(shape, dtype)
        buffers.dx = np.empty(shape, dtype)

    def saturated(self, out: Array) -> Array:
        """Where the output lies so near its bounds that hardly any gradient passes: a mask like `out`."""
        return np.zeros(out.shape, np.bool_)

    def blocked(self, out: Array) -> Array:
        """Where the local gradient vanishes; a unit for which this holds on every probe example is dead."""
        return self.saturated(out)


class Tanh(Activation):
    """out = tanh(x)."""

    kind = "tanh"

    def forward(self, x: Array, buffers: Buffers) -> Array:
        return np.tanh(x, buffers.out)

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """tanh' = 1 - tanh^2, so dx = dout (1 - out^2)."""
        dx = buffers.dx
        np.multiply(buffers.out, buffers.out, dx)
        np.subtract(1, dx, dx)
        return np.multiply(dout, dx, dx)

    def saturated(self, out: Array) -> Array:
        mask: Array = np.abs(out) > SATURATED
        return mask


class Sigmoid(Activation):
    """out = 1 / (1 + exp(-x)), computed as (1 + tanh(x / 2)) / 2, which cannot overflow."""

    kind = "sigmoid"

    def forward(self, x: Array, buffers: Buffers) -> Array:
        out = buffers.out
        np.multiply(x, 0.5, out)
        np.tanh(out, out)
        np.add(out, 1, out)
        return np.multiply(out, 0.5, out)

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """sigmoid' = s (1 - s), so dx = dout out (1 - out)."""
        dx = buffers.dx
        np.subtract(1, buffers.out, dx)
        np.multiply(dx, buffers.out, dx)
        return np.multiply(dout, dx, dx)

    def saturated(self, out: Array) -> Array:
        mask: Array = np.abs(2 * out - 1) > SATURATED
        return mask


class ReLU(Activation):
    """out = max(x, 0)."""

    kind = "relu"

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        super().allocate(buffers, shape, dtype)
        buffers.on = np.empty(shape, np.bool_)

    def forward(self, x: Array, buffers: Buffers) -> Array:
        return np.maximum(x, 0, out=buffers.out)

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """The gradient passes where the unit is on: dx = dout where out > 0, else 0."""
        np.greater(buffers.out, 0, buffers.on)
        dx: Array = buffers.dx
        np.multiply(dout, buffers.on, dx)
        return dx

    def blocked(self, out: Array) -> Array:
        mask: Array = out <= 0
        return mask
