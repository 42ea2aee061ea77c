"""HalfStep: a half-done step, with the phases that are left and the state to go back to."""

from __future__ import annotations

from tinynets.history.moment import Moment
from tinynets.nn.block import Phase
from tinynets.training.state import State
from tinynets.training.trainer import Phases


class HalfStep:
    """A step done a phase at a time, with the moment and the state at which it began."""

    def __init__(self, began: Moment, before: State, phases: Phases) -> None:
        self.began, self.before = began, before
        self.done = 0
        """Phases done."""
        self._phases = phases

    def do_phase(self) -> Phase:
        """Do the next phase and return it."""
        phase = next(self._phases)
        self.done += 1
        return phase

    def complete(self) -> None:
        """Do the phases that are left."""
        for _ in self._phases:
            pass

    def cancel(self) -> None:
        """Abandon the rest; nothing has changed, since only the last phase writes the state."""
        self._phases.close()
