"""The standing of each unit: interventions, frozen share, learning rate, and a number that stays its own."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.measure.unit_numbers import numbers_of, unit_numbers
from tinynets.nn.block import Block
from tinynets.nn.interventions import KINDS
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Array
from tinynets.server.frame import FREE, FROZEN, NOTHING, PARTLY, SEVERAL, Standing, StandingIntervention
from tinynets.training.frozen import frozen_share
from tinynets.training.param_groups import by_unit


@dataclass
class StandingCache:
    """Finds the standing of units; caches what depends on the frozen places alone, which is slow to find."""

    _key: tuple[Network, bytes] | None = None
    _shares: dict[str, Array] = field(default_factory=dict)

    def of(self, experiment: Experiment) -> dict[str, Standing]:
        """The Standing of each block with units."""
        edits = experiment.branch.edits[: experiment.moment.edits]
        numbers, kinds = unit_numbers(experiment.network, edits), _kinds()
        return {
            block.name: Standing(
                _ops(experiment, block, block.name),
                _ops(experiment, block, f"{block.name}.pre"),
                _codes(self.frozen_shares(experiment, block)),
                rates(experiment, block),
                numbers_of(numbers, block.name, block.units),
                {time: _ops(experiment, block, block.name, time) for time in _times(experiment, block)},
                kinds,
            )
            for block in experiment.network.blocks
            if block.units
        }

    def frozen_shares(self, experiment: Experiment, block: Block) -> Array:
        """The share of each unit's parameters that is frozen, 0 to 1."""
        network, frozen = experiment.network, experiment.state.frozen
        if not frozen.size:
            return np.zeros(block.units)
        key = network, frozen.tobytes()
        if self._key is None or self._key[0] is not network or self._key[1] != key[1]:
            self._key, self._shares = key, {}
        if block.name not in self._shares:
            self._shares[block.name] = frozen_share(network, frozen, block)
        return self._shares[block.name]


def _kinds() -> tuple[str, ...]:
    """The kinds that the codes of interventions stand for."""
    return ("", "several", *KINDS)


def _times(experiment: Experiment, block: Block) -> list[int]:
    """The time steps of a block with interventions of their own."""
    return sorted(
        {entry.time for entry in experiment.interventions if entry.site == block.name and entry.time is not None}
    )


def _ops(experiment: Experiment, block: Block, site: str, time: int | None = None) -> Array:
    """A code for each unit: the kind of intervention at a site, at one time step or at all, or `several`."""
    found, kinds = np.zeros(block.units, np.int8), _kinds()
    for entry in experiment.interventions:
        if entry.site == site and entry.time == time:
            units = list(entry.units)
            found[units] = np.where(found[units] == NOTHING, kinds.index(entry.op), SEVERAL)
    return found


def _codes(shares: Array) -> Array:
    return np.where(shares == 1, FROZEN, np.where(shares > 0, PARTLY, FREE)).astype(np.int8)


def rates(experiment: Experiment, block: Block) -> Array:
    """The factor on the learning rate of each unit."""
    factors = experiment.state.hyper.rates
    found = np.full(block.units, factors.get(block.name, 1.0))
    for unit, factor in by_unit(factors, block.name).items():
        found[unit] = factor
    return found


def standing_on(experiment: Experiment, block: Block, unit: int) -> tuple[StandingIntervention, ...]:
    """The interventions on a unit, in the order in which they were made."""
    return tuple(
        StandingIntervention(entry.op, entry.amount, entry.site != block.name, entry.time)
        for entry in experiment.interventions
        if entry.site in (block.name, f"{block.name}.pre") and unit in entry.units
    )
