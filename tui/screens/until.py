"""Asks for a condition, and whether to run forward until it holds or go back to where it last held."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from tui.render import palette
from tui.render.drawing import columns, padded
from tui.render.palette import Terminal
from tui.render.plain_text import Typed, plain
from tui.screens.modal import Modal

WAYS = {
    False: ("right", "forward: take steps until it holds"),
    True: ("target", "backward: to the last moment before this one at which it held"),
}


class UntilScreen(Modal[tuple[str, bool] | None]):
    """Answers with the condition, and True for backward."""

    DEFAULT_CSS = """
    UntilScreen > Vertical { width: 76; }
    UntilScreen Static { margin-top: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """
    BINDINGS: ClassVar = [("escape", "dismiss(None)", "cancel")]

    def __init__(self, unit: str, back: bool, before: str = "") -> None:
        super().__init__()
        self._unit, self._back, self._before = unit, back, before

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_subtitle = "enter: go   tab: forward or backward   esc: cancel"
        with box:
            answer = Input(self._before, placeholder="loss < 2.3", highlighter=Typed(), select_on_focus=True)
            answer.cursor_blink = False
            yield answer
            yield Static("", id="way", markup=False)
            yield Static(self._examples(), id="examples", markup=False)

    def on_mount(self) -> None:
        self._say_way()

    def key_tab(self) -> None:
        self._back = not self._back
        self._say_way()

    key_shift_tab = key_tab

    def _say_way(self) -> None:
        look: Terminal = getattr(self.app, "look", Terminal())
        glyph, words = WAYS[self._back]
        self.query_one(Vertical).border_title = plain("Back until" if self._back else "Run until")
        self.query_one("#way", Static).update(Text(f"{look.glyph(glyph)} {words}", palette.ACCENT_BOLD))

    def _examples(self) -> Text:
        """Examples of conditions, about the selected unit."""
        unit = self._unit or "hidden[7]"
        lines = (
            ("loss < 2.3", "training loss of a step"),
            ("average < 2.3", "its mean over the last 100 steps"),
            ("accuracy > 0.4", "on the probe"),
            ("loss < 2 limit=500", "gives up after 500 steps, forward"),
            (f"dead {unit}", "also alive, saturated, frozen"),
            (f"mean {unit} > 0.5", "its mean output on the probe"),
            (f"loss < 2.3 and alive {unit}", "also or, not"),
        )
        text = Text()
        width = max(columns(example) for example, _ in lines) + 3
        for example, about in lines:
            text.append(padded(example, width), palette.TEXT)
            text.append(about + "\n", palette.DIM)
        text.rstrip()
        return text

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self.dismiss((event.value.strip(), self._back))
