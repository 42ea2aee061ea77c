"""The list of panes: for each its widget, its place on the desk, and its line in the help."""

from __future__ import annotations

from dataclasses import dataclass

from tui.widgets.activations import ActivationsPane
from tui.widgets.desk import Desk, Slot
from tui.widgets.examples import ExamplesPane
from tui.widgets.log import LogPane
from tui.widgets.loss import LossPane
from tui.widgets.network import NetworkPane
from tui.widgets.neuron import NeuronPane
from tui.widgets.output import OutputPane
from tui.widgets.pane import Pane
from tui.widgets.units import UnitsPane
from tui.widgets.weights import WeightsPane


@dataclass(frozen=True)
class PaneRow:
    """One pane; on each side of the desk, places are stacked in the order of their first rows."""

    widget: type[Pane]
    slot: Slot
    help: str

    @property
    def name(self) -> str:
        return self.widget.NAME

    @property
    def title(self) -> str:
        return f"{self.widget.number()} {self.name.capitalize()}"


ROWS = (
    PaneRow(
        NetworkPane,
        Slot("left", "network", (2, 5), 6),
        "each unit a cell, coloured by what the lens (v) shows of it on the selected example",
    ),
    PaneRow(UnitsPane, Slot("left", "units", (1, 2)), "every unit of the block as a row, to sort, filter and mark"),
    PaneRow(
        WeightsPane,
        Slot("left", "weights"),
        "what comes into each unit, through the lens: inputs down, units across; the selected one between bars",
    ),
    PaneRow(
        ActivationsPane,
        Slot("left", "units", (1, 2)),
        "each unit (across) on each example (down), through the lens; in mid-step the batch and its losses",
    ),
    PaneRow(
        LossPane,
        Slot("right", "loss", (3, 11), 10),
        "the training loss, evaluations (e makes one) and other branches; arrows read out, enter goes there",
    ),
    PaneRow(
        NeuronPane, Slot("right", "neuron", (6, 13), 12), "the selected unit: its sum, its largest terms, where it goes"
    ),
    PaneRow(
        OutputPane,
        Slot("right", "output", (2, 3), 6),
        "what the network says for the selected example, and what it generates",
    ),
    PaneRow(ExamplesPane, Slot("right", "output", (2, 3), 6), "the examples by class, the wrong ones first"),
    PaneRow(LogPane, Slot("right", "log"), "every action as its line of Python; enter goes there"),
)
SLOTS = {row.name: row.slot for row in ROWS}


def make_desk() -> Desk:
    """Make the desk with all panes on it."""
    return Desk(SLOTS, *(row.widget() for row in ROWS))
