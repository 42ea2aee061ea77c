"""Distances: the squared distance of the input to each of some prototypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynets.errors import ShapeError
from tinynets.nn.initializers import Initializer, Uniform
from tinynets.nn.layers.base import Layer, require_initializer, require_size, rows
from tinynets.nn.layers.buffers import Buffers
from tinynets.nn.layers.claims import NEVER_NEGATIVE
from tinynets.nn.layers.parameter import Parameter
from tinynets.numerics.arrays import Array, Shape, shape_text
from tinynets.numerics.rules import FIRST

DIRECT = 8  # up to this many inputs, differences are squared directly; beyond, a matrix product is faster
CANCELLED = 1e-6  # below this share of the two squares, a result is recomputed from the difference
AT_ONCE = 2**16  # differences in memory at once


class Distances(Layer):
    """out[..., j] = |x - w[:, j]|^2, the squared distance to prototype j.

    x (..., inputs), out (..., prototypes); w (inputs, prototypes). For more than 8 inputs it is computed as
    |x|^2 - 2 x w + |w|^2 in float64, with the prototypes' mean subtracted from both, or from the differences where the
    squares nearly cancel. So its precision is that of the distance, however far from 0 everything lies. Under the first
    rules it is that of |x|^2, and the gradient's is that of x and w.

    `Distances` and `Gaussian` make radial basis functions; `Distances` with the loss `Kohonen`, a self-organizing map.
    """

    kind = "distances"
    gives_distances = True
    bears_sign = False
    output_range = NEVER_NEGATIVE
    unit_measure = "squared distance to its prototype"
    unit_setting = "prototypes"
    w: Array
    dw: Array

    def __init__(
        self, inputs: int, prototypes: int, *, name: str | None = None, w_init: Initializer | None = None
    ) -> None:
        super().__init__(name=name)
        self.inputs = require_size("Distances", "inputs", inputs)
        self.prototypes = require_size("Distances", "prototypes", prototypes)
        self.w_init = require_initializer("Distances", "w_init", w_init, Uniform())

    def sizes(self) -> tuple[int | str, ...]:
        return self.inputs, self.prototypes

    def config(self) -> dict[str, Any]:
        return {"inputs": self.inputs, "prototypes": self.prototypes, "w_init": self.w_init.config()}

    def parameters(self) -> tuple[Parameter, ...]:
        shape = (self.inputs, self.prototypes)
        return (Parameter("w", shape, self.w_init, unit_axis=1, fan_in=self.inputs, fan_out=self.prototypes),)

    def input_shape(self) -> tuple[int | None, ...]:
        return (None, self.inputs)

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        if len(shape) < 2 or shape[-1] not in (self.inputs, None):
            raise ShapeError(f"takes (..., {self.inputs}), not {shape_text(shape)}")
        return (*shape[:-1], self.prototypes)

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.out = np.empty((*shape[:-1], self.prototypes), dtype)
        buffers.out_rows = rows(buffers.out)
        count = len(buffers.out_rows)
        self._allocate_centred(buffers, count)
        if self.inputs <= DIRECT:
            buffers.difference = np.empty((count, self.prototypes), dtype)
        elif self.rules == FIRST:
            buffers.squares, buffers.w_squares = np.empty((count, self.inputs), dtype), np.empty_like(self.w)
            buffers.w_lengths = np.empty(self.prototypes, dtype)
        buffers.column, buffers.row = np.empty((count, 1), dtype), np.empty(self.prototypes, dtype)
        buffers.dw = np.empty_like(self.w)
        if buffers.needs_dx:
            buffers.dx = np.empty(shape, dtype)
            buffers.dx_rows = rows(buffers.dx)
            buffers.product = np.empty_like(buffers.dx_rows)

    def _allocate_centred(self, buffers: Buffers, count: int) -> None:
        """Buffers for x and w minus the mean of w, in float64, and for their product where it is used."""
        if self.rules > FIRST:
            buffers.x_centred, buffers.w_centred = np.empty((count, self.inputs)), np.empty(self.w.shape)
            buffers.centre = np.empty((self.inputs, 1))
        if self.rules > FIRST and self.inputs > DIRECT:
            buffers.products, buffers.limits = (np.empty((count, self.prototypes)) for _ in range(2))

    def forward(self, x: Array, buffers: Buffers) -> Array:
        buffers.x_rows = x = rows(x)
        if self.inputs <= DIRECT:
            self._directly(x, buffers)
        elif self.rules > FIRST:
            self._by_centred_product(x, buffers)
        else:
            self._by_product(x, buffers)
        return buffers.out

    def _directly(self, x: Array, buffers: Buffers) -> None:
        out, difference = buffers.out_rows, buffers.difference
        np.subtract(x[:, :1], self.w[0], out)
        np.multiply(out, out, out)
        for place in range(1, self.inputs):
            np.subtract(x[:, place : place + 1], self.w[place], difference)
            np.multiply(difference, difference, difference)
            np.add(out, difference, out)

    def _centre(self, x: Array, buffers: Buffers) -> tuple[Array, Array]:
        """x and w minus the mean of w, in float64: the differences between them stay the same."""
        x_centred, w_centred, centre = buffers.x_centred, buffers.w_centred, buffers.centre
        np.add.reduce(self.w, axis=1, dtype=np.float64, out=centre, keepdims=True)
        np.multiply(centre, 1 / self.prototypes, centre)
        np.subtract(x, centre[:, 0], x_centred)
        np.subtract(self.w, centre, w_centred)
        return x_centred, w_centred

    def _by_centred_product(self, x: Array, buffers: Buffers) -> None:
        products, limits = buffers.products, buffers.limits
        x_centred, w_centred = self._centre(x, buffers)
        x_centred.dot(w_centred, products)
        np.multiply(products, -2, products)
        x_squares = np.einsum("ni,ni->n", x_centred, x_centred)[:, None]
        np.add(x_squares, np.einsum("ij,ij->j", w_centred, w_centred), limits)
        np.add(products, limits, products)
        np.multiply(limits, CANCELLED, limits)
        if not np.greater(products, limits).all():
            self._again(x, products, np.flatnonzero(~(products > limits)))
        buffers.out_rows[...] = products

    def _again(self, x: Array, products: Array, places: Array) -> None:
        """Recompute the distances at these places, flat indices (n,), from the differences."""
        flat = products.reshape(-1)
        for start in range(0, len(places), max(1, AT_ONCE // self.inputs)):
            some = places[start : start + max(1, AT_ONCE // self.inputs)]
            row, prototype = np.divmod(some, self.prototypes)
            apart = x[row].astype(np.float64) - self.w.T[prototype]
            flat[some] = np.einsum("ni,ni->n", apart, apart)

    def _by_product(self, x: Array, buffers: Buffers) -> None:
        out, column = buffers.out_rows, buffers.column
        x.dot(self.w, out)
        np.multiply(out, -2, out)
        np.multiply(x, x, buffers.squares)
        np.add.reduce(buffers.squares, axis=1, out=column, keepdims=True)
        np.multiply(self.w, self.w, buffers.w_squares)
        np.add.reduce(buffers.w_squares, axis=0, out=buffers.w_lengths)
        np.add(out, column, out)
        np.add(out, buffers.w_lengths, out)
        np.maximum(out, 0, out=out)

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """d|x - w|^2 = 2 (x - w) (dx - dw), so dw = 2 (w sum(dout) - x.T @ dout), dx = 2 (x sum(dout) - dout @ w.T)."""
        dout = rows(dout)
        if self.rules > FIRST:
            return self._backward_centred(dout, buffers)
        np.add.reduce(dout, axis=0, out=buffers.row)
        buffers.x_rows.T.dot(dout, buffers.dw)
        np.multiply(self.w, buffers.row, self.dw)
        np.subtract(self.dw, buffers.dw, self.dw)
        np.multiply(self.dw, 2, self.dw)
        if not buffers.needs_dx:
            return dout
        dx = buffers.dx_rows
        np.add.reduce(dout, axis=1, out=buffers.column, keepdims=True)
        dout.dot(self.w.T, buffers.product)
        np.multiply(buffers.x_rows, buffers.column, dx)
        np.subtract(dx, buffers.product, dx)
        np.multiply(dx, 2, dx)
        return buffers.dx

    def _backward_centred(self, dout: Array, buffers: Buffers) -> Array:
        """The same with the mean of w subtracted from x and w, in float64, so that nothing large cancels."""
        if self.inputs <= DIRECT:
            self._centre(buffers.x_rows, buffers)
        x, w = buffers.x_centred, buffers.w_centred
        wide = dout.astype(np.float64)
        dw = w * np.add.reduce(wide, axis=0)
        dw -= x.T.dot(wide)
        np.multiply(dw, 2, self.dw, casting="unsafe")
        if not buffers.needs_dx:
            return dout
        dx = x * np.add.reduce(wide, axis=1, keepdims=True)
        dx -= wide.dot(w.T)
        np.multiply(dx, 2, buffers.dx_rows, casting="unsafe")
        return buffers.dx
