"""Asks before an unsaved run is left, for another run or to quit."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tinynets.server.frame import Status
from tui.render.plain_text import plain
from tui.screens.modal import Modal


class LeaveScreen(Modal[str | None]):
    """Save and go, go, or stay; `verb` is quit or open."""

    DEFAULT_CSS = "LeaveScreen > Vertical { width: 58; } LeaveScreen Static { margin-bottom: 1; }"
    BINDINGS: ClassVar = [
        ("s,w", "dismiss('save')", "save and go"),
        ("q,ctrl+q", "go('quit')", "quit"),
        ("o", "go('open')", "open"),
        ("escape,n", "dismiss(None)", "stay"),
    ]

    def __init__(self, status: Status, verb: str = "quit") -> None:
        super().__init__()
        self._status, self._verb = status, verb

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = plain(self._verb.capitalize())
        with box:
            said = f"{self._status.recipe} at step {self._status.step:,} has not been saved."
            yield Static(plain(said), markup=False)
            yield OptionList(
                Option(f"s  save and {self._verb}", id="save"),
                Option(f"{self._verb[0]}  {self._verb} without saving", id="go"),
                Option("esc  stay", id="stay"),
                markup=False,
            )

    def action_go(self, verb: str) -> None:
        if verb == self._verb:
            self.dismiss("go")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id if event.option.id != "stay" else None)
