"""All that can be done to the selected unit, by family, each with its key."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tinynets.frame import Frame
from tui import palette
from tui.actions import shown_key
from tui.drawing import clip
from tui.marks import SIGNS
from tui.operations import KEYS, Entry, Line, menu
from tui.palette import Look
from tui.screens.modal import Modal
from tui.selection import Selection

WIDE = 112


class OperateScreen(Modal[Line | None]):
    """Gives the line that does what was chosen."""

    DEFAULT_CSS = f"OperateScreen > Vertical {{ width: {WIDE}; padding: 1 2 0 2; }}"
    BINDINGS: ClassVar = [("escape,q", "dismiss(None)", "close"), ("j", "down", "down"), ("k", "up", "up")]

    def __init__(self, frame: Frame, selection: Selection) -> None:
        super().__init__()
        self._frame, self._selection, self._before = frame, selection, False
        self._room = WIDE
        self._entries: list[Entry] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield OptionList()

    def on_mount(self) -> None:
        self._fill()

    def _fill(self) -> None:
        """List what fits the unit, at its output or before its activation."""
        box, options = self.query_one(Vertical), self.query_one(OptionList)
        self._entries = menu(self._frame, self._selection, self._before)
        block = next(block for block in self._frame.blocks if block.name == self._selection.block)
        where = ", before its activation" if self._before else ""
        box.border_title = f"What to do to {self._selection.selector}{where}"
        site = f"tab: {'at the output' if self._before else 'before the activation'}   " if block.pre else ""
        box.border_subtitle = f"a key, or enter   {site}esc closes"
        size = self.app.size
        options.styles.max_height = size.height * 95 // 100 - 4
        self._room = min(WIDE, size.width * 96 // 100) - 8
        at = options.highlighted or 0
        options.clear_options()
        families = [entry.family for entry in self._entries]
        for place, entry in enumerate(self._entries):
            first = place == 0 or families[place - 1] != entry.family
            options.add_option(Option(self._row(entry, first), id=entry.verb))
        options.highlighted = min(at, len(self._entries) - 1)

    def _row(self, entry: Entry, first: bool) -> Text:
        look: Look = getattr(self.app, "look", Look())
        glyph = SIGNS[entry.verb].glyph(look) if entry.verb in SIGNS else " "
        called = entry.verb + ((" …" if look.unicode else " ..") if entry.line.asked else "")
        row = Text(no_wrap=True, overflow="ellipsis")
        row.append(f"{entry.family if first else '':<12}", palette.DIM.without_color)
        row.append(f"{shown_key(KEYS[entry.verb]):>2}  ", "bold")
        row.append(f"{glyph} {called:<14}")
        row.append(f" {clip(entry.help, self._room - 34)}")
        return row

    def action_down(self) -> None:
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        self.query_one(OptionList).action_cursor_up()

    def key_tab(self) -> None:
        block = next(block for block in self._frame.blocks if block.name == self._selection.block)
        if block.pre:
            self._before = not self._before
            self._fill()

    key_shift_tab = key_tab

    def on_key(self, event: events.Key) -> None:
        chosen = next(
            (entry for entry in self._entries if event.key in (KEYS[entry.verb], NUMPAD.get(entry.verb))), None
        )
        if chosen is not None:
            event.stop()
            self.dismiss(chosen.line)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(next(entry.line for entry in self._entries if entry.verb == event.option.id))


NUMPAD = {"nudge": "equals_sign"}
"""Other keys for the same: + without shift."""
