"""Views of a block and its units on the probe, or on other examples, after the last forward."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.experiment.probe import Probe
from tinynets.experiment.scene import Scene
from tinynets.nn.block import Block
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Array


@dataclass(frozen=True)
class BlockView:
    """A block over all examples: output (examples, positions, units), and which units are dead or saturated."""

    block: Block
    watched: Probe
    """The examples, and the workspace of their forward."""
    out: Array
    pre: Array | None
    saturated: Array
    dead: Array
    image: bool
    """Whether positions are pixels rather than time steps."""

    @staticmethod
    def of(experiment: Experiment, block: Block, watched: Probe | None = None) -> BlockView:
        """The block on the probe, or on other examples; what is dead is so on the probe."""
        probe = watched or experiment.probe
        out = probe.workspace.units_behind(experiment.network, block.last)
        shaped = probe.values(experiment.network, block)
        saturated, dead = probe.saturated(experiment.network, block), experiment.probe.dead(experiment.network, block)
        pre = None if block.pre is None else probe.values(experiment.network, block, pre=True)
        return BlockView(block, probe, shaped, pre, saturated, dead, out.ndim == 4)

    @cached_property
    def limit(self) -> float:
        """The value that gets full colour; only some lenses ask for it."""
        highest = inf if self.block.activation is None else self.block.activation.output_range[1]
        return limit_of(self.out) if highest == inf else highest

    def position(self, example: int, unit: int) -> int:
        """The position at which to show a unit: the last one of a sequence, the largest value in an image."""
        values = self.out[example, :, unit]
        return int(np.abs(values).argmax()) if self.image else len(values) - 1


class BlockViews:
    """The blocks on the examples of a scene; each is made when it is first asked for."""

    def __init__(self, experiment: Experiment, scene: Scene) -> None:
        self._experiment, self._scene = experiment, scene
        self._made: dict[str, BlockView] = {}

    def of(self, block: Block) -> BlockView | None:
        """None as long as forward has not reached the block."""
        if not self._scene.has_values(block):
            return None
        if block.name not in self._made:
            self._made[block.name] = BlockView.of(self._experiment, block, self._scene.watched)
        return self._made[block.name]

    def positions(self, block: Block) -> int:
        """How many positions its output has."""
        return int(self._experiment.probe.values(self._experiment.network, block).shape[1])

    def dead(self, block: Block) -> Array:
        """(units,) which of its units are dead on the probe."""
        view = self.of(block)
        return self._experiment.probe.dead(self._experiment.network, block) if view is None else view.dead


@dataclass(frozen=True)
class UnitView:
    """A unit of a block on one example, at the place where it is shown."""

    experiment: Experiment
    block_view: BlockView
    unit: int
    example: int
    time: int | None
    """The given time step; None without one."""
    position: int
    """The place at which it is shown, among those of the block's output."""

    @staticmethod
    def of(experiment: Experiment, block_view: BlockView, unit: int, example: int, time: int | None = None) -> UnitView:
        position = block_view.position(example, unit) if time is None else time
        return UnitView(experiment, block_view, unit, example, time, position)

    @property
    def network(self) -> Network:
        return self.experiment.network

    @property
    def watched(self) -> Probe:
        """The examples, and the workspace of their forward."""
        return self.block_view.watched

    @property
    def block(self) -> Block:
        return self.block_view.block

    @property
    def name(self) -> str:
        """`hidden[3]`."""
        return f"{self.block.name}[{self.unit}]"

    @property
    def places(self) -> int:
        """How many places the block's output has."""
        return int(self.block_view.out.shape[1])

    @property
    def value(self) -> float:
        """Its output, with interventions."""
        return self.of_block(self.block_view.out)

    @property
    def pre(self) -> float | None:
        """The input of its activation, with interventions; None if the block has no such sum."""
        return None if self.block_view.pre is None else self.of_block(self.block_view.pre)

    def of_block(self, values: Array) -> float:
        """Its value among those of the whole block on all examples, (examples, ..., units)."""
        return float(values.reshape(len(values), -1, self.block.units)[self.example, self.position, self.unit])


def limit_of(values: Array) -> float:
    """The value that gets full colour: all but the largest hundredth lie within it."""
    finite = np.abs(values[np.isfinite(values)])
    if not finite.size:
        return 1.0
    # np.quantile gives the same, but is three times slower here and imports numpy.ma, which delays the first frame.
    at, between = divmod(0.99 * (finite.size - 1), 1)
    low, high = int(at), min(int(at) + 1, finite.size - 1)
    finite.partition((low, high))
    return float(finite[low] + between * (finite[high] - finite[low])) or 1.0
