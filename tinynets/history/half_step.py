"""A half-done step: what is left of it to do, and what to go back to."""

from __future__ import annotations

from tinynets.history.moment import Moment
from tinynets.nn.block import Phase
from tinynets.training.state import State
from tinynets.training.trainer import Phases


class HalfStep:
    """A step done a phase at a time, from the moment at which it began and the state there."""

    def __init__(self, began: Moment, before: State, phases: Phases) -> None:
        self.began, self.before = began, before
        self.done = 0
        """Phases done."""
        self._phases = phases

    def do_phase(self) -> Phase:
        """Do the next phase and say which it was."""
        phase = next(self._phases)
        self.done += 1
        return phase

    def complete(self) -> None:
        """Do the phases that are left."""
        for _ in self._phases:
            pass

    def cancel(self) -> None:
        """Leave the rest undone; that changes nothing, since only the last phase writes the state."""
        self._phases.close()
