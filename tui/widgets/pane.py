"""A pane: a framed, numbered widget that draws lines from a frame and repaints only the lines that changed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

from textual import events
from textual.filter import ANSIToTruecolor, LineFilter
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tinynets.frame import Frame
from tui import palette
from tui.drawing import blank, line
from tui.palette import Look
from tui.selection import Selection


class Lines(Widget):
    """A widget made of lines: `draw` gives them all, and a redraw repaints those that differ."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.frame: Frame | None = None
        self.selection = Selection()
        self._lines: list[Strip] = []
        self._drawn_size = (0, 0)

    @cached_property
    def look(self) -> Look:
        return getattr(self.app, "look", Look())

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Without the one that turns ANSI colours into RGB: there are none here, and it costs a third of a repaint."""
        return [f for f in super().get_line_filters() if not isinstance(f, ANSIToTruecolor)]

    def show(self, frame: Frame, selection: Selection) -> None:
        """Take a new frame, or a new selection on the same one."""
        self.frame, self.selection = frame, selection
        self.redraw()

    def draw(self, width: int, height: int) -> list[Strip]:
        """All lines of the content, each of the given width."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw anew and repaint what changed; nothing for a widget that cannot be seen."""
        width, height = self.size
        if not (width and height and self.display):
            return
        lines = self.draw(width, height)[:height]
        before, self._lines = self._lines, lines
        if self._drawn_size != (width, height):
            self._drawn_size = (width, height)
            self.refresh()
            return
        regions = [Region(0, y, width, 1) for y in range(height) if _line(before, y) != _line(lines, y)]
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        if self._drawn_size != self.size:
            self._lines = self.draw(*self.size)[: self.size.height]
            self._drawn_size = (self.size.width, self.size.height)
        return self._lines[y] if y < len(self._lines) else blank(self.size.width)

    def on_resize(self, event: events.Resize) -> None:
        self.redraw()


class Pane(Lines, can_focus=True):
    """A numbered pane with a frame around it."""

    NUMBER: ClassVar[int] = 0
    NAME: ClassVar[str] = ""
    WAITING: ClassVar[str] = "waiting for the engine…"

    class Chosen(Message):
        """A unit, an example or an input row was pointed at; what is None stays."""

        def __init__(
            self, block: str | None = None, unit: int | None = None, example: int | None = None, row: int | None = None
        ) -> None:
            super().__init__()
            self.block, self.unit, self.example, self.row = block, unit, example, row

    def __init__(self) -> None:
        super().__init__(id=self.NAME)
        self.border_title = self.heading("")

    def heading(self, detail: str) -> str:
        """The title in the frame: number, name, and what exactly is shown."""
        name = f"[b]{self.NUMBER} {self.NAME.capitalize()}[/b]"
        return f"{name} [#8b95a5 not bold]{detail.replace('[', chr(92) + '[')}[/]" if detail else name

    def title(self, detail: str) -> None:
        """Change the title only when it differs: a new title repaints the whole pane."""
        if getattr(self, "_detail", None) != detail:
            self._detail = detail
            self.border_title = self.heading(detail)

    def message(self, text: str, width: int, height: int) -> list[Strip]:
        """A pane that has nothing to show says why."""
        top = max(0, height // 2 - 1)
        return [blank(width)] * top + [line([(text.center(width), palette.FAINT)], width)]

    def moved(self, right: int, down: int) -> Chosen | None:
        """Where the cursor goes from here when an arrow is pressed; None where arrows have no meaning of their own."""
        return None


def _line(lines: list[Strip], y: int) -> list[object] | None:
    return list(lines[y]) if y < len(lines) else None
