"""The terms of a unit's sum: inputs times weights, and the bias; a gated unit has one such sum for each gate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinynets.measure.block_view import UnitView
from tinynets.measure.explanation import Contribution, Gate
from tinynets.measure.weight_matrix import biases_of, incoming, row_names
from tinynets.nn.layers.recurrent import Recurrent
from tinynets.numerics.arrays import Array


@dataclass(frozen=True)
class UnitTerms:
    """The terms of a unit's sum at one place: x and w of each incoming weight, and the bias."""

    names: tuple[str, ...]
    """The name of each x."""
    x: Array
    w: Array
    bias: float | None

    @staticmethod
    def of(at: UnitView) -> UnitTerms | None:
        """The terms of a unit's sum; None if it has no single sum (gates, heads, a table of vectors)."""
        first = at.network.layers[at.block.first]
        matrix = incoming(first, at.block.units)
        if matrix is None or first.gate_sums:
            return None
        x = inputs_of(at)
        if x is None or len(x) != len(matrix):
            return None
        biases = [float(bias[at.unit]) for bias in biases_of(first, at.block.units)]
        w = matrix[:, at.unit].astype(np.float64)
        names = tuple(row_names(at.experiment, at.block))
        return UnitTerms(names, x.astype(np.float64), w, sum(biases) if biases else None)

    @property
    def products(self) -> Array:
        """x * w of each term."""
        return self.x * self.w

    @property
    def weighted(self) -> float:
        """The sum of the products."""
        return float(self.products.sum())

    @property
    def z(self) -> float:
        """The sum of the products and the bias."""
        return self.weighted + (self.bias or 0.0)

    def listed(self, top: int) -> tuple[Contribution, ...]:
        """The `top` terms with the largest |product|, largest first."""
        products = self.products
        return tuple(
            Contribution(self.names[i], float(self.x[i]), float(self.w[i]), float(products[i]), int(i))
            for i in self._order()[:top]
        )

    def rest(self, top: int) -> float:
        """The sum of the products that are not listed."""
        return float(self.products[self._order()[top:]].sum())

    def _order(self) -> Array:
        return np.argsort(-np.abs(self.products), kind="stable")


def gates_of(at: UnitView, top: int) -> tuple[Gate, ...]:
    """The sums of a gated layer. In that of a GRU's n, the terms from its own units are multiplied by r."""
    first = at.network.layers[at.block.first]
    if not isinstance(first, Recurrent) or not first.gate_sums:
        return ()
    inputs = inputs_of(at)
    assert inputs is not None
    x, names, made = inputs.astype(np.float64), _gate_names(at, first.inputs), list[Gate]()
    for place, gate in enumerate(first.gate_sums):
        column = place * first.size + at.unit
        w = np.concatenate([first.w_ih[:, column], first.w_hh[:, column]]).astype(np.float64)
        share = made[0].value if gate.reset else 1.0
        own = x * np.repeat([1.0, share], [first.inputs, first.size])
        bias = float(first.b_ih[column]) + share * float(first.b_hh[column])
        terms = UnitTerms(names, own, w, bias)
        value = float(np.tanh(terms.z) if gate.squash == "tanh" else (1 + np.tanh(terms.z / 2)) / 2)
        made.append(Gate(gate.name, terms.listed(top), terms.rest(top), bias, terms.z, gate.squash, value))
    return tuple(made)


def _gate_names(at: UnitView, inputs: int) -> tuple[str, ...]:
    """The names of what each gate sums: the inputs, then the units one step before."""
    came = [name.partition(" ")[2] for name in row_names(at.experiment, at.block)[:inputs]]
    return (*came, *(f"{at.block.name}[{index}]@t-1" for index in range(at.block.units)))


def inputs_of(at: UnitView) -> Array | None:
    """The values that the block's first layer weighs at the place, in the order of the rows of its weights.

    Places count from the end, since a layer behind one that outputs only its last step has no other place.
    """
    probe, first = at.watched, at.block.first
    x, buffers = probe.input_of(at.network, first), probe.workspace.buffers[first]
    return at.network.layers[first].summands(x, buffers, at.example, at.position - at.places)
