"""Symmetries of networks: where units can be swapped, or their signs flipped, without changing the output."""

from __future__ import annotations

import numpy as np

from tinynets.edits.surgery.reach import consumers
from tinynets.errors import EditError
from tinynets.nn.block import Block
from tinynets.nn.layers import FeatureMap, Layer, Parameter
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Array

SIGNED = {"velocity", "mean"}
"""Slots that change their sign with a parameter."""


def takes_each(layer: Layer) -> bool:
    """Whether unit u takes only feature u of the input, rather than all features alike (norms, positions)."""
    whole = layer.takes_integers or layer.gives_distances
    return not whole and all(entry.input_axis is None for entry in layer.parameters())


def flipped_from(network: Network, block: Block) -> int:
    """The layer of a block from which on signs flip: its first, or a norm that mixes the units' sums."""
    for index in range(block.last, block.first, -1):
        if network.layers[index].mixes_units and not network.layers[index].is_activation:
            return index
    return block.first


def flipped_places(network: Network, block: Block, start: int, units: tuple[int, ...]) -> tuple[Array, Array]:
    """Places in theta and in the carried arrays whose signs flip with these units' sums."""
    theta, carried = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for index in range(start, block.last + 1):
        layer = network.layers[index]
        begins = index == start and layer.joins  # then the norm's scale flips, not what it subtracts
        for entry in layer.parameters():
            if entry.unit_axis is not None and (begins or entry.name != "gain"):
                theta.append(network.parameter_slice(index, entry.name).start + _of_units(layer, entry, units))
        for entry in layer.carried() if not begins else ():
            if entry.name == "running_mean":
                carried.append(network.carried_slice(index, entry.name).start + _of_units(layer, entry, units))
    return np.unique(np.concatenate(theta)), np.unique(np.concatenate(carried))


def _of_units(layer: Layer, entry: Parameter, units: tuple[int, ...]) -> Array:
    assert entry.unit_axis is not None
    along = entry.along(np.array(units))
    if layer.signed_group is not None:
        along = along.reshape(entry.groups, -1)[layer.signed_group]
    return entry.across(entry.unit_axis, along)


def bears_sign(network: Network, block: Block) -> bool:
    """Whether the weights of a block determine the sign of its output."""
    return network.layers[flipped_from(network, block)].bears_sign


def check_odd(network: Network, block: Block, start: int) -> None:
    """Raise EditError if a layer of a block, or one that passes its units on, is not odd."""
    for index in range(start, block.last + 1):
        layer = network.layers[index]
        _check(layer, layer.is_odd or layer.turns_with_weights)
    if not network.layers[block.last].closed:
        for consumer in consumers(network, block, FeatureMap.same(block.units)):
            if not consumer.ends:
                layer = network.layers[consumer.layer]
                _check(layer, layer.is_odd)


def _check(layer: Layer, hides_sign: bool) -> None:
    inside = layer.inner_activation
    if not hides_sign or (inside is not None and not inside.is_odd):
        raise EditError(
            f"`sign_flip`: `{layer.name}` {layer!r} makes other things of a sum and of its opposite, "
            "so the outputs would change"
        )
