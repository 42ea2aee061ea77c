"""Pooling layers: each window of a channel becomes one number."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinynets.errors import ShapeError
from tinynets.nn.layers.base import Layer, rows
from tinynets.nn.layers.buffers import Buffers
from tinynets.nn.layers.feature_map import FeatureMap
from tinynets.nn.layers.windows import Sizes, Windows, by, plain, prepare_gradient, scatter, sizes_along
from tinynets.numerics.arrays import Array, Shape, shape_text


class Pool2d(Layer):
    """Base of MaxPool2d and AvgPool2d: x (B, H, W, C), out (B, H', W', C), H' = (H - kernel) // stride + 1.

    Backward writes the gradients of the gathered values into `dgathered`, and `_spread` returns them to where they came
    from: with one `take` if windows do not overlap (`stride` is not below the kernel).
    """

    def __init__(self, kernel: Sizes, stride: Sizes | None = None, *, name: str | None = None) -> None:
        super().__init__(name=name)
        kind = type(self).__name__
        self.kernel = sizes_along(kind, "kernel", kernel, 2)
        self.stride = self.kernel if stride is None else sizes_along(kind, "stride", stride, 2)
        self.windows = Windows(self.kernel, self.stride, (1, 1), (0, 0), (0, 0))

    def passed_on(self, change: FeatureMap, shape: tuple[int | None, ...]) -> FeatureMap:
        return change

    def sizes(self) -> tuple[int | str, ...]:
        return by(self.kernel), *(() if self.stride == self.kernel else (f"stride {by(self.stride)}",))

    def config(self) -> dict[str, Any]:
        return {"kernel": plain(self.kernel), "stride": plain(self.stride)}

    def input_shape(self) -> tuple[int | None, ...]:
        return (None, None, None, None)

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        if len(shape) != 4:
            raise ShapeError(f"takes (B, H, W, C), not {shape_text(shape)}")
        return (shape[0], *self.windows.places(shape), shape[-1])

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.out = np.empty([n or 0 for n in self.output_shape(shape)], dtype)
        buffers.out_rows = rows(buffers.out)
        buffers.numbers = np.ascontiguousarray(self.windows.numbers(shape[0], shape[1:-1]).T)
        buffers.gathered = np.empty((*buffers.numbers.shape, shape[-1]), dtype)
        if buffers.needs_dx:
            size = buffers.numbers.size
            drows = np.zeros((size + 1, shape[-1]), dtype)  # the last row stays zero: for positions outside all windows
            buffers.drows, buffers.dgathered = drows, drows[:size].reshape(buffers.gathered.shape)
            buffers.apart = self.windows.apart
            if buffers.apart:
                buffers.sources = self.windows.sources(shape[0], shape[1:-1])
                buffers.dx = np.empty(shape, dtype)
                buffers.dx_rows = rows(buffers.dx)
            else:
                prepare_gradient(self.windows, buffers, shape, dtype)
                buffers.dparts = [part.reshape(buffers.out.shape) for part in buffers.dgathered]

    def _spread(self, buffers: Buffers) -> Array:
        if not buffers.apart:
            return scatter(buffers.dparts, buffers)
        dx: Array = buffers.dx
        buffers.drows.take(buffers.sources, 0, buffers.dx_rows, "clip")
        return dx


class MaxPool2d(Pool2d):
    """The largest of each window, channel by channel.

    x (B, H, W, C), out (B, H', W', C), H' = (H - kernel) // stride + 1; `stride` defaults to the kernel. Raises
    ShapeError for impossible sizes, and where the kernel is larger than the input.
    """

    kind = "max-pool2d"
    keeps_range = True

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        super().allocate(buffers, shape, dtype)
        if buffers.needs_dx:
            buffers.largest = np.empty(buffers.gathered.shape, np.bool_)
            buffers.entries = list(buffers.largest)
            buffers.seen = np.empty(buffers.out_rows.shape, np.bool_)

    def forward(self, x: Array, buffers: Buffers) -> Array:
        rows(x).take(buffers.numbers, 0, buffers.gathered, "clip")
        np.maximum.reduce(buffers.gathered, axis=0, out=buffers.out_rows)
        return buffers.out

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """The gradient goes to the largest value of the window; of equal ones, to the first."""
        if not buffers.needs_dx:
            return dout
        largest, dgathered = buffers.largest, buffers.dgathered
        np.equal(buffers.gathered, buffers.out_rows, largest)
        seen, *others = buffers.entries
        for entry in others:
            np.greater(entry, seen, entry)
            seen = np.logical_or(seen, entry, buffers.seen)
        np.copyto(dgathered, largest)  # faster than multiplying by a mask
        np.multiply(dgathered, rows(dout), dgathered)
        return self._spread(buffers)


class AvgPool2d(Pool2d):
    """The mean of each window, channel by channel.

    x (B, H, W, C), out (B, H', W', C), H' = (H - kernel) // stride + 1; `stride` defaults to the kernel. Raises
    ShapeError for impossible sizes, and where the kernel is larger than the input.
    """

    kind = "avg-pool2d"
    keeps_range = True
    is_odd = True

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        super().allocate(buffers, shape, dtype)
        buffers.share = np.empty_like(buffers.out_rows)

    def forward(self, x: Array, buffers: Buffers) -> Array:
        rows(x).take(buffers.numbers, 0, buffers.gathered, "clip")
        out = buffers.out_rows
        np.add.reduce(buffers.gathered, axis=0, out=out)
        np.multiply(out, 1 / len(buffers.numbers), out)
        return buffers.out

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """Every place in the window gets the same share of the gradient."""
        if not buffers.needs_dx:
            return dout
        np.multiply(rows(dout), 1 / len(buffers.numbers), buffers.share)
        np.copyto(buffers.dgathered, buffers.share)
        return self._spread(buffers)


class GlobalAvgPool(Layer):
    """The mean of each channel over all places: x (B, H, W, C) or (B, T, C), out (B, C).

    Source: Lin et al., "Network in network" (2014).
    """

    kind = "global-avg-pool"
    keeps_range = True
    is_odd = True

    def passed_on(self, change: FeatureMap, shape: tuple[int | None, ...]) -> FeatureMap:
        return change

    def input_shape(self) -> tuple[int | None, ...]:
        return (None, None, None)

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        if len(shape) < 3:
            raise ShapeError(f"takes (B, T, C) or (B, H, W, C), not {shape_text(shape)}")
        return (shape[0], shape[-1])

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.flat = (shape[0], prod(shape[1:-1]), shape[-1])
        buffers.out = np.empty((shape[0], shape[-1]), dtype)
        if buffers.needs_dx:
            buffers.share = np.empty_like(buffers.out)
            buffers.dx = np.empty(shape, dtype)

    def forward(self, x: Array, buffers: Buffers) -> Array:
        out: Array = buffers.out
        np.add.reduce(x.reshape(buffers.flat), axis=1, out=out)
        np.multiply(out, 1 / buffers.flat[1], out)
        return out

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """Every place gets the same share of the gradient."""
        if not buffers.needs_dx:
            return dout
        dx: Array = buffers.dx
        share = np.multiply(dout, 1 / buffers.flat[1], buffers.share)
        np.copyto(dx.reshape(buffers.flat), share[:, None, :])
        return dx
