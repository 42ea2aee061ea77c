"""Finds the blocks that feed a block, and the names of the values that it sums."""

from __future__ import annotations

from tinynets.nn.block import Block
from tinynets.nn.layers.structure import Next, Split
from tinynets.nn.network import Network


def input_names(network: Network, block: Block, count: int) -> list[str]:
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
    """The block with units that feeds a block, through blocks that only pass it on; None for the input."""
    found = producers(network, block)
    return found[-1] if found and not is_passthrough(found[-1]) else None


def producers(network: Network, block: Block) -> tuple[Block, ...]:
    """The same, after those that only pass its output on (identity), the nearest first."""
    found: list[Block] = []
    index = block.first - 1
    while index >= 0:
        layer = network.layers[index]
        if isinstance(layer, Next):  # back to where the branches split
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
    """Whether a block passes its input on unchanged, unit by unit."""
    return block.activation is not None and block.activation.hands_on and block.first == block.last
