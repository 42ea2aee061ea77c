"""The player: the one live State of a lab, moved along the timeline by steps, edits and seeks.

Whatever takes long is a generator that yields `Progress` between pieces, so that it can be watched and cancelled; one
that is closed early leaves a whole moment behind.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from functools import wraps
from time import perf_counter
from typing import Any, TypeVar, cast

import numpy as np

from tinynets.edits import registry
from tinynets.edits.edit import Edit
from tinynets.errors import DataError, NonFiniteError, TimelineError
from tinynets.history.branch import Branch
from tinynets.history.moment import Moment, RecordedEdit
from tinynets.history.timeline import RING, Timeline
from tinynets.interrupts import held
from tinynets.jobs import Progress
from tinynets.nn.block import Phase
from tinynets.nn.losses import Loss
from tinynets.nn.network import Network, network_from
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.training.state import State, state_taps
from tinynets.training.trainer import Phases, Trainer

PIECE = 0.004  # seconds of work between two chances to be cancelled
ENDLESS = 2**62
KEYFRAME_COST = 0.05  # seconds of recomputing that a keyframe may leave
RING_STEPS = RING // 2  # states kept before the one that a seek lands on

Method = TypeVar("Method", bound=Callable[..., Any])


def whole(method: Method) -> Method:
    """A method of something with a `player`, done whole before a signal is taken or another thread looks."""

    @wraps(method)
    def done(self: Any, *args: Any, **kwargs: Any) -> Any:
        with held(), self.player.lock:
            return method(self, *args, **kwargs)

    return cast(Method, done)


Work = Generator[Progress, None, None]
Ends = Callable[[Array], bool]
"""Whether what is waited for has come, behind the last of the losses so far."""


class Stops:
    """Where a run stops on its way, and what is done there; here it stops nowhere."""

    def next_stop(self, step: int) -> int:
        """The first step behind `step` at which to stop; a run may stop elsewhere too."""
        return ENDLESS

    def stopped(self, player: Player) -> bool:
        """Called at every stop; says whether it did work that is not the steps' own."""
        return False


class Player:
    """Live state, network and trainer at one moment of a timeline.

    The one that `leads` says which branch is current and fills the ring of recent states; another only looks. A run
    stops on its way where `stops` says. `tick` hears of what was done: every few milliseconds of a run, and at once
    (True) behind an edit or a fork; `recorded` hears when a call that may have recorded something ends. Whoever moves
    it, or reads it from another thread, holds its `lock`.

    Where the data are only a sample, `missing` says why: then it stands at kept states alone.
    """

    def __init__(
        self,
        timeline: Timeline,
        loss: Loss,
        x: Array,
        y: Array,
        weight: Array | None = None,
        *,
        leads: bool = True,
        missing: str = "",
    ) -> None:
        self.timeline, self.loss, self.leads, self.missing = timeline, loss, leads, missing
        self.x, self.y, self.weight = x, y, weight
        self.position = Moment(timeline.current, 0, 0)
        self.stops = Stops()
        self.tick: Callable[[bool], None] = lambda at_once: None
        self.recorded: Callable[[], None] | None = None
        self.lock = threading.RLock()
        self.seconds_per_step = 0.0
        self._half: Phases | None = None
        self._half_done = 0
        self._half_from, self._half_state = self.position, timeline.branch.keyframes[0, 0]
        self._build(timeline.branch.keyframes[0, 0])

    def _build(self, state: State) -> None:
        """Live arrays and a network around them, for a state of another architecture than the one at hand."""
        live = state.live()
        theta, carried = live.theta.view(), live.buffers.view()
        for outside in (theta, carried):  # whoever reads the network cannot change the run behind the timeline's back
            outside.flags.writeable = False
        network = network_from(
            live.architecture,
            dtype=live.theta.dtype,
            theta=theta,
            carried=carried,
            input_shape=self.x.shape[1:],
            rules=live.hyper.rules,
        )
        network.taps = state_taps(network, live)
        trainer = Trainer(network, live, self.loss, self.x, self.y, self.weight)
        self.state: State = live
        self.network: Network = network
        self.trainer: Trainer = trainer

    def _load(self, state: State, moment: Moment) -> None:
        """Make the live state that of a moment."""
        live = self.state
        if live.architecture != state.architecture:
            self._build(state)
        else:
            np.copyto(live.theta, state.theta)
            live.slots = {name: slot.copy() for name, slot in state.slots.items()}
            np.copyto(live.buffers, state.buffers)
            live.frozen, live.frozen_buffers = state.frozen.copy(), state.frozen_buffers.copy()
            live.hyper, live.step, live.counts = state.hyper, state.step, state.counts
            if live.interventions != state.interventions:
                live.interventions = state.interventions
                self.network.taps = state_taps(self.network, live)
        self.position = moment
        if self.leads:
            self.timeline.current = moment.branch

    # -- where we are

    @property
    def branch(self) -> Branch:
        return self.timeline.branches[self.position.branch]

    @property
    def in_past(self) -> bool:
        """Whether something is recorded beyond this moment."""
        return self.position != self.branch.end

    @property
    def last_loss(self) -> float | None:
        """The training loss of the step that led here."""
        step = self.position.step
        return float(self.branch.losses.values[step - 1]) if step else None

    def need_data(self) -> None:
        """Raise DataError where steps cannot be computed, since the data are not here."""
        if self.missing:
            raise DataError(self.missing)

    # -- one step

    def record_step(self) -> None:
        number, before, count = self.position
        step, losses = before + 1, self.branch.losses
        if step > len(losses):
            losses.append(self.trainer.last_loss)
        self.position = Moment(number, step, count)
        self._keep_here()

    def _keep_here(self) -> None:
        """Keep a keyframe, where one belongs at this step and is not there yet."""
        if self.position.step % self.timeline.stride == 0 and self.timeline.wants_keyframe(self.position):
            self.timeline.keep(self.position, self.state.copy())

    def _replay_edits(self, until: int | None = None) -> None:
        """Apply the edits recorded at this step that are not applied yet, up to so many in all."""
        branch, position = self.branch, self.position
        target = branch.edits_through(position.step) if until is None else until
        for together in registry.runs(placed.edit for placed in branch.edits[position.edits : target]):
            if len(together) > 1:
                registry.apply_run(self.network, self.state, together)
            else:
                self._apply(together[0])
        if target > position.edits:
            self.position = Moment(position.branch, position.step, target)

    def _apply(self, edit: Edit) -> str:
        """Do an edit to the live state; when it makes another architecture, build the network anew around it."""
        before = self.state.architecture
        done = registry.apply(self.network, self.state, edit)
        if self.state.architecture != before:
            self._build(self.state)
        return done

    @property
    def _is_undone_here(self) -> bool:
        """Whether we stand where the last undo has led, and what lies ahead is what was undone."""
        if self.branch.undone_to == self.position[1:]:
            return True
        if not self.timeline.undone:
            return False
        before, after = self.timeline.undone[-1]
        return before == self.position and after.branch == self.position.branch

    def fork_if_undone(self) -> None:
        """Before going on after an undo: an edit that was undone at this very moment is not done again."""
        if self._is_undone_here and self.position.edits < self.branch.edits_through(self.position.step):
            self._fork(undone=True)
            self.tick(True)
        self.timeline.undone.clear()

    def _is_past_what_was_undone(self) -> bool:
        """Whether we have gone beyond what undo has led back to: then that is not undone any more."""
        undone_to = self.branch.undone_to
        return undone_to is not None and self.position[1:] > undone_to

    def _fork(self, name: str | None = None, *, undone: bool = False) -> None:
        made = self.timeline.fork(self.position, name, undone=undone)
        self.position = Moment(made.number, self.position.step, self.position.edits)

    # -- runs

    def _acted(self, before: Moment) -> None:
        """Remember a run for undo, which leads back on the branch where it ended, also where it forked on its way."""
        self.timeline.push_action(before._replace(branch=self.position.branch), self.position)

    def run(self, count: int | None) -> Work:
        """`count` steps (None: until closed); one action for undo, however it ends."""
        self.need_data()
        self.fork_if_undone()
        before, done = self._begun, 0
        try:
            self._near()
            while count is None or done < count:
                done += self._piece(None if count is None else count - done)
                yield Progress(done, count, "steps")
        finally:
            self._acted(before)

    def _piece(self, most: int | None, ends: Ends | None = None) -> int:
        """Steps for about `PIECE` seconds, or until what `ends` them is met; returns how many."""
        start = now = perf_counter()
        done, others = 0, False
        left = ENDLESS if most is None else most
        with ignore_warnings():
            if self._half is not None:
                self._end_half()
                done = 1
                others = self.stops.stopped(self)
            while done < left and now - start < PIECE:
                done += self._burst(left - done, start + PIECE, ends)
                now = perf_counter()
                others |= self.stops.stopped(self)
                if ends is not None and ends(self.branch.losses.values[: self.position.step]):
                    break
        if done and not others:
            self._measured((now - start) / done)
        self.tick(False)
        return done

    def _burst(self, most: int, over: float, ends: Ends | None) -> int:
        """Steps up to the next recorded edit, keyframe or stop, or until the clock is `over`; returns how many."""
        if self.branch.undone_to is not None:
            self.fork_if_undone()
        self._replay_edits()
        number, first, count = self.position
        timeline, branch, step = self.timeline, self.branch, self.trainer.step
        recorded = len(branch.losses)
        most = min(most, timeline.stride - first % timeline.stride, self.stops.next_stop(first) - first)
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
            self.position = Moment(number, first + done, count)
        self._keep_here()
        return done

    def _measured(self, seconds: float) -> None:
        """Lay keyframes by what a step costs: so that recomputing between two takes at most `KEYFRAME_COST`."""
        known = self.seconds_per_step
        self.seconds_per_step = 0.9 * known + 0.1 * seconds if known else seconds
        self.timeline.pace(KEYFRAME_COST / max(self.seconds_per_step, 1e-9))

    def _near(self) -> None:
        """Keep the state here, so that a step back from the next moments is at hand."""
        if self.leads:
            self.timeline.keep_near(self.position, self.state.copy())

    # -- phases

    @property
    def phases_done(self) -> int:
        """Phases done of the half-done step; 0 between steps."""
        return self._half_done

    @property
    def _begun(self) -> Moment:
        """The moment that the half-done step began from; the one here between steps."""
        return self.position if self._half is None else self._half_from

    @property
    def phase_order(self) -> tuple[Phase, ...]:
        return self.trainer.phase_order

    def phase(self) -> Phase:
        """Do the next phase of a step; the last one, `update`, ends it."""
        self.need_data()
        with ignore_warnings():
            if self._half is None:
                self.fork_if_undone()
                self._near()
                self._half_from, self._half_state = self.position, self.state.copy()
                self._replay_edits()
                self._half, self._half_done = self.trainer.phases(), 0
            try:
                done = next(self._half)
            except NonFiniteError:
                self.cancel_step()
                raise
            self._half_done += 1
            if self._half_done == len(self.phase_order):
                self.complete_step()
                self.stops.stopped(self)
        return done

    def complete_step(self) -> bool:
        """Do what is left of a half-done step, an action of its own; says whether there was one."""
        if self._half is None:
            return False
        before = self._begun
        with ignore_warnings():
            self._end_half()
        self.timeline.push_action(before, self.position)
        return True

    def _end_half(self) -> None:
        half, self._half, self._half_done = self._half, None, 0
        for _ in half or ():
            pass
        self.record_step()

    def cancel_step(self) -> bool:
        """Forget a half-done step, and the recorded edits replayed before it; says whether there was one."""
        if self._half is None:
            return False
        self._half.close()
        self._half, self._half_done = None, 0
        if self.position != self._half_from:
            self._load(self._half_state, self._half_from)
        return True

    # -- edits

    def edit(self, edit: Edit, report: Callable[[str], RecordedEdit]) -> RecordedEdit:
        """Do an edit, recorded with what `report` makes of what it says; in the past it forks."""
        before, here = self.position, self.state.copy()
        try:
            placed = report(self._apply(edit))
        except BaseException:  # whatever it was, nothing has changed
            self._load(here, before)
            raise
        if self.in_past:
            self._fork(undone=self._is_undone_here)
        if self.leads:
            self.timeline.keep_near(self.position, here)
        self.branch.place(placed)
        self.position = Moment(self.position.branch, self.position.step, self.position.edits + 1)
        self.timeline.push_action(before, self.position)
        self.tick(True)
        return placed

    # -- moving

    def go(self, target: Moment) -> Work:
        """Move to a recorded moment, from the kept state that is closest; closed early, we stay where we were."""
        self.cancel_step()
        if target == self.position:
            return
        here, home = self.state.copy(), self.position
        start, state = self.timeline.closest(target)
        on_the_way = home.branch == target.branch and start < home <= target and home.edits <= target.edits
        arrived = False
        try:
            if not on_the_way:
                self._load(state, start)
            yield from self._recompute(target)
            arrived = True
            if self.leads and self._is_past_what_was_undone():
                self.branch.undone_to = None
        finally:
            if not arrived:
                self._load(here, home)

    def compute_on(self, state: State, start: Moment, target: Moment) -> Work:
        """From a state, as that of `start`, to a later moment of its branch, every step computed again."""
        self._load(state, start)
        yield from self._recompute(target)

    def _recompute(self, target: Moment) -> Work:
        first = self.position.step
        if first < target.step:
            self.need_data()
        dense = target.step - RING_STEPS
        while self.position.step < target.step:
            begun, before = perf_counter(), self.position.step
            with ignore_warnings():
                while self.position.step < target.step and perf_counter() - begun < PIECE:
                    self._replay_edits(min(target.edits, self.branch.edits_through(self.position.step)))
                    self.trainer.step()
                    self.record_step()
                    if self.position.step >= dense:
                        self._near()
            done = self.position.step - before
            if done and self.leads and not self.seconds_per_step:  # not known yet of a run that was loaded
                self._measured((perf_counter() - begun) / done)
            yield Progress(self.position.step - first, target.step - first, "steps")
        self._replay_edits(target.edits)

    def cost(self, target: Moment) -> tuple[int, float]:
        """What going to a recorded moment costs: steps to compute again, and about how many seconds."""
        start, _ = self.timeline.closest(target)
        if self.position.branch == target.branch and start < self.position <= target:
            start = self.position
        steps = target.step - start.step
        return steps, steps * self.seconds_per_step

    def state_at(self, target: Moment) -> Generator[Progress, None, State]:
        """The State of a recorded moment; the live one stays where it is, half-done step and all."""
        if target == self.position and self._half is None:
            return self.state.copy()
        scout = Player(self.timeline, self.loss, self.x, self.y, self.weight, leads=False, missing=self.missing)
        yield from scout.go(target)
        return scout.state.copy()

    # -- until something holds

    def run_until(
        self, holds: Callable[[], bool], limit: int, ends: Ends | None = None
    ) -> Generator[Progress, None, bool]:
        """Steps to the next moment at which something holds, at most `limit`; says whether there was one.

        `ends` says the same of the losses so far, where nothing else matters: asking that costs a step next to nothing.
        """
        self.need_data()
        self.fork_if_undone()
        before, done = self._begun, 0
        try:
            self._near()
            while done < limit:
                over = perf_counter() + PIECE
                while done < limit and perf_counter() < over:
                    if self._half is None and self.branch.undone_to is not None:
                        self.fork_if_undone()
                    if self._half is None and self.position.edits < self.branch.edits_through(self.position.step):
                        self._replay_edits(self.position.edits + 1)
                    else:
                        done += self._piece(1 if ends is None else limit - done, ends)
                    if holds():
                        return True
                yield Progress(done, limit, "steps")
            return False
        finally:
            self._acted(before)

    def back_until(
        self, holds: Callable[[], bool], of_losses: Callable[[Array], Array] | None = None
    ) -> Generator[Progress, None, bool]:
        """Go to the last moment before this one at which something holds; back to here where there is none.

        The way back is taken keyframe by keyframe, each stretch forward. `of_losses` says of the losses at which steps
        it holds, where nothing else matters.
        """
        self.cancel_step()
        home = self.position
        if of_losses is not None:
            edited_here = home.edits > self.branch.edits_through(home.step - 1)
            found = np.flatnonzero(of_losses(self.branch.losses.values[: max(home.step - (not edited_here), 0)]))
            if not found.size:
                return False
            at = self.moment_at(int(found[-1]) + 1)
            yield from self.go(at if at < home else Moment(home.branch, home.step, home.edits - 1))
            return True
        self.need_data()
        here, bound, best = self.state.copy(), home, None
        try:
            while bound > Moment(home.branch, 0, 0):
                begin = Moment(home.branch, *self.branch.nearest_before(bound.step, bound.edits))
                self._load(self.branch.keyframes[begin.step, begin.edits], begin)
                for moment in self._stretch(bound):
                    if holds():
                        best = moment
                    yield Progress(home.step - bound.step + moment.step - begin.step, home.step, "steps back")
                if best is not None:
                    break
                bound = begin
        finally:
            self._load(here, home)
        if best is not None:
            yield from self.go(best)
        return best is not None

    def _stretch(self, bound: Moment) -> Iterator[Moment]:
        """Every moment from where we stand to before `bound`, computed again."""
        while self.position < bound:
            yield self.position
            with ignore_warnings():
                if self.position.edits < self.branch.edits_through(self.position.step):
                    self._replay_edits(self.position.edits + 1)
                else:
                    self.trainer.step()
                    self.record_step()

    def moment_at(self, step: int) -> Moment:
        """The moment after the last edit at a recorded step of this branch, what was undone there left out."""
        branch = self.branch
        if branch.undone_to is not None and branch.undone_to[0] == step:
            return branch.seen_end
        return Moment(branch.number, step, branch.edits_through(step))

    def seek(self, step: int) -> Work:
        """Move to after the last edit at `step`; beyond what is recorded, run there."""
        recorded = self.branch.end
        if step > recorded.step:
            self.need_data()
        yield from self.go(self.moment_at(min(step, recorded.step)))
        if step > recorded.step:
            yield from self.run(step - recorded.step)

    def undo(self) -> Iterator[Progress]:
        """Move to the moment before the last action; a half-done step is dropped instead."""
        if self.cancel_step():
            return
        if not self.timeline.actions:
            raise TimelineError("there is nothing to undo")
        before, after = self.timeline.actions[-1]
        yield from self.go(before)
        if before.branch == after.branch and before.step == after.step:  # all that lies behind an edit came after it
            self.branch.undone_to = before[1:]
        self.timeline.actions.pop()
        self.timeline.undone.append((before, after))

    def redo(self) -> Iterator[Progress]:
        """Move to the moment after the action that was undone last."""
        if not self.timeline.undone:
            raise TimelineError("there is nothing to redo")
        before, after = self.timeline.undone[-1]
        some_undone = self.timeline.branches[after.branch].undone_to is not None
        yield from self.go(after)
        if some_undone and after.edits < len(self.branch.edits):
            self.branch.undone_to = self.branch.edits[after.edits].step, after.edits
        self.timeline.undone.pop()
        self.timeline.actions.append((before, after))

    def switch(self, name: str) -> Work:
        """Move to the end of another branch, as it is seen."""
        yield from self.go(self.timeline.named(name).seen_end)

    def fork(self, name: str) -> None:
        """Go on from here on a new branch of that name."""
        self.timeline.check_free(name)
        self.cancel_step()
        self._fork(name)
        self.tick(True)
