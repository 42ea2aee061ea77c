"""Frozen parameters and units, and the reasons why a step may change nothing at all."""

from __future__ import annotations

import numpy as np

from tinynets.nn.block import Block
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Array
from tinynets.training.param_groups import blocks_first
from tinynets.training.state import State


def frozen_mask(size: int, frozen: Array) -> Array:
    """(size,) mask of the frozen places of a flat vector, from their positions."""
    mask = np.zeros(size, np.bool_)
    mask[frozen] = True
    return mask


def frozen_share(network: Network, frozen: Array, block: Block) -> Array:
    """(units,) the share of each unit's parameters that is frozen, 0 to 1; `frozen` as in a State."""
    if not frozen.size:
        return np.zeros(block.units)
    has, held = network.shares_in(block, frozen)
    share: Array = held / np.maximum(has, 1)
    return share


def frozen_units(network: Network, frozen: Array, block: Block) -> Array:
    """(units,) which units of a block are frozen whole; units without parameters never are."""
    return np.asarray(frozen_share(network, frozen, block) == 1)


def why_nothing_learns(network: Network, state: State, step: int | None = None) -> str:
    """Why the step after `step` (default: the state's) changes no parameter; empty if it changes some.

    A learning rate of 0 is not an error, but the user must be told.
    """
    hyper = state.hyper
    if not state.theta.size:
        return ""
    if not hyper.optimizer.lr:
        return "`lr` is 0"
    if not hyper.lr(state.step if step is None else step):
        return f"the schedule `{hyper.schedule.kind}` has brought the learning rate to 0"
    if state.frozen.size == state.theta.size:
        return "everything is frozen"
    if 0 in hyper.rates.values() and not _learns(network, state).any():
        return "all that is not frozen has the rate 0"
    return ""


def _learns(network: Network, state: State) -> Array:
    """(n,) which parameters have a rate above 0 and are not frozen."""
    found = np.ones(state.theta.size, np.bool_)
    for name, units, rate in blocks_first(state.hyper.rates):
        block = network.block(name)
        found[network.unit_indices(block, range(block.units) if units is None else units)] = rate > 0
    found[state.frozen] = False
    return found
