"""Clipping: gradients held within a range, and their length within a bound, over all of a dtype's range."""

from __future__ import annotations

from math import inf, sqrt

import numpy as np

from tinynets.numerics.arrays import Array


def clip(grad: Array, value: float, norm: float) -> None:
    """Hold each gradient within plus and minus `value`, then shorten all together to `norm`; 0: not."""
    if value:
        np.clip(grad, -value, value, grad)
    if norm:
        length = norm_of(grad)
        if length > norm:
            scale(grad, norm / length)


def norm_of(grad: Array) -> float:
    """The length of a gradient, also of one whose squares overflow, or fall below what can be told from 0."""
    square = float(grad.dot(grad))
    if grad.size * _least_square(grad) < square < inf:
        return sqrt(square)
    largest = float(np.abs(grad).max(initial=0))
    if not 0 < largest < inf:
        return largest
    shares = grad.astype(np.float64) / largest
    return largest * sqrt(float(shares.dot(shares)))


def _least_square(grad: Array) -> float:
    """Where the mean of squares is above this, those that were too small to be told from 0 are not missed."""
    finfo = np.finfo(grad.dtype)
    return float(finfo.tiny / finfo.eps**2)


def scale(grad: Array, factor: float) -> None:
    """Multiply a gradient by a factor from 0 to 1, also one that is smaller than the dtype's smallest number."""
    if factor >= np.finfo(grad.dtype).tiny:
        np.multiply(grad, factor, grad)
    else:
        root = sqrt(factor)
        np.multiply(np.multiply(grad, root, grad), root, grad)
