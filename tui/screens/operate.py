"""The menu of all operations on the selected unit, by family, each with its key."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tinynets.server.frame import Frame
from tui.actions import shown_key
from tui.model.operations import OUTPUT, CommandDraft, Entry, Site, menu, sites
from tui.model.selection import Selection
from tui.render import palette
from tui.render.drawing import clip_words
from tui.render.marks import SIGNS
from tui.render.palette import Terminal
from tui.render.plain_text import plain
from tui.screens.modal import Modal

WIDE = 112


class OperateScreen(Modal[CommandDraft | None]):
    """Answers with the command line of the chosen operation."""

    DEFAULT_CSS = f"OperateScreen > Vertical {{ width: {WIDE}; padding: 1 2 0 2; }}"
    BINDINGS: ClassVar = [("escape,q", "dismiss(None)", "close"), ("j", "down", "down"), ("k", "up", "up")]

    def __init__(self, frame: Frame, selection: Selection) -> None:
        super().__init__()
        self._frame, self._selection, self._site = frame, selection, OUTPUT
        self._block = next(block for block in frame.blocks if block.name == selection.block)
        self._time = self._block.positions - 1
        """The time step to operate on; at first the last one, which the panes show."""
        self._typed = ""
        self._room = WIDE
        self._entries: list[Entry] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield OptionList(markup=False)

    def on_mount(self) -> None:
        self._fill()

    def _fill(self) -> None:
        """List the operations that fit the unit at the chosen site."""
        box, options = self.query_one(Vertical), self.query_one(OptionList)
        under = options.highlighted
        verb = self._entries[under].verb if under is not None and self._entries else ""
        self._entries = menu(self._frame, self._selection, self._site)
        time = "" if self._site.time is None else f"@t={self._site.time}"
        where = ", before its activation" if self._site.before else time
        box.border_title = plain(f"What to do to {self._selection.selector}{where}")
        box.border_subtitle = plain(f"a key, or enter   {self._hint()}esc closes")
        size = self.app.size
        options.styles.max_height = size.height * 95 // 100 - 4
        self._room = min(WIDE, size.width * 96 // 100) - 8
        options.clear_options()
        families = [entry.family for entry in self._entries]
        for place, entry in enumerate(self._entries):
            first = place == 0 or families[place - 1] != entry.family
            options.add_option(Option(self._row(entry, first), id=entry.verb))
        options.highlighted = next((place for place, entry in enumerate(self._entries) if entry.verb == verb), 0)

    def _hint(self) -> str:
        """Which site tab goes to next, and how to choose another time step."""
        later = self._next(1)
        if later == self._site:
            return ""
        tab = "before the activation" if later.before else "at the output" if later.time is None else "at one time step"
        times = f"{shown_key('left')} {shown_key('right')} or 0-{self._block.positions - 1}: time   "
        return f"tab: {tab}   {'' if self._site.time is None else times}"

    def _next(self, by: int) -> Site:
        found = sites(self._block, self._time)
        return found[(found.index(self._site) + by) % len(found)]

    def _row(self, entry: Entry, first: bool) -> Text:
        look: Terminal = getattr(self.app, "look", Terminal())
        glyph = SIGNS[entry.verb].glyph(look) if entry.verb in SIGNS else " "
        called = entry.verb + ((" …" if look.unicode else " ..") if entry.line.asked else "")
        row = Text(no_wrap=True, overflow="ellipsis")
        row.append(f"{entry.family if first else '':<12}", palette.DIM.without_color)
        row.append(f"{shown_key(entry.key):>2}  ", "bold")
        row.append(f"{glyph} {called:<14}")
        row.append(f" {clip_words(entry.help, self._room - 34)}")
        return row

    def action_down(self) -> None:
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        self.query_one(OptionList).action_cursor_up()

    def key_tab(self) -> None:
        self._go(self._next(1))

    def key_shift_tab(self) -> None:
        self._go(self._next(-1))

    def _go(self, site: Site) -> None:
        if site != self._site:
            self._site = site
            self._fill()

    def _at(self, time: int) -> None:
        """Go to a time step, or to the nearest that exists."""
        self._time = max(0, min(time, self._block.positions - 1))
        self._go(Site(time=self._time))

    def _chooses_time(self, key: str) -> bool:
        """Handle left, right and digits; digits typed in a row make one number while such a time step exists."""
        if self._site.time is None:
            return False
        if key.isdecimal():
            self._typed = next((text for text in (self._typed + key, key) if int(text) < self._block.positions), "")
            if self._typed:
                self._at(int(self._typed))
            return True
        self._typed = ""
        if key in ("left", "right"):
            self._at(self._time + (1 if key == "right" else -1))
        return key in ("left", "right")

    def on_key(self, event: events.Key) -> None:
        if self._chooses_time(event.key):
            event.stop()
            return
        chosen = next((entry for entry in self._entries if event.key in (entry.key, NUMPAD.get(entry.verb))), None)
        if chosen is not None:
            event.stop()
            self.dismiss(chosen.line)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(next(entry.line for entry in self._entries if entry.verb == event.option.id))


NUMPAD = {"nudge": "equals_sign"}
"""Other keys for the same verb: + without shift."""
