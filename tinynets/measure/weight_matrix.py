"""What comes into the units of a block: its parameters as one matrix with a column for each unit, rows named."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.nn.block import Block
from tinynets.nn.layers import Layer, Parameter
from tinynets.nn.layers.structure import Next, Split
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Array


@dataclass(frozen=True)
class Matrix:
    """Parameters of a layer, (rows, units): column u holds what comes into unit u."""

    values: Array
    rows: tuple[str, ...]
    names: tuple[str, ...]
    """Of the parameters, in the order of the rows."""


def matrix(experiment: Experiment, block: Block) -> Matrix | None:
    """What comes into the units of a block: its matrices, or where it has none its vectors (gain and shift)."""
    layer = experiment.network.layers[block.first]
    values = incoming(layer, block.units)
    if values is None:
        return None
    return Matrix(values, tuple(row_names(experiment, block)), tuple(entry.name for entry in _chosen(layer)))


def incoming(layer: Layer, units: int) -> Array | None:
    """The parameters of a layer with a column for each of its units; None where they cannot be laid out so."""
    parts = [_by_unit(getattr(layer, entry.name), entry) for entry in _chosen(layer)]
    if not parts or not units or any(part.shape[1] != units for part in parts):
        return None
    return np.concatenate(parts)


def row_names(experiment: Experiment, block: Block) -> list[str]:
    """What each row of them is."""
    layer = experiment.network.layers[block.first]
    _, vectors = _kinds(layer)
    return [name for entry in _chosen(layer) for name in _rows(experiment, block, entry, entry in vectors)]


def _chosen(layer: Layer) -> list[Parameter]:
    """Its matrices, or where it has none its vectors."""
    matrices, vectors = _kinds(layer)
    return matrices or vectors


def _kinds(layer: Layer) -> tuple[list[Parameter], list[Parameter]]:
    """The parameters of a layer whose last axis is the units': matrices, and vectors."""
    ours = [entry for entry in layer.parameters() if entry.unit_axis == len(entry.shape) - 1]
    return [entry for entry in ours if len(entry.shape) > 1], [entry for entry in ours if len(entry.shape) == 1]


def _by_unit(values: Array, entry: Parameter) -> Array:
    """(..., groups units each) as (groups ... each, units)."""
    split: Array = values.reshape(-1, entry.groups, entry.shape[-1] // (entry.groups * entry.each), entry.each)
    return split.transpose(1, 0, 3, 2).reshape(-1, split.shape[2])


def _rows(experiment: Experiment, block: Block, entry: Parameter, is_vector: bool) -> list[str]:
    """What each row of `_by_unit` stands for."""
    layer = experiment.network.layers[block.first]
    inputs = [""] if is_vector else _inputs(experiment, block, entry)
    groups = layer.group_names
    named = []
    for group in range(entry.groups):
        lead = [entry.name] if is_vector else []
        lead += [groups[group] if group < len(groups) else str(group)] if entry.groups > 1 else []
        for source in inputs:
            for part in range(entry.each):
                named.append(" ".join([*lead, *([str(part)] if entry.each > 1 else []), *([source] if source else [])]))
    return named


def _inputs(experiment: Experiment, block: Block, entry: Parameter) -> list[str]:
    """What each row of a matrix is multiplied with; numbers, or characters, where rows are looked up."""
    network, count = experiment.network, prod(entry.shape[:-1])
    layer = network.layers[block.first]
    if entry.name == "w_hh":
        return [f"{block.name}[{index}]@t-1" for index in range(count)]
    if layer.takes_integers:
        text = experiment.data.text
        return list(text.characters) if text and len(text.characters) == count else list(map(str, range(count)))
    if entry.fan_in != count:
        return list(map(str, range(count)))
    if len(entry.shape) == 4:  # an image's kernel
        names = sources(network, block, entry.shape[2])
        return [
            f"{name}@{row},{column}"
            for row in range(entry.shape[0])
            for column in range(entry.shape[1])
            for name in names
        ]
    return sources(network, block, count)


def sources(network: Network, block: Block, count: int) -> list[str]:
    """Names for the `count` values that a block's first layer sums: `embed[2]@1`, unit 2 at place 1."""
    before = producer(network, block)
    width = count
    if before is not None:
        width = network.known_shapes[before.last][-1] or count
    elif network.input_shape:
        width = network.input_shape[-1]
    name = "x" if before is None else f"{before.name}.out" if width != before.units else before.name
    if count == width or count % width:
        return [f"{name}[{index}]" for index in range(count)]
    return [f"{name}[{index % width}]@{index // width}" for index in range(count)]


def producer(network: Network, block: Block) -> Block | None:
    """The block with units whose output a block takes up, through what only passes it on; None: the input."""
    found = producers(network, block)
    return found[-1] if found and not is_passthrough(found[-1]) else None


def producers(network: Network, block: Block) -> tuple[Block, ...]:
    """The same, led by those that only pass on what it gives (identity), the nearest first."""
    found: list[Block] = []
    index = block.first - 1
    while index >= 0:
        layer = network.layers[index]
        if isinstance(layer, Next):  # back to where the branches part
            index = next(
                place
                for place, other in enumerate(network.layers)
                if isinstance(other, Split) and other.link is layer.link
            )
        ending = next((entry for entry in network.blocks if entry.last == index and entry.units), None)
        if ending is not None:
            found.append(ending)
            if not is_passthrough(ending):
                break
        index -= 1
    return tuple(found)


def is_passthrough(block: Block) -> bool:
    """It gives what it takes, unit by unit."""
    return block.activation is not None and block.activation.hands_on and block.first == block.last
