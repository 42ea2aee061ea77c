"""Player: a live model at a moment of the timeline, moved by phases of a step, edits and forks.

Long work moves it from outside: runs (runs.py), and moves through recorded history (moves.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from tinynets.edits.edit import Edit
from tinynets.errors import DataError, NonFiniteError
from tinynets.history.branch import Branch
from tinynets.history.half_step import HalfStep
from tinynets.history.live import Examples, LiveModel
from tinynets.history.moment import Moment, RecordedEdit
from tinynets.history.timeline import Timeline
from tinynets.interrupts import held
from tinynets.nn.block import Phase
from tinynets.nn.losses import Loss
from tinynets.nn.network import Network
from tinynets.numerics.arrays import ignore_warnings
from tinynets.training.state import State
from tinynets.training.trainer import Trainer

ENDLESS = 2**62

Method = TypeVar("Method", bound=Callable[..., Any])


def whole(method: Method) -> Method:
    """Make a method of an object with a `player` uninterruptible by signals and other threads that take the lock."""

    @wraps(method)
    def done(self: Any, *args: Any, **kwargs: Any) -> Any:
        with held(), self.player.lock:
            return method(self, *args, **kwargs)

    return cast(Method, done)


class Stops:
    """Where a run stops on its way, and what it does there; this base never stops."""

    def next_stop(self, step: int) -> int:
        """The first step after `step` at which to stop; a run may stop elsewhere too."""
        return ENDLESS

    def stopped(self, player: Player) -> bool:
        """Called at every stop; returns whether it did work of its own."""
        return False


class Player:
    """A live model at one moment of a timeline, perhaps with a half-done step.

    The player that `leads` sets the current branch and fills the ring of recent states; others only look. A run stops
    on its way where `stops` says. `tick` is called as work is done: every few milliseconds of a run, and at once (True)
    after an edit or a fork; `recorded` is called when a call that may have recorded something ends. Hold its `lock` to
    move it, or to read it from another thread.

    If only a sample of the data is here, it can only be at kept states.
    """

    def __init__(self, timeline: Timeline, loss: Loss, examples: Examples, *, leads: bool = True) -> None:
        self.timeline, self.loss, self.examples, self.leads = timeline, loss, examples, leads
        self.live = LiveModel(timeline.branch.keyframes[0, 0], loss, examples)
        self.position = Moment(timeline.current, 0, 0)
        self.half: HalfStep | None = None
        self.stops = Stops()
        self.tick: Callable[[bool], None] = lambda at_once: None
        self.recorded: Callable[[], None] | None = None
        self.lock = threading.RLock()
        self.seconds_per_step = 0.0

    # -- the present moment

    @property
    def state(self) -> State:
        return self.live.state

    @property
    def network(self) -> Network:
        return self.live.network

    @property
    def trainer(self) -> Trainer:
        return self.live.trainer

    @property
    def branch(self) -> Branch:
        return self.timeline.branches[self.position.branch]

    @property
    def in_past(self) -> bool:
        """Whether anything is recorded after this moment."""
        return self.position != self.branch.end

    @property
    def last_loss(self) -> float | None:
        """The training loss of the last step."""
        step = self.position.step
        return float(self.branch.losses.values[step - 1]) if step else None

    def need_data(self) -> None:
        """Raise DataError if steps cannot be computed because the data are not here."""
        if self.examples.missing:
            raise DataError(self.examples.missing)

    # -- the parts of steps, runs and moves

    def load(self, state: State, moment: Moment) -> None:
        """Make a state of a moment the live one."""
        self.live.load(state)
        self.position = moment
        if self.leads:
            self.timeline.current = moment.branch

    def replay_edits(self, until: int | None = None) -> None:
        """Apply the edits recorded at this step that are not applied yet, up to `until` in all."""
        branch, position = self.branch, self.position
        target = branch.edits_through(position.step) if until is None else until
        self.live.replay(placed.edit for placed in branch.edits[position.edits : target])
        if target > position.edits:
            self.position = Moment(position.branch, position.step, target)

    def record_step(self) -> None:
        """Record the step that was just computed, if it is new, and move after it."""
        number, before, count = self.position
        step, losses = before + 1, self.branch.losses
        if step > len(losses):
            losses.append(self.trainer.last_loss)
        self.position = Moment(number, step, count)
        self.keep_keyframe()

    def keep_keyframe(self) -> None:
        """Keep a keyframe if one is due at this step and not there yet."""
        keyframes = self.timeline.keyframes
        if self.position.step % keyframes.stride == 0 and keyframes.wants_keyframe(self.position):
            keyframes.keep(self.position, self.state.copy())

    def keep_in_ring(self) -> None:
        """Keep the present state in the ring, so that a step back from the next moments is fast."""
        if self.leads:
            self.timeline.keyframes.keep_in_ring(self.position, self.state.copy())

    def fork_if_undone(self) -> None:
        """Fork before going on if an edit was undone at this very moment, so that it is not applied again.

        A half-done step is never recorded before an edit that was made in it and taken off, however long ago.
        """
        position, undone = self.position, self.timeline.is_undone_at(self.position)
        edited = position.edits < self.branch.edits_through(position.step)
        if edited and (undone or self.half is not None):
            self._fork(undone=undone)
            if self.half is not None:
                self.half.began = self.half.began._replace(branch=self.position.branch)
            self.tick(True)
        self.timeline.undone.clear()

    # -- a step, phase by phase

    @property
    def phases_done(self) -> int:
        """Phases done of the half-done step; 0 between steps."""
        return 0 if self.half is None else self.half.done

    @property
    def began(self) -> Moment:
        """The moment at which the half-done step began; between steps, the present one."""
        return self.position if self.half is None else self.half.began

    @property
    def phase_order(self) -> tuple[Phase, ...]:
        return self.trainer.phase_order

    def phase(self) -> Phase:
        """Do the next phase of a step; the last one, `update`, ends it."""
        self.need_data()
        with ignore_warnings():
            half = self.half = self.half or self._begin_step()
            if half.done == len(self.phase_order) - 1:
                self.fork_if_undone()
            try:
                done = half.do_phase()
            except NonFiniteError:
                self.cancel_step()
                raise
            if half.done == len(self.phase_order):
                self.complete_step()
                self.stops.stopped(self)
        return done

    def _begin_step(self) -> HalfStep:
        self.fork_if_undone()
        self.keep_in_ring()
        began, before = self.position, self.state.copy()
        self.replay_edits()
        return HalfStep(began, before, self.trainer)

    def complete_step(self) -> bool:
        """Finish a half-done step, as an action of its own; returns whether there was one."""
        if self.half is None:
            return False
        before = self.began
        with ignore_warnings():
            self.end_step(self.half)
        self.timeline.push_action(before._replace(branch=self.position.branch), self.position)
        return True

    def end_step(self, half: HalfStep) -> None:
        """Finish the half-done step and record it."""
        self.fork_if_undone()
        self.half = None
        half.complete()
        self.record_step()

    def cancel_step(self) -> bool:
        """Drop a half-done step and the recorded edits replayed before it; returns whether there was one."""
        half, self.half = self.half, None
        if half is None:
            return False
        half.cancel()
        if self.position != half.began:
            self.load(half.before, half.began)
        return True

    # -- edits and forks

    def edit(self, edit: Edit, report: Callable[[str], RecordedEdit]) -> RecordedEdit:
        """Apply an edit and record it with what `report` makes of its text; in the past this forks.

        In a half-done step, which then begins after the edit, the phases that are done are done again with it. That is
        exact for edits of activations.
        """
        before, here, half, phases = self.position, self.state.copy(), self.half, self.phases_done
        try:
            done = self.live.apply(edit)
            if half is not None:
                half.do_again(self.trainer, phases)
            placed = report(done)
        except BaseException:  # whatever it is, nothing has changed
            self.load(here, before)
            if half is not None:
                half.do_again(self.trainer, phases)
            raise
        if self.in_past:
            self._fork(undone=self.timeline.is_undone_at(before))
        if self.leads:
            self.timeline.keyframes.keep_in_ring(self.position, here)
        self.branch.append_edit(placed)
        self.position = Moment(self.position.branch, self.position.step, self.position.edits + 1)
        if half is not None:
            half.began, half.before, half.edits = self.position, self.state.copy(), half.edits + 1
        self.timeline.push_action(before, self.position)
        self.tick(True)
        return placed

    def fork(self, name: str) -> None:
        """Start a new branch of that name here, and go on there."""
        self.timeline.check_free(name)
        self.cancel_step()
        self._fork(name)
        self.tick(True)

    def _fork(self, name: str | None = None, *, undone: bool = False) -> None:
        made = self.timeline.fork(self.position, name, undone=undone)
        self.position = Moment(made.number, self.position.step, self.position.edits)
