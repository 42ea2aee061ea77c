"""Works in the Units pane: sorts, filters and marks units, and measures their worth."""

from __future__ import annotations

from dataclasses import replace

from tui.controllers.base import Controller
from tui.model.unit_filter import UnitFilter
from tui.model.unit_rows import Sorting
from tui.widgets.units import UnitsPane

WORTH = Sorting("worth")


class UnitsController(Controller):
    """The actions of the Units pane."""

    @property
    def pane(self) -> UnitsPane:
        pane = self.ui.panes["units"]
        assert isinstance(pane, UnitsPane)
        return pane

    def sort(self, by: int) -> None:
        """Sort by the column to the left or right."""
        self.pane.sort(self.pane.sorting.beside(by))

    def turn(self) -> None:
        self.pane.sort(replace(self.pane.sorting, turned=not self.pane.sorting.turned))

    def filter(self) -> None:
        from tui.screens.filter import FilterScreen  # the app starts sooner without it

        if self.ui.frame is not None:
            self.ask(FilterScreen(self.pane.filter.text, self.pane.shown_by), self._filtered)

    def _filtered(self, wanted: UnitFilter | None) -> None:
        if wanted is not None:
            self.pane.let_through(wanted)

    def mark(self) -> None:
        """Mark the unit under the cursor, and go on to the next."""
        before = self.pane.marked()
        self.pane.toggle_marks(False)
        self._say()
        if self.pane.marked() != before and (below := self.pane.moved(0, 1)):
            self.ui.choose(below)

    def mark_all(self) -> None:
        self.pane.toggle_marks(True)
        self._say()

    def _say(self) -> None:
        """Say how many units are marked, and what for."""
        count = sum(map(len, self.pane.marked().values()))
        what = f"{count} marked: z, f, a and others act on all of them; esc unmarks"
        self.ui.status.say(what if count else "no unit is marked")
        self.ui.keys.redraw()

    def everywhere(self) -> None:
        """List the units of all blocks, or of the selected one."""
        self.pane.every_unit = not self.pane.every_unit
        self.ui.send_view()

    def worth(self) -> None:
        """Measure the worth of the units of the selected block, then sort by it and go to the one that matters most."""
        if self.ui.frame is not None and self.ui.selection.block:
            self.commands.start(self._measure(self.ui.selection.block))

    async def _measure(self, block: str) -> None:
        found = await self.commands.done("worth", block)
        if found is False:
            return
        self.pane.sort(WORTH)
        if self.ui.selection.block == block:
            self.ui.select(unit=found.best)

    def open(self) -> None:
        """Select the unit, and go to it in the Neuron pane."""
        chosen = self.pane.here()
        if chosen is not None:
            self.ui.choose(chosen)
            self.ui.pick_pane("neuron")
