"""Pools: windows of each channel made one number."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinynets.arrays import Array, Shape, shape_text
from tinynets.errors import ShapeError
from tinynets.layers.base import Buffers, Layer, rows
from tinynets.layers.windows import Sizes, Windows, plain, prepare_gradient, scatter, sizes_along


class Pool2d(Layer):
    """Base of MaxPool2d and AvgPool2d: x (B, H, W, C), out (B, H', W', C), H' = (H - kernel) // stride + 1."""

    def __init__(self, kernel: Sizes, stride: Sizes | None = None, *, name: str | None = None) -> None:
        super().__init__(name=name)
        kind = type(self).__name__
        self.kernel = sizes_along(kind, "kernel", kernel, 2)
        self.stride = self.kernel if stride is None else sizes_along(kind, "stride", stride, 2)
        self.windows = Windows(self.kernel, self.stride, (1, 1), (0, 0), (0, 0))

    def sizes(self) -> tuple[int | str, ...]:
        kernel = "x".join(map(str, self.kernel))
        return (kernel,) if self.stride == self.kernel else (kernel, f"stride {'x'.join(map(str, self.stride))}")

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
            prepare_gradient(self.windows, buffers, shape, dtype)


class MaxPool2d(Pool2d):
    """The largest of each window, channel by channel.

    x (B, H, W, C), out (B, H', W', C), H' = (H - kernel) // stride + 1; `stride` defaults to the kernel. Raises
    ShapeError for impossible sizes, and where the kernel is larger than the input.
    """

    kind = "max-pool2d"

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        super().allocate(buffers, shape, dtype)
        if buffers.needs_dx:
            buffers.largest = np.empty(buffers.gathered.shape, np.bool_)
            buffers.seen = np.empty(buffers.out_rows.shape, np.bool_)
            buffers.dgathered = np.empty_like(buffers.gathered)
            buffers.dparts = [part.reshape(buffers.out.shape) for part in buffers.dgathered]

    def forward(self, x: Array, buffers: Buffers) -> Array:
        rows(x).take(buffers.numbers, 0, buffers.gathered, "clip")
        np.maximum.reduce(buffers.gathered, axis=0, out=buffers.out_rows)
        return buffers.out

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """The gradient goes to the largest of the window, of equals to the first."""
        if not buffers.needs_dx:
            return dout
        largest, seen = buffers.largest, buffers.seen
        np.equal(buffers.gathered, buffers.out_rows, largest)
        np.copyto(seen, largest[0])
        for entry in largest[1:]:
            np.greater(entry, seen, entry)
            np.logical_or(seen, entry, seen)
        np.multiply(largest, rows(dout), buffers.dgathered)
        return scatter(buffers.dparts, buffers)


class AvgPool2d(Pool2d):
    """The mean of each window, channel by channel.

    x (B, H, W, C), out (B, H', W', C), H' = (H - kernel) // stride + 1; `stride` defaults to the kernel. Raises
    ShapeError for impossible sizes, and where the kernel is larger than the input.
    """

    kind = "avg-pool2d"

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        super().allocate(buffers, shape, dtype)
        buffers.share = np.empty_like(buffers.out)

    def forward(self, x: Array, buffers: Buffers) -> Array:
        rows(x).take(buffers.numbers, 0, buffers.gathered, "clip")
        out = buffers.out_rows
        np.add.reduce(buffers.gathered, axis=0, out=out)
        np.multiply(out, 1 / len(buffers.numbers), out)
        return buffers.out

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """Every place of the window gets the same share of the gradient."""
        if not buffers.needs_dx:
            return dout
        share = np.multiply(dout, 1 / len(buffers.numbers), buffers.share)
        return scatter([share] * len(buffers.numbers), buffers)


class GlobalAvgPool(Layer):
    """The mean of each channel over all places: x (B, H, W, C) or (B, T, C), out (B, C).

    Source: Lin et al., "Network in network" (2014).
    """

    kind = "global-avg-pool"

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
