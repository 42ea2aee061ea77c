"""Asks for the name and the note of a bookmark."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from tinynets.server.frame import Frame
from tui.render.plain_text import Typed, plain
from tui.screens.modal import Modal


class BookmarkScreen(Modal[tuple[str, str] | None]):
    """Enter bookmarks the moment once the lab is paused; tab goes to the note, which may stay empty."""

    STILL: ClassVar = True

    DEFAULT_CSS = """
    BookmarkScreen > Vertical { width: 64; }
    BookmarkScreen #about { color: $lab-dim; }
    """
    BINDINGS: ClassVar = [("escape", "dismiss(None)", "cancel")]

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self._frame = frame
        self._entered = False

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = plain(_title(self._frame))
        box.border_subtitle = "enter: mark it   tab: the note   esc: cancel"
        with box:
            name = Input(_name(self._frame), id="name", placeholder="a name", highlighter=Typed(), select_on_focus=True)
            hint = "a note, if you like: what is worth remembering here"
            note = Input(id="note", placeholder=hint, highlighter=Typed())
            for answer in (name, note):
                answer.cursor_blink = False
                yield answer
            yield Static("", id="about", markup=False)

    def take(self, frame: Frame) -> None:
        """Suggest the present step as the name, unless another name was typed."""
        name = self.query_one("#name", Input)
        if name.value == _name(self._frame) != _name(frame):
            name.value = _name(frame)
            name.select_all()
        self._frame = frame
        self.query_one(Vertical).border_title = plain(_title(frame))
        if self._entered:
            self.on_input_submitted()

    def on_input_changed(self) -> None:
        pins = {pin.name: pin for pin in self._frame.timeline.pins}
        pin = pins.get(self.query_one("#name", Input).value.strip())
        about = f"{pin.name} marks step {pin.step:,} now, and will mark this moment instead" if pin else ""
        self.query_one("#about", Static).update(plain(about or "come back with [ and ], or from the tree (t)"))

    def on_input_submitted(self) -> None:
        name = self.query_one("#name", Input).value.strip()
        self._entered = self._frame.status.mode != "paused"
        if name and not self._entered:
            self.dismiss((name, self.query_one("#note", Input).value.strip()))


def _title(frame: Frame) -> str:
    return f"Bookmark step {frame.status.step:,}"


def _name(frame: Frame) -> str:
    return f"step-{frame.status.step}"
