"""Asks before something is lost for good."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.render.plain_text import plain
from tui.screens.modal import Modal

TIGHT = 20
"""In a terminal with fewer lines, the dialog has no blank ones."""


class ConfirmScreen(Modal[bool]):
    """Enter keeps things as they are; losing them takes a letter, which the subclass binds, or a choice in the list."""

    DEFAULT_CSS = "ConfirmScreen > Vertical { width: 64; } ConfirmScreen Static { margin-bottom: 1; }"
    BINDINGS: ClassVar = [("y", "dismiss(True)", "do it"), ("escape,n,q", "dismiss(False)", "keep")]

    def __init__(self, title: str, lines: list[str], do: str) -> None:
        super().__init__()
        self._title, self._lines, self._do = title, lines, do

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = plain(self._title)
        with box:
            tight = self.app.size.height < TIGHT
            yield Static(plain(*(text for text in self._lines if text or not tight)), markup=False)
            yield OptionList(Option("esc  keep it", id="keep"), Option(self._do, id="do"), markup=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id == "do")
