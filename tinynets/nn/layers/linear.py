"""Linear: every unit is a weighted sum of the inputs plus a bias."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynets.errors import ShapeError
from tinynets.nn.initializers import Initializer, Kaiming, Zeros
from tinynets.nn.layers.base import Layer, require_flag, require_initializer, require_size, rows
from tinynets.nn.layers.buffers import Buffers
from tinynets.nn.layers.parameter import Parameter
from tinynets.numerics.arrays import Array, Shape, shape_text


class Linear(Layer):
    """y = x @ w + b.

    x (..., inputs), y (..., outputs); w (inputs, outputs), b (outputs,). Raises ShapeError for sizes below 1.
    """

    kind = "linear"
    insertable = True
    turns_with_weights = True
    own_dx = True
    unit_setting = "outputs"
    input_setting = "inputs"
    w: Array
    dw: Array
    b: Array
    db: Array

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        name: str | None = None,
        bias: bool = True,
        w_init: Initializer | None = None,
        b_init: Initializer | None = None,
    ) -> None:
        super().__init__(name=name)
        self.inputs = require_size("Linear", "inputs", inputs)
        self.outputs = require_size("Linear", "outputs", outputs)
        self.bias = require_flag("Linear", "bias", bias)
        self.w_init = require_initializer("Linear", "w_init", w_init, Kaiming())
        self.b_init = require_initializer("Linear", "b_init", b_init, Zeros())

    def sizes(self) -> tuple[int | str, ...]:
        return self.inputs, self.outputs, *(() if self.bias else ("no bias",))

    def config(self) -> dict[str, Any]:
        return {
            "inputs": self.inputs,
            "outputs": self.outputs,
            "bias": self.bias,
            "w_init": self.w_init.config(),
            "b_init": self.b_init.config(),
        }

    def parameters(self) -> tuple[Parameter, ...]:
        w = Parameter(
            "w",
            (self.inputs, self.outputs),
            self.w_init,
            unit_axis=1,
            fan_in=self.inputs,
            fan_out=self.outputs,
            input_axis=0,
        )
        b = Parameter("b", (self.outputs,), self.b_init, unit_axis=0, fan_in=self.inputs)
        return (w, b) if self.bias else (w,)

    def input_shape(self) -> tuple[int | None, ...]:
        return (None, self.inputs)

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        if len(shape) < 2 or shape[-1] not in (self.inputs, None):
            raise ShapeError(f"takes (..., {self.inputs}), not {shape_text(shape)}")
        return (*shape[:-1], self.outputs)

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.out = np.empty((*shape[:-1], self.outputs), dtype)
        buffers.out_rows = rows(buffers.out)
        buffers.ones = np.ones(len(buffers.out_rows), dtype)  # ones @ dout sums faster than add.reduce
        if buffers.needs_dx:
            buffers.dx = np.empty(shape, dtype)
            buffers.dx_rows = rows(buffers.dx)

    @classmethod
    def passing(cls, width: int, **settings: Any) -> Linear:
        return cls(width, width, **settings)

    def summands(self, x: Array, buffers: Buffers, example: int, place: int) -> Array:
        return np.asarray(x.reshape(len(x), -1, self.inputs)[example, place])

    def forward(self, x: Array, buffers: Buffers) -> Array:
        out = buffers.out_rows
        buffers.x_rows = x = rows(x)
        x.dot(self.w, out)
        if self.bias:
            np.add(out, self.b, out)
        return buffers.out

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """dw = x.T @ dout, db = the sum of dout over the batch, dx = dout @ w.T."""
        dout = rows(dout)
        buffers.x_rows.T.dot(dout, self.dw)
        if self.bias:
            buffers.ones.dot(dout, self.db)
        if not buffers.needs_dx:
            return dout
        dout.dot(self.w.T, buffers.dx_rows)
        return buffers.dx
