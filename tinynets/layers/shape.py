"""Layers that only rearrange."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinynets.arrays import Array, Shape, shape_text
from tinynets.errors import ShapeError
from tinynets.layers.base import Buffers, Layer


class Flatten(Layer):
    """All axes after the batch made one: x (B, ...), out (B, n)."""

    kind = "flatten"

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        if len(shape) < 2:
            raise ShapeError(f"takes (B, ...) with at least one axis after the batch, not {shape_text(shape)}")
        known = [n for n in shape[1:] if n is not None]
        return (shape[0], prod(known) if len(known) == len(shape) - 1 else None)

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.in_shape = shape
        buffers.out_shape = (shape[0], prod(shape[1:]))

    def forward(self, x: Array, buffers: Buffers) -> Array:
        buffers.out = out = x.reshape(buffers.out_shape)
        return out

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        buffers.dx = dx = dout.reshape(buffers.in_shape)
        return dx
