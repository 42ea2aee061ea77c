"""The base of all controllers: the screen, the shared commands, and a way to ask the user questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from tinynets.server.frame import Status
from tui.controllers.commands import Commands
from tui.model.selection import Selection, UnitNow, unit_now
from tui.screens.ask import AskScreen
from tui.screens.lab import LabScreen
from tui.screens.modal import Modal
from tui.widgets.units import UnitsPane

Answer = TypeVar("Answer")


class Controller:
    """Carries out some of the actions; the registry in `tui/actions.py` names its methods."""

    def __init__(self, ui: LabScreen, commands: Commands) -> None:
        self.ui, self.commands = ui, commands

    @property
    def run_now(self) -> Status | None:
        """The run's present status; None before the first frame."""
        return self.ui.frame.status if self.ui.frame else None

    @property
    def unit_now(self) -> UnitNow:
        """The present state of the selected unit."""
        return unit_now(self.ui.frame, self.ui.selection)

    @property
    def targets(self) -> tuple[Selection, ...]:
        """What an operation is done to: in Units the marked units, block by block, if there are any; else the cursor.

        Empty before the first frame, and where no block has units.
        """
        at, pane = self.ui.selection, self.ui.active_pane
        marked = pane.marked() if isinstance(pane, UnitsPane) else {}
        if self.ui.frame is None or not at.block:
            return ()
        if not marked:
            return (at,)
        return tuple(replace(at, block=block, unit=units[0], group=units) for block, units in marked.items())

    def ask(self, screen: Modal[Answer], answered: Callable[[Answer | None], Any] | None = None) -> None:
        """Open a screen over the lab, and call `answered` with its answer."""
        self.ui.app.push_screen(screen, answered)

    def ask_count(self, title: str, default: str, then: Callable[[int], None]) -> None:
        """Ask for a whole number, and call `then` with it."""

        def answered(text: str | None) -> None:
            if text is None:
                return
            digits = text.replace(",", "").replace("_", "").strip()
            if digits.isdigit() and int(digits) > 0:
                then(int(digits))
            else:
                self.commands.fail(f"`{text}` is not a number of steps: a whole number from 1 is needed")

        self.ask(AskScreen(title, default, "a whole number"), answered)
