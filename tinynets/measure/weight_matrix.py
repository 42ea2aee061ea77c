"""Shows the parameters of a block as one matrix, with a column for each unit and a name for each row."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from tinynets.data.text import TextCodec
from tinynets.experiment.experiment import Experiment
from tinynets.measure.producers import input_names
from tinynets.measure.weight_places import MatrixPart
from tinynets.nn.block import Block
from tinynets.nn.layers import Layer, Parameter
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Array


@dataclass(frozen=True)
class WeightMatrix:
    """Parameters of a layer, (rows, units): column u holds the incoming weights of unit u."""

    values: Array
    rows: tuple[str, ...]
    """The name of each row: `embed[2]@0`, `f rnn[2]@t-1`."""
    names: tuple[str, ...]
    """Names of the parameters, in the order of the rows."""
    biases: tuple[Array, ...]
    """(units,) each: what is added to the units' sums beside it. Gates have biases of their own, which are not among
    them."""


def weight_matrix(experiment: Experiment, block: Block) -> WeightMatrix | None:
    """The incoming weights of a block's units: its matrices, or its vectors (gain and shift) if it has none."""
    layer = experiment.network.layers[block.first]
    values = incoming(layer, block.units)
    if values is None:
        return None
    names = tuple(entry.name for entry in _laid_out(layer))
    return WeightMatrix(values, tuple(row_names(experiment, block)), names, biases_of(layer, block.units))


def matrix_parts(layer: Layer) -> tuple[MatrixPart, ...]:
    """The parameters of a layer in the order of the rows of its weight matrix."""
    return tuple(MatrixPart(entry.name, entry.shape, entry.groups, entry.each) for entry in _laid_out(layer))


def bias_names(layer: Layer, units: int) -> tuple[str, ...]:
    """The names of the vectors that `biases_of` gives."""
    matrices, vectors = _by_rank(layer)
    return tuple(entry.name for entry in vectors if matrices and entry.size == units)


def incoming(layer: Layer, units: int, *, gradient: bool = False) -> Array | None:
    """The parameters of a layer with a column for each unit, or their gradients; None if they cannot be arranged so."""
    lead = "d" if gradient else ""
    parts = [_by_unit(getattr(layer, lead + entry.name), entry) for entry in _laid_out(layer)]
    if not parts or not units or any(part.shape[1] != units for part in parts):
        return None
    return np.concatenate(parts)


def incoming_flags(network: Network, block: Block, flags: Array) -> Array:
    """A mask of all parameters, (n,), arranged like the matrix of a block's first layer, (rows, units)."""
    parts = []
    for entry in _laid_out(network.layers[block.first]):
        own = flags[network.parameter_slice(block.first, entry.name)].reshape(entry.shape)
        parts.append(_by_unit(own, entry))
    return np.concatenate(parts)


def biases_of(layer: Layer, units: int, *, gradient: bool = False) -> tuple[Array, ...]:
    """The vectors with one number for each unit, of a layer that also has matrices, or their gradients."""
    lead = "d" if gradient else ""
    return tuple(getattr(layer, lead + name) for name in bias_names(layer, units))


def row_names(experiment: Experiment, block: Block) -> list[str]:
    """The name of each row."""
    return names_of_rows(experiment.network, experiment.data.text, block)


def names_of_rows(network: Network, text: TextCodec | None, block: Block) -> list[str]:
    """The name of each row of a block's matrix in any network; `text`: the characters that indices stand for."""
    layer = network.layers[block.first]
    _, vectors = _by_rank(layer)
    return [name for entry in _laid_out(layer) for name in _rows(network, text, block, entry, entry in vectors)]


def _laid_out(layer: Layer) -> list[Parameter]:
    """The matrices of a layer, or its vectors if it has none."""
    matrices, vectors = _by_rank(layer)
    return matrices or vectors


def _by_rank(layer: Layer) -> tuple[list[Parameter], list[Parameter]]:
    """The parameters of a layer whose last axis is the unit axis: matrices, and vectors."""
    ours = [entry for entry in layer.parameters() if entry.unit_axis == len(entry.shape) - 1]
    return [entry for entry in ours if len(entry.shape) > 1], [entry for entry in ours if len(entry.shape) == 1]


def _by_unit(values: Array, entry: Parameter) -> Array:
    """(..., groups units each) as (groups ... each, units)."""
    split: Array = values.reshape(-1, entry.groups, entry.shape[-1] // (entry.groups * entry.each), entry.each)
    return split.transpose(1, 0, 3, 2).reshape(-1, split.shape[2])


def _rows(network: Network, text: TextCodec | None, block: Block, entry: Parameter, is_vector: bool) -> list[str]:
    """The name of each row of `_by_unit`."""
    layer = network.layers[block.first]
    inputs = [""] if is_vector else _inputs(network, text, block, entry)
    groups = layer.group_names
    named = []
    for group in range(entry.groups):
        lead = [entry.name] if is_vector else []
        lead += [groups[group] if group < len(groups) else str(group)] if entry.groups > 1 else []
        for source in inputs:
            for part in range(entry.each):
                named.append(" ".join([*lead, *([str(part)] if entry.each > 1 else []), *([source] if source else [])]))
    return named


def _inputs(network: Network, text: TextCodec | None, block: Block, entry: Parameter) -> list[str]:
    """The name of the input of each row of a matrix; numbers or characters if rows are looked up."""
    count = prod(entry.shape[:-1])
    layer = network.layers[block.first]
    if entry.own_axis is not None:
        return [f"{block.name}[{index}]@t-1" for index in range(count)]
    if layer.takes_integers:
        return list(text.characters) if text and len(text.characters) == count else list(map(str, range(count)))
    if entry.fan_in != count:
        return list(map(str, range(count)))
    if len(entry.shape) == 4:  # an image's kernel
        names = input_names(network, block, entry.shape[2])
        return [
            f"{name}@{row},{column}"
            for row in range(entry.shape[0])
            for column in range(entry.shape[1])
            for name in names
        ]
    return input_names(network, block, count)
