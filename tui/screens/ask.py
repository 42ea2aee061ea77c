"""Asks for one line of text: a number of steps, a path."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from tui.render.plain_text import Typed, plain
from tui.screens.modal import Modal


class AskScreen(Modal[str | None]):
    """Enter answers, escape does not."""

    DEFAULT_CSS = "AskScreen > Vertical { width: 60; }"
    BINDINGS: ClassVar = [("escape", "dismiss(None)", "cancel")]

    def __init__(self, title: str, default: str, hint: str) -> None:
        super().__init__()
        self._title, self._default, self._hint = title, default, hint

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = plain(self._title)
        box.border_subtitle = "enter: do it   esc: cancel"
        with box:
            answer = Input(self._default, placeholder=self._hint, highlighter=Typed(), select_on_focus=True)
            answer.cursor_blink = False
            yield answer

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)
