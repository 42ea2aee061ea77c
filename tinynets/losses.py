"""Losses: how wrong the output is, and the gradient of that.

A loss is a mean over the batch. `value` keeps in its buffers what `gradient` then needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tinynets.arrays import Array, Shape, is_integer, shape_text
from tinynets.errors import DataError, ShapeError, nearest


class LossBuffers:
    """The arrays of a loss for one output shape."""

    shape: Shape | None = None

    if TYPE_CHECKING:  # a loss's `allocate` puts here what it likes

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...


class Loss:
    """Base of all losses."""

    kind: ClassVar[str] = ""
    classes: ClassVar[bool] = False
    """Whether targets are class indices, so that there is an accuracy."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Loss) and self.config() == other.config()

    def __hash__(self) -> int:
        return hash(self.kind)

    def config(self) -> dict[str, Any]:
        return {"kind": self.kind}

    def targets(self, y: Any, out_shape: Shape, dtype: np.dtype[Any]) -> Array:
        """Targets as this loss takes them, for outputs of `out_shape` (N, ...); raises ShapeError or DataError."""
        raise TypeError(f"{type(self).__name__} has no targets")

    def allocate(self, buffers: LossBuffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        raise TypeError(f"{type(self).__name__} has no buffers")

    def value(self, out: Array, y: Array, buffers: LossBuffers) -> float:
        """The mean loss of a batch."""
        raise TypeError(f"{type(self).__name__} has no value")

    def gradient(self, buffers: LossBuffers) -> Array:
        """d value / d out, of the last `value`."""
        raise TypeError(f"{type(self).__name__} has no gradient")

    def each(self, out: Array, y: Array) -> Array:
        """The loss of every example, float64 (N,)."""
        raise TypeError(f"{type(self).__name__} has no losses")

    def fit(self, buffers: LossBuffers, out: Array) -> None:
        """See that the buffers are those for this output's shape."""
        if buffers.shape != out.shape:
            self.allocate(buffers, out.shape, out.dtype)
            buffers.shape = out.shape

    def __call__(self, out: Any, y: Any) -> tuple[float, Array]:
        """Value and gradient for outputs (B, ...) and targets, with everything checked: for use by hand."""
        out = np.asarray(out)
        out = out if out.dtype in (np.float32, np.float64) else out.astype(np.float64)
        buffers = LossBuffers()
        self.fit(buffers, out)
        value = self.value(out, self.targets(y, out.shape, out.dtype), buffers)
        return value, self.gradient(buffers)


class CrossEntropy(Loss):
    """The mean of -log softmax(out)[y], from logits.

    out (..., C), y (...) whole numbers 0 to C - 1. Stable: the largest logit is subtracted first.
    """

    kind = "cross-entropy"
    classes = True

    def targets(self, y: Any, out_shape: Shape, dtype: np.dtype[Any]) -> Array:
        y = np.asarray(y)
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
        buffers.picked = np.empty(count, dtype)
        buffers.starts = np.arange(count) * classes
        buffers.places = np.empty(count, np.int64)

    def value(self, out: Array, y: Array, buffers: LossBuffers) -> float:
        z, e, column, sums = buffers.z, buffers.e, buffers.column, buffers.sums
        out = out if out.ndim == 2 else out.reshape(z.shape)
        np.maximum.reduce(out, axis=1, out=column, keepdims=True)
        np.subtract(out, column, z)
        np.exp(z, e)
        np.add.reduce(e, axis=1, out=sums, keepdims=True)
        np.add(buffers.starts, y if y.ndim == 1 else y.reshape(-1), buffers.places)
        z.take(buffers.places, None, buffers.picked, "clip")
        np.log(sums, column)
        return float((np.add.reduce(column, axis=None) - np.add.reduce(buffers.picked)) / len(z))

    def gradient(self, buffers: LossBuffers) -> Array:
        """(softmax(out) - onehot(y)) / B."""
        e: Array = buffers.e
        np.divide(e, buffers.sums, e)
        flat = e.reshape(-1)
        flat[buffers.places] -= 1
        np.divide(e, len(e), e)
        gradient: Array = e if len(buffers.shape or ()) == 2 else e.reshape(buffers.shape)
        return gradient

    def each(self, out: Array, y: Array) -> Array:
        z = out.reshape(-1, out.shape[-1]).astype(np.float64)
        z -= z.max(axis=1, keepdims=True)
        losses: Array = np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), y.reshape(-1)]
        means: Array = losses.reshape(len(out), -1).mean(axis=1)
        return means


class MSE(Loss):
    """The mean of (out - y)^2 over all elements. out and y (B, ...), the same shape."""

    kind = "mse"

    def targets(self, y: Any, out_shape: Shape, dtype: np.dtype[Any]) -> Array:
        y = np.asarray(y)
        if y.dtype.kind not in "biuf":
            raise ShapeError(f"mse takes numbers as targets, not {y.dtype}")
        if y.ndim == 1 and out_shape == (len(y), 1):
            y = y.reshape(-1, 1)
        if y.shape != out_shape:
            raise ShapeError(
                f"mse: targets are {shape_text(y.shape)}, outputs {shape_text(out_shape)}: they must be alike"
            )
        return np.ascontiguousarray(y, dtype)

    def allocate(self, buffers: LossBuffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.difference = np.empty(shape, dtype)
        buffers.square = np.empty(shape, dtype)

    def value(self, out: Array, y: Array, buffers: LossBuffers) -> float:
        difference = np.subtract(out, y, buffers.difference)
        np.multiply(difference, difference, buffers.square)
        return float(np.add.reduce(buffers.square, axis=None) / difference.size)

    def gradient(self, buffers: LossBuffers) -> Array:
        """2 (out - y) / n."""
        difference: Array = buffers.difference
        return np.multiply(difference, 2 / difference.size, difference)

    def each(self, out: Array, y: Array) -> Array:
        square = (out.astype(np.float64) - y) ** 2
        means: Array = square.reshape(len(square), -1).mean(axis=1)
        return means


LOSSES: dict[str, type[Loss]] = {cls.kind: cls for cls in (CrossEntropy, MSE)}


def loss_from(config: dict[str, Any]) -> Loss:
    """The loss that a plain description names; raises ShapeError for an unknown kind."""
    kind = config.get("kind")
    if kind not in LOSSES:
        raise ShapeError(f"a loss is one of {', '.join(LOSSES)}, not {kind!r}{nearest(str(kind), LOSSES)}")
    return LOSSES[kind]()
