"""Custom losses: the user's own loss as a plain function of outputs and targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np

from tinynets.errors import ShapeError
from tinynets.nn.losses.base import Loss, LossBuffers, numbers
from tinynets.numerics.arrays import Array, Shape, converted, shape_text
from tinynets.numerics.finite_differences import central_differences
from tinynets.numerics.rules import FIRST

TRIED = 4  # examples on which a function is tried
DIFFERS = 1e-4


class FunctionLoss(Loss):
    """A function (out, y) -> (value, gradient): the mean loss of a batch, and d value / d out, shaped like out.

    out (B, ...) in the network's dtype; y as the data has it (whole numbers stay so, floats take the network's dtype).
    Both are read-only: they belong to the network and the data.
    Made by `function_loss`; each function has a class of its own.
    """

    function: ClassVar[Callable[[Any, Any], Any]]

    def __repr__(self) -> str:
        return f"FunctionLoss({self.kind})"

    def __copy__(self) -> Self:
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.__copy__()

    def __reduce__(self) -> tuple[Callable[..., FunctionLoss], tuple[Any, ...], dict[str, Any]]:
        """Pickled as its function, since its class cannot be found by name."""
        return _of_function, (type(self).function, self.kind), self.__dict__

    def targets(self, y: Any, out_shape: Shape, dtype: np.dtype[Any]) -> Array:
        given = np.empty((out_shape[0], 0)) if y is None else numbers(f"{self.kind} targets", y)
        thing = f"{self.kind} targets" if self.rules > FIRST else ""
        return converted(given, np.dtype(np.int64) if given.dtype.kind in "biu" else dtype, thing)

    def allocate(self, buffers: LossBuffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.slope = np.empty(shape, dtype)

    def value(self, out: Array, y: Array, buffers: LossBuffers) -> float:
        value, gradient = self._called(out, y)
        if gradient is None:
            raise ShapeError(
                f"the loss `{self.kind}` gives only a value; to train, it must return (value, d value / d out)"
            )
        if np.shape(gradient) != out.shape:
            raise ShapeError(
                f"the loss `{self.kind}` gives a gradient {shape_text(np.shape(gradient))} "
                f"for outputs {shape_text(out.shape)}; it must be shaped like them"
            )
        np.copyto(buffers.slope, gradient)
        return value

    def gradient(self, buffers: LossBuffers) -> Array:
        slope: Array = buffers.slope
        return slope

    def each(self, out: Array, y: Array) -> Array:
        """The function's value for every example alone."""
        return np.array([self._called(out[i : i + 1], y[i : i + 1])[0] for i in range(len(out))])

    def _called(self, out: Array, y: Array) -> tuple[float, Any]:
        """Value, and the gradient or None."""
        out, y = out.view(), y.view()
        out.flags.writeable = y.flags.writeable = False
        try:
            result = type(self).function(out, y)
            value, gradient = result if isinstance(result, tuple | list) and len(result) == 2 else (result, None)
            return float(value), gradient
        except Exception as error:
            if isinstance(error, ValueError) and "read-only" in str(error):
                raise ShapeError(
                    f"the loss `{self.kind}` writes into `out` or `y`, which are not its own: it must work on a copy"
                ) from error
            raise ShapeError(f"the loss `{self.kind}` failed: {type(error).__name__}: {error}") from error

    def tried(self, out: Array, y: Array) -> str:
        """Try the function on a few outputs; its gradient is compared once with central differences.

        Returns a warning if they differ, else an empty text. Raises ShapeError if there is no gradient (the message
        shows the one by central differences), or if its shape is not that of the outputs.
        """
        out = out[:TRIED].astype(np.float64)
        y = y[:TRIED]
        numeric = central_differences(lambda: self._called(out, y)[0], out)
        place = tuple(int(i) for i in np.unravel_index(int(np.abs(numeric).argmax()), numeric.shape))
        index = ", ".join(map(str, place))
        if self._called(out, y)[1] is None:
            raise ShapeError(
                f"the loss `{self.kind}` gives only a value; its gradient d value / d out, shaped like out, is missing:"
                f" return (value, gradient). By central differences gradient[{index}] of the first {len(out)} examples"
                f" is {numeric[place]:.6g}"
            )
        buffers = LossBuffers()
        self.fit(buffers, out)
        self.value(out, y, buffers)
        gap = np.abs(buffers.slope - numeric)
        if gap.max() <= DIFFERS * max(np.abs(numeric).max(), np.abs(buffers.slope).max(), 1e-6):
            return ""
        place = tuple(int(i) for i in np.unravel_index(int(gap.argmax()), gap.shape))
        index = ", ".join(map(str, place))
        return (
            f"the loss `{self.kind}` gives {buffers.slope[place]:.6g} as gradient[{index}] of the first {len(out)} "
            f"examples; central differences give {numeric[place]:.6g}"
        )


def function_loss(function: Callable[[Any, Any], Any], kind: str = "") -> type[FunctionLoss]:
    """Make a loss class from a function."""
    name = kind or getattr(function, "__name__", type(function).__name__)
    return type("FunctionLoss", (FunctionLoss,), {"kind": name, "function": staticmethod(function)})


def _of_function(function: Callable[[Any, Any], Any], kind: str) -> FunctionLoss:
    return function_loss(function, kind)()
