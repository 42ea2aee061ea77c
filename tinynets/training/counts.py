"""Update counts: how many updates each parameter has had, for Adam's bias correction; edits move them like slots.

A parameter that begins late (unfrozen, drawn anew, grown, inserted, transplanted) counts from there, as PyTorch counts
per parameter. A step writes no counts: for a learning parameter the step from which it counts is stored, for a frozen
one the number of its updates. A run of the first rules has one count for all parameters.
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


def keeps_counts(hyper: Hyper) -> bool:
    """Whether updates are counted per parameter."""
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
    """Make the counts one of the state's slots for a while, so that an edit treats them like slots.

    If the edit makes new slots, as for another optimizer, the counts begin at 0. If it raises, no count changes.
    """
    if keeps_counts(state.hyper):
        state.slots[SLOT] = counts_of(state)
    try:
        yield
    except BaseException:
        state.slots.pop(SLOT, None)
        raise
    counts = state.slots.pop(SLOT, None)
    if not keeps_counts(state.hyper):
        state.counts = ALIKE
        return
    state.counts = _laid_out(state, np.zeros(state.theta.size, np.int64) if counts is None else counts)


def _laid_out(state: State, counts: Array) -> Array:
    """Counts as a state holds them: empty if all are alike and nothing is frozen."""
    now = state.step - counts
    now[state.frozen] = counts[state.frozen]
    if not state.frozen.size and (now == state.hyper.since).all():
        return ALIKE
    now.flags.writeable = False
    return now


def update_starts(state: State) -> tuple[int, Late | None]:
    """The step from which updates count, and the parameters that began later than the first; None if none did."""
    learns = np.ones(state.theta.size, np.bool_)
    learns[state.frozen] = False
    if not state.counts.size or not learns.any():
        return state.hyper.since, None
    first = int(state.counts[learns].min())
    starts, which = np.unique(np.where(learns, state.counts, first), return_inverse=True)
    if len(starts) == 1:
        return first, None
    return first, Late([int(start) - first for start in starts], which, state.theta.dtype)
