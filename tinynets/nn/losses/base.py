"""The base of all losses: how wrong the output is, and the gradient of that.

A loss is a mean over the batch. `value` keeps in its buffers what `gradient` then needs. Examples may be weighted; a
negative weight means that the example is to be avoided, so lowering its loss counts as a loss.
"""

from __future__ import annotations

import copy
from dataclasses import fields, is_dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from tinynets.errors import ShapeError
from tinynets.numerics.arrays import Array, Shape, as_array, converted, shape_text
from tinynets.numerics.rules import CURRENT, FIRST
from tinynets.numerics.special import softmax


class LossBuffers:
    """The arrays of a loss for one output shape, and the step and weights of the batch.

    `step` is the step of the state; `weight` (B,) multiplies each example's loss, None: all 1.
    """

    shape: Shape | None = None
    step: int = 0
    weight: Array | None = None

    if TYPE_CHECKING:  # a loss's `allocate` adds attributes of its own

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...


class Loss:
    """Base of all losses. A loss of your own defines `kind`, `targets`, `allocate`, `value`, `gradient` and `each`.

    One with arguments is a frozen dataclass, or returns them in `config`; `Loss(**config without kind)` rebuilds it.
    """

    kind: ClassVar[str] = ""
    classes: ClassVar[bool] = False
    """Whether targets are class indices, one for each row of outputs."""

    rules: int = CURRENT
    """The rules of its run (numerics/rules.py); not an argument of the loss."""

    def following(self, rules: int) -> Self:
        """A copy for a run that follows these rules."""
        loss = copy.copy(self)
        object.__setattr__(loss, "rules", rules)
        return loss

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Loss) and self.config() == other.config()

    def __hash__(self) -> int:
        return hash(self.kind)

    def config(self) -> dict[str, Any]:
        """Its kind and arguments, as plain data."""
        names: list[str] = [field.name for field in fields(self)] if is_dataclass(self) else []
        values = {name: getattr(self, name) for name in names}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
        return {"kind": self.kind} | plain

    def targets(self, y: Any, out_shape: Shape, dtype: np.dtype[Any]) -> Array:
        """Targets as this loss takes them, for outputs of `out_shape` (N, ...); raises ShapeError or DataError."""
        raise TypeError(f"{type(self).__name__} has no targets")

    def allocate(self, buffers: LossBuffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        raise TypeError(f"{type(self).__name__} has no buffers")

    def value(self, out: Array, y: Array, buffers: LossBuffers) -> float:
        """The mean loss of a batch."""
        raise TypeError(f"{type(self).__name__} has no value")

    def gradient(self, buffers: LossBuffers) -> Array:
        """d value / d out for the last `value`; an array that may be overwritten."""
        raise TypeError(f"{type(self).__name__} has no gradient")

    def each(self, out: Array, y: Array) -> Array:
        """The loss of every example, float64 (N,)."""
        raise TypeError(f"{type(self).__name__} has no losses")

    def each_of_batch(self, out: Array, y: Array, buffers: LossBuffers) -> Array:
        """The loss of every example of the last `value`; differs from `each` only if a loss changes with the step."""
        return self.each(out, y)

    def measured_at(self, step: int) -> int:
        """The step whose loss `each` gives at `step`; differs from it only if a loss changes with the step."""
        return step

    def right(self, out: Array, y: Array) -> Array | None:
        """Which outputs hit their targets, a mask with examples along its first axis; None for losses without hits."""
        return None

    def probabilities(self, out: Array) -> Array:
        """The probabilities that outputs (..., units) stand for; empty if they stand for something else."""
        return softmax(out) if self.classes else np.empty(0)

    def fit(self, buffers: LossBuffers, out: Array) -> None:
        """Allocate the buffers if they are not for this output's shape."""
        if buffers.shape != out.shape:
            self.allocate(buffers, out.shape, out.dtype)
            buffers.shape = out.shape

    def weighted_value(self, out: Array, y: Array, buffers: LossBuffers) -> float:
        """`value`, or with weights the sum of weight times loss, divided by the number of examples."""
        value = self.value(out, y, buffers)
        if buffers.weight is None:
            return value if isfinite(value) else self._recounted(value, out, y)
        return float(self.each_of_batch(out, y, buffers).dot(buffers.weight) / len(out))

    def _recounted(self, value: float, out: Array, y: Array) -> float:
        """Recompute the mean loss where the sum may have overflowed although the mean does not."""
        return value

    def weighted_gradient(self, buffers: LossBuffers) -> Array:
        """d weighted_value / d out."""
        gradient = self.gradient(buffers)
        if buffers.weight is not None:
            np.multiply(gradient, buffers.weight.reshape(-1, *[1] * (gradient.ndim - 1)), gradient)
        return gradient

    def __call__(self, out: Any, y: Any = None, weight: Any = None) -> tuple[float, Array]:
        """Value and gradient for outputs (B, ...), targets and weights (B,), all checked; for use by hand."""
        out = numbers("out", out)
        if not out.size:
            raise ShapeError(f"a loss needs at least one output; `out` is {shape_text(out.shape)}")
        out = out if out.dtype in (np.float32, np.float64) else out.astype(np.float64)
        buffers = LossBuffers()
        self.fit(buffers, out)
        if weight is not None:
            buffers.weight = converted(numbers("weight", weight), out.dtype, "weight")
            if buffers.weight.shape != out.shape[:1]:
                raise ShapeError(
                    f"weights are {shape_text(buffers.weight.shape)}, outputs {shape_text(out.shape)}: "
                    f"the weights must be {shape_text(out.shape[:1])}"
                )
        value = self.weighted_value(out, self.targets(y, out.shape, out.dtype), buffers)
        return value, self.weighted_gradient(buffers)


class Elementwise(Loss):
    """Base of losses that compare output and target element by element, and average over all."""

    def targets(self, y: Any, out_shape: Shape, dtype: np.dtype[Any]) -> Array:
        y = needed(self.kind, y)
        if y.dtype.kind not in "biuf":
            raise ShapeError(f"{self.kind} takes numbers as targets, not {y.dtype}")
        if y.ndim == 1 and out_shape == (len(y), 1):
            y = y.reshape(-1, 1)
        if y.shape != out_shape:
            raise ShapeError(
                f"{self.kind}: targets are {shape_text(y.shape)}, outputs {shape_text(out_shape)}: they must be alike"
            )
        return converted(y, dtype, f"{self.kind} targets" if self.rules > FIRST else "")

    def elements(self, out: Array, y: Array) -> Array:
        """The loss of every element, for outputs in float64."""
        raise TypeError(f"{type(self).__name__} has no losses")

    def _recounted(self, value: float, out: Array, y: Array) -> float:
        return float(self.each(out, y).mean()) if np.isfinite(out).all() else value

    def each(self, out: Array, y: Array) -> Array:
        means: Array = self.elements(out.astype(np.float64), y).reshape(len(out), -1).mean(axis=1)
        return means


def numbers(thing: str, value: Any) -> Array:
    """A value given by hand, as an array of real numbers; raises ShapeError for others (complex, text)."""
    given = as_array(thing, value)
    if given.dtype.kind not in "biuf":
        raise ShapeError(f"`{thing}` takes numbers, not {given.dtype}")
    return given


def needed(kind: str, y: Any) -> Array:
    """Targets as an array; raises ShapeError if the data has none (None, or rows without values)."""
    given = as_array(f"{kind} targets", y)
    if y is None or (given.ndim == 2 and given.shape[1] == 0):
        raise ShapeError(f"{kind} needs targets, and the data has none")
    return given
