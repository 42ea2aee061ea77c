"""Whether the next step can change any parameter, and if not, why: a rate of 0 is no error, but must not go unsaid."""

from __future__ import annotations

import numpy as np

from tinynets.nn.network import Network
from tinynets.training.param_groups import blocks_first
from tinynets.training.state import State


def why_still(network: Network, state: State, step: int | None = None) -> str:
    """Why nothing learns in the step behind `step` (default: where the state stands); empty where something does."""
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


def _learns(network: Network, state: State) -> np.ndarray:
    """(n,) of which parameters the rate is above 0, and which are not frozen."""
    found = np.ones(state.theta.size, np.bool_)
    for name, units, rate in blocks_first(state.hyper.rates):
        block = network.block(name)
        found[network.unit_indices(block, range(block.units) if units is None else units)] = rate > 0
    found[state.frozen] = False
    return found
