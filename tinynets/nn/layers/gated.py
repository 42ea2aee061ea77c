"""Gated recurrent layers: GRU and LSTM."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinynets.nn.layers.buffers import Buffers
from tinynets.nn.layers.claims import EITHER_SIDE, GateSum
from tinynets.nn.layers.recurrent import Recurrent
from tinynets.nn.layers.time_step import apply_tap, gather_gradient, release_held, sigmoid_gates
from tinynets.numerics.arrays import Array
from tinynets.numerics.rules import FIRST

GRU_GATES = (
    GateSum("r", "reset", "sigmoid"),
    GateSum("z", "update", "sigmoid"),
    GateSum("n", "new", "tanh", reset=True),
)
LSTM_GATES = (
    GateSum("i", "input", "sigmoid"),
    GateSum("f", "forget", "sigmoid"),
    GateSum("g", "cell", "tanh"),
    GateSum("o", "output", "sigmoid"),
)


class GRU(Recurrent):
    """r, z = sigmoid(sums); n = tanh(x's part + r * h's part); h' = (1 - z) n + z h.

    x (B, T, inputs), out (B, T, size), or the last step's (B, size) with `sequence=False`; w_ih (inputs, 3 size), w_hh
    (size, 3 size), b_ih and b_hh (3 size,), in the order r (reset), z (update), n (new). `carry=B`: begin where the
    last training batch, of B examples, ended. Raises ShapeError for impossible sizes, and training on another number
    of examples.

    Source: Cho et al., "Learning phrase representations using RNN encoder-decoder" (2014), in cuDNN's variant, where
    r acts on h's part after its product and bias.
    """

    kind = "gru"
    group_names = tuple(gate.letter for gate in GRU_GATES)
    gate_sums = GRU_GATES
    signed_group = 2
    unit_measure = "(1 - z) n + z times what it gave a step before"
    output_range = EITHER_SIDE
    turns_with_weights = True
    gates = 3

    def _bias(self, buffers: Buffers) -> Array:
        return self.b_ih  # r acts on the other

    def _views(self, buffers: Buffers) -> tuple[Iterable[Array], ...]:
        n = self.size
        sums, hidden = buffers.sums, np.empty_like(buffers.sums)
        buffers.hidden = hidden  # h @ w_hh + b_hh
        return (
            sums[..., : 2 * n],
            *(sums[..., g * n : (g + 1) * n] for g in range(3)),
            hidden,
            hidden[..., : 2 * n],
            hidden[..., 2 * n :],
            buffers.h[:-1],
            buffers.h[1:],
            buffers.raw,
        )

    def _back_views(self, buffers: Buffers, each: Any) -> tuple[Iterable[Array], ...]:
        steps, batch, width = buffers.sums.shape
        buffers.dhidden = each(steps, width)
        buffers.slope, buffers.keep = each(steps, self.size), each(steps, self.size)
        by_gate = buffers.dhidden.reshape(steps, batch, 3, self.size)
        return buffers.dhidden, by_gate, buffers.keep, buffers.dhs, buffers.dhs[:, :, None, :]

    def _unroll(self, buffers: Buffers) -> None:
        w, b, taps, part = self.w_hh, self.b_hh, buffers.taps, buffers.part
        exact, e, steepest = self.rules > FIRST, buffers.product[:, : 2 * self.size], buffers.steepest
        steepest = steepest[:, : 2 * self.size]
        for step, (rz, r, z, n, hidden, hidden_rz, hidden_n, before, after, raw) in enumerate(buffers.steps):
            before.dot(w, hidden)
            np.add(hidden, b, hidden)
            np.add(rz, hidden_rz, rz)
            if exact:
                sigmoid_gates(rz, rz, e, steepest)
            else:
                np.multiply(rz, 0.5, rz)
                np.tanh(rz, rz)
                np.add(rz, 1, rz)
                np.multiply(rz, 0.5, rz)
            np.multiply(r, hidden_n, part)
            np.add(n, part, n)
            np.tanh(n, n)
            np.subtract(before, n, part)
            np.multiply(z, part, part)
            if taps is None:
                np.add(n, part, after)
            else:
                np.add(n, part, raw)
                apply_tap(raw, after, taps[step])

    def _back(self, given: list[Array | None], buffers: Buffers) -> Array:
        """Every gradient of a step is dh times a factor known in advance, so only dh is passed from step to step.

        With a = (1 - z)(1 - n^2): dn = dh a, and h's part of it gets dh a r; dr = dh a (h's part) r (1 - r);
        dz = dh (h - n) z (1 - z); and h itself gets dh z.
        """
        self._factors(buffers)
        dhidden, w = buffers.dhidden, self.w_hh.T
        later: Array | None = None
        kept: Array | None = None
        steps = zip(given, buffers.back, reversed(buffers.held_units), strict=True)
        for dout, (dsum, by_gate, keep, dh, dh_wide), held in steps:
            gather_gradient(later, w, dout, dh, kept)
            if held is not None:
                dh[:, held] = 0
            np.multiply(by_gate, dh_wide, by_gate)
            kept = np.multiply(dh, keep, keep)
            later = dsum
        np.copyto(buffers.dsums, dhidden)
        np.multiply(buffers.dhs, buffers.slope, buffers.dsums[..., 2 * self.size :])
        result: Array = dhidden
        return result

    def _factors(self, buffers: Buffers) -> None:
        n = self.size
        gates, before, slope, keep = buffers.sums, buffers.h[:-1], buffers.slope, buffers.keep
        r, z, new = (gates[..., g * n : (g + 1) * n] for g in range(3))
        of_r, of_z, of_new = (buffers.dhidden[..., g * n : (g + 1) * n] for g in range(3))
        np.multiply(new, new, slope)
        np.subtract(1, slope, slope)
        np.subtract(1, z, keep)
        np.multiply(slope, keep, slope)
        np.subtract(before, new, of_z)
        np.multiply(of_z, z, of_z)
        np.multiply(of_z, keep, of_z)
        np.copyto(keep, z)
        if buffers.factors is not None:
            for array in (slope, of_z, keep):
                np.multiply(array, buffers.factors, array)
        np.multiply(slope, r, of_new)
        np.subtract(1, r, of_r)
        np.multiply(of_r, of_new, of_r)
        np.multiply(of_r, buffers.hidden[..., 2 * n :], of_r)
        release_held(buffers.held, of_r, of_z, of_new, slope, keep)


class LSTM(Recurrent):
    """i, f, o = sigmoid(sums), g = tanh(sums); c' = f c + i g; h' = o tanh(c').

    x (B, T, inputs), out (B, T, size), or the last step's (B, size) with `sequence=False`; w_ih (inputs, 4 size), w_hh
    (size, 4 size), b_ih and b_hh (4 size,), in the order i (input), f (forget), g (cell), o (output). `carry=B`: begin
    where the last training batch, of B examples, ended, with its h and c. Interventions act on h. Raises ShapeError
    for impossible sizes, and training on another number of examples.

    Source: Hochreiter & Schmidhuber, "Long short-term memory" (1997), with the forget gate of Gers et al. (2000).
    """

    kind = "lstm"
    group_names = tuple(gate.letter for gate in LSTM_GATES)
    gate_sums = LSTM_GATES
    signed_group = 2
    unit_measure = "o tanh(cell)"
    output_range = EITHER_SIDE
    turns_with_weights = True
    gates = 4
    states = ("h", "c")

    def _views(self, buffers: Buffers) -> tuple[Iterable[Array], ...]:
        n = self.size
        dtype = buffers.sums.dtype
        half = np.array([0.5, 0.5, 1, 0.5], dtype).repeat(n)
        buffers.half, buffers.rest = half, 1 - half  # sigmoid(s) = tanh(s / 2) / 2 + 1 / 2
        buffers.cell = np.empty_like(buffers.raw)  # tanh(c)
        sums, c = buffers.sums, buffers.c
        gates = (sums[..., g * n : (g + 1) * n] for g in range(4))
        return sums, *gates, c[:-1], c[1:], buffers.cell, buffers.h[:-1], buffers.h[1:], buffers.raw

    def _back_views(self, buffers: Buffers, each: Any) -> tuple[Iterable[Array], ...]:
        steps, batch, _ = buffers.sums.shape
        n = self.size
        buffers.to_cell, buffers.dc = each(steps, n), np.empty_like(buffers.part)
        by_gate = buffers.dsums.reshape(steps, batch, 4, n)
        forget = buffers.sums[..., n : 2 * n]
        return buffers.dsums, by_gate[:, :, :3], by_gate[:, :, 3], buffers.to_cell, forget, buffers.dhs

    def _unroll(self, buffers: Buffers) -> None:
        w, taps, product, part = self.w_hh, buffers.taps, buffers.product, buffers.part
        half, rest, exact = buffers.half, buffers.rest, self.rules > FIRST
        steepest = buffers.steepest
        for step, (sums, i, f, g, o, c_before, c, cell, before, after, raw) in enumerate(buffers.steps):
            before.dot(w, product)
            np.add(sums, product, sums)
            if exact:
                np.tanh(g, part)
                sigmoid_gates(sums, sums, product, steepest)
                np.copyto(g, part)
            else:
                np.multiply(sums, half, sums)
                np.tanh(sums, sums)
                np.multiply(sums, half, sums)
                np.add(sums, rest, sums)
            np.multiply(f, c_before, c)
            np.multiply(i, g, part)
            np.add(c, part, c)
            np.tanh(c, cell)
            if taps is None:
                np.multiply(o, cell, after)
            else:
                np.multiply(o, cell, raw)
                apply_tap(raw, after, taps[step])

    def _back(self, given: list[Array | None], buffers: Buffers) -> Array:
        """dc = dc' f' + dh o (1 - tanh(c)^2); do = dh tanh(c) o (1 - o), and from dc follow
        di = dc g i (1 - i), df = dc (c before) f (1 - f), dg = dc i (1 - g^2).
        """
        self._factors(buffers)
        dc, part, w = buffers.dc, buffers.part, self.w_hh.T
        later: Array | None = None
        dc.fill(0)
        steps = zip(given, buffers.back, reversed(buffers.held_units), strict=True)
        for dout, (dsum, of_cell, of_o, to_cell, forget, dh), held in steps:
            gather_gradient(later, w, dout, dh)
            if held is not None:
                dh[:, held] = 0
            np.multiply(dh, to_cell, part)
            np.add(dc, part, dc)
            np.multiply(of_cell, dc[:, None, :], of_cell)
            np.multiply(of_o, dh, of_o)
            np.multiply(dc, forget, dc)
            later = dsum
        result: Array = buffers.dsums
        return result

    def _factors(self, buffers: Buffers) -> None:
        n = self.size
        gates, factors, to_cell, cell = buffers.sums, buffers.dsums, buffers.to_cell, buffers.cell
        i, _, g, o = (gates[..., place * n : (place + 1) * n] for place in range(4))
        of_i, of_f, of_g, of_o = (factors[..., place * n : (place + 1) * n] for place in range(4))
        np.subtract(1, gates, factors)
        np.multiply(factors, gates, factors)
        np.multiply(g, g, of_g)
        np.subtract(1, of_g, of_g)
        np.multiply(of_i, g, of_i)
        np.multiply(of_f, buffers.c[:-1], of_f)
        np.multiply(of_g, i, of_g)
        np.multiply(of_o, cell, of_o)
        np.multiply(cell, cell, to_cell)
        np.subtract(1, to_cell, to_cell)
        np.multiply(to_cell, o, to_cell)
        if buffers.factors is not None:
            np.multiply(of_o, buffers.factors, of_o)
            np.multiply(to_cell, buffers.factors, to_cell)
        if buffers.held is not None:
            release_held(buffers.held, of_o, to_cell)
            # the cell of a unit that is held from a step on does not matter
            unasked = np.logical_and.accumulate(buffers.held[::-1])[::-1]
            release_held(unasked, of_i, of_f, of_g, gates[..., n : 2 * n])
