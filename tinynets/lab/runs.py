"""Runs: trains a network, by steps and by their phases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Annotated

from tinynets.edits.kinds import PHASE, WHOLE
from tinynets.errors import TimelineError
from tinynets.experiment.experiment import Experiment
from tinynets.history import moves, runs
from tinynets.history.player import Player, whole
from tinynets.jobs import Job
from tinynets.lab.breakpoints import Breakpoints, phase_number
from tinynets.lab.reports import PhaseReport, StepReport
from tinynets.lab.verb import verb
from tinynets.numerics.checks import check_whole
from tinynets.recipes.recipe import MAX_STEPS
from tinynets.training.frozen import why_nothing_learns


class Runs:
    """Trains a network, by steps and by their phases, up to a breakpoint.

    `tell` is called when nothing learns any more.
    """

    def __init__(self, experiment: Experiment, breakpoints: Breakpoints, tell: Callable[[str], None]) -> None:
        self._experiment = experiment
        self._breakpoints = breakpoints
        self._tell = tell
        self._still = ""

    @property
    def player(self) -> Player:
        """The player of the run that is trained."""
        return self._experiment.player

    @verb("training", "take a step, or N", takes_steps=True)
    def step(self, n: Annotated[int, WHOLE] = 1) -> Job[StepReport]:
        """Take n steps; a half-done step is finished first and counts. In the past, recorded steps are replayed."""
        return self.run(n)

    @verb("training", "take N steps", takes_steps=True)
    def run(self, steps: Annotated[int, WHOLE]) -> Job[StepReport]:
        """Take many steps, as one action."""
        check_whole("steps", steps, 1, MAX_STEPS)
        player, begun = self.player, perf_counter()
        first = player.position.step
        stopped = yield from self._run(steps)
        step = player.position.step
        still = why_nothing_learns(player.network, player.state, step - (step > first))
        if still and still != self._still:
            self._tell(f"nothing learns: {still}")
        self._still = still
        return StepReport(step, player.last_loss or 0.0, perf_counter() - begun, step - first, still, stopped)

    def free_run(self) -> Job[str]:
        """Take steps until closed, or up to a breakpoint; returns which."""
        return self._run(None)

    def _run(self, steps: int | None) -> Job[str]:
        """Take steps; returns at which breakpoint it stopped, in words, or nothing."""
        watch = self._breakpoints.watch()
        if watch is None:
            yield from runs.run(self.player, steps)
            return ""
        yield from runs.run_until(self.player, watch.holds, steps, watch.ends, watch)
        return watch.reached

    @verb("training", "do the next phase of a step")
    @whole
    def phase(self) -> PhaseReport:
        """Do the next phase of a step: batch, forward layer by layer, loss, backward layer by layer, update."""
        self.player.phase()
        return self._reached(ended=not self.player.phases_done)

    @verb("training", "go a phase back, between steps into the last step", takes_steps=True)
    def phase_back(self) -> Job[PhaseReport]:
        """Go back to the phase before; between steps, into the step just done, to its last phase but `update`."""
        player = self.player
        inside, edits = player.phases_done > 0, player.position.edits
        yield from moves.phase_back(player)
        over = 0 if inside else edits - player.position.edits
        return replace(self._reached(), back=True, edits=over)

    @verb("training", "go to a phase of this step, forward or back: backward hidden")
    @whole
    def phase_to(self, phase: Annotated[str, PHASE]) -> PhaseReport:
        """Go to where a phase of this step is just done, forward or back; between steps this begins one."""
        player, before = self.player, self.player.phases_done
        count = phase_number(player.phase_order, phase) + 1
        ended = moves.phase_to(player, count)
        return replace(self._reached(ended=ended), back=count < before)

    @verb("training", "finish the step that is half done")
    @whole
    def step_out(self) -> PhaseReport:
        """Do the phases of the half-done step that are left."""
        player = self.player
        if not player.phases_done:
            raise TimelineError("no step is half done: `phase` begins one")
        return self._reached(ended=moves.phase_to(player, len(player.phase_order)))

    def _reached(self, *, ended: bool = False) -> PhaseReport:
        """The phase just done; one that ended the step has recorded it."""
        player = self.player
        if ended and player.recorded is not None:
            player.recorded()
        order = player.phase_order
        done = len(order) if ended else player.phases_done
        phase = str(order[done - 1]) if done else ""
        return PhaseReport(player.position.step, phase, str(order[done % len(order)]), done, len(order))
