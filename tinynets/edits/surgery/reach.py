"""Finds the layers that a block's output reaches, and its outgoing weights."""

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
    """A layer that a block's output reaches, by index, and how its input features correspond to the old ones."""

    layer: int
    features: FeatureMap
    before: int
    """The number of input features before."""
    ends: bool
    """Whether it weighs them; other layers pass them on. In a layer that joins branches they are output features."""


@dataclass
class _Opened:
    """A container on the way: its input and the outputs of its branches; None for those not from the block."""

    features: FeatureMap | None
    width: int
    outputs: list[tuple[FeatureMap | None, int]] = field(default_factory=list)


def consumers(network: Network, block: Block, change: FeatureMap) -> list[Consumer]:
    """Every layer that a new width of a block reaches; each path ends at a layer that weighs its input.

    Raises ShapeError if a width cannot change: at the outputs, at an addition, or at a layer that turns zero features
    into something else.
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
    """The features behind a layer, given those that reach it; None if they end there."""
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
    """Positions in theta of the outgoing weights of these units, to other layers and with `own` to the block itself,
    sorted.
    """
    if block.last == len(network.layers) - 1:
        raise EditError(f"`{block.name}` gives the network's outputs, so it has no outgoing weights")
    if network.layers[block.last].closed:  # the outgoing weights of a head are its own
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
