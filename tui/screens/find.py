"""The line that finds things: units, blocks, examples, edits, bookmarks, branches, splits, panes, settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.model.find import Found
from tui.render import palette
from tui.render.drawing import clip
from tui.render.plain_text import Typed, plain
from tui.screens.modal import Modal

WIDE = 84


class FindScreen(Modal[Found | None]):
    """Answers with what was chosen; `find` gives what fits the text typed so far."""

    DEFAULT_CSS = f"""
    FindScreen > Vertical {{ width: {WIDE}; margin-top: 2; padding: 0 1; }}
    FindScreen OptionList {{ max-height: 12; }}
    """
    BINDINGS: ClassVar = [
        ("escape", "dismiss(None)", "close"),
        Binding("down,tab", "move(1)", "down", priority=True),
        Binding("up,shift+tab", "move(-1)", "up", priority=True),
    ]

    def __init__(self, find: Callable[[str], list[Found]]) -> None:
        super().__init__()
        self._find = find
        self._found: list[Found] = []

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = "Find"
        box.border_subtitle = "enter goes there   up down choose   esc closes"
        with box:
            hint = "117   hidden[117]   emma   zero   a bookmark, a branch, a pane, a setting"
            yield Input(placeholder=hint, highlighter=Typed(), select_on_focus=False)
            yield OptionList(markup=False)
            yield Static("", id="none", markup=False)

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self._fill("")

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._fill(event.value)

    def _fill(self, text: str) -> None:
        """List what fits; the best is highlighted."""
        listing, none = self.query_one(OptionList), self.query_one("#none", Static)
        self._found = self._find(text)
        room = min(WIDE, self.app.size.width * 96 // 100) - 6
        listing.set_options(Option(_row(found, room)) for found in self._found)
        listing.highlighted = 0 if self._found else None
        none.display = not self._found
        if not self._found:
            none.update(plain(f"nothing is called `{text.strip()}`: a unit's number, a name or letters of one"))

    def action_move(self, by: int) -> None:
        listing = self.query_one(OptionList)
        listing.action_cursor_down() if by > 0 else listing.action_cursor_up()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        found = self._find(event.value)  # what was typed last may not be listed yet
        at = self.query_one(OptionList).highlighted or 0
        if found:
            self.dismiss(found[at if found == self._found else 0])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._found[event.option_index])


def _row(found: Found, room: int) -> Text:
    row = Text(no_wrap=True, overflow="ellipsis")
    row.append(f"{found.kind:<9}", palette.DIM.without_color)
    name = clip(found.name, room - 10)
    row.append(name, "bold")
    row.append(clip(f"  {found.about}", max(0, room - 10 - len(name))))
    return row
