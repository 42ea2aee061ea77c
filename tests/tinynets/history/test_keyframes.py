"""Keyframes: the closest one is the start of a replay, the budget holds, and the oldest recent state goes first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.history.branch import Branch, LossHistory
from tinynets.history.half_step import HalfStep
from tinynets.history.keyframes import RING, KeyframeStore
from tinynets.history.moment import Moment
from tinynets.training.state import State


@pytest.fixture(scope="module")
def state() -> State:
    return tn.Lab("xor").state


def store(state: State, steps: list[int], budget: int) -> KeyframeStore:
    """A store of keyframes of one branch, added in this order."""
    branch = Branch(0, "main", LossHistory())
    made = KeyframeStore({0: branch}, budget)
    for step in [0, *steps]:
        made.keep(Moment(0, step, 0), state.copy())
    return made


@settings(max_examples=50)
@given(st.lists(st.integers(1, 2000), unique=True), st.lists(st.integers(0, 2000), max_size=100), st.integers(0, 2000))
def test_the_closest_kept_state_is_the_last_one_through_the_target(
    state: State, steps: list[int], recent: list[int], target: int
) -> None:
    kept = store(state, steps, 2**30)
    for step in recent:
        kept.keep_in_ring(Moment(0, step, 0), state.copy())
    there = {0, *steps, *(moment.step for moment in kept.ring)}
    found, _ = kept.closest(Moment(0, target, 0))
    assert found == Moment(0, max(step for step in there if step <= target), 0)
    assert len(kept.ring) <= RING


@settings(max_examples=50)
@given(st.integers(1, 20), st.integers(1, 60))
def test_keyframes_stay_within_their_budget_and_the_start_is_always_there(state: State, room: int, count: int) -> None:
    kept = store(state, [], room * state.nbytes())
    for step in range(count):
        if kept.wants_keyframe(moment := Moment(0, 128 * step, 0)):
            kept.keep(moment, state.copy())
    held = kept.branches[0].keyframes
    assert kept.bytes == len(held) * state.nbytes() <= room * state.nbytes()
    assert (0, 0) in held
    assert all(step % kept.stride == 0 for step, _ in held)


def test_a_dropped_branch_leaves_nothing_in_the_ring(state: State) -> None:
    kept = store(state, [], 2**30)
    kept.branches[1] = Branch(1, "other", LossHistory())
    for branch in (0, 1, 1):
        kept.keep_in_ring(Moment(branch, len(kept.ring), 0), state.copy())
    kept.empty_ring(1)
    assert [moment.branch for moment in kept.ring] == [0]
    assert kept.ring_bytes == state.nbytes()


def test_a_half_done_step_that_is_cancelled_has_written_nothing() -> None:
    lab = tn.Lab("xor")
    player, before = lab.player, lab.state.digest()
    half = HalfStep(player.position, lab.state, player.trainer)
    while half.done < len(player.phase_order) - 1:
        half.do_phase()
    half.cancel()
    assert player.state.digest() == before
    assert np.array_equal(player.network.theta, half.before.theta)
