"""The phases of a step and the breakpoints, for the bar under the header."""

from __future__ import annotations

from tinynets.lab.breakpoints import Breakpoint
from tinynets.nn.network import Network
from tinynets.server.frame import BreakpointMark, PhaseMark
from tinynets.training.trainer import Trainer


class PhaseList:
    """Lists the phases of a network's step; made once a network."""

    def __init__(self) -> None:
        self._network: Network | None = None
        self._marks: tuple[PhaseMark, ...] = ()

    def of(self, trainer: Trainer) -> tuple[PhaseMark, ...]:
        network = trainer.network
        if self._network is not network:
            blocks = {
                layer.name: block.name
                for block in network.blocks
                for layer in network.layers[block.first : block.last + 1]
            }
            self._marks = tuple(PhaseMark(kind, layer, blocks.get(layer, "")) for kind, layer in trainer.phase_order)
            self._network = network
        return self._marks


def breakpoint_marks(breakpoints: tuple[Breakpoint, ...]) -> tuple[BreakpointMark, ...]:
    return tuple(BreakpointMark(e.number, e.text, e.at_phase, e.on, e.rests) for e in breakpoints)
