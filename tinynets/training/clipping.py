"""Clipping: keeps gradients within a range and their norm within a bound, over the whole range of a dtype."""

from __future__ import annotations

from math import inf, sqrt

import numpy as np

from tinynets.numerics.arrays import Array


def clip(grad: Array, value: float, norm: float) -> None:
    """Clip each gradient to plus and minus `value`, then scale them all down to `norm`; 0 means no clipping."""
    if value:
        np.clip(grad, -value, value, grad)
    if norm:
        length = norm_of(grad)
        if length > norm:
            scale(grad, norm / length)


def norm_of(grad: Array) -> float:
    """The norm of a gradient, even if its squares overflow or underflow."""
    square = float(grad.dot(grad))
    if grad.size * _least_square(grad) < square < inf:
        return sqrt(square)
    largest = float(np.abs(grad).max(initial=0))
    if not 0 < largest < inf:
        return largest
    shares = grad.astype(np.float64) / largest
    return largest * sqrt(float(shares.dot(shares)))


def _least_square(grad: Array) -> float:
    """Above this mean of squares, squares that underflow to 0 do not matter."""
    finfo = np.finfo(grad.dtype)
    return float(finfo.tiny / finfo.eps**2)


def scale(grad: Array, factor: float) -> None:
    """Multiply a gradient by a factor from 0 to 1, even if the factor is below the dtype's smallest number."""
    if factor >= np.finfo(grad.dtype).tiny:
        np.multiply(grad, factor, grad)
    else:
        root = sqrt(factor)
        np.multiply(np.multiply(grad, root, grad), root, grad)
