"""Runs: trains a network, by steps and by their phases."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Annotated

from tinynets.edits.kinds import WHOLE
from tinynets.experiment.experiment import Experiment
from tinynets.history import runs
from tinynets.history.player import Player, whole
from tinynets.jobs import Job, Work
from tinynets.lab.reports import PhaseReport, StepReport
from tinynets.lab.verb import verb
from tinynets.numerics.checks import check_whole
from tinynets.recipes.recipe import MAX_STEPS
from tinynets.training.frozen import why_nothing_learns


class Runs:
    """Trains a network, by steps and by their phases. `tell` is called when nothing learns any more."""

    def __init__(self, experiment: Experiment, tell: Callable[[str], None]) -> None:
        self._experiment = experiment
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
        yield from runs.run(player, steps)
        step = player.position.step
        still = why_nothing_learns(player.network, player.state, step - 1)
        if still and still != self._still:
            self._tell(f"nothing learns: {still}")
        self._still = still
        return StepReport(step, player.last_loss or 0.0, perf_counter() - begun, step - first, still)

    def free_run(self) -> Work:
        """Take steps until closed."""
        return runs.run(self.player, None)

    @verb("training", "do the next phase of a step")
    @whole
    def phase(self) -> PhaseReport:
        """Do the next phase of a step: batch, forward layer by layer, loss, backward layer by layer, update."""
        player = self.player
        phase = player.phase()
        if not player.phases_done and player.recorded is not None:  # the last one: a step is recorded
            player.recorded()
        order = player.phase_order
        done = player.phases_done or len(order)
        return PhaseReport(player.position.step, str(phase), str(order[done % len(order)]), done, len(order))
