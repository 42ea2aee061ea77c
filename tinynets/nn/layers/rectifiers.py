"""ReLU and its smoother relatives: activations that pass positive values and hold back negative ones."""

from __future__ import annotations

from math import inf, pi, sqrt
from typing import Any

import numpy as np

from tinynets.errors import ShapeError, nearest
from tinynets.nn.layers.activations import FLAT, positive
from tinynets.nn.layers.base import Activation
from tinynets.nn.layers.buffers import Buffers
from tinynets.nn.layers.claims import FREE, NEVER_NEGATIVE
from tinynets.numerics.arrays import Array, Shape, is_finite_number
from tinynets.numerics.rules import FIRST
from tinynets.numerics.special import erf, lower_tail, sigmoid


class _Bent(Activation):
    """Base of activations that bend at 0. `zeros`: numpy's maximum is much faster with two arrays than with a number.

    x and out (...), same shape.
    """

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        super().allocate(buffers, shape, dtype)
        buffers.zeros = np.zeros(shape, dtype)


class ReLU(_Bent):
    """out = max(x, 0)."""

    kind = "relu"
    output_range = NEVER_NEGATIVE
    keeps_zero = True
    own_dx = True

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        super().allocate(buffers, shape, dtype)
        buffers.on = np.empty(shape, np.bool_)

    def forward(self, x: Array, buffers: Buffers) -> Array:
        out: Array = buffers.out
        np.maximum(x, buffers.zeros, out=out)
        return out

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """The gradient passes where the unit is on: dx = dout where out > 0, else 0."""
        dx = buffers.dx
        np.greater(buffers.out, buffers.zeros, buffers.on)
        np.copyto(dx, buffers.on)  # faster than multiplying by a mask
        return np.multiply(dout, dx, dx)

    def blocked(self, out: Array, x: Array | None = None) -> Array:
        mask: Array = out <= 0
        return mask


class LeakyReLU(Activation):
    """out = x where x > 0, else slope x; 0 <= slope <= 1. Source: Maas et al., "Rectifier nonlinearities" (2013)."""

    kind = "leaky-relu"
    keeps_zero = True
    own_dx = True

    def __init__(self, slope: float = 0.01, *, name: str | None = None) -> None:
        super().__init__(name=name)
        if not is_finite_number(slope) or not 0 <= slope <= 1:
            raise ShapeError(f"LeakyReLU: `slope` must be a number from 0 to 1, not {slope!r}")
        self.slope = float(slope)
        self.output_range = FREE if self.slope else NEVER_NEGATIVE

    def sizes(self) -> tuple[int | str, ...]:
        return (f"{self.slope:g}",)

    def config(self) -> dict[str, Any]:
        return {"slope": self.slope}

    def forward(self, x: Array, buffers: Buffers) -> Array:
        out = buffers.out
        np.multiply(x, self.slope, out)
        return np.maximum(x, out, out=out)

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """dx = dout where out > 0, else slope dout."""
        dx = buffers.dx
        np.greater(buffers.out, 0, dx)
        np.maximum(dx, self.slope, out=dx)
        return np.multiply(dout, dx, dx)

    def blocked(self, out: Array, x: Array | None = None) -> Array:
        mask: Array = (out <= 0) & (self.slope == 0)
        return mask


class ELU(_Bent):
    """out = x where x > 0, else alpha (exp(x) - 1); alpha > 0.

    Source: Clevert et al., "Fast and accurate deep network learning by exponential linear units" (2015).
    """

    kind = "elu"
    keeps_zero = True
    own_dx = True

    def __init__(self, alpha: float = 1.0, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.alpha = positive("ELU", "alpha", alpha)
        self.output_range = (-self.alpha, inf)

    def sizes(self) -> tuple[int | str, ...]:
        return (f"{self.alpha:g}",)

    def config(self) -> dict[str, Any]:
        return {"alpha": self.alpha}

    def forward(self, x: Array, buffers: Buffers) -> Array:
        out, above = buffers.out, buffers.dx
        buffers.x = x
        np.minimum(x, buffers.zeros, out=out)
        np.expm1(out, out)
        np.multiply(out, self.alpha, out)
        np.maximum(x, buffers.zeros, out=above)
        return np.add(out, above, out)

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """elu' = 1 where x > 0, else alpha exp(x); under the first rules out + alpha, which is less precise."""
        dx = buffers.dx
        if self.rules > FIRST:
            np.minimum(buffers.x, buffers.zeros, out=dx)
            np.exp(dx, dx)
            if self.alpha != 1:
                np.multiply(dx, self.alpha, dx)
        else:
            np.minimum(buffers.out, buffers.zeros, out=dx)
            np.add(dx, self.alpha, dx)
        if self.alpha != 1:
            np.copyto(dx, 1, where=buffers.out > 0)
        return np.multiply(dout, dx, dx)

    def saturated(self, out: Array, x: Array | None = None) -> Array:
        mask: Array = (out < 0) & (out + self.alpha < FLAT)
        return mask


class Softplus(_Bent):
    """out = log(1 + exp(x)), a ReLU without its kink; computed as max(x, 0) + log(1 + exp(-|x|))."""

    kind = "softplus"
    output_range = NEVER_NEGATIVE
    own_dx = True

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        super().allocate(buffers, shape, dtype)
        buffers.e, buffers.under = np.empty(shape, dtype), np.empty(shape, dtype)

    def forward(self, x: Array, buffers: Buffers) -> Array:
        out, e, above = buffers.out, buffers.e, buffers.dx
        buffers.x = x
        np.abs(x, e)
        np.negative(e, e)
        np.exp(e, e)
        np.log1p(e, out)
        np.maximum(x, buffers.zeros, out=above)
        return np.add(out, above, out)

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """softplus' = sigmoid(x); with e = exp(-|x|), at most 1, that is 1 / (1 + e) where x > 0, else e / (1 + e)."""
        dx, e, under = buffers.dx, buffers.e, buffers.under
        np.greater(buffers.x, 0, dx)
        np.maximum(dx, e, out=dx)
        np.add(e, 1, under)
        np.divide(dx, under, dx)
        return np.multiply(dout, dx, dx)

    def saturated(self, out: Array, x: Array | None = None) -> Array:
        mask: Array = -np.expm1(-out) < FLAT
        return mask


class SiLU(Activation):
    """out = x sigmoid(x), also called swish.

    Source: Elfwing et al., "Sigmoid-weighted linear units" (2017).
    """

    kind = "silu"
    output_range = (-0.279, inf)
    keeps_zero = True
    own_dx = True
    flat_below = -3.81
    """Below this the local gradient is less than `FLAT`."""

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        super().allocate(buffers, shape, dtype)
        buffers.share, buffers.e, buffers.under = (np.empty(shape, dtype) for _ in range(3))

    def forward(self, x: Array, buffers: Buffers) -> Array:
        share = buffers.share
        buffers.x = x
        if self.rules > FIRST:
            sigmoid(x, share, buffers.e, buffers.under)
        else:  # (1 + tanh(x / 2)) / 2
            np.multiply(x, 0.5, share)
            np.tanh(share, share)
            np.add(share, 1, share)
            np.multiply(share, 0.5, share)
        out: Array = buffers.out
        np.multiply(x, share, out)
        return out

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """With s = sigmoid(x), silu' = s + x s (1 - s) = s + out (1 - s); s (1 - s) is e / (1 + e)^2, e = exp(-|x|)."""
        dx, share = buffers.dx, buffers.share
        if self.rules > FIRST:
            np.divide(buffers.e, buffers.under, dx)
            np.divide(dx, buffers.under, dx)
            np.multiply(dx, buffers.x, dx)
        else:
            np.subtract(1, share, dx)
            np.multiply(buffers.out, dx, dx)
        np.add(dx, share, dx)
        return np.multiply(dout, dx, dx)

    def saturated(self, out: Array, x: Array | None = None) -> Array:
        return _below(self.flat_below, out, x)


FORMS = ("none", "tanh")


class GELU(Activation):
    """out = x Phi(x), Phi the normal distribution function, or with approximate="tanh" its approximation by a tanh.

    Source: Hendrycks and Gimpel, "Gaussian error linear units" (2016); the names of the forms are PyTorch's.
    """

    kind = "gelu"
    output_range = (-0.17, inf)
    keeps_zero = True
    own_dx = True
    flat_below = -2.251
    """Below this the local gradient is less than `FLAT`."""

    def __init__(self, approximate: str = "none", *, name: str | None = None) -> None:
        super().__init__(name=name)
        if approximate not in FORMS:
            hint = nearest(str(approximate), FORMS)
            raise ShapeError(f"GELU: `approximate` must be one of {', '.join(FORMS)}, not {approximate!r}{hint}")
        self.approximate = approximate

    def sizes(self) -> tuple[int | str, ...]:
        return () if self.approximate == "none" else (self.approximate,)

    def config(self) -> dict[str, Any]:
        return {"approximate": self.approximate}

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        super().allocate(buffers, shape, dtype)
        buffers.share = np.empty(shape, dtype)
        buffers.work = [np.empty(shape, dtype) for _ in range(3)]

    def forward(self, x: Array, buffers: Buffers) -> Array:
        share, exact, full = buffers.share, self.approximate == "none", self.rules > FIRST
        buffers.x = x
        if exact:
            np.multiply(x, sqrt(0.5), buffers.out)
            erf(buffers.out, share, buffers.work)
        else:
            np.multiply(x, x, share)
            np.multiply(share, 0.044715, share)
            np.add(share, 1, share)
            np.multiply(share, x, share)
            np.multiply(share, sqrt(2 / pi) * (2 if full else 1), share)
            if full:  # (1 + tanh(u)) / 2 = sigmoid(2 u)
                sigmoid(share, share, *buffers.work[:2])
            else:
                np.tanh(share, share)
        if exact or not full:
            np.add(share, 1, share)
            np.multiply(share, 0.5, share)
        if exact and full:
            lower_tail(x, share)
        out: Array = buffers.out
        np.multiply(x, share, out)
        return out

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """With P the share of x that passes, gelu' = P + x P'.

        Exactly, P' = exp(-x^2 / 2) / sqrt(2 pi); for the tanh, 1 - tanh^2 = 4 P (1 - P).
        """
        x, share = buffers.x, buffers.share
        dx: Array = buffers.dx
        square, slope = buffers.work[:2]
        np.multiply(x, x, square)
        if self.approximate == "none":
            np.multiply(square, -0.5, slope)
            np.exp(slope, slope)
            np.multiply(slope, 1 / sqrt(2 * pi), slope)
        else:
            np.minimum(square, 1e4, out=square)  # beyond, the gradient is 0; avoids 0 times infinity
            np.multiply(square, 3 * 0.044715, square)
            np.add(square, 1, square)
            np.subtract(1, share, slope)
            np.multiply(slope, share, slope)
            np.multiply(slope, square, slope)
            np.multiply(slope, 2 * sqrt(2 / pi), slope)
        np.multiply(slope, x, slope)
        np.add(slope, share, slope)
        np.multiply(dout, slope, dx)
        return dx

    def saturated(self, out: Array, x: Array | None = None) -> Array:
        return _below(self.flat_below, out, x)


def _below(limit: float, out: Array, x: Array | None) -> Array:
    mask: Array = np.zeros(out.shape, np.bool_) if x is None else x.reshape(out.shape) < limit
    return mask
