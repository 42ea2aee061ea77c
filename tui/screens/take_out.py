"""Asks what to take out of the lab, and to which file: a pane or the screen as a picture, as text or as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui.render.plain_text import Typed, plain
from tui.screens.modal import Modal


@dataclass(frozen=True)
class Offer:
    """One thing that can be taken out: its words, the pane (`screen` for all of it), and the path proposed."""

    words: str
    what: str
    path: str


class TakeOutScreen(Modal[tuple[str, str] | None]):
    """Up and down choose, the path can be changed, enter writes; answers (what, path)."""

    DEFAULT_CSS = "TakeOutScreen > Vertical { width: 72; } TakeOutScreen OptionList { max-height: 9; }"
    BINDINGS: ClassVar = [
        ("escape", "dismiss(None)", "cancel"),
        ("up", "walk(-1)", "before"),
        ("down", "walk(1)", "next"),
    ]

    def __init__(self, offers: list[Offer]) -> None:
        super().__init__()
        self._offers = offers
        self._proposed = offers[0].path

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = "Take out"
        box.border_subtitle = "up and down: what   enter: write   esc: cancel"
        with box:
            yield OptionList(*(Option(plain(offer.words)) for offer in self._offers), markup=False)
            path = Input(self._proposed, highlighter=Typed(), select_on_focus=False)
            path.cursor_blink = False
            yield path

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self.query_one(OptionList).highlighted = 0
        self.query_one(Input).focus()

    def action_walk(self, by: int) -> None:
        options = self.query_one(OptionList)
        options.highlighted = ((options.highlighted or 0) + by) % len(self._offers)

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Propose the path of what is chosen, unless the user has typed another."""
        path = self.query_one(Input)
        if path.value == self._proposed:
            self._proposed = path.value = self._offers[event.option_index].path
            path.cursor_position = len(path.value)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        chosen = self._offers[self.query_one(OptionList).highlighted or 0]
        self.dismiss((chosen.what, event.value.strip()) if event.value.strip() else None)
