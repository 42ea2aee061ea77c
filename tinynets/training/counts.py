"""How many updates each parameter has had, by which Adam corrects its bias: data that edits move as they move slots.

What begins late (unfrozen, drawn anew, grown, inserted, transplanted) counts from there, as PyTorch counts for each
parameter. A step writes none of it: of what learns, the step from which it counts is known, of what is frozen how many
updates it has had. A run of the first rules counts for all parameters together.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from tinynets.numerics.arrays import Array
from tinynets.numerics.rules import FIRST
from tinynets.training.hyper import Hyper
from tinynets.training.optimizers import Late
from tinynets.training.state import ALIKE, State

SLOT = "counts"


def are_kept(hyper: Hyper) -> bool:
    """Whether the updates of each parameter are counted."""
    return hyper.optimizer.counts_updates and hyper.rules > FIRST


def counts_of(state: State) -> Array:
    """(n,) how many updates each parameter has had."""
    if not state.counts.size:
        return np.full(state.theta.size, state.step - state.hyper.since, np.int64)
    counts = state.step - state.counts
    counts[state.frozen] = state.counts[state.frozen]
    return counts


@contextmanager
def moving_counts(state: State) -> Iterator[None]:
    """Within it the counts are one of the state's slots, so what an edit does to slots it does to them.

    Where it makes the slots anew, as another optimizer does, they begin at 0. Raised within it, an error changes none.
    """
    if are_kept(state.hyper):
        state.slots[SLOT] = counts_of(state)
    try:
        yield
    except BaseException:
        state.slots.pop(SLOT, None)
        raise
    counts = state.slots.pop(SLOT, None)
    if not are_kept(state.hyper):
        state.counts = ALIKE
        return
    state.counts = _laid_out(state, np.zeros(state.theta.size, np.int64) if counts is None else counts)


def _laid_out(state: State, counts: Array) -> Array:
    """Counts as a state holds them: none where all are alike and nothing is frozen."""
    now = state.step - counts
    now[state.frozen] = counts[state.frozen]
    if not state.frozen.size and (now == state.hyper.since).all():
        return ALIKE
    now.flags.writeable = False
    return now


def update_starts(state: State) -> tuple[int, Late | None]:
    """From which step the updates count, and which parameters began later than the first; None where none did."""
    learns = np.ones(state.theta.size, np.bool_)
    learns[state.frozen] = False
    if not state.counts.size or not learns.any():
        return state.hyper.since, None
    first = int(state.counts[learns].min())
    starts, which = np.unique(np.where(learns, state.counts, first), return_inverse=True)
    if len(starts) == 1:
        return first, None
    return first, Late([int(start) - first for start in starts], which, state.theta.dtype)
