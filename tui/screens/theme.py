"""A list of themes; the whole screen shows the highlighted one, so that one is seen before it is chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.render.plain_text import plain
from tui.screens.modal import Modal


class ThemeScreen(Modal[str | None]):
    """Arrows show a theme, enter keeps it; the answer is None where none is to be kept. `show` puts one on."""

    DEFAULT_CSS = "ThemeScreen > Vertical { width: 30; }"
    BINDINGS: ClassVar = [("escape,q,T", "dismiss(None)", "close"), ("j", "move('down')"), ("k", "move('up')")]

    def __init__(self, names: list[str], worn: str, show: Callable[[str], None]) -> None:
        super().__init__()
        self._names, self._worn, self._show = names, worn, show

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = "Theme"
        box.border_subtitle = "enter keeps   esc leaves"
        with box:
            yield OptionList(*(Option(plain(name), id=name) for name in self._names), markup=False)

    def on_mount(self) -> None:
        listed = self.query_one(OptionList)
        listed.highlighted = self._names.index(self._worn) if self._worn in self._names else 0
        listed.styles.max_height = max(3, self.app.size.height - 8)
        listed.focus()

    def action_move(self, way: str) -> None:
        listed = self.query_one(OptionList)
        (listed.action_cursor_down if way == "down" else listed.action_cursor_up)()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option.id and not self._answered:
            self._show(event.option.id)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)
