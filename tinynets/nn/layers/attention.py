"""Attention: every position gathers values from itself and the positions before it, weighted by its query."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from tinynets.errors import ShapeError
from tinynets.nn.initializers import Initializer, Kaiming, Zeros
from tinynets.nn.layers.base import Layer, require_initializer, require_size, rows
from tinynets.nn.layers.buffers import Buffers
from tinynets.nn.layers.parameter import Parameter
from tinynets.nn.taps import Tap
from tinynets.numerics.arrays import Array, Shape, shape_text
from tinynets.numerics.rules import FIRST


class CausalSelfAttention(Layer):
    """q, k, v = x @ w_qkv + b_qkv; of each head softmax(q @ k.T / sqrt(d)) @ v over positions up to its own; together
    @ w_out + b_out.

    x (B, T, size), out (B, T, size); d = size / heads. w_qkv (size, 3 size), b_qkv (3 size,), w_out (size, size), b_out
    (size,) are `in_proj_weight`, `out_proj.weight` of PyTorch's MultiheadAttention transposed, and their biases. Its
    units are heads: unit u is the output of head u before the projection, and owns its columns of w_qkv and b_qkv and
    its rows of w_out. Raises ShapeError for impossible sizes, and where the heads do not divide the size.

    Source: Vaswani et al., "Attention is all you need" (2017).
    """

    kind = "causal-self-attention"
    group_names = ("q", "k", "v")
    unit_measure = "root mean square of what the head gives"
    turns_with_weights = True
    taps_itself = True
    closed = True
    site_axis = 0
    w_qkv: Array
    dw_qkv: Array
    b_qkv: Array
    db_qkv: Array
    w_out: Array
    dw_out: Array
    b_out: Array
    db_out: Array

    def __init__(
        self,
        size: int,
        heads: int,
        *,
        name: str | None = None,
        w_init: Initializer | None = None,
        b_init: Initializer | None = None,
    ) -> None:
        super().__init__(name=name)
        self.size = require_size("CausalSelfAttention", "size", size)
        self.heads = require_size("CausalSelfAttention", "heads", heads)
        if self.size % self.heads:
            raise ShapeError(f"CausalSelfAttention: `heads` must divide `size` {self.size}, not {self.heads}")
        self.w_init = require_initializer("CausalSelfAttention", "w_init", w_init, Kaiming())
        self.b_init = require_initializer("CausalSelfAttention", "b_init", b_init, Zeros())

    @property
    def head_size(self) -> int:
        return self.size // self.heads

    def sizes(self) -> tuple[int | str, ...]:
        return self.size, self.heads

    def config(self) -> dict[str, Any]:
        return {
            "size": self.size,
            "heads": self.heads,
            "w_init": self.w_init.config(),
            "b_init": self.b_init.config(),
        }

    def parameters(self) -> tuple[Parameter, ...]:
        size, each = self.size, self.head_size
        return (
            Parameter("w_qkv", (size, 3 * size), self.w_init, 1, size, size, groups=3, each=each, input_axis=0),
            Parameter("b_qkv", (3 * size,), self.b_init, 0, size, 1, groups=3, each=each),
            Parameter("w_out", (size, size), self.w_init, 0, size, size, each=each),
            Parameter("b_out", (size,), self.b_init, None, size),
        )

    def input_shape(self) -> tuple[int | None, ...]:
        return (None, None, self.size)

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        if len(shape) != 3 or shape[-1] not in (self.size, None):
            raise ShapeError(f"takes (B, T, {self.size}), not {shape_text(shape)}")
        return (*shape[:-1], self.size)

    def units(self, shape: tuple[int | None, ...]) -> int:
        return self.heads

    def multiply_adds(self, shape: tuple[int | None, ...], out: tuple[int | None, ...]) -> int | None:
        """Those of the two matrices, plus scores and weighted values with T^2 size each."""
        matrices, steps = super().multiply_adds(shape, out), shape[1]
        return None if matrices is None or steps is None else matrices + 2 * (shape[0] or 1) * steps**2 * self.size

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        batch, steps, size = shape

        def by_head(array: Array) -> Array:  # (B, T, size) as (B, heads, T, d)
            return array.reshape(batch, steps, self.heads, self.head_size).transpose(0, 2, 1, 3)

        buffers.qkv, buffers.dqkv = np.empty((batch, steps, 3 * size), dtype), np.empty((batch, steps, 3 * size), dtype)
        split = (batch, steps, 3, self.heads, self.head_size)
        buffers.q, buffers.k, buffers.v = buffers.qkv.reshape(split).transpose(2, 0, 3, 1, 4)
        buffers.dq, buffers.dk, buffers.dv = buffers.dqkv.reshape(split).transpose(2, 0, 3, 1, 4)
        buffers.pattern = np.empty((batch, self.heads, steps, steps), dtype)
        buffers.dpattern = np.empty_like(buffers.pattern)
        buffers.products = np.empty_like(buffers.pattern)
        buffers.column = np.empty((batch, self.heads, steps, 1), dtype)
        buffers.future = np.triu(np.full((steps, steps), -np.inf, dtype), 1)
        buffers.gathered, buffers.dgathered = np.empty(shape, dtype), np.empty(shape, dtype)
        buffers.by_head, buffers.dby_head = by_head(buffers.gathered), by_head(buffers.dgathered)
        buffers.out = np.empty(shape, dtype)
        if buffers.needs_dx:
            buffers.dx = np.empty(shape, dtype)

    def forward(self, x: Array, buffers: Buffers) -> Array:
        buffers.x_rows = rows(x)
        qkv, pattern, column = rows(buffers.qkv), buffers.pattern, buffers.column
        buffers.x_rows.dot(self.w_qkv, qkv)
        np.add(qkv, self.b_qkv, qkv)
        np.multiply(buffers.q, 1 / sqrt(self.head_size), buffers.q)
        np.matmul(buffers.q, buffers.k.swapaxes(2, 3), pattern)
        np.add(pattern, buffers.future, pattern)
        np.maximum.reduce(pattern, axis=3, out=column, keepdims=True)
        np.subtract(pattern, column, pattern)
        np.exp(pattern, pattern)
        np.add.reduce(pattern, axis=3, out=column, keepdims=True)
        np.divide(pattern, column, pattern)
        np.matmul(pattern, buffers.v, buffers.by_head)
        if buffers.tap is not None:
            self._apply(buffers.tap, buffers.by_head)
        out = rows(buffers.out)
        rows(buffers.gathered).dot(self.w_out, out)
        np.add(out, self.b_out, out)
        return buffers.out

    def _apply(self, tap: Tap, heads: Array) -> None:
        """Apply a tap to heads (B, heads, T, d) in place. What is multiplied by 0 becomes the added value, even if it
        was infinite (not under the first rules).
        """
        terms = tap.terms(len(heads))
        if terms.ndim > 2 and terms.shape[-2] not in (1, heads.shape[2]):
            raise ShapeError(
                f"`{self.name}` {self!r}: an intervention stands on {terms.shape[-2]} positions; "
                f"this input has {heads.shape[2]}"
            )
        np.multiply(heads, tap.multiply, heads)
        np.add(heads, terms, heads)
        held = self._held(tap)
        if held is not None:
            np.copyto(heads, terms, where=held)

    def _held(self, tap: Tap) -> Array | None:
        """Where the output of heads is multiplied by 0, (heads, T or 1, d or 1); None if nowhere."""
        held: Array = tap.multiply == 0
        return held if self.rules > FIRST and held.any() else None

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """With p the pattern and y = p @ v: dv = p.T @ dy, dp = dy @ v.T, and through the softmax
        ds = p (dp - the row's sum of dp p); then dq = ds @ k / sqrt(d), dk = ds.T @ q / sqrt(d).
        """
        dout = rows(dout)
        rows(buffers.gathered).T.dot(dout, self.dw_out)
        np.add.reduce(dout, axis=0, out=self.db_out)
        dout.dot(self.w_out.T, rows(buffers.dgathered))
        dy, held = buffers.dby_head, None if buffers.tap is None else self._held(buffers.tap)
        if buffers.tap is not None:
            np.multiply(dy, buffers.tap.multiply, dy)
        if held is not None:
            np.copyto(dy, 0, where=held)
        pattern, dpattern, products, column = buffers.pattern, buffers.dpattern, buffers.products, buffers.column
        np.matmul(pattern.swapaxes(2, 3), dy, buffers.dv)
        np.matmul(dy, buffers.v.swapaxes(2, 3), dpattern)
        np.multiply(dpattern, pattern, products)
        np.add.reduce(products, axis=3, out=column, keepdims=True)
        np.subtract(dpattern, column, dpattern)
        np.multiply(dpattern, pattern, dpattern)
        np.matmul(dpattern, buffers.k, buffers.dq)
        np.multiply(buffers.dq, 1 / sqrt(self.head_size), buffers.dq)
        np.matmul(dpattern.swapaxes(2, 3), buffers.q, buffers.dk)  # q is scaled already
        if held is not None:
            whole = np.flatnonzero(held.all(axis=(1, 2)))
            for gradient in (buffers.dq, buffers.dk, buffers.dv):
                gradient[:, whole] = 0
        dqkv = rows(buffers.dqkv)
        buffers.x_rows.T.dot(dqkv, self.dw_qkv)
        np.add.reduce(dqkv, axis=0, out=self.db_qkv)
        if not buffers.needs_dx:
            return dout
        dqkv.dot(self.w_qkv.T, rows(buffers.dx))
        return buffers.dx

    def site_shape(self, before: Shape, after: Shape) -> Shape:
        return self.heads, before[0], self.head_size

    def site_values(self, buffers: Buffers) -> Array:
        """The output of each head, (B, heads, T, d)."""
        values: Array = buffers.by_head
        return values

    def unit_values(self, buffers: Buffers) -> Array:
        """The root mean square output of each head at each position, (B, T, heads)."""
        return _sizes(buffers.by_head)

    def unit_gradients(self, buffers: Buffers, dout: Array) -> Array:
        """The gradient of each head's root mean square output: how the loss grows with the size of that output."""
        batch, steps, _ = dout.shape
        given = rows(dout).dot(self.w_out.T).reshape(batch, steps, self.heads, self.head_size).transpose(0, 2, 1, 3)
        along = (given * buffers.by_head).sum(axis=3).transpose(0, 2, 1)
        sizes = self.unit_values(buffers)
        gradients: Array = np.divide(along, sizes, np.zeros_like(along), where=sizes > 0)
        return gradients

    def unit_values_untapped(self, buffers: Buffers) -> Array:
        return _sizes(np.matmul(buffers.pattern, buffers.v))

    def attention_pattern(self, buffers: Buffers) -> Array:
        """The attention weights of the last forward, (B, heads, T, T): row t belongs to position t and sums to 1."""
        pattern: Array = buffers.pattern
        return pattern


def _sizes(heads: Array) -> Array:
    """(B, T, heads) root mean squares of (B, heads, T, d), in float64, where squares of float32 do not overflow."""
    sizes: Array = np.sqrt(np.square(heads, dtype=np.float64).mean(axis=3)).transpose(0, 2, 1)
    return sizes.astype(heads.dtype)
