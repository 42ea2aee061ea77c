"""Special functions that numpy lacks: erf, sigmoid, the tail of the normal distribution, softmax.

erf is right to the last bits of float64 or float32; sigmoid and the normal distribution are precise in their tails.

Sources: Cody, "Rational Chebyshev approximations for the error function" (1969), for float64; the rational function of
Eigen (`generic_fast_erf`, also used by XLA) for float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi, sqrt

import numpy as np

from tinynets.numerics.arrays import Array

# float64: x P(x^2) / Q(x^2) within 0.5 of 0, elsewhere 1 - exp(-x^2) P(x) / Q(x); highest power first
_NEAR = 0.5
_NEAR_OVER = (
    1.85777706184603153e-1,
    3.16112374387056560e0,
    1.13864154151050156e2,
    3.77485237685302021e2,
    3.20937758913846947e3,
)
_NEAR_UNDER = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
_FAR = 6.0  # from here on erf is 1 to the last bit
_FAR_OVER = (
    2.15311535474403846e-8,
    5.64188496988670089e-1,
    8.88314979438837594e0,
    6.61191906371416295e1,
    2.98635138197400131e2,
    8.81952221241769090e2,
    1.71204761263407058e3,
    2.05107837782607147e3,
    1.23033935479799725e3,
)
_FAR_UNDER = (
    1.0,
    1.57449261107098347e1,
    1.17693950891312499e2,
    5.37181101862009858e2,
    1.62138957456669019e3,
    3.29079923573345963e3,
    4.36261909014324716e3,
    3.43936767414372164e3,
    1.23033935480374942e3,
)

# float64, from 4 on: erfc(x) = exp(-x^2) / x (1 / sqrt(pi) - P(1 / x^2) / (Q(1 / x^2) x^2))
_TAIL = 4.0
_TAIL_END = 40.0  # exp(-x^2) is 0 long before
_TAIL_OVER = (
    1.63153871373020978e-2,
    3.05326634961232344e-1,
    3.60344899949804439e-1,
    1.25781726111229246e-1,
    1.60837851487422766e-2,
    6.58749161529837803e-4,
)
_TAIL_UNDER = (
    1.0,
    2.56852019228982242e0,
    1.87295284992346047e0,
    5.27905102951428412e-1,
    6.05183413124413191e-2,
    2.33520497626869185e-3,
)
_LOW = -2.0  # from here on down (1 + erf) / 2 loses digits

# float32: x P(x^2) / Q(x^2) within 4 of 0
_SINGLE = 4.0
_SINGLE_OVER = (
    -2.72614225801306e-10,
    2.77068142495902e-08,
    -2.10102402082508e-06,
    -5.69250639462346e-05,
    -7.34990630326855e-04,
    -2.95459980854025e-03,
    -1.60960333262415e-02,
)
_SINGLE_UNDER = (
    -1.45660718464996e-05,
    -2.13374055278905e-04,
    -1.68282697438203e-03,
    -7.37332916720468e-03,
    -1.42647390514189e-02,
)


def erf(x: Array, out: Array | None = None, work: Sequence[Array] | None = None) -> Array:
    """erf(x) = 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.

    x (...), float64 (error at most 3e-16) or float32 (4e-7); `out`: another array like x; `work`: three more to use.
    """
    out = np.empty_like(x) if out is None else out
    work = [np.empty_like(x) for _ in range(3)] if work is None else work
    return _single(x, out, work) if x.dtype == np.float32 else _double(x, out, work)


def sigmoid(x: Array, out: Array, e: Array, under: Array) -> Array:
    """Write 1 / (1 + exp(-x)) to `out`, right to the last bits if it is a normal number; nothing overflows.

    x (...), the others like it; x may be `out`. With e = exp(-|x|) it is 1 / (1 + e) where x > 0, else e / (1 + e): so
    its slope is e / (1 + e)^2 on both sides. `e`, and 1 + e in `under`, are left there for that.
    """
    np.abs(x, e)
    np.negative(e, e)
    np.exp(e, e)
    np.greater(x, 0, out)
    np.maximum(out, e, out=out)
    np.add(e, 1, under)
    shares: Array = np.divide(out, under, out)
    return shares


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    """Probabilities over the last axis, in float64; temperature 0 gives the largest logit everything."""
    z = logits.astype(np.float64)
    z -= z.max(axis=-1, keepdims=True)
    if temperature == 0:
        return np.asarray((z == 0) / (z == 0).sum(axis=-1, keepdims=True))
    e = np.exp(z / temperature)
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def lower_tail(x: Array, out: Array) -> None:
    """Where x is less than -2, write the normal distribution's share below x to `out`, with full precision.

    The usual (1 + erf(x / sqrt(2))) / 2 cancels there, and is soon 0.
    """
    low = x < _LOW
    if low.any():
        out[low] = _erfc(x[low].astype(np.float64) * -sqrt(0.5)) / 2


def _erfc(x: Array) -> Array:
    """1 - erf(x), float64, for x (n,) from 0.5 up."""
    x = np.minimum(x, _TAIL_END)
    found, over, under = np.exp(-(x * x)), np.empty_like(x), np.empty_like(x)
    near = np.minimum(x, _TAIL)
    _polynomial(_FAR_OVER, near, over)
    _polynomial(_FAR_UNDER, near, under)
    shares = over / under
    far = x > _TAIL
    beyond = x[far]
    square = 1 / (beyond * beyond)
    over, under = np.empty_like(square), np.empty_like(square)
    _polynomial(_TAIL_OVER, square, over)
    _polynomial(_TAIL_UNDER, square, under)
    shares[far] = (1 / sqrt(pi) - square * over / under) / beyond
    whole: Array = np.multiply(found, shares, found)
    return whole


def _single(x: Array, out: Array, work: Sequence[Array]) -> Array:
    near, square, under = work
    np.clip(x, -_SINGLE, _SINGLE, near)
    np.multiply(near, near, square)
    _polynomial(_SINGLE_OVER, square, out)
    np.multiply(out, near, out)
    _polynomial(_SINGLE_UNDER, square, under)
    return np.divide(out, under, out)


def _double(x: Array, out: Array, work: Sequence[Array]) -> Array:
    size, square, under = work
    np.abs(x, size)
    np.minimum(size, _FAR, out=size)
    _polynomial(_FAR_OVER, size, out)
    _polynomial(_FAR_UNDER, size, under)
    np.divide(out, under, out)
    np.multiply(size, size, square)
    np.negative(square, under)
    np.exp(under, under)
    np.multiply(out, under, out)
    np.subtract(1, out, out)
    np.copysign(out, x, out)
    near = size < _NEAR
    if near.any():
        close, small = x[near], square[near]
        over, under = np.empty_like(close), np.empty_like(close)
        _polynomial(_NEAR_OVER, small, over)
        _polynomial(_NEAR_UNDER, small, under)
        out[near] = close * over / under
    return out


def _polynomial(coefficients: Sequence[float], x: Array, out: Array) -> None:
    """A polynomial by Horner's rule, highest power first."""
    np.multiply(x, coefficients[0], out)
    for coefficient in coefficients[1:-1]:
        np.add(out, coefficient, out)
        np.multiply(out, x, out)
    np.add(out, coefficients[-1], out)
