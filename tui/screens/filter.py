"""Asks for the filter of the Units pane; while it is typed, it says how many units it shows or what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from tui.model.unit_filter import FilterError, UnitFilter, read_filter
from tui.model.unit_rows import STATES
from tui.render.plain_text import Typed, plain
from tui.screens.modal import Modal

EXAMPLE = "dead   saturated > 30   |grad| < 1e-4   worth > 0.01 and not frozen"


class FilterScreen(Modal[UnitFilter | None]):
    """Enter answers with a filter that can be read; escape does not."""

    DEFAULT_CSS = "FilterScreen > Vertical { width: 76; } FilterScreen Static { height: auto; }"
    BINDINGS: ClassVar = [("escape", "dismiss(None)", "cancel")]

    def __init__(self, text: str, shown_by: Callable[[UnitFilter], tuple[int, int]]) -> None:
        super().__init__()
        self._text, self._shown_by = text, shown_by

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = "Show the units that are"
        box.border_subtitle = "enter: show them   empty: all   esc: cancel"
        with box:
            answer = Input(self._text, placeholder=EXAMPLE, highlighter=Typed(), select_on_focus=True)
            answer.cursor_blink = False
            yield answer
            yield Static(plain(self._about(self._text)), markup=False)

    def _about(self, text: str) -> str:
        """How many units the filter shows; or what is wrong with it."""
        try:
            count, total = self._shown_by(read_filter(text, STATES))
        except FilterError as error:
            return str(error)
        return f"{count} of {total} units"

    def on_input_changed(self, event: Input.Changed) -> None:
        self.query_one(Static).update(plain(self._about(event.value)))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            self.dismiss(read_filter(event.value, STATES))
        except FilterError:
            self.app.bell()  # what is wrong stands under the line
