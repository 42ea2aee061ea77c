"""What to open: recipes with a picture each, saves, and what was left unsaved; typing filters, or is a path."""

from __future__ import annotations

import asyncio
import os
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tinynets.system.paths import expanded
from tui.model.sources import TITLES, Openable, everything
from tui.render import palette
from tui.render.drawing import clip, padded
from tui.render.palette import Terminal
from tui.render.plain_text import Typed, plain
from tui.render.thumbnails import WIDTH, thumbnail
from tui.screens.modal import Modal
from tui.state import key_of

WIDE = 100


class OpenScreen(Modal[str | None]):
    """Arrows and enter pick; what is typed filters the list, and where nothing fits it is a path.

    At the start it is all there is: then the source that was opened last is highlighted, and enter goes on there.
    """

    DEFAULT_CSS = "OpenScreen > Vertical { width: 100; } OpenScreen Input { margin-bottom: 1; }"
    BINDINGS: ClassVar = [
        Binding("escape", "dismiss(None)", "close"),
        Binding("down", "move('cursor_down')", show=False),
        Binding("up", "move('cursor_up')", show=False),
        Binding("pagedown", "move('page_down')", show=False),
        Binding("pageup", "move('page_up')", show=False),
    ]

    def __init__(self, last: str = "", *, starting: bool = False) -> None:
        super().__init__()
        self._last, self._starting = last, starting
        self._found: list[Openable] = []
        self._read = False
        self._entered = False
        """Whether enter waits for the list to be read."""

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = plain("tinynets: a debugger for small neural networks" if self._starting else "Open")
        leave = "quit" if self._starting else "close"
        box.border_subtitle = plain(f"enter: open   type: filter, or a path   esc: {leave}")
        with box:
            field = Input(placeholder="type to filter, or the path of a save or a recipe", highlighter=Typed())
            field.cursor_blink = False
            yield field
            listed = OptionList(markup=False)
            listed.can_focus = False
            yield listed

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self.run_worker(self._look(), exclusive=True)

    async def _look(self) -> None:
        """List what there is, once it is read."""
        self._found = await asyncio.to_thread(everything, self._last)
        self._read = True
        self._list()
        if self._entered and self.is_current:
            self._open(self.query_one(Input).value.strip())

    # -- the list

    def _list(self) -> None:
        """Show what fits to what is typed."""
        listed = self.query_one(OptionList)
        words = self.query_one(Input).value.lower().split()
        shown = [entry for entry in self._found if entry.matches(words)]
        room = min(WIDE, self.app.size.width * 96 // 100) - 9  # frame, padding, scroll bar
        options: list[Option | None] = []
        for kind, title in TITLES.items():
            of_kind = [entry for entry in shown if entry.kind == kind]
            if of_kind:
                options.append(Option(Text(title, palette.ACCENT_BOLD), disabled=True))
                options += [Option(self._row(entry, room), id=entry.source) for entry in of_kind]
        if self._read and not shown:
            options = [Option(Text("nothing fits; enter opens it as a path", palette.DIM), disabled=True)]
        listed.clear_options()
        listed.add_options(options)
        self._highlight(listed, shown)

    def _highlight(self, listed: OptionList, shown: list[Openable]) -> None:
        """Highlight what was opened last, else the first."""
        if shown:
            at = next((entry for entry in shown if self._was_last(entry)), shown[0])
            listed.highlighted = listed.get_option_index(at.source)
            listed.call_after_refresh(listed.scroll_to_highlight)

    def _was_last(self, entry: Openable) -> bool:
        return bool(self._last) and key_of(entry.source) == self._last

    def _row(self, entry: Openable, room: int) -> Text:
        """The picture, the name and what it is: two lines."""
        look: Terminal = getattr(self.app, "look", Terminal())
        drawn = thumbnail(entry.data, entry.widths, look)
        beside = room - WIDTH - 2
        name = clip(entry.name, beside)
        last = "  opened last" if self._was_last(entry) else ""
        made = Text()
        for at, line in enumerate(drawn):
            for text, style, _ in line:
                made.append(text, style)
            made.append("  ")
            if at == 0:
                made.append(name, "bold")
                made.append(clip(last, beside - len(name)))
                made.append("\n")
            else:
                made.append(padded(clip(entry.about, beside), beside))
        return made

    def on_resize(self, event: events.Resize) -> None:
        """Shrink the list so that the field above it stays visible, and the line below, which may say why one asks."""
        self.query_one(OptionList).styles.max_height = max(2, event.size.height - 12)
        if self._read:
            self._list()

    # -- keys

    def action_move(self, how: str) -> None:
        getattr(self.query_one(OptionList), f"action_{how}")()

    def on_input_changed(self, event: Input.Changed) -> None:
        if self._read:
            self._list()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Open what is highlighted, or the path that is typed; before the list is read, what was opened last."""
        self._open(event.value.strip())

    def _open(self, typed: str) -> None:
        listed = self.query_one(OptionList)
        if typed and os.path.isfile(expanded(typed)):
            self.dismiss(typed)
        elif listed.highlighted is not None:
            self.dismiss(listed.get_option_at_index(listed.highlighted).id)
        elif self._last and not typed and not self._read:
            self.dismiss(self._last)
        elif not self._read:
            self._entered = True
        elif typed:
            self.dismiss(typed)
