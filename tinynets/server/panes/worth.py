"""The worth of units that was measured: it holds at one moment, and is shown as old at any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.history.player import Player
from tinynets.measure.unit_numbers import numbers_of, unit_numbers
from tinynets.measure.worth import Worth
from tinynets.nn.block import Block
from tinynets.numerics.arrays import Array
from tinynets.server.frame import Floats


@dataclass
class KeptWorths:
    """What was measured last of each block, with the numbers that its units had then."""

    _kept: dict[str, tuple[Worth, Array]] = field(default_factory=dict)

    def keep(self, found: Worth, player: Player) -> None:
        numbers = unit_numbers(player.network, player.branch.edits[: player.position.edits])
        self._kept[found.block] = found, numbers_of(numbers, found.block, len(found.without))

    def at(self, experiment: Experiment) -> Mapping[str, Floats] | None:
        """What holds at the present moment, by block; None if nothing does."""
        found = {name: worth.values for name, (worth, _) in self._kept.items() if worth.moment == experiment.moment}
        return found or None

    def of(self, experiment: Experiment, block: Block) -> tuple[Array, bool, str]:
        """A block's worth by unit (NaN if unknown), whether it holds at this moment, and on what it was measured."""
        if block.name not in self._kept:
            return np.full(block.units, np.nan), False, ""
        worth, numbers = self._kept[block.name]
        if worth.moment == experiment.moment:
            return worth.values, True, f"on {worth.measured}"
        present = unit_numbers(experiment.network, experiment.branch.edits[: experiment.moment.edits])
        known = dict(zip(numbers.tolist(), worth.values.tolist(), strict=True))
        own = numbers_of(present, block.name, block.units).tolist()
        branch = "" if worth.branch == experiment.branch.name else f" of {worth.branch}"
        return np.array([known.get(unit, np.nan) for unit in own]), False, f"measured at step {worth.step:,}{branch}"
