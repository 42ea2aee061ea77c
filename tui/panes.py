"""The list of panes: for each its widget, its slot on the desk, and its line in the help."""

from __future__ import annotations

from dataclasses import dataclass

from tui.widgets.activations import ActivationsPane
from tui.widgets.desk import Desk, Slot
from tui.widgets.loss import LossPane
from tui.widgets.network import NetworkPane
from tui.widgets.neuron import NeuronPane
from tui.widgets.output import OutputPane
from tui.widgets.pane import Pane
from tui.widgets.weights import WeightsPane


@dataclass(frozen=True)
class PaneRow:
    """One pane; on each side of the desk, panes are stacked in the order of their rows."""

    widget: type[Pane]
    slot: Slot
    help: str

    @property
    def name(self) -> str:
        return self.widget.NAME

    @property
    def title(self) -> str:
        return f"{self.widget.NUMBER} {self.name.capitalize()}"


ROWS = (
    PaneRow(
        NetworkPane,
        Slot("left", (2, 5), 6),
        "each unit a cell, coloured by its activation on the selected probe example",
    ),
    PaneRow(
        WeightsPane,
        Slot("left", (1, 2)),
        "what comes into each unit: inputs down, units across; the selected column between bars",
    ),
    PaneRow(
        ActivationsPane,
        Slot("left"),
        "each unit (across) on each probe example (down); under it the share of saturated ones",
    ),
    PaneRow(
        LossPane,
        Slot("right", (3, 10), 10),
        "mean and range of the training loss; dots are evaluations (e makes one)",
    ),
    PaneRow(NeuronPane, Slot("right", (11, 20), 12), "the selected unit: its sum, its largest terms, where it goes"),
    PaneRow(OutputPane, Slot("right"), "what the network says for the selected example, and what it generates"),
)
SLOTS = {row.name: row.slot for row in ROWS}


def make_desk() -> Desk:
    """Make the desk with all panes on it."""
    return Desk(SLOTS, *(row.widget() for row in ROWS))
