"""Runs: take many steps with a player, a given number or until something holds.

A run is a job: it yields between its pieces and ends at a whole moment, however it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Protocol

from tinynets.history.moment import Moment
from tinynets.history.player import ENDLESS, Player
from tinynets.jobs import Job, Progress, Work
from tinynets.numerics.arrays import Array, ignore_warnings

PIECE = 0.004  # seconds of work between two chances to be cancelled
KEYFRAME_COST = 0.05  # seconds of recomputing between two keyframes, at most

Ends = Callable[[Array], bool]
"""Whether to stop after the last of the losses so far."""


def run(player: Player, count: int | None) -> Work:
    """Take `count` steps (None: until closed); one action for undo, however it ends."""
    player.need_data()
    player.fork_if_undone()
    before, done = player.began, 0
    try:
        player.keep_in_ring()
        while count is None or done < count:
            done += _piece(player, None if count is None else count - done)
            yield Progress(done, count, "steps")
    finally:
        _push_run(player, before)


class PhaseStops(Protocol):
    """Says at which phases a run stops, in mid-step."""

    def phase_stops(self, player: Player) -> Sequence[int]:
        """After how many phases of a step to stop, in order."""
        ...


def run_until(
    player: Player,
    holds: Callable[[], bool],
    limit: int | None,
    ends: Ends | None = None,
    stops: PhaseStops | None = None,
) -> Job[bool]:
    """Take steps to the next moment at which something holds, at most `limit`; returns whether there was one.

    `ends` tells it from the losses so far, if nothing else matters: this costs almost nothing per step. `stops`: the
    phases to stop at, for which the step is left half done.
    """
    player.need_data()
    player.fork_if_undone()
    before, done = player.began, 0
    try:
        player.keep_in_ring()
        while limit is None or done < limit:
            over = perf_counter() + PIECE
            while (limit is None or done < limit) and perf_counter() < over:
                if player.half is None and player.branch.undone_to is not None:
                    player.fork_if_undone()
                at = [] if stops is None else stops.phase_stops(player)
                if player.half is None and player.position.edits < player.branch.edits_through(player.position.step):
                    player.replay_edits(player.position.edits + 1)
                elif _to_phase(player, at):
                    return True
                else:
                    most = 1 if ends is None or at else None if limit is None else limit - done
                    done += _piece(player, most, ends)
                if holds():
                    return True
            yield Progress(done, limit, "steps")
        return False
    finally:
        _push_run(player, before)


def _to_phase(player: Player, stops: Sequence[int]) -> bool:
    """Do phases to the next one to stop at; False if there is none left in this step."""
    goal = next((count for count in stops if count > player.phases_done), None)
    if goal is None:
        return False
    while player.phases_done < goal:
        player.phase()
    return True


def _push_run(player: Player, before: Moment) -> None:
    """Remember a run for undo, which goes back along the branch where it ended, even if it forked on its way.

    A step that it left half done is no part of it.
    """
    player.timeline.push_action(before._replace(branch=player.position.branch), player.began)


def _piece(player: Player, most: int | None, ends: Ends | None = None) -> int:
    """Take steps for about `PIECE` seconds, or until `ends` says so; returns how many."""
    start = now = perf_counter()
    done, others = 0, False
    left = ENDLESS if most is None else most
    with ignore_warnings():
        if player.half is not None:
            player.end_step(player.half)
            done = 1
            others = player.stops.stopped(player)
        while done < left and now - start < PIECE:
            done += _burst(player, left - done, start + PIECE, ends)
            now = perf_counter()
            others |= player.stops.stopped(player)
            if ends is not None and ends(player.branch.losses.values[: player.position.step]):
                break
    if done and not others:
        pace_keyframes(player, (now - start) / done)
    player.tick(False)
    return done


def _burst(player: Player, most: int, over: float, ends: Ends | None) -> int:
    """Take steps to the next recorded edit, keyframe or stop, or until the clock passes `over`; returns how many."""
    if player.branch.undone_to is not None:
        player.fork_if_undone()
    player.replay_edits()
    number, first, count = player.position
    stride, branch, step = player.timeline.keyframes.stride, player.branch, player.trainer.step
    recorded = len(branch.losses)
    most = min(most, stride - first % stride, player.stops.next_stop(first) - first)
    if count < len(branch.edits):
        most = min(most, branch.edits[count].step - first)
    if first < recorded:
        most = min(most, recorded - first)
    done = 0
    try:
        while done < most:
            loss = step()
            done += 1
            if first >= recorded:
                branch.losses.append(loss)
            if ends is not None and ends(branch.losses.values[: first + done]):
                break
            if perf_counter() >= over:
                break
    finally:
        player.position = Moment(number, first + done, count)
    player.keep_keyframe()
    return done


def pace_keyframes(player: Player, seconds: float) -> None:
    """Space keyframes by the cost of a step, so that recomputing between two takes at most `KEYFRAME_COST`."""
    known = player.seconds_per_step
    player.seconds_per_step = 0.9 * known + 0.1 * seconds if known else seconds
    player.timeline.keyframes.set_stride(KEYFRAME_COST / max(player.seconds_per_step, 1e-9))
