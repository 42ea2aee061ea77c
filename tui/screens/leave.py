"""Asks before leaving a run that was not saved."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tinynets.frame import Status


class LeaveScreen(ModalScreen[str | None]):
    """Save and quit, quit, or stay."""

    DEFAULT_CSS = "LeaveScreen > Vertical { width: 58; } LeaveScreen Static { margin-bottom: 1; }"
    BINDINGS: ClassVar = [
        ("s,w", "dismiss('save')", "save and quit"),
        ("q,ctrl+q", "dismiss('quit')", "quit"),
        ("escape,n", "dismiss(None)", "stay"),
    ]

    def __init__(self, status: Status) -> None:
        super().__init__()
        self._status = status

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = "Quit"
        with box:
            yield Static(f"{self._status.recipe} at step {self._status.step:,} has not been saved.", markup=False)
            yield OptionList(
                Option("s  save and quit", id="save"),
                Option("q  quit without saving", id="quit"),
                Option("esc  stay", id="stay"),
            )

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id if event.option.id != "stay" else None)
