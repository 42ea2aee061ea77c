"""A block over the whole probe: its outline, and what its units do."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.nn.block import Block
from tinynets.numerics.arrays import Array


@dataclass(frozen=True)
class BlockView:
    """A block over the whole probe: output (examples, positions, units), and which units are dead or saturated."""

    block: Block
    out: Array
    pre: Array | None
    limit: float
    saturated: Array
    dead: Array
    image: bool
    """Whether positions are pixels rather than time steps."""

    @staticmethod
    def of(experiment: Experiment, block: Block) -> BlockView:
        probe = experiment.probe
        out = probe.workspace.units_behind(experiment.network, block.last)
        shaped = probe.values(experiment.network, block)
        saturated, dead = probe.saturated(experiment.network, block), probe.dead(experiment.network, block)
        highest = inf if block.activation is None else block.activation.output_range[1]
        limit = limit_of(shaped) if highest == inf else highest
        pre = None if block.pre is None else probe.values(experiment.network, block, pre=True)
        return BlockView(block, shaped, pre, limit, saturated, dead, out.ndim == 4)

    def position(self, example: int, unit: int) -> int:
        """Where to look at a unit: at the last position of a sequence, where it is largest in an image."""
        values = self.out[example, :, unit]
        return int(np.abs(values).argmax()) if self.image else len(values) - 1


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
