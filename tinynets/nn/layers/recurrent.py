"""The base of all recurrent layers, and the simplest one: RNN (Elman).

RNN, GRU and LSTM are the variants of cuDNN and PyTorch, so that weights can be exchanged. Our `w_ih` and `w_hh` are
PyTorch's `weight_ih_l0` and `weight_hh_l0` transposed, with gates in the same order; both biases are kept. To stack
them, put layers behind each other. Within a pass time is the first axis, (T, B, ...): the inputs of all steps go
through one matrix product, each step adds one, and each gradient needs one more.

Truncated backpropagation through time: with `carry=B` the next batch begins with the hidden state after this one. It
is carried in training only, no gradient goes back through it, and evaluation begins with zeros. Use it with the lab's
`sampling="stream"`, where each row of a batch continues the same row of the batch before. An intervention acts on the
hidden state at every step (or one), before it is given out and before the next step uses it; a unit that it holds
carries the held value from the first batch on.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from tinynets.errors import ShapeError, nearest
from tinynets.nn.initializers import Initializer, Uniform, Zeros
from tinynets.nn.layers.activations import Tanh
from tinynets.nn.layers.base import Layer, require_flag, require_initializer, require_size, rows
from tinynets.nn.layers.buffers import Buffers
from tinynets.nn.layers.parameter import Parameter
from tinynets.nn.layers.rectifiers import ReLU
from tinynets.nn.layers.time_step import apply_tap, gather_gradient, release_held
from tinynets.nn.taps import Tap
from tinynets.numerics.arrays import Array, Shape, shape_text
from tinynets.numerics.rules import FIRST

NONLINEARITIES = ("tanh", "relu")


class Recurrent(Layer):
    """Base: x (B, T, inputs), out (B, T, size), or with `sequence=False` the last step's (B, size).

    w_ih (inputs, gates size), w_hh (size, gates size), b_ih and b_hh (gates size,): in each gate, column u is unit u's.
    """

    taps_itself = True
    unit_setting = "size"
    input_setting = "inputs"
    gates: ClassVar[int] = 1
    states: ClassVar[tuple[str, ...]] = ("h",)
    w_ih: Array
    dw_ih: Array
    w_hh: Array
    dw_hh: Array
    b_ih: Array
    db_ih: Array
    b_hh: Array
    db_hh: Array

    def __init__(
        self,
        inputs: int,
        size: int,
        *,
        sequence: bool = True,
        carry: int = 0,
        name: str | None = None,
        w_init: Initializer | None = None,
        b_init: Initializer | None = None,
    ) -> None:
        super().__init__(name=name)
        kind = type(self).__name__
        self.inputs = require_size(kind, "inputs", inputs)
        self.size = require_size(kind, "size", size)
        self.sequence = require_flag(kind, "sequence", sequence)
        self.carry = require_size(kind, "carry", carry, 0)
        bound = 1 / sqrt(self.size)
        self.w_init = require_initializer(kind, "w_init", w_init, Uniform(low=-bound, high=bound))
        self.b_init = require_initializer(kind, "b_init", b_init, Zeros())

    def sizes(self) -> tuple[int | str, ...]:
        last = () if self.sequence else ("last step",)
        return self.inputs, self.size, *last, *((f"carry {self.carry}",) if self.carry else ())

    def config(self) -> dict[str, Any]:
        return {
            "inputs": self.inputs,
            "size": self.size,
            "sequence": self.sequence,
            "carry": self.carry,
            "w_init": self.w_init.config(),
            "b_init": self.b_init.config(),
        }

    def parameters(self) -> tuple[Parameter, ...]:
        width, gates = self.gates * self.size, self.gates
        return (
            Parameter("w_ih", (self.inputs, width), self.w_init, 1, self.inputs, self.size, gates, input_axis=0),
            Parameter("w_hh", (self.size, width), self.w_init, 1, self.size, self.size, gates, own_axis=0),
            Parameter("b_ih", (width,), self.b_init, 0, self.inputs, 1, gates),
            Parameter("b_hh", (width,), self.b_init, 0, self.size, 1, gates),
        )

    def carried(self) -> tuple[Parameter, ...]:
        if not self.carry:
            return ()
        return tuple(Parameter(name, (self.carry, self.size), Zeros(), 1, transient=True) for name in self.states)

    def input_shape(self) -> tuple[int | None, ...]:
        return (None, None, self.inputs)

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        if len(shape) != 3 or shape[-1] not in (self.inputs, None):
            raise ShapeError(f"takes (B, T, {self.inputs}), not {shape_text(shape)}")
        return (*shape[: 2 if self.sequence else 1], self.size)

    def time_steps(self, shape: tuple[int | None, ...]) -> int:
        return (shape[1] or 0) if len(shape) == 3 else 0

    def check_batch(self, shape: tuple[int | None, ...]) -> None:
        batch = shape[0]
        if self.carry and batch != self.carry:
            raise ShapeError(f"carries the hidden state of {self.carry} examples, so it cannot train on {batch}")

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        batch, steps, _ = shape
        width = self.gates * self.size

        def each(count: int, size: int) -> Array:
            return np.empty((count, batch, size), dtype)

        buffers.x = each(steps, self.inputs)
        buffers.x_rows = rows(buffers.x)
        buffers.sums = each(steps, width)
        buffers.sum_rows = rows(buffers.sums)
        for name in self.states:  # step t begins with `h[t]` and gives `h[t + 1]`
            setattr(buffers, name, each(steps + 1, self.size))
        buffers.raw = each(steps, self.size)
        buffers.product, buffers.part = np.empty((batch, width), dtype), np.empty((batch, self.size), dtype)
        buffers.bias = np.empty(width, dtype)
        buffers.out = np.empty((batch, steps, self.size), dtype) if self.sequence else buffers.h[steps]
        buffers.dsteps = each(steps, self.size)
        buffers.ones = np.ones(steps * batch, dtype)
        buffers.dhs = each(steps, self.size)
        buffers.dsums = each(steps, width)
        buffers.steepest = np.full((batch, width), np.log(np.finfo(dtype).max) - 1, dtype)
        buffers.steps = list(zip(*map(list, self._views(buffers)), strict=True))
        buffers.back = list(zip(*map(list, self._back_views(buffers, each)), strict=True))[::-1]
        if buffers.needs_dx:
            buffers.dx_steps = each(steps, self.inputs)
            buffers.dx = np.empty(shape, dtype)

    def _views(self, buffers: Buffers) -> tuple[Iterable[Array], ...]:
        """The arrays that `_unroll` reads and writes at each step, with time as first axis."""
        raise TypeError(f"{type(self).__name__} is a base class")

    def _back_views(self, buffers: Buffers, each: Any) -> tuple[Iterable[Array], ...]:
        """The same for `_back`; arrays that only it needs are made with `each(steps, size)`."""
        raise TypeError(f"{type(self).__name__} is a base class")

    # -- forward

    def forward(self, x: Array, buffers: Buffers) -> Array:
        training = buffers.context.training and self.carry > 0
        if training and len(x) != self.carry:
            raise ShapeError(f"`{self.name}` {self!r} carries {self.carry} examples; this batch has {len(x)}")
        for name in self.states:
            first = getattr(buffers, name)[0]
            if training:
                np.copyto(first, getattr(self, name))
            else:
                first.fill(0)
        np.copyto(buffers.x, x.transpose(1, 0, 2))
        buffers.x_rows.dot(self.w_ih, buffers.sum_rows)
        np.add(buffers.sum_rows, self._bias(buffers), buffers.sum_rows)
        self._lay_tap(buffers)
        if training and buffers.tap is not None and self.rules > FIRST:
            self._hold_first(buffers, buffers.tap)
        self._unroll(buffers)
        if training:
            for name in self.states:
                np.copyto(buffers.new[name], getattr(buffers, name)[-1])
                if buffers.held is not None:  # the value of a unit that is held throughout does not matter
                    np.copyto(buffers.new[name], 0, where=buffers.held.all(axis=0) & ~np.isfinite(buffers.new[name]))
        if self.sequence:
            np.copyto(buffers.out, buffers.h[1:].transpose(1, 0, 2))
        out: Array = buffers.out
        return out

    def _bias(self, buffers: Buffers) -> Array:
        """The bias that is added to the sums of all steps at once."""
        bias: Array = buffers.bias
        return np.add(self.b_ih, self.b_hh, bias)

    def _lay_tap(self, buffers: Buffers) -> None:
        """Lay out the tap step by step; None without one.

        `taps`: factor, term and which units are multiplied by 0; `factors`: (T, 1, size) for backward; `held`: (T, 1,
        size) where units are multiplied by 0. Those take the added value, whatever they were, so that a unit that has
        become infinite can be zeroed. Under the first rules they are multiplied like others.
        """
        tap, (steps, batch, _) = buffers.tap, buffers.sums.shape
        buffers.taps = buffers.factors = buffers.held = None
        buffers.held_units = [None] * steps
        if tap is None:
            return
        terms = tap.terms(batch)
        known = {array.shape[-2] for array in (tap.multiply, terms) if array.ndim > 1}
        if known - {1, steps}:
            raise ShapeError(
                f"`{self.name}` {self!r}: an intervention stands on single time steps of {max(known)}; "
                f"this input has {steps}"
            )
        factors = np.broadcast_to(tap.multiply, (steps, self.size))
        if terms.ndim == 3:
            terms = np.broadcast_to(terms, (len(terms), steps, self.size)).transpose(1, 0, 2)
        else:
            terms = np.broadcast_to(terms, (steps, self.size))
        held = factors == 0
        if self.rules > FIRST and held.any():
            buffers.held = held[:, None, :]
            buffers.held_units = [np.flatnonzero(units) if units.any() else None for units in held]
        buffers.taps = list(zip(factors, terms, buffers.held_units, strict=True))
        buffers.factors = factors[:, None, :]

    def _hold_first(self, buffers: Buffers, tap: Tap) -> None:
        """Let held units begin with the value that they are held at, not with the one from before they were held."""
        factor, term = buffers.taps[-1][:2]  # the carried state comes from a last step
        held = factor == 0
        held[list(tap.drawn)] = False
        np.copyto(buffers.h[0], term, where=held)

    def _unroll(self, buffers: Buffers) -> None:
        """Fill `h` (and whatever else is passed from step to step) from `sums`."""
        raise TypeError(f"{type(self).__name__} is a base class")

    # -- backward

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """Going back through time gives the gradients of all sums; each weight gradient is then one product.

        sums = x @ w_ih + h @ w_hh + biases, so dw_ih = x.T @ dsums, dw_hh = h.T @ dsums (h: the states that the steps
        began with), dx = dsums @ w_ih.T.
        """
        if self.sequence:
            np.copyto(buffers.dsteps, dout.transpose(1, 0, 2))
            given: list[Array | None] = list(buffers.dsteps[::-1])
        else:
            given = [dout, *[None] * (len(buffers.sums) - 1)]
        dhidden = self._back(given, buffers)
        dsums = rows(buffers.dsums)
        buffers.x_rows.T.dot(dsums, self.dw_ih)
        rows(buffers.h[:-1]).T.dot(rows(dhidden), self.dw_hh)
        buffers.ones.dot(dsums, self.db_ih)
        if dhidden is buffers.dsums:
            np.copyto(self.db_hh, self.db_ih)
        else:
            buffers.ones.dot(rows(dhidden), self.db_hh)
        if not buffers.needs_dx:
            return dout
        dsums.dot(self.w_ih.T, rows(buffers.dx_steps))
        np.copyto(buffers.dx, buffers.dx_steps.transpose(1, 0, 2))
        return buffers.dx

    def _back(self, given: list[Array | None], buffers: Buffers) -> Array:
        """Fill `dsums` from the gradients of the steps' outputs, last step first; returns the gradient of h @ w_hh."""
        raise TypeError(f"{type(self).__name__} is a base class")

    def site_shape(self, before: Shape, after: Shape) -> Shape:
        return before[0], self.size

    def site_values(self, buffers: Buffers) -> Array:
        return self.unit_values(buffers)

    def untapped(self, buffers: Buffers) -> Array:
        values: Array = buffers.h[1:] if buffers.taps is None else buffers.raw
        return values.transpose(1, 0, 2)

    def summands(self, x: Array, buffers: Buffers, example: int, place: int) -> Array:
        return np.concatenate([buffers.x[place, example], buffers.h[:-1][place, example]])

    def unit_values(self, buffers: Buffers) -> Array:
        """The hidden state after every step, (B, T, size), also if only the last one is given out."""
        values: Array = buffers.h[1:].transpose(1, 0, 2)
        return values

    def unit_gradients(self, buffers: Buffers, dout: Array) -> Array:
        """The gradient of the hidden state after every step, through all later steps, (B, T, size)."""
        values: Array = buffers.dhs.transpose(1, 0, 2)
        return values


class RNN(Recurrent):
    """h' = tanh(x @ w_ih + b_ih + h @ w_hh + b_hh), or with max(., 0) for `nonlinearity="relu"`.

    x (B, T, inputs), out (B, T, size), or the last step's (B, size) with `sequence=False`; w_ih (inputs, size), w_hh
    (size, size), b_ih and b_hh (size,). `carry=B`: begin where the last training batch, of B examples, ended.
    Raises ShapeError for impossible sizes, an unknown nonlinearity, and training on another number of examples.

    Source: Elman, "Finding structure in time" (1990).
    """

    kind = "rnn"
    turns_with_weights = True

    def __init__(
        self,
        inputs: int,
        size: int,
        *,
        nonlinearity: str = "tanh",
        sequence: bool = True,
        carry: int = 0,
        name: str | None = None,
        w_init: Initializer | None = None,
        b_init: Initializer | None = None,
    ) -> None:
        super().__init__(inputs, size, sequence=sequence, carry=carry, name=name, w_init=w_init, b_init=b_init)
        if nonlinearity not in NONLINEARITIES:
            hint = nearest(str(nonlinearity), NONLINEARITIES)
            raise ShapeError(
                f"RNN: `nonlinearity` must be one of {', '.join(NONLINEARITIES)}, not {nonlinearity!r}{hint}"
            )
        self.nonlinearity = nonlinearity
        self.inner_activation = ReLU() if nonlinearity == "relu" else Tanh()
        self.output_range = self.inner_activation.output_range

    def sizes(self) -> tuple[int | str, ...]:
        return *super().sizes(), *(("relu",) if self.nonlinearity == "relu" else ())

    def config(self) -> dict[str, Any]:
        return super().config() | {"nonlinearity": self.nonlinearity}

    def _views(self, buffers: Buffers) -> tuple[Iterable[Array], ...]:
        return buffers.sums, buffers.h[:-1], buffers.h[1:], buffers.raw

    def _back_views(self, buffers: Buffers, each: Any) -> tuple[Iterable[Array], ...]:
        return buffers.dsums, buffers.dhs

    def _unroll(self, buffers: Buffers) -> None:
        w, product, relu, taps = self.w_hh, buffers.product, self.nonlinearity == "relu", buffers.taps
        for step, (sums, before, after, raw) in enumerate(buffers.steps):
            before.dot(w, product)
            np.add(sums, product, product)
            target = after if taps is None else raw
            if relu:
                np.maximum(product, 0, out=target)
            else:
                np.tanh(product, target)
            if taps is not None:
                apply_tap(raw, after, taps[step])

    def _back(self, given: list[Array | None], buffers: Buffers) -> Array:
        """dsums = dh * slope, the slope being 1 - tanh^2, or 1 where a ReLU is on; dh = dsums' @ w_hh.T + dout."""
        slope: Array = buffers.dsums
        w = self.w_hh.T
        value = buffers.h[1:] if buffers.taps is None else buffers.raw
        if self.nonlinearity == "relu":
            np.greater(value, 0, slope)
        else:
            np.multiply(value, value, slope)
            np.subtract(1, slope, slope)
        if buffers.factors is not None:
            np.multiply(slope, buffers.factors, slope)
        release_held(buffers.held, slope)
        later: Array | None = None
        for dout, (dsum, dh), held in zip(given, buffers.back, reversed(buffers.held_units), strict=True):
            gather_gradient(later, w, dout, dh)
            if held is not None:
                dh[:, held] = 0
            np.multiply(dsum, dh, dsum)
            later = dsum
        return slope
