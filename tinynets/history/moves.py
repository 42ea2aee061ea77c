"""Moves: take a player to a recorded moment, from the closest kept state.

A move is a job: if it is closed early, the player stays where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter

import numpy as np

from tinynets.errors import TimelineError
from tinynets.history import runs
from tinynets.history.half_step import HalfStep
from tinynets.history.keyframes import RING
from tinynets.history.moment import Moment
from tinynets.history.player import Player
from tinynets.jobs import Job, Progress, Work
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.training.state import State

RING_STEPS = RING // 2  # states kept before the one that a move lands on


def go(player: Player, target: Moment) -> Work:
    """Move to a recorded moment, from the closest kept state; if closed early, the player stays where it was."""
    player.cancel_step()
    if target == player.position:
        return
    here, home = player.state.copy(), player.position
    start, state = player.timeline.keyframes.closest(target)
    on_the_way = home.branch == target.branch and start < home <= target and home.edits <= target.edits
    arrived = False
    try:
        if not on_the_way:
            player.load(state, start)
        yield from _recompute(player, target)
        arrived = True
        undone_to = player.branch.undone_to
        if player.leads and undone_to is not None and player.position[1:] > undone_to:
            player.branch.undone_to = None  # the player is beyond it, so it is no longer undone
    finally:
        if not arrived:
            player.load(here, home)


def compute_on(player: Player, state: State, start: Moment, target: Moment) -> Work:
    """Load the state of `start` and recompute every step to a later moment of its branch."""
    player.load(state, start)
    yield from _recompute(player, target)


def _recompute(player: Player, target: Moment) -> Work:
    first = player.position.step
    if first < target.step:
        player.need_data()
    dense = target.step - RING_STEPS
    while player.position.step < target.step:
        begun, before = perf_counter(), player.position.step
        with ignore_warnings():
            while player.position.step < target.step and perf_counter() - begun < runs.PIECE:
                player.replay_edits(min(target.edits, player.branch.edits_through(player.position.step)))
                player.trainer.step()
                player.record_step()
                if player.position.step >= dense:
                    player.keep_in_ring()
        done = player.position.step - before
        if done and player.leads and not player.seconds_per_step:  # not known yet for a loaded run
            runs.pace_keyframes(player, (perf_counter() - begun) / done)
        yield Progress(player.position.step - first, target.step - first, "steps")
    player.replay_edits(target.edits)


def cost(player: Player, target: Moment) -> tuple[int, float]:
    """The cost of going to a recorded moment: steps to recompute, and roughly how many seconds."""
    start, _ = player.timeline.keyframes.closest(target)
    if player.position.branch == target.branch and start < player.position <= target:
        start = player.position
    steps = target.step - start.step
    return steps, steps * player.seconds_per_step


def state_at(player: Player, target: Moment) -> Job[State]:
    """The State of a recorded moment; the player does not move, even from a half-done step."""
    if target == player.position and player.half is None:
        return player.state.copy()
    scout = Player(player.timeline, player.loss, player.examples, leads=False)
    yield from go(scout, target)
    return scout.state.copy()


def back_until(
    player: Player, holds: Callable[[], bool], of_losses: Callable[[Array], Array] | None = None
) -> Job[bool]:
    """Go to the last earlier moment at which something holds; if there is none, the player ends up here again.

    The way back goes keyframe by keyframe, with each stretch computed forward. `of_losses` tells from the losses at
    which steps it holds, if nothing else matters.
    """
    player.cancel_step()
    home, branch = player.position, player.branch
    if of_losses is not None:
        edited_here = home.edits > branch.edits_through(home.step - 1)
        found = np.flatnonzero(of_losses(branch.losses.values[: max(home.step - (not edited_here), 0)]))
        if not found.size:
            return False
        at = branch.moment_at(int(found[-1]) + 1)
        yield from go(player, at if at < home else Moment(home.branch, home.step, home.edits - 1))
        return True
    player.need_data()
    here, bound, best = player.state.copy(), home, None
    try:
        while best is None and bound > Moment(home.branch, 0, 0):
            begin = Moment(home.branch, *branch.nearest_before(bound.step, bound.edits))
            player.load(branch.keyframes[begin.step, begin.edits], begin)
            for moment in _stretch(player, bound):
                if holds():
                    best = moment
                yield Progress(home.step - bound.step + moment.step - begin.step, home.step, "steps back")
            bound = begin
    finally:
        player.load(here, home)
    if best is not None:
        yield from go(player, best)
    return best is not None


def _stretch(player: Player, bound: Moment) -> Iterator[Moment]:
    """Every moment from the present one to before `bound`, recomputed."""
    while player.position < bound:
        yield player.position
        with ignore_warnings():
            if player.position.edits < player.branch.edits_through(player.position.step):
                player.replay_edits(player.position.edits + 1)
            else:
                player.trainer.step()
                player.record_step()


def seek(player: Player, step: int) -> Work:
    """Move to after the last edit at `step`; beyond the recorded steps, train up to it."""
    branch = player.branch
    recorded = branch.end
    if step > recorded.step:
        player.need_data()
    yield from go(player, branch.moment_at(min(step, recorded.step)))
    if step > recorded.step:
        yield from runs.run(player, step - recorded.step)


def undo(player: Player) -> Work:
    """Move to the moment before the last action; a half-done step without edits made in it is dropped instead.

    An edit made in the half-done step is taken off, and the step stands at the same phase without it.
    """
    timeline, half = player.timeline, player.half
    if half is not None and not edited_in_step(player):
        player.cancel_step()
        return
    if not timeline.actions:
        raise TimelineError("there is nothing to undo")
    before, after = timeline.actions[-1]
    yield from go(player, before) if half is None else _within(player, half, before, before.edits - after.edits)
    if before.branch == after.branch and before.step == after.step:  # everything after an edit was done later
        player.branch.undone_to = before[1:]
    timeline.actions.pop()
    timeline.undone.append((before, after))


def redo(player: Player) -> Work:
    """Move to the moment after the action that was last undone."""
    timeline = player.timeline
    if not timeline.undone:
        raise TimelineError("there is nothing to redo")
    before, after = timeline.undone[-1]
    some_undone = timeline.branches[after.branch].undone_to is not None
    half = player.half if before == player.position and before.step == after.step else None
    yield from go(player, after) if half is None else _within(player, half, after, after.edits - before.edits)
    if some_undone and after.edits < len(player.branch.edits):
        player.branch.undone_to = player.branch.edits[after.edits].step, after.edits
    timeline.undone.pop()
    timeline.actions.append((before, after))


def edited_in_step(player: Player) -> bool:
    """Whether the last action is an edit that was made in the half-done step."""
    actions, half = player.timeline.actions, player.half
    return half is not None and half.edits > 0 and bool(actions) and actions[-1][1] == player.position


def _within(player: Player, half: HalfStep, target: Moment, edits: int) -> Work:
    """Move over an edit made in a half-done step, and do its phases again; if that fails, it stands as it was."""
    home, here, phases = player.position, player.state.copy(), half.done
    ahead = player.timeline.branches[target.branch]
    undone_to = ahead.undone_to
    player.half = None
    try:
        yield from go(player, target)
        half.do_again(player.trainer, phases)
    except BaseException:
        ahead.undone_to = undone_to
        player.load(here, home)
        half.do_again(player.trainer, phases)
        raise
    else:
        half.began, half.before, half.edits = player.position, player.state.copy(), half.edits + edits
    finally:
        player.half = half


def phase_back(player: Player) -> Work:
    """Go a phase back: in a half-done step to the phase before, between steps into the step just done.

    From the first phase it goes to the moment at which the step began, between steps to the last phase but `update`.
    """
    half = player.half
    if half is not None:
        if half.done == 1:
            player.cancel_step()
        else:
            half.do_again(player.trainer, half.done - 1)
        return
    step = player.position.step
    if not step:
        raise TimelineError("there is nothing before step 0: no phase to go back to")
    player.need_data()
    yield from go(player, player.branch.moment_at(step - 1))
    begun = HalfStep(player.position, player.state.copy(), player.trainer)
    begun.do_again(player.trainer, len(player.phase_order) - 1)
    player.half = begun


def phase_to(player: Player, count: int) -> bool:
    """Go to where `count` phases of a step are done, forward or back; returns whether it ended the step.

    Between steps it begins one.
    """
    half = player.half
    if half is not None and count < half.done:
        half.do_again(player.trainer, count)
        return False
    ends = count == len(player.phase_order)
    while player.phases_done < count:
        player.phase()
        if player.half is None:
            break
    return ends


def switch(player: Player, name: str, step: int | None = None) -> Work:
    """Move to the end of another branch, without undone edits; or to a step that is recorded there, after its edits."""
    branch = player.timeline.named(name)
    if step is not None and step > len(branch.losses):
        raise TimelineError(f"step {step:,} is not recorded on `{name}`, which ends at step {len(branch.losses):,}")
    yield from go(player, branch.seen_end if step is None else branch.moment_at(step))
