"""A block over the whole probe: its outline, and its units with what stands on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinynets import edits
from tinynets.arrays import Array
from tinynets.frame import Activations, BlockCells, BlockInfo
from tinynets.lab import Lab
from tinynets.network import Block, Network

BOUNDED = ("tanh", "sigmoid", "softmax", "gaussian", "step")  # activations whose outputs reach 1 and no further


@dataclass(frozen=True)
class Look:
    """A block over the whole probe: output (examples, positions, units), with what stands on its units."""

    block: Block
    out: Array
    pre: Array | None
    limit: float
    saturated: Array
    dead: Array
    frozen: Array
    zeroed: Array
    image: bool
    """Whether positions are pixels rather than time steps."""

    @staticmethod
    def of(lab: Lab, block: Block) -> Look:
        probe, units = lab.probe, block.units
        out = probe.workspace.units_behind(lab.network, block.last)
        shaped = probe.values(lab.network, block)
        saturated, dead = probe.saturated(lab.network, block), probe.dead(lab.network, block)
        zeroed = np.zeros(units, np.bool_)
        for entry in lab.interventions:
            if entry.site in (block.name, f"{block.name}.pre"):
                zeroed[list(entry.units)] = True
        kind = block.activation.kind if block.activation is not None else ""
        limit = 1.0 if kind in BOUNDED else limit_of(shaped)
        pre = None if block.pre is None else probe.values(lab.network, block, pre=True)
        return Look(
            block,
            shaped,
            pre,
            limit,
            saturated,
            dead,
            edits.frozen_units(lab.network, lab.state_now, block.name),
            zeroed,
            out.ndim == 4,
        )

    def position(self, example: int, unit: int) -> int:
        """Where to look at a unit: at the last position of a sequence, where it is largest in an image."""
        values = self.out[example, :, unit]
        return int(np.abs(values).argmax()) if self.image else len(values) - 1

    def cells(self, example: int) -> BlockCells:
        return BlockCells(
            self.block.name,
            self.out[example].astype(np.float32),
            self.limit,
            self.frozen,
            self.zeroed,
            self.dead,
        )

    def activations(self, examples: tuple[str, ...]) -> Activations:
        return Activations(
            self.block.name,
            self.out.mean(axis=1).T.astype(np.float32),
            self.limit,
            np.asarray(self.saturated.all(axis=1)).T,
            self.dead,
            self.frozen,
            self.zeroed,
            examples,
        )


def limit_of(values: Array) -> float:
    """The value of full colour: all but the largest hundredth lie within it."""
    finite = np.abs(values[np.isfinite(values)])
    if not finite.size:
        return 1.0
    # np.quantile gives the same, but is three times slower here and imports numpy.ma, which a first frame waits for.
    at, between = divmod(0.99 * (finite.size - 1), 1)
    low, high = int(at), min(int(at) + 1, finite.size - 1)
    finite.partition((low, high))
    return float(finite[low] + between * (finite[high] - finite[low])) or 1.0


def outline(network: Network, block: Block) -> BlockInfo:
    layers = network.layers[block.first : block.last + 1]
    shape = network.known_shapes[block.last]
    inner = [n for n in shape[1:-1] if n is not None]
    return BlockInfo(
        block.name,
        ", ".join(map(repr, layers)),
        block.units,
        network.time_steps(block) or (int(np.prod(inner)) if inner else 1),
        network.block_parameters(block),
        block.activation.kind if block.activation is not None else "",
        network.block_parameters(block) > 0,
        (inner[0], inner[1]) if len(shape) == 4 and len(inner) == 2 else None,
    )
