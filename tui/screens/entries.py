"""Shows one of the lab's lists: its log, its interventions."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.render.plain_text import plain
from tui.screens.modal import Modal


class EntriesScreen(Modal[None]):
    """A list, one entry a line."""

    DEFAULT_CSS = "EntriesScreen > VerticalScroll { width: 132; height: auto; }"
    BINDINGS: ClassVar = [("escape,enter,q", "dismiss(None)", "close")]

    def __init__(self, title: str, entries: list[str], hint: str = "") -> None:
        super().__init__()
        self._title, self._entries, self._hint = title, entries, hint

    def compose(self) -> ComposeResult:
        box = VerticalScroll(classes="box")
        box.border_title = plain(self._title)
        box.border_subtitle = plain("   ".join(filter(None, (self._hint, "arrows scroll", "esc closes"))))
        with box:
            yield Static(plain(*self._entries), markup=False)
