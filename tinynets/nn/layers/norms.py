"""Normalizations: BatchNorm over the examples of a batch, LayerNorm over the units of an example.

They belong to the block before them: the `gain` and `shift` of a unit are its own, just as its weights are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynets.errors import ShapeError
from tinynets.nn.initializers import Constant, Initializer, Zeros
from tinynets.nn.layers.activations import positive
from tinynets.nn.layers.base import Layer, require_initializer, require_size, rows
from tinynets.nn.layers.buffers import Buffers
from tinynets.nn.layers.feature_map import FeatureMap
from tinynets.nn.layers.parameter import Parameter
from tinynets.numerics.arrays import Array, Shape, is_finite_number, shape_text
from tinynets.numerics.rules import FIRST

ROWS = 128  # rows summed at once


def _tell_overflow(inverse: Array) -> None:
    """Turn zeros into NaN: a variance that overflowed has an inverse root of 0, which would hide it as zeros."""
    if not np.minimum.reduce(inverse, axis=None) > 0:
        inverse[~(inverse > 0)] = np.nan


class _Norm(Layer):
    """Base: out = normalized gain + shift, unit by unit. x and out (..., size), gain and shift (size,)."""

    joins = True
    unit_setting = "size"
    gain: Array
    dgain: Array
    shift: Array
    dshift: Array

    def __init__(
        self,
        size: int,
        *,
        name: str | None = None,
        eps: float = 1e-5,
        gain_init: Initializer | None = None,
        shift_init: Initializer | None = None,
    ) -> None:
        super().__init__(name=name)
        self.size = require_size(type(self).__name__, "size", size)
        self.eps = positive(type(self).__name__, "eps", eps)
        self.gain_init = require_initializer(type(self).__name__, "gain_init", gain_init, Constant(1.0))
        self.shift_init = require_initializer(type(self).__name__, "shift_init", shift_init, Zeros())

    def sizes(self) -> tuple[int | str, ...]:
        return (self.size,)

    def config(self) -> dict[str, Any]:
        return {
            "size": self.size,
            "eps": self.eps,
            "gain_init": self.gain_init.config(),
            "shift_init": self.shift_init.config(),
        }

    def parameters(self) -> tuple[Parameter, ...]:
        return (
            Parameter("gain", (self.size,), self.gain_init, unit_axis=0),
            Parameter("shift", (self.size,), self.shift_init, unit_axis=0),
        )

    def passed_on(self, change: FeatureMap, shape: tuple[int | None, ...]) -> FeatureMap:
        raise ShapeError(f"{self!r} makes something of what is zero")

    def input_shape(self) -> tuple[int | None, ...]:
        return (None, self.size)

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        if len(shape) < 2 or shape[-1] not in (self.size, None):
            raise ShapeError(f"takes (..., {self.size}), not {shape_text(shape)}")
        return (*shape[:-1], self.size)

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        for name in ("normal", "out", "dx"):  # their rows are what forward and backward write
            array = np.empty(shape, dtype)
            setattr(buffers, name, array)
            setattr(buffers, f"{name}_rows", rows(array))
        buffers.work = np.empty_like(buffers.normal_rows)

    def _scaled(self, buffers: Buffers) -> Array:
        """out = normal gain + shift."""
        out = buffers.out_rows
        np.multiply(buffers.normal_rows, self.gain, out)
        np.add(out, self.shift, out)
        return buffers.out

    def _sum(self, x: Array, out: Array) -> None:
        """The sum of all rows, in two stages if there are many: otherwise late rows lose digits to a large sum."""
        if len(x) <= ROWS or self.rules == FIRST:
            np.add.reduce(x, axis=0, out=out)
            return
        whole = len(x) // ROWS * ROWS
        parts = np.add.reduce(x[:whole].reshape(-1, ROWS, self.size), axis=1)
        np.add(np.add.reduce(parts, axis=0, dtype=np.float64), np.add.reduce(x[whole:], axis=0), out, casting="unsafe")

    def _parameter_gradients(self, dout: Array, buffers: Buffers) -> None:
        """dgain = the sum of dout normal, dshift = the sum of dout."""
        np.multiply(dout, buffers.normal_rows, buffers.work)
        self._sum(buffers.work, self.dgain)
        self._sum(dout, self.dshift)


class BatchNorm(_Norm):
    """out = (x - mean) / sqrt(var + eps) gain + shift, unit by unit over everything but the last axis.

    x and out (..., size). In training, mean and variance are the batch's, and the running ones move towards them by
    `momentum` (the running variance towards the unbiased one, as in PyTorch); otherwise the running ones are used.

    Raises ShapeError for a training batch with a single value per unit. Source: Ioffe and Szegedy, "Batch
    normalization" (2015).
    """

    kind = "batch-norm"
    turns_with_weights = True
    running_mean: Array
    running_var: Array

    def __init__(
        self,
        size: int,
        *,
        name: str | None = None,
        momentum: float = 0.1,
        eps: float = 1e-5,
        gain_init: Initializer | None = None,
        shift_init: Initializer | None = None,
    ) -> None:
        super().__init__(size, name=name, eps=eps, gain_init=gain_init, shift_init=shift_init)
        if not is_finite_number(momentum) or not 0 <= momentum <= 1:
            raise ShapeError(f"BatchNorm: `momentum` must be a number from 0 to 1, not {momentum!r}")
        self.momentum = float(momentum)

    def config(self) -> dict[str, Any]:
        return super().config() | {"momentum": self.momentum}

    def carried(self) -> tuple[Parameter, ...]:
        return (
            Parameter("running_mean", (self.size,), Zeros(), unit_axis=0),
            Parameter("running_var", (self.size,), Constant(1.0), unit_axis=0),
        )

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        super().allocate(buffers, shape, dtype)
        buffers.count = len(buffers.out_rows)
        for name in ("mean", "var", "inverse", "unbiased"):
            setattr(buffers, name, np.empty(self.size, dtype))
        if buffers.context.training:
            self._check_count(buffers)

    def check_batch(self, shape: tuple[int | None, ...]) -> None:
        if all(n == 1 for n in shape[:-1]):
            raise ShapeError("averages over at least 2 values of each unit in training; this batch has 1")

    def _check_count(self, buffers: Buffers) -> None:
        if buffers.count < 2:
            try:
                self.check_batch((1, self.size))
            except ShapeError as error:
                raise ShapeError(f"`{self.name}` {self!r} {error}") from None

    def forward(self, x: Array, buffers: Buffers) -> Array:
        x, normal, inverse = rows(x), buffers.normal_rows, buffers.inverse
        buffers.by_batch = buffers.context.training
        if buffers.by_batch:
            mean, var = buffers.mean, buffers.var
            self._check_count(buffers)
            self._sum(x, mean)
            np.multiply(mean, 1 / buffers.count, mean)
            np.subtract(x, mean, normal)
            if self.rules > FIRST:  # the rounding error of a mean far from 0 is now their mean
                self._sum(normal, var)
                np.multiply(var, 1 / buffers.count, var)
                np.subtract(normal, var, normal)
                np.add(mean, var, mean)
            np.multiply(normal, normal, buffers.work)
            self._sum(buffers.work, var)
            np.multiply(var, 1 / (buffers.count - 1), buffers.unbiased)
            np.multiply(var, 1 / buffers.count, var)
            self._renew(buffers.new["running_mean"], self.running_mean, mean, inverse)
            self._renew(buffers.new["running_var"], self.running_var, buffers.unbiased, inverse)
        else:
            var = self.running_var
            np.subtract(x, self.running_mean, normal)
        np.add(var, self.eps, inverse)
        np.sqrt(inverse, inverse)
        np.divide(1, inverse, inverse)
        np.multiply(normal, inverse, normal)
        return self._scaled(buffers)

    def _renew(self, new: Array, running: Array, seen: Array, work: Array) -> None:
        """running (1 - momentum) + seen momentum, into `new`."""
        np.multiply(running, 1 - self.momentum, new)
        np.multiply(seen, self.momentum, work)
        np.add(new, work, new)

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """With batch statistics: dx = gain / sqrt(var + eps) (dout - mean of dout - normal times mean of dout normal).

        The two means come from the batch's mean and variance, which depend on x. Running statistics do not, so then
        dx = gain / sqrt(var + eps) dout.
        """
        dout, dx, work = rows(dout), buffers.dx_rows, buffers.work
        self._parameter_gradients(dout, buffers)
        if not buffers.needs_dx:
            return dout
        if buffers.by_batch:
            np.multiply(self.dgain, 1 / buffers.count, buffers.var)
            np.multiply(self.dshift, 1 / buffers.count, buffers.mean)
            np.multiply(buffers.normal_rows, buffers.var, work)
            np.subtract(dout, work, dx)
            np.subtract(dx, buffers.mean, dx)
            dout = dx
        np.multiply(self.gain, buffers.inverse, buffers.unbiased)
        np.multiply(dout, buffers.unbiased, dx)
        return buffers.dx


class LayerNorm(_Norm):
    """out = (x - mean) / sqrt(var + eps) gain + shift, example by example over the last axis.

    x and out (..., size). Source: Ba et al., "Layer normalization" (2016).
    """

    kind = "layer-norm"
    turns_with_weights = True
    mixes_units = True

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        super().allocate(buffers, shape, dtype)
        count = len(buffers.out_rows)
        buffers.column, buffers.inverse = np.empty((count, 1), dtype), np.empty((count, 1), dtype)

    def forward(self, x: Array, buffers: Buffers) -> Array:
        x, normal, work = rows(x), buffers.normal_rows, buffers.work
        column, inverse = buffers.column, buffers.inverse
        np.add.reduce(x, axis=1, out=column, keepdims=True)
        np.multiply(column, 1 / self.size, column)
        np.subtract(x, column, normal)
        if self.rules > FIRST:  # the rounding error of a mean far from 0 is now their mean
            np.add.reduce(normal, axis=1, out=column, keepdims=True)
            np.multiply(column, 1 / self.size, column)
            np.subtract(normal, column, normal)
        np.multiply(normal, normal, work)
        np.add.reduce(work, axis=1, out=inverse, keepdims=True)
        np.multiply(inverse, 1 / self.size, inverse)
        np.add(inverse, self.eps, inverse)
        np.sqrt(inverse, inverse)
        np.divide(1, inverse, inverse)
        _tell_overflow(inverse)
        np.multiply(normal, inverse, normal)
        return self._scaled(buffers)

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """With g = dout gain: dx = (g - mean of g - normal times the mean of g normal) / sqrt(var + eps)."""
        dout, dx, work, column = rows(dout), buffers.dx_rows, buffers.work, buffers.column
        self._parameter_gradients(dout, buffers)
        if not buffers.needs_dx:
            return dout
        np.multiply(dout, self.gain, dx)
        np.multiply(dx, buffers.normal_rows, work)
        np.add.reduce(work, axis=1, out=column, keepdims=True)
        np.multiply(column, 1 / self.size, column)
        np.multiply(buffers.normal_rows, column, work)
        np.add.reduce(dx, axis=1, out=column, keepdims=True)
        np.multiply(column, 1 / self.size, column)
        np.subtract(dx, column, dx)
        np.subtract(dx, work, dx)
        np.multiply(dx, buffers.inverse, dx)
        return buffers.dx
