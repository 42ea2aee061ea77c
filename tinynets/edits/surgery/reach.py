"""The layers that what a block gives comes to, and the parameters that take it up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from tinynets.errors import EditError, ShapeError
from tinynets.nn.block import Block
from tinynets.nn.layers import FeatureMap, Layer
from tinynets.nn.layers.structure import Add, Join, Next, Split
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Array


@dataclass(frozen=True)
class Consumer:
    """A layer that what a block gives comes to, by its index, and how its input's features follow from those before."""

    layer: int
    features: FeatureMap
    before: int
    """How many features came in."""
    ends: bool
    """It weighs them; a layer that does not passes them on; of one that joins branches they are those that it gives."""


@dataclass
class _Opened:
    """A container on the way: what came in, and what its branches gave; None for what is none of the block's."""

    features: FeatureMap | None
    width: int
    outputs: list[tuple[FeatureMap | None, int]] = field(default_factory=list)


def consumers(network: Network, block: Block, change: FeatureMap) -> list[Consumer]:
    """Every layer that another width of a block reaches, until each way has come to one that weighs what comes in.

    Raises ShapeError where a width must stay as it is: at the outputs, where something is added, where a layer makes
    something of features that are zero.
    """
    found: list[Consumer] = []
    opened: dict[object, _Opened] = {}
    features: FeatureMap | None = None
    for index, layer in enumerate(network.layers):
        shape = network.known_shapes[index - 1] if index else network.known_input
        width = shape[-1] or 0
        if isinstance(layer, Split):
            opened[layer.link] = _Opened(features, width)
        elif isinstance(layer, Next):
            opened[layer.link].outputs.append((features, width))
            features = opened[layer.link].features
        elif isinstance(layer, Add | Join):
            features = _joined(layer, opened.pop(layer.link), features, width)
            if features is not None:
                found.append(Consumer(index, features, len(features.source), False))
        elif features is not None:
            features = _met(found, index, layer, features, shape)
        if index == block.last:
            features = change
    if features is not None:
        raise ShapeError(f"`{block.name}` gives the network's outputs, whose number its targets fix")
    return found


def _met(
    found: list[Consumer], index: int, layer: Layer, features: FeatureMap, shape: tuple[int | None, ...]
) -> FeatureMap | None:
    """What a layer makes of the features that come to it; None where it ends them."""
    ends = any(entry.input_axis is not None for entry in layer.parameters())
    try:
        after = None if ends else layer.passed_on(features, shape)
    except ShapeError as error:
        raise ShapeError(f"`{layer.name}`: {error}") from None
    found.append(Consumer(index, features, shape[-1] or 0, ends))
    return after


def _joined(layer: Add | Join, opened: _Opened, features: FeatureMap | None, width: int) -> FeatureMap | None:
    outputs = [*opened.outputs, (features, width)]
    if all(entry is None for entry, _ in outputs) and (isinstance(layer, Join) or opened.features is None):
        return None
    if isinstance(layer, Add) or layer.join == "sum":
        raise ShapeError(f"`{layer.name}` adds what comes to it, so the widths must match")
    sources, shares, fresh, start = [], [], [], 0
    for entry, count in outputs:
        part = entry or FeatureMap.same(count)
        sources.append(np.where(part.source < 0, -1, part.source + start))
        shares.append(part.share)
        fresh.append(part.fresh)
        start += count
    return FeatureMap(np.concatenate(sources), np.concatenate(shares), np.concatenate(fresh))


def outgoing_places(network: Network, block: Block, units: Iterable[int], *, own: bool = True) -> Array:
    """Positions in theta of the weights with which other layers, or (`own`) the block itself, take up these units,
    sorted.
    """
    if block.last == len(network.layers) - 1:
        raise EditError(f"`{block.name}` gives the network's outputs, so it has no outgoing weights")
    if network.layers[block.last].closed:  # a head's own weights are all that there are
        return np.empty(0, np.int64)
    chosen = np.array(sorted(units))
    marked = FeatureMap.same(block.units)
    marked.share[chosen] = 2
    try:
        reached = consumers(network, block, marked)
    except ShapeError as error:
        raise EditError(f"the outgoing weights of `{block.name}`: {error}") from None
    found = [np.empty(0, np.int64)]
    for consumer in reached:
        layer = network.layers[consumer.layer]
        for entry in layer.parameters():
            if consumer.ends and entry.input_axis is not None:
                start = network.parameter_slice(consumer.layer, entry.name).start
                found.append(start + entry.across(entry.input_axis, np.flatnonzero(consumer.features.share == 2)))
    for index in range(block.first, block.last + 1) if own else ():
        for entry in network.layers[index].parameters():
            if entry.own_axis is not None:
                found.append(network.parameter_slice(index, entry.name).start + entry.across(entry.own_axis, chosen))
    return np.unique(np.concatenate(found))
