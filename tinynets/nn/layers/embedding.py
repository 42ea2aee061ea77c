"""Embedding: a row of a table for each index. PositionalEmbedding: a row for each place in a sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynets.errors import ShapeError
from tinynets.nn.initializers import Initializer, Normal
from tinynets.nn.layers.base import Layer, require_initializer, require_size, rows
from tinynets.nn.layers.buffers import Buffers
from tinynets.nn.layers.parameter import Parameter
from tinynets.numerics.arrays import Array, Shape, shape_text

ONE_HOT_LIMIT = 1024  # up to this vocabulary, a matrix product is faster than scattered addition


class Embedding(Layer):
    """out[...] = w[x[...]].

    x (...) whole numbers in 0 to vocabulary - 1, out (..., size); w (vocabulary, size).
    """

    kind = "embedding"
    turns_with_weights = True
    takes_integers = True
    unit_setting = "size"
    w: Array
    dw: Array

    def __init__(
        self, vocabulary: int, size: int, *, name: str | None = None, w_init: Initializer | None = None
    ) -> None:
        super().__init__(name=name)
        self.vocabulary = require_size("Embedding", "vocabulary", vocabulary)
        self.size = require_size("Embedding", "size", size)
        self.w_init = require_initializer("Embedding", "w_init", w_init, Normal())

    def sizes(self) -> tuple[int, ...]:
        return self.vocabulary, self.size

    def config(self) -> dict[str, Any]:
        return {"vocabulary": self.vocabulary, "size": self.size, "w_init": self.w_init.config()}

    def parameters(self) -> tuple[Parameter, ...]:
        return (Parameter("w", (self.vocabulary, self.size), self.w_init, unit_axis=1, fan_out=self.size),)

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*shape, self.size)

    def multiply_adds(self, shape: tuple[int | None, ...], out: tuple[int | None, ...]) -> int:
        return 0

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.out = np.empty((*shape, self.size), dtype)
        buffers.dx = np.empty(0, dtype)  # indices have no gradient
        if self.vocabulary <= ONE_HOT_LIMIT:
            buffers.identity = np.eye(self.vocabulary, dtype=dtype)
            buffers.one_hot = np.empty((int(np.prod(shape)), self.vocabulary), dtype)

    def forward(self, x: Array, buffers: Buffers) -> Array:
        buffers.x = x
        return self.w.take(x, 0, buffers.out, "clip")

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """Each row of dw is the sum of dout over the places that looked it up."""
        if self.vocabulary <= ONE_HOT_LIMIT:
            buffers.identity.take(buffers.x.reshape(-1), 0, buffers.one_hot, "clip")
            buffers.one_hot.T.dot(rows(dout), self.dw)
        else:
            self.dw.fill(0)
            np.add.at(self.dw, buffers.x.reshape(-1), rows(dout))
        return buffers.dx


class PositionalEmbedding(Layer):
    """out[:, t] = x[:, t] + w[t]: tells a layer that treats all places alike which place it sees.

    x and out (B, ..., T, size), T at most `length`; w (length, size). Source: Vaswani et al., "Attention is all you
    need" (2017), in the learned form.
    """

    kind = "positional-embedding"
    bears_sign = False
    w: Array
    dw: Array

    def __init__(self, length: int, size: int, *, name: str | None = None, w_init: Initializer | None = None) -> None:
        super().__init__(name=name)
        self.length = require_size("PositionalEmbedding", "length", length)
        self.size = require_size("PositionalEmbedding", "size", size)
        self.w_init = require_initializer("PositionalEmbedding", "w_init", w_init, Normal())

    def sizes(self) -> tuple[int | str, ...]:
        return self.length, self.size

    def config(self) -> dict[str, Any]:
        return {"length": self.length, "size": self.size, "w_init": self.w_init.config()}

    def parameters(self) -> tuple[Parameter, ...]:
        return (Parameter("w", (self.length, self.size), self.w_init, unit_axis=1, fan_out=self.size),)

    def input_shape(self) -> tuple[int | None, ...]:
        return (None, None, self.size)

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        if len(shape) < 3 or shape[-1] not in (self.size, None) or (shape[-2] or 0) > self.length:
            raise ShapeError(f"takes (B, T, {self.size}), T at most {self.length}, not {shape_text(shape)}")
        return (*shape[:-1], self.size)

    def multiply_adds(self, shape: tuple[int | None, ...], out: tuple[int | None, ...]) -> int:
        return 0

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.out = np.empty(shape, dtype)
        buffers.steps = shape[-2]

    def forward(self, x: Array, buffers: Buffers) -> Array:
        return np.add(x, self.w[: buffers.steps], buffers.out)

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """dw[t] = the sum of dout[:, t] over the batch, 0 for places beyond T; dx = dout."""
        steps = buffers.steps
        np.add.reduce(dout.reshape(-1, *dout.shape[-2:]), axis=0, out=self.dw[:steps])
        self.dw[steps:] = 0
        buffers.dx = dout
        return dout
