"""SurgeryPlan: the layers of a network after a change of its architecture, and where their values come from.

A plan lists the new layers and, for those that change, how their units and input features correspond to the old ones.
This gives one index for theta, slots, frozen set and rates alike: where each parameter comes from, or that it is fresh.
Widths that do not match are refused with a message.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from tinynets.edits.surgery.reach import consumers
from tinynets.errors import EditError, ShapeError
from tinynets.nn.block import Block
from tinynets.nn.interventions import recurs
from tinynets.nn.layers import Activation, FeatureMap, Layer, describe, layer_from, named
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Array
from tinynets.numerics.rules import FIRST

Described = tuple[dict[str, Any], ...]
Change = Callable[[str, Layer], list[Layer]]


def passed_units(network: Network, block: Block, units: Iterable[int]) -> dict[str, Array]:
    """For each layer that passes these units on, which of its own units they are."""
    marked = FeatureMap.same(block.units)
    marked.share[list(units)] = 2
    return {
        network.layers[consumer.layer].name: np.flatnonzero(consumer.features.share == 2)
        for consumer in consumers(network, block, marked)
        if not consumer.ends
    }


# -- new layers


@dataclass
class SurgeryPlan:
    """The new layers; and by name, for those that change, their units and input features.

    `initial` makes the values of fresh parameters, by layer and parameter. Other new values with old inputs are drawn
    as the layer would draw them, addressed by `ordinal`. A plan alone allocates nothing as large as the parameters.
    """

    layers: list[Layer]
    units: dict[str, FeatureMap] = field(default_factory=dict)
    inputs: dict[str, FeatureMap] = field(default_factory=dict)
    passed: dict[str, FeatureMap] = field(default_factory=dict)
    """The own units of the layers that pass the block's units on."""
    initial: Mapping[tuple[str, str], Callable[[], Array]] = field(default_factory=dict)
    block: str = ""
    """The block whose units change."""
    ordinal: int = 0

    @property
    def described(self) -> Described:
        return tuple(describe(layer) for layer in self.layers)


def resize(network: Network, block: Block, change: FeatureMap, ordinal: int = 0) -> SurgeryPlan:
    """The plan for a block with other units. Raises EditError if that is impossible."""
    try:
        if network.layers[block.last].closed:
            raise ShapeError("its heads share the layer's width among them")
        reached = consumers(network, block, change)
        arguments, units = _of_block(network, block, change), {}
        for name in arguments:
            units[name] = change
        inputs = {}
        passed = {network.layers[consumer.layer].name: consumer.features for consumer in reached if not consumer.ends}
        for consumer in reached:
            layer = network.layers[consumer.layer]
            if consumer.ends:
                arguments[layer.name] = _with(layer, layer.input_setting, len(consumer.features.source))
                inputs[layer.name] = consumer.features
            elif (given := layer.with_features(consumer.features, consumer.before)) is not None:
                arguments[layer.name] = given
        made = {name: layer_from({"kind": network[name].kind, **given}) for name, given in arguments.items()}
    except ShapeError as error:
        raise EditError(f"`{block.name}` cannot have other units: {error}") from None

    def changed(path: str, layer: Layer) -> list[Layer]:
        if path not in made:
            return [layer]
        made[path].name = layer.name
        return [made[path]]

    return SurgeryPlan(rebuilt(network.parts, changed), units, inputs, passed, block=block.name, ordinal=ordinal)


def _of_block(network: Network, block: Block, change: FeatureMap) -> dict[str, dict[str, Any]]:
    """The new arguments of a block's own layers for other units."""
    if block.activation is not None and block.first == block.last:
        raise ShapeError("it has those of what comes to it")
    arguments = {}
    for index in range(block.first, block.last + 1):
        layer = network.layers[index]
        if layer.mixes_units:
            raise ShapeError(f"`{layer.name}` {layer!r} makes each unit of all of them")
        if network.rules > FIRST and recurs(layer) and not layer.taps_itself:
            raise ShapeError(f"`{layer.name}` {layer!r} feeds back what a zeroed unit gave")
        if layer.parameters() or not layer.is_activation:
            arguments[layer.name] = _with(layer, layer.unit_setting, len(change.source))
    return arguments


def _with(layer: Layer, setting: str, count: int) -> dict[str, Any]:
    if not setting:
        raise ShapeError(f"`{layer.name}` {layer!r} must keep the width it has")
    described = describe(layer)
    return {key: value for key, value in described.items() if key not in ("kind", "name")} | {setting: count}


def with_activation(network: Network, block: Block, made: Activation) -> list[Layer]:
    """The layers of a network with another activation in a block, and everything else unchanged."""
    old = network.layers[block.last]

    def change(path: str, layer: Layer) -> list[Layer]:
        if path != old.name:
            return [layer]
        folder = path.rpartition(".")[0]
        others = [other.name.rpartition(".") for other in network.layers if other is not old]
        taken = {name for beside, _, name in others if beside == folder}
        return [_renamed(made, layer, taken, keep_name=block.first == block.last)]

    return rebuilt(network.parts, change)


def rebuilt(layers: Sequence[Layer], change: Change, prefix: str = "") -> list[Layer]:
    """Copies of the layers with some replaced, also inside containers; all others keep their names.

    `change(path, layer)` returns the replacement of a layer.
    """
    made: list[Layer] = []
    for layer in named(layers):
        path = prefix + layer.name
        layer.rebuild_inside(partial(_rebuilt_inside, change, path))
        made += change(path, layer)
    return made


def _rebuilt_inside(change: Change, path: str, layers: Sequence[Layer], within: str) -> list[Layer]:
    return rebuilt(layers, change, f"{path}.{within}")


def _renamed(made: Layer, old: Layer, taken: set[str], keep_name: bool) -> Layer:
    """A copy of a layer that replaces another.

    It takes over a name that was given to the other or names a block; but `tanh1` becomes `relu1`.
    """
    made = copy.copy(made)
    automatic = re.fullmatch(rf"{old.kind.replace('-', '_')}\d+", old.name)
    if keep_name or not automatic:
        made.name = old.name
        return made
    kind = made.kind.replace("-", "_")
    made.name = next(name for number in range(1, len(taken) + 2) if (name := f"{kind}{number}") not in taken)
    return made


def shape_network(network: Network, described: Iterable[Mapping[str, Any]]) -> Network:
    """A network of these layers for the same input, to be looked at: its parameters take no memory and are unusable."""
    layers = [layer_from(dict(entry)) for entry in described]
    nothing = np.zeros((), network.dtype)
    return Network(
        layers,
        dtype=network.dtype,
        input_shape=tuple(n or 0 for n in network.known_input[1:]) if network.input_shape is not None else None,
        theta=nothing,
        carried=nothing,
        rules=network.rules,
    )
