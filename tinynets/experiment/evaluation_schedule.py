"""EvaluationSchedule: makes the automatic evaluations of a run when they are due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinynets.experiment.evaluator import Evaluator
from tinynets.history.player import ENDLESS, Player, Stops
from tinynets.jobs import Progress

EARLY = (2, 4, 8, 16)
"""Before its first `every` steps a run is evaluated at these fractions of it, when a network learns fastest."""


def _unwatched(progress: Progress) -> None:
    pass


@dataclass
class EvaluationSchedule(Stops):
    """Evaluates `dev` at a fixed interval of steps (0: never), and a few times before the first of those."""

    evaluator: Evaluator
    every: int
    watched: Callable[[Progress], None] = _unwatched
    """Called with the progress of an evaluation during a run."""

    def next_stop(self, step: int) -> int:
        """The first step after `step` at which an evaluation is due."""
        every = self.every
        if not every:
            return ENDLESS
        early = [every // part for part in EARLY if every % part == 0 and every // part > step]
        return min([*early, step + every - step % every])

    def is_due(self, step: int) -> bool:
        """Whether a run evaluates automatically when it reaches a step."""
        return bool(step) and self.next_stop(step - 1) == step and "dev" in self.evaluator.splits.data.splits

    def stopped(self, player: Player) -> bool:
        """Evaluate if it is due; returns whether it was."""
        step = player.position.step
        if step < len(player.branch.losses) or not self.is_due(step):
            return False
        for progress in self.evaluator.evaluate(player, "dev"):
            self.watched(progress)
        return True
