"""HalfStep: a half-done step, with the phases that are left and the state to go back to."""

from __future__ import annotations

from tinynets.history.moment import Moment
from tinynets.nn.block import Phase
from tinynets.numerics.arrays import ignore_warnings
from tinynets.training.state import State
from tinynets.training.trainer import Trainer


class HalfStep:
    """A step done a phase at a time, with the moment and the state at which it began."""

    def __init__(self, began: Moment, before: State, trainer: Trainer) -> None:
        self.began, self.before = began, before
        self.done = 0
        """Phases done."""
        self.edits = 0
        """Edits made in it and not undone; the step begins after them."""
        self._phases = trainer.phases()

    def do_phase(self) -> Phase:
        """Do the next phase and return it."""
        phase = next(self._phases)
        self.done += 1
        return phase

    def do_again(self, trainer: Trainer, count: int) -> None:
        """Do its first phases anew: exact, since only the last phase of a step writes what the others read."""
        self.cancel()
        self._phases, self.done = trainer.phases(), 0
        with ignore_warnings():
            for _ in range(count):
                self.do_phase()

    def complete(self) -> None:
        """Do the phases that are left."""
        for _ in self._phases:
            pass

    def cancel(self) -> None:
        """Abandon the rest; nothing has changed, since only the last phase writes the state."""
        self._phases.close()
