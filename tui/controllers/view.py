"""Changes the view: the cursor, the example, the visible panes, the command line, the help."""

from __future__ import annotations

from tinynets.server.frame import PANES
from tui.controllers.base import Controller
from tui.screens.help import HelpScreen


class ViewController(Controller):
    """The actions that change the view, and nothing in the run."""

    def move(self, right: int, down: int) -> None:
        pane = self.ui.active_pane
        chosen = pane.moved(right, down)
        if chosen is None and pane.NAME not in ("network", "weights", "activations"):
            chosen = self.ui.panes["network"].moved(right, down)
        if chosen:
            self.ui.choose(chosen)

    def example(self, by: int) -> None:
        self.ui.select(example=self.ui.selection.example + by)

    def pane(self, name: str) -> None:
        self.ui.pick_pane(name)

    def next_pane(self, by: int) -> None:
        """Go to the next pane; while a line is being typed, to its next completion."""
        if self.ui.command_line.display:
            self.ui.command_line.complete()
            return
        at = PANES.index(self.ui.desk.choice.active)
        self.ui.pick_pane(PANES[(at + by) % len(PANES)])

    def zoom(self) -> None:
        self.ui.toggle_zoom()

    def command_line(self) -> None:
        self.ui.open_command_line()

    def help(self) -> None:
        self.ask(HelpScreen())
