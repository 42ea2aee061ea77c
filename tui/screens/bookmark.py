"""Asks for the name and the note of a bookmark."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from tinynets.frame import Pin
from tui.screens.modal import Modal


class BookmarkScreen(Modal[tuple[str, str] | None]):
    """Enter marks the moment; tab goes to the note, which may stay empty."""

    DEFAULT_CSS = """
    BookmarkScreen > Vertical { width: 64; }
    BookmarkScreen #about { color: #8b95a5; }
    """
    BINDINGS: ClassVar = [("escape", "dismiss(None)", "cancel")]

    def __init__(self, step: int, pins: tuple[Pin, ...]) -> None:
        super().__init__()
        self._step, self._pins = step, {pin.name: pin for pin in pins}

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = f"Bookmark step {self._step:,}"
        box.border_subtitle = "enter: mark it   tab: the note   esc: cancel"
        with box:
            name = Input(f"step-{self._step}", id="name", placeholder="a name", select_on_focus=True)
            note = Input(id="note", placeholder="a note, if you like: what is worth remembering here")
            for answer in (name, note):
                answer.cursor_blink = False
                yield answer
            yield Static("", id="about", markup=False)

    def on_input_changed(self) -> None:
        pin = self._pins.get(self.query_one("#name", Input).value.strip())
        about = f"{pin.name} marks step {pin.step:,} now, and will mark this moment instead" if pin else ""
        self.query_one("#about", Static).update(about or "come back with [ and ], or from the tree (t)")

    def on_input_submitted(self) -> None:
        name = self.query_one("#name", Input).value.strip()
        if name:
            self.dismiss((name, self.query_one("#note", Input).value.strip()))
