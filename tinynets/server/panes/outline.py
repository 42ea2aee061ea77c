"""The outline of the network: what each block consists of, and which edits it allows."""

from __future__ import annotations

import numpy as np

from tinynets.edits.structure import insertable
from tinynets.edits.surgery.plan import resize
from tinynets.edits.symmetry import bears_sign
from tinynets.errors import EditError
from tinynets.nn.block import Block
from tinynets.nn.layers import LAYERS, FeatureMap
from tinynets.nn.network import Network
from tinynets.server.frame import BlockInfo


def outline(network: Network, block: Block) -> BlockInfo:
    layers = network.layers[block.first : block.last + 1]
    shape = network.known_shapes[block.last]
    inner = [n for n in shape[1:-1] if n is not None]
    steps = network.time_steps(block)
    return BlockInfo(
        block.name,
        ", ".join(map(repr, layers)),
        block.units,
        steps or (int(np.prod(inner)) if inner else 1),
        network.block_parameters(block),
        block.activation.kind if block.activation is not None else "",
        network.block_parameters(block) > 0,
        (inner[0], inner[1]) if len(shape) == 4 and len(inner) == 2 else None,
        tuple((entry.name, entry.shape) for layer in layers for entry in layer.parameters()),
        block.pre is not None,
        bool(steps),
        any(layer.carried() for layer in layers),
        _resizable(network, block),
        _removable(network, block),
        tuple(kind for kind in insertable() if LAYERS[kind].input_axes in (None, len(shape))) if block.units else (),
        bears_sign(network, block),
    )


def _resizable(network: Network, block: Block) -> bool:
    try:
        resize(network, block, FeatureMap.same(block.units))
    except EditError:
        return False
    return block.units > 0


def _removable(network: Network, block: Block) -> tuple[str, ...]:
    """Layers whose output has the shape of their input; `remove` itself says exactly why others cannot go."""
    if len(network.layers) == 1:
        return ()
    found = []
    for index in range(block.first, block.last + 1):
        layer = network.layers[index]
        before = network.known_shapes[index - 1] if index else network.known_input
        if before == network.known_shapes[index] and not layer.takes_integers and not layer.is_end:
            found.append(layer.name)
    return tuple(found)
