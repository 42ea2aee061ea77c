"""Activations: the function that each unit applies to its sum. They also define saturated and dead units.

Source for the thresholds: makemore part 3 (|tanh| > 0.97; a unit is dead when its local gradient vanishes everywhere).
At |tanh| = 0.97 the local gradient is `FLAT` times its largest; other activations count as saturated below that share.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynets.errors import ShapeError
from tinynets.nn.layers.base import Activation
from tinynets.nn.layers.buffers import Buffers
from tinynets.nn.layers.claims import EITHER_SIDE, SHARE
from tinynets.numerics.arrays import Array, Shape, is_finite_number, scalar
from tinynets.numerics.rules import FIRST
from tinynets.numerics.special import sigmoid

SATURATED = 0.97
FLAT = 1 - SATURATED**2


class Tanh(Activation):
    """out = tanh(x)."""

    kind = "tanh"
    output_range = EITHER_SIDE
    is_odd = True
    keeps_zero = True
    own_dx = True

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        super().allocate(buffers, shape, dtype)
        buffers.one = scalar(1, dtype)

    def forward(self, x: Array, buffers: Buffers) -> Array:
        return np.tanh(x, buffers.out)

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """tanh' = 1 - tanh^2, so dx = dout (1 - out^2)."""
        dx = buffers.dx
        np.multiply(buffers.out, buffers.out, dx)
        np.subtract(buffers.one, dx, dx)
        return np.multiply(dout, dx, dx)

    def saturated(self, out: Array, x: Array | None = None) -> Array:
        mask: Array = np.abs(out) > SATURATED
        return mask


class Sigmoid(Activation):
    """out = 1 / (1 + exp(-x)), precise in its tail; under the first rules (1 + tanh(x / 2)) / 2, 0 below -17."""

    kind = "sigmoid"
    output_range = SHARE
    own_dx = True

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        super().allocate(buffers, shape, dtype)
        buffers.e, buffers.under = np.empty(shape, dtype), np.empty(shape, dtype)

    def forward(self, x: Array, buffers: Buffers) -> Array:
        out = buffers.out
        if self.rules > FIRST:
            return sigmoid(x, out, buffers.e, buffers.under)
        np.multiply(x, 0.5, out)
        np.tanh(out, out)
        np.add(out, 1, out)
        return np.multiply(out, 0.5, out)

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """sigmoid' = s (1 - s), so dx = dout out (1 - out); with e = exp(-|x|) that slope is e / (1 + e)^2."""
        dx = buffers.dx
        if self.rules > FIRST:
            np.divide(buffers.e, buffers.under, dx)
            np.divide(dx, buffers.under, dx)
        else:
            np.subtract(1, buffers.out, dx)
            np.multiply(dx, buffers.out, dx)
        return np.multiply(dout, dx, dx)

    def saturated(self, out: Array, x: Array | None = None) -> Array:
        mask: Array = np.abs(2 * out - 1) > SATURATED
        return mask


class Identity(Activation):
    """out = x: no activation, where one is expected."""

    kind = "identity"
    hands_on = True
    keeps_range = True
    insertable = True
    is_odd = True
    keeps_zero = True

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        """Nothing to allocate: the input is passed on."""

    def forward(self, x: Array, buffers: Buffers) -> Array:
        buffers.out = x
        return x

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        buffers.dx = dout
        return dout


class Step(Activation):
    """out = 1 where x > 0, else 0. It is flat, so no gradient passes: layers before it cannot learn by gradients."""

    kind = "step"
    output_range = SHARE
    keeps_zero = True

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.out = np.empty(shape, dtype)
        buffers.dx = np.zeros(shape, dtype)

    def forward(self, x: Array, buffers: Buffers) -> Array:
        out: Array = buffers.out
        np.heaviside(x, 0, out)
        return out

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """step' = 0."""
        return buffers.dx

    def saturated(self, out: Array, x: Array | None = None) -> Array:
        return np.ones(out.shape, np.bool_)


class Gaussian(Activation):
    """out = exp(-x / (2 width^2)) of a squared distance x: behind `Distances` it makes radial basis functions.

    Raises ShapeError for a width that is not above 0. Source: Broomhead and Lowe, "Multivariable functional
    interpolation and adaptive networks" (1988).
    """

    kind = "gaussian"
    output_range = SHARE
    own_dx = True

    def __init__(self, width: float = 1.0, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.width = positive("Gaussian", "width", width)

    def sizes(self) -> tuple[int | str, ...]:
        return (f"{self.width:g}",)

    def config(self) -> dict[str, Any]:
        return {"width": self.width}

    def forward(self, x: Array, buffers: Buffers) -> Array:
        out = buffers.out
        np.multiply(x, -0.5 / self.width**2, out)
        return np.exp(out, out)

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """dx = -dout out / (2 width^2)."""
        dx = buffers.dx
        np.multiply(dout, buffers.out, dx)
        return np.multiply(dx, -0.5 / self.width**2, dx)

    def blocked(self, out: Array, x: Array | None = None) -> Array:
        """Where the input is too far away: the unit is silent, like a ReLU that is off, rather than saturated."""
        mask: Array = out < FLAT
        return mask


class Softmax(Activation):
    """out = exp(x) / the sum of exp(x) over the last axis: shares that sum to 1.

    It is not needed before a cross-entropy: that loss takes logits.
    """

    kind = "softmax"
    output_range = SHARE
    mixes_units = True

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        super().allocate(buffers, shape, dtype)
        buffers.column = np.empty((*shape[:-1], 1), dtype)

    def forward(self, x: Array, buffers: Buffers) -> Array:
        out: Array = buffers.out
        column = buffers.column
        np.maximum.reduce(x, axis=-1, out=column, keepdims=True)
        np.subtract(x, column, out)
        np.exp(out, out)
        np.add.reduce(out, axis=-1, out=column, keepdims=True)
        np.divide(out, column, out)
        return out

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """d out_i / d x_j = out_i ([i = j] - out_j), so dx = out (dout - the sum of dout out)."""
        dx, column = buffers.dx, buffers.column
        np.multiply(dout, buffers.out, dx)
        np.add.reduce(dx, axis=-1, out=column, keepdims=True)
        np.subtract(dout, column, dx)
        return np.multiply(dx, buffers.out, dx)

    def saturated(self, out: Array, x: Array | None = None) -> Array:
        """Where one unit has nearly the whole share, so that its row passes hardly any gradient."""
        decided = out.max(axis=-1, keepdims=True) > (1 + SATURATED) / 2
        return np.broadcast_to(decided, out.shape)


def positive(layer: str, name: str, value: object) -> float:
    """A finite number above 0; raises ShapeError that names it otherwise."""
    if not is_finite_number(value) or value <= 0:
        raise ShapeError(f"{layer}: `{name}` must be a number above 0, not {value!r}")
    return float(value)
