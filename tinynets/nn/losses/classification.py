"""Losses for classes: CrossEntropy for one of many, BinaryCrossEntropy, Hinge and Perceptron for yes or no."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinynets.errors import DataError, ShapeError
from tinynets.nn.losses.base import Elementwise, Loss, LossBuffers, needed
from tinynets.numerics.arrays import Array, Shape, is_finite_number, is_integer, scalar, settle_numbers, shape_text
from tinynets.numerics.rules import FIRST

SURE = 0.01  # below this mean loss, probabilities that float32 cannot tell from 1 matter


@dataclass(frozen=True, eq=False)
class CrossEntropy(Loss):
    """The mean of -log softmax(out)[y], from logits.

    out (..., C), y (...) whole numbers 0 to C - 1. Stable: the largest logit is subtracted first. With
    `label_smoothing` s the target is 1 - s for the class, plus s spread evenly over all classes (Szegedy et al. 2015).
    """

    kind: ClassVar[str] = "cross-entropy"
    classes: ClassVar[bool] = True
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        if not is_finite_number(self.label_smoothing) or not 0 <= self.label_smoothing < 1:
            raise ShapeError(
                "`cross-entropy`: `label_smoothing` must be a number from 0 up to, but not, 1, "
                f"not {self.label_smoothing!r}"
            )
        settle_numbers(self)

    def targets(self, y: Any, out_shape: Shape, dtype: np.dtype[Any]) -> Array:
        y = needed(self.kind, y)
        if not is_integer(y):
            raise ShapeError(f"cross-entropy takes whole numbers as targets, not {y.dtype}")
        if y.shape != out_shape[:-1]:
            raise ShapeError(
                f"cross-entropy: targets are {shape_text(y.shape)}, outputs {shape_text(out_shape)}: "
                f"the targets must be {shape_text(out_shape[:-1])}"
            )
        classes = out_shape[-1]
        if y.size and (y.min() < 0 or y.max() >= classes):
            wrong = int(y.min() if y.min() < 0 else y.max())
            raise DataError(f"cross-entropy: the outputs have classes 0 to {classes - 1}; a target is {wrong}")
        return np.ascontiguousarray(y, np.int64)

    def allocate(self, buffers: LossBuffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        classes = shape[-1]
        count = int(np.prod(shape[:-1]))
        buffers.z = np.empty((count, classes), dtype)
        buffers.e = np.empty((count, classes), dtype)
        buffers.column = np.empty((count, 1), dtype)
        buffers.sums = np.empty((count, 1), dtype)
        buffers.flat_e = buffers.e.reshape(-1)
        buffers.flat_column, buffers.flat_sums = buffers.column.reshape(-1), buffers.sums.reshape(-1)
        buffers.per_class, buffers.per_row = np.ones(classes, dtype), np.ones(count, dtype)  # dot sums fast
        buffers.picked = np.empty(count, dtype)
        buffers.starts = np.arange(count) * classes
        buffers.places = np.empty(count, np.int64)
        buffers.count, buffers.share = scalar(count, dtype), scalar((1 - self.label_smoothing) / count, dtype)

    def value(self, out: Array, y: Array, buffers: LossBuffers) -> float:
        z, e, column, sums = buffers.z, buffers.e, buffers.column, buffers.sums
        out = out if out.ndim == 2 else out.reshape(z.shape)
        np.maximum.reduce(out, axis=1, out=column, keepdims=True)
        np.subtract(out, column, z)
        np.exp(z, e)
        e.dot(buffers.per_class, buffers.flat_sums)
        np.add(buffers.starts, y if y.ndim == 1 else y.reshape(-1), buffers.places)
        z.take(buffers.places, None, buffers.picked, "clip")
        np.log(sums, column)
        wanted = buffers.per_row.dot(buffers.picked)
        if self.label_smoothing:
            even = np.add.reduce(z, axis=None) / z.shape[1]
            wanted = (1 - self.label_smoothing) * wanted + self.label_smoothing * even
        value = float((buffers.per_row.dot(buffers.flat_column) - wanted) / len(z))
        buffers.others = None
        if value < SURE and self.rules > FIRST and not self.label_smoothing:
            return self._of_the_others(buffers)
        return value

    def _of_the_others(self, buffers: LossBuffers) -> float:
        """The same for a batch whose targets have nearly all probability, computed from that of the other classes."""
        picked, column = buffers.picked, buffers.flat_column
        buffers.flat_e[buffers.places] = 0
        buffers.others = buffers.e.dot(buffers.per_class)
        np.log1p(buffers.others + np.expm1(picked), column)  # the sum is 1 where the target's logit is the largest
        return float((buffers.per_row.dot(column) - buffers.per_row.dot(picked)) / len(picked))

    def gradient(self, buffers: LossBuffers) -> Array:
        """(softmax(out) - target) / B, where the target is onehot(y), smoothed."""
        e: Array = buffers.e
        np.multiply(buffers.sums, buffers.count, buffers.sums)
        np.divide(e, buffers.sums, e)
        if buffers.others is None:
            buffers.flat_e[buffers.places] -= buffers.share
        else:
            buffers.flat_e[buffers.places] = -buffers.others / buffers.flat_sums
        if self.label_smoothing:
            np.subtract(e, self.label_smoothing / e.size, e)
        gradient: Array = e if len(buffers.shape or ()) == 2 else e.reshape(buffers.shape)
        return gradient

    def _recounted(self, value: float, out: Array, y: Array) -> float:
        return float(self.each(out, y).mean()) if np.isfinite(out).all() else value

    def each(self, out: Array, y: Array) -> Array:
        z = out.reshape(-1, out.shape[-1]).astype(np.float64)
        z -= z.max(axis=1, keepdims=True)
        wanted = z[np.arange(len(z)), y.reshape(-1)]
        if self.label_smoothing:
            wanted = (1 - self.label_smoothing) * wanted + self.label_smoothing * z.mean(axis=1)
        losses: Array = self._logs(z, y.reshape(-1)) - wanted
        means: Array = losses.reshape(len(out), -1).mean(axis=1)
        return means

    def _logs(self, z: Array, y: Array) -> Array:
        """The log of the sum of exp(z), (N,), float64; precise for sums near 1 too (not under the first rules)."""
        e = np.exp(z)
        if self.rules == FIRST:
            return np.asarray(np.log(e.sum(axis=1)))
        rows = np.arange(len(z))
        e[rows, y] = 0
        return np.asarray(np.log1p(e.sum(axis=1) + np.expm1(z[rows, y])))

    def right(self, out: Array, y: Array) -> Array:
        return np.asarray(out.argmax(axis=-1) == y)


@dataclass(frozen=True, eq=False)
class BinaryCrossEntropy(Elementwise):
    """The mean of -y log s - (1 - y) log(1 - s) over all elements, s = sigmoid(out): from logits, stable.

    out and y (B, ...), the same shape, y from 0 to 1; y (B,) is allowed for out (B, 1).
    """

    kind: ClassVar[str] = "binary-cross-entropy"

    def targets(self, y: Any, out_shape: Shape, dtype: np.dtype[Any]) -> Array:
        given = super().targets(y, out_shape, dtype)
        outside = (given < 0) | (given > 1)
        if outside.any():
            raise DataError(f"{self.kind}: targets are from 0 to 1; one is {given[outside][0]:g}")
        return given

    def allocate(self, buffers: LossBuffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.a, buffers.b, buffers.c, buffers.e = (np.empty(shape, dtype) for _ in range(4))

    def value(self, out: Array, y: Array, buffers: LossBuffers) -> float:
        """max(out, 0) - out y + log(1 + exp(-|out|))."""
        buffers.out, buffers.y = out, y
        a, b, e = buffers.a, buffers.b, buffers.e
        np.abs(out, e)
        np.negative(e, e)
        np.exp(e, e)
        np.log1p(e, a)
        if self.rules > FIRST:  # large terms cancel first, so that small ones keep their digits
            np.maximum(out, 0, out=b)
            np.subtract(b, np.multiply(out, y, buffers.c), b)
            np.add(a, b, a)
        else:
            np.maximum(out, 0, out=b)
            np.add(a, b, a)
            np.multiply(out, y, b)
            np.subtract(a, b, a)
        return float(np.add.reduce(a, axis=None) / a.size)

    def gradient(self, buffers: LossBuffers) -> Array:
        """(sigmoid(out) - y) / n.

        With e = exp(-|out|) and p = 1 where out > 0, else e, that is (p - y - y e) / (1 + e), which stays precise where
        the sigmoid is close to y. Under the first rules the sigmoid is (1 + tanh(out / 2)) / 2.
        """
        a: Array = buffers.a
        if self.rules > FIRST:
            e, b = buffers.e, buffers.b
            np.greater(buffers.out, 0, a)
            np.maximum(a, e, out=a)
            np.subtract(a, buffers.y, a)
            np.multiply(buffers.y, e, b)
            np.subtract(a, b, a)
            np.add(e, 1, e)
            np.divide(a, e, a)
            np.divide(a, a.size, a)
            return a
        np.multiply(buffers.out, 0.5, a)
        np.tanh(a, a)
        np.add(a, 1, a)
        np.multiply(a, 0.5, a)
        np.subtract(a, buffers.y, a)
        np.divide(a, a.size, a)
        return a

    def elements(self, out: Array, y: Array) -> Array:
        losses: Array = np.maximum(out, 0) - out * y + np.log1p(np.exp(-np.abs(out)))
        return losses

    def probabilities(self, out: Array) -> Array:
        """sigmoid(out), the probability of yes."""
        small = np.exp(-np.abs(out))
        return np.asarray(np.where(out >= 0, 1.0, small) / (1 + small))

    def right(self, out: Array, y: Array) -> Array:
        return np.asarray((out > 0) == (y > 0.5))


class _Margin(Elementwise):
    """Base of losses of the margin y out, where y is -1 or +1.

    out and y (B, ...), the same shape; y (B,) is allowed for out (B, 1). Classes 0 and 1 stand for -1 and +1.
    """

    def targets(self, y: Any, out_shape: Shape, dtype: np.dtype[Any]) -> Array:
        given = super().targets(y, out_shape, dtype)
        low = -1 if (given < 0).any() else 0
        wrong = (given != low) & (given != 1)
        if wrong.any():
            raise DataError(f"{self.kind}: targets are -1 and +1 (or classes 0 and 1); one is {given[wrong][0]:g}")
        return np.asarray(given if low else 2 * given - 1)

    def allocate(self, buffers: LossBuffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.margin = np.empty(shape, dtype)
        buffers.scratch = np.empty(shape, dtype)
        buffers.wrong = np.empty(shape, np.bool_)

    def _gradient(self, buffers: LossBuffers) -> Array:
        """-y / n where the example is counted as wrong."""
        gradient: Array = buffers.scratch
        np.multiply(buffers.y, buffers.wrong, gradient)
        np.divide(gradient, -gradient.size, gradient)
        return gradient

    def right(self, out: Array, y: Array) -> Array:
        return np.asarray(out * y > 0)


@dataclass(frozen=True, eq=False)
class Hinge(_Margin):
    """The mean of max(0, 1 - y out) over all elements, y -1 or +1: the loss of support vector machines.

    out and y (B, ...), the same shape; y (B,) is allowed for out (B, 1). Source: Cortes and Vapnik (1995).
    """

    kind: ClassVar[str] = "hinge"

    def value(self, out: Array, y: Array, buffers: LossBuffers) -> float:
        buffers.y = y
        margin = np.multiply(out, y, buffers.margin)
        np.less(margin, 1, buffers.wrong)
        np.subtract(1, margin, margin)
        np.maximum(margin, 0, out=margin)
        return float(np.add.reduce(margin, axis=None) / margin.size)

    def gradient(self, buffers: LossBuffers) -> Array:
        """-y / n where y out < 1."""
        return self._gradient(buffers)

    def elements(self, out: Array, y: Array) -> Array:
        return np.asarray(np.maximum(0, 1 - out * y))


@dataclass(frozen=True, eq=False)
class Perceptron(_Margin):
    """The mean of max(0, -y out) over all elements, y -1 or +1.

    out and y (B, ...), the same shape; y (B,) is allowed for out (B, 1). The gradient at y out = 0 is a mistake's.
    So plain SGD, one example at a time, is the rule of Rosenblatt (1958): w += lr y x where y out <= 0.
    """

    kind: ClassVar[str] = "perceptron"

    def value(self, out: Array, y: Array, buffers: LossBuffers) -> float:
        buffers.y = y
        margin = np.multiply(out, y, buffers.margin)
        np.less_equal(margin, 0, buffers.wrong)
        np.minimum(margin, 0, out=margin)
        return float(0.0 - np.add.reduce(margin, axis=None) / margin.size)  # not -0.0 if all are right

    def gradient(self, buffers: LossBuffers) -> Array:
        """-y / n where y out <= 0."""
        return self._gradient(buffers)

    def elements(self, out: Array, y: Array) -> Array:
        return np.asarray(np.maximum(0, -out * y))
