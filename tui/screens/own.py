"""Asks for an input of the user's own: a text, a point, values by name, an example of the data, or a drawing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from tinynets.server.frame import Inputs
from tui.model.own_input import DRAW, hints
from tui.render.plain_text import Typed, plain
from tui.screens.modal import Modal


class OwnScreen(Modal[bool]):
    """Enter takes what was typed, if it is right; else it stays, and what is wrong is told. Its answer: to draw."""

    DEFAULT_CSS = (
        "OwnScreen > Vertical { width: 76; } OwnScreen #wrong { color: #ff7b72; } OwnScreen #hints { color: #8b95a5; }"
    )
    BINDINGS: ClassVar = [("escape", "dismiss(False)", "cancel")]

    def __init__(self, inputs: Inputs, splits: Sequence[str], said: str, take: Callable[[str], Awaitable[str]]) -> None:
        """`take` looks at what was typed, and returns what is wrong with it."""
        super().__init__()
        self._inputs, self._splits, self._take = inputs, splits, take
        self._said = said or (DRAW if inputs.image is not None else "")

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = "An input of your own"
        box.border_subtitle = "enter: every pane follows it   esc: cancel"
        with box:
            answer = Input(self._said, placeholder="emma, 0.3 -1.2, dev 12", highlighter=Typed(), select_on_focus=True)
            answer.cursor_blink = False
            yield answer
            yield Static("", id="wrong", markup=False)
            yield Static(plain(*hints(self._inputs, self._splits)), id="hints", markup=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        self.query_one("#wrong", Static).update("")

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        wrong = await self._take(event.value)
        if wrong:
            self.query_one("#wrong", Static).update(plain(wrong))
        else:
            self.dismiss(event.value.strip() == DRAW)
