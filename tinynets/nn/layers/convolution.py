"""Convolutions: the same weighted sums at every place, computed as one matrix product over all windows.

Channels are last: sequences (B, T, C), images (B, H, W, C). As everywhere in deep learning they are cross-correlations:
the kernel is not flipped.
"""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar, Self

import numpy as np

from tinynets.errors import ShapeError
from tinynets.nn.initializers import Initializer, Kaiming, Zeros
from tinynets.nn.layers.base import Layer, require_flag, require_initializer, require_size, rows
from tinynets.nn.layers.buffers import Buffers
from tinynets.nn.layers.parameter import Parameter
from tinynets.nn.layers.windows import Sizes, Windows, by, plain, prepare_gradient, scatter, sizes_along
from tinynets.numerics.arrays import Array, Shape, shape_text


class Convolution(Layer):
    """Base of Conv1d and Conv2d, over `axes` axes between batch and channels."""

    axes: ClassVar[int]
    unit_setting = "outputs"
    input_setting = "inputs"
    w: Array
    dw: Array
    b: Array
    db: Array
    w_rows: Array
    dw_rows: Array

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: Sizes,
        *,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        bias: bool = True,
        name: str | None = None,
        w_init: Initializer | None = None,
        b_init: Initializer | None = None,
    ) -> None:
        super().__init__(name=name)
        kind = type(self).__name__
        self.inputs = require_size(kind, "inputs", inputs)
        self.outputs = require_size(kind, "outputs", outputs)
        self.kernel = sizes_along(kind, "kernel", kernel, self.axes)
        self.stride = sizes_along(kind, "stride", stride, self.axes)
        self.dilation = sizes_along(kind, "dilation", dilation, self.axes)
        self.padding = padding if padding == "same" else sizes_along(kind, "padding", padding, self.axes, 0, "same")
        if self.padding == "same" and set(self.stride) != {1}:
            raise ShapeError(f"{kind}: `padding` can be 'same' only where `stride` is 1, not {stride!r}")
        self.bias = require_flag(kind, "bias", bias)
        self.w_init = require_initializer(kind, "w_init", w_init, Kaiming())
        self.b_init = require_initializer(kind, "b_init", b_init, Zeros())
        self.windows = self._windows()

    def _windows(self) -> Windows:
        if isinstance(self.padding, tuple):
            return Windows(self.kernel, self.stride, self.dilation, self.padding, self.padding)
        total = [d * (k - 1) for k, d in zip(self.kernel, self.dilation, strict=True)]
        before = tuple(n // 2 for n in total)
        after = tuple(n - n // 2 for n in total)
        return Windows(self.kernel, self.stride, self.dilation, before, after)

    def sizes(self) -> tuple[int | str, ...]:
        moves = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        defaults = {"stride": (1,) * self.axes, "padding": (0,) * self.axes, "dilation": (1,) * self.axes}
        told = [f"{name} {by(value)}" for name, value in moves.items() if value != defaults[name]]
        return self.inputs, self.outputs, by(self.kernel), *told, *(() if self.bias else ("no bias",))

    def config(self) -> dict[str, Any]:
        return {
            "inputs": self.inputs,
            "outputs": self.outputs,
            "kernel": plain(self.kernel),
            "stride": plain(self.stride),
            "padding": plain(self.padding) if isinstance(self.padding, tuple) else self.padding,
            "dilation": plain(self.dilation),
            "bias": self.bias,
            "w_init": self.w_init.config(),
            "b_init": self.b_init.config(),
        }

    def parameters(self) -> tuple[Parameter, ...]:
        positions = prod(self.kernel)
        fan_in, fan_out = positions * self.inputs, positions * self.outputs
        shape = (*self.kernel, self.inputs, self.outputs)
        units, inputs = len(shape) - 1, len(shape) - 2
        w = Parameter("w", shape, self.w_init, units, fan_in=fan_in, fan_out=fan_out, input_axis=inputs)
        b = Parameter("b", (self.outputs,), self.b_init, unit_axis=0, fan_in=fan_in)
        return (w, b) if self.bias else (w,)

    def bind(self, theta: dict[str, Array], grad: dict[str, Array], carried: dict[str, Array]) -> Self:
        bound = super().bind(theta, grad, carried)
        bound._lay_rows()
        return bound

    def _lay_rows(self) -> None:
        self.w_rows, self.dw_rows = rows(self.w), rows(self.dw)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "w" in state:
            self._lay_rows()

    def input_shape(self) -> tuple[int | None, ...]:
        return (None, *(None,) * self.axes, self.inputs)

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        if len(shape) != self.input_axes or shape[-1] not in (self.inputs, None):
            wanted = "(B, T, " if self.axes == 1 else "(B, H, W, "
            raise ShapeError(f"takes {wanted}{self.inputs}), not {shape_text(shape)}")
        return (shape[0], *self.windows.places(shape), self.outputs)

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        windows, grid = self.windows, shape[1:-1]
        buffers.out = np.empty([n or 0 for n in self.output_shape(shape)], dtype)
        buffers.out_rows = rows(buffers.out)
        buffers.examples = buffers.out.reshape(shape[0], -1)
        buffers.biases = np.empty(buffers.examples.shape[1], dtype)  # added an example at a time: rows are too short
        buffers.bias_rows = buffers.biases.reshape(-1, self.outputs)
        buffers.numbers = windows.numbers(shape[0], grid)
        buffers.columns = np.empty((*buffers.numbers.shape, self.inputs), dtype)
        buffers.column_rows = buffers.columns.reshape(len(buffers.columns), -1)
        buffers.ones = np.ones(
            len(buffers.columns), dtype
        )  # ones @ dout sums far faster than add.reduce of few columns
        buffers.grid = None
        if windows.padded(grid) != grid:
            buffers.grid = np.zeros((shape[0], *windows.padded(grid), self.inputs), dtype)
            buffers.inside = windows.inside(buffers.grid)
        if buffers.needs_dx:
            prepare_gradient(windows, buffers, shape, dtype)
            dcolumns = np.empty((*buffers.out.shape[:-1], prod(self.kernel), self.inputs), dtype)
            buffers.dcolumn_rows = dcolumns.reshape(len(buffers.columns), -1)
            buffers.dparts = [dcolumns[..., position, :] for position in range(prod(self.kernel))]

    @classmethod
    def passing(cls, width: int, **settings: Any) -> Self:
        return cls(width, width, 3, padding="same", **settings)

    def summands(self, x: Array, buffers: Buffers, example: int, place: int) -> Array:
        columns = buffers.columns
        return np.asarray(columns.reshape(len(x), -1, columns[0].size)[example, place])

    def forward(self, x: Array, buffers: Buffers) -> Array:
        if buffers.grid is not None:
            np.copyto(buffers.inside, x)
            x = buffers.grid
        rows(x).take(buffers.numbers, 0, buffers.columns, "clip")
        buffers.column_rows.dot(self.w_rows, buffers.out_rows)
        if self.bias:
            np.copyto(buffers.bias_rows, self.b)
            np.add(buffers.examples, buffers.biases, buffers.examples)
        return buffers.out

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """As Linear over the windows: dw = windows.T @ dout, dwindows = dout @ w.T, added to where they came from."""
        dout = rows(dout)
        buffers.column_rows.T.dot(dout, self.dw_rows)
        if self.bias:
            buffers.ones.dot(dout, self.db)
        if not buffers.needs_dx:
            return dout
        dout.dot(self.w_rows.T, buffers.dcolumn_rows)
        return scatter(buffers.dparts, buffers)


class Conv1d(Convolution):
    """out[b, t, o] = b[o] + sum over i, c of x[b, t stride + i dilation - padding, c] w[i, c, o].

    x (B, T, inputs), out (B, T', outputs) with T' = (T + 2 padding - dilation (kernel - 1) - 1) // stride + 1;
    w (kernel, inputs, outputs), b (outputs,). `padding` is zeros on both sides, or "same" (T' = T, stride 1).
    Raises ShapeError for impossible sizes, and where the kernel is longer than the padded input.

    Source: LeCun et al., "Backpropagation applied to handwritten zip code recognition" (1989); WaveNet for dilation.
    """

    kind = "conv1d"
    input_axes = 3
    insertable = True
    turns_with_weights = True
    axes = 1


class Conv2d(Convolution):
    """Conv1d over two axes: x (B, H, W, inputs), out (B, H', W', outputs), w (kh, kw, inputs, outputs), b (outputs,).

    `kernel`, `stride`, `padding` and `dilation` are one whole number, or one for each axis.
    Raises ShapeError for impossible sizes, and where the kernel is larger than the padded input.

    Source: LeCun et al., "Backpropagation applied to handwritten zip code recognition" (1989).
    """

    kind = "conv2d"
    input_axes = 4
    insertable = True
    turns_with_weights = True
    axes = 2
