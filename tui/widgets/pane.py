"""The base of all panes: a framed, numbered widget that draws a frame as lines and repaints only changed ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.color import Color
from textual.filter import ANSIToTruecolor, LineFilter
from textual.geometry import Region, Size, Spacing
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tinynets.server.frame import PANES, Frame, OwnInput
from tui import actions
from tui.model.selection import Selection
from tui.render import palette
from tui.render.drawing import blank, centred, clip, length, line, wrapped
from tui.render.palette import Terminal
from tui.render.plain_text import Seen
from tui.render.strips import LazyLine, between

RIGHT = 3
"""The number of the right button of a mouse."""
WITH_EXAMPLE = ("neuron", "output")
"""Panes about one example, where the wheel goes to another."""
WAITING = "starting the engine…"
Leap = Literal["home", "end", "up", "down"]
"""Where a key leaps: to the first, to the last, a page up or down."""


SHORT = {"activations": "Activ.", "examples": "Examp."}
"""Names that are shortened where there is little room."""


def numbered(pane: str) -> str:
    """A pane as it is called with its key."""
    return f"{PANES.index(pane) + 1} {pane.capitalize()}"


def numbered_in_short(pane: str) -> str:
    return f"{PANES.index(pane) + 1} {SHORT.get(pane, pane.capitalize())}"


class Lines(Widget):
    """A widget made of lines: `draw` returns them all, and `redraw` repaints those that differ."""

    class Read(Message):
        """The mouse is over something that can be read; the text is empty when it has left."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Wheeled(Message):
        """The wheel was turned over a range of time: up (-1) or down (1)."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    _read = ""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.frame: Frame | None = None
        self.selection = Selection()
        self.waiting = WAITING
        """What the widget says until a frame comes."""
        self._lines: list[Strip] = []
        self._drawn_for = (0, 0, 0)
        """Columns, lines and colours (`palette.worn`) of what is drawn."""
        self._framed: dict[int, Strip] = {}
        self._framed_for: object = None
        self._changed: set[int] = set()
        self._outer, self._sides = Size(0, 0), Spacing()

    @cached_property
    def look(self) -> Terminal:
        return getattr(self.app, "look", Terminal())

    def get_line_filters(self) -> Sequence[LineFilter]:
        """All filters but two, which would find nothing here (ANSI colours, foreign text) and slow down repaints."""
        return [f for f in super().get_line_filters() if not isinstance(f, ANSIToTruecolor | Seen)]

    def show(self, frame: Frame, selection: Selection, *, hold: bool = False) -> None:
        """Take a new frame, or a new selection on the same one."""
        self.frame, self.selection = frame, selection
        self.redraw(hold=hold)

    def _tell(self, text: str) -> None:
        if text != self._read:
            self._read = text
            self.post_message(self.Read(text))

    def draw(self, width: int, height: int) -> list[Strip]:
        """All lines of the content, each of the given width."""
        raise TypeError(f"{type(self).__name__} draws nothing")

    def redraw(self, *, hold: bool = False) -> None:
        """Draw, and repaint what changed; with `hold` only once `repaint` is called. Does nothing while invisible."""
        width, height = self._inner()
        if not (width and height and self.display):
            return
        lines = self.draw(width, height)[:height]
        before, self._lines = self._lines, lines
        if self._drawn_for != (width, height, palette.worn):
            self._drawn_for = (width, height, palette.worn)
            self.refresh()
            return
        self._changed.update([y for y in range(height) if not _same(_at(before, y), _at(lines, y))])
        if not hold:
            self.repaint()

    def repaint(self) -> None:
        """Have the changed lines painted."""
        if self._changed:
            # Over the whole width, frame included: Textual cuts lines that are painted in part, which takes longer.
            left, width = -self._sides.left, self.outer_size.width
            self.refresh(*(Region(left, y, width, 1) for y in self._changed))
            self._changed.clear()

    def _inner(self) -> tuple[int, int]:
        """Columns and lines inside the frame; Textual's `size` would ask the screen each time."""
        outer = self.outer_size
        if self._outer != outer:
            self._outer, self._sides = outer, self.gutter
        return max(0, outer.width - self._sides.width), max(0, outer.height - self._sides.height)

    def refresh(self, *regions: Region, **what: Any) -> Self:
        """Forget the lines to be painted again; all of them if no regions are given."""
        if regions:
            top = self._sides.top
            for region in regions:
                for y in region.line_range:
                    self._framed.pop(y + top, None)
        else:
            self._framed.clear()
        return super().refresh(*regions, **what)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines with both sides of the frame; Textual's own method would ask the style sheet about each line."""
        size = self.outer_size
        self.render_line(0)  # draws if the size has changed; a new title forgets lines
        border = self.styles.border_left
        if self._framed_for != (size, border, palette.worn):
            self._framed_for = (size, border, palette.worn)
            self._framed.clear()
        if len(self._framed) < size.height:
            self._paint(size.width, size.height, border[1])
        strips = [self._framed[y] for y in crop.line_range if y in self._framed]
        whole = crop.column_span == (0, size.width)
        return strips if whole else [strip.crop(*crop.column_span) for strip in strips]

    def _paint(self, width: int, height: int, colour: Color) -> None:
        """Build the missing lines."""
        gutter, inner = self._sides, width - self._sides.width
        side = Segment("│", Style(color=colour.rich_color, bgcolor=palette.BACK)) if gutter.width else None
        filters, ground = self.get_line_filters(), self.background_colors[1]
        for y in range(height):
            if y in self._framed:
                continue
            if gutter.top <= y < height - gutter.bottom:
                made = _at(self._lines, y - gutter.top)
                inside = blank(inner) if made is None else made.adjust_cell_length(inner, palette.GROUND)
                strip = between(side, inside, width) if side else inside
            else:
                strip = self.edge(y, width)
            for kept in filters:
                strip = strip.apply_filter(kept, ground)
            self._framed[y] = strip

    def strips(self) -> list[Strip]:
        """All lines, frame included, as they are painted."""
        return self.render_lines(self.outer_size.region)

    def edge(self, y: int, width: int) -> Strip:
        """A line of the frame around the content."""
        return super().render_lines(Region(0, y, width, 1))[0]

    def render_line(self, y: int) -> Strip:
        width, height = self._inner()
        if self._drawn_for != (width, height, palette.worn):
            self._lines = self.draw(width, height)[:height]
            self._drawn_for = (width, height, palette.worn)
        return self._lines[y] if y < len(self._lines) else blank(width)

    def on_resize(self, event: events.Resize) -> None:
        self.redraw()


class Pane(Lines, can_focus=True):
    """A numbered pane with a frame around it."""

    NAME: ClassVar[str] = ""

    def __init_subclass__(cls, **options: Any) -> None:
        """Bind the keys that hold in this pane alone."""
        cls.BINDINGS = [*actions.bindings(cls.NAME)] if cls.NAME else []
        super().__init_subclass__(**options)

    class Chosen(Message):
        """The user chose a unit, an example, an input row or an input of their own; what is None stays as it was."""

        def __init__(
            self,
            block: str | None = None,
            unit: int | None = None,
            example: int | None = None,
            row: int | None = None,
            own: OwnInput | None = None,
        ) -> None:
            super().__init__()
            self.block, self.unit, self.example, self.row, self.own = block, unit, example, row, own

    class MenuAsked(Message):
        """The user wants the menu of what can be done to the unit that was just chosen."""

    class Picked(Message):
        """The user chose another pane of this place."""

        def __init__(self, pane: str) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self) -> None:
        super().__init__(id=self.NAME)
        self.detail = ""
        self.footnote = ""
        self.alone = False
        """Whether it has all the room, as when it is zoomed."""
        self.beside: tuple[str, ...] = (self.NAME,)
        """The panes that share its place, itself among them."""
        self._named = 0
        """How many characters at the right of the upper line name the others of them."""

    @classmethod
    def number(cls) -> int:
        """The number that stands before the pane's name, and is its key."""
        return PANES.index(cls.NAME) + 1

    def title(self, detail: str) -> None:
        """Set the detail that follows the pane's number and name in the frame."""
        if self.detail != detail:
            self.detail = detail
            self.refresh(Region(-self._sides.left, -self._sides.top, self.outer_size.width, 1))

    def note(self, text: str) -> None:
        """What is to be known besides, such as how much is out of sight; it stands in the lower line of the frame."""
        if self.footnote != text:
            self.footnote = text
            last = self.outer_size.height - 1 - self._sides.top
            self.refresh(Region(-self._sides.left, last, self.outer_size.width, 1))

    def edge(self, y: int, width: int) -> Strip:
        """The upper line with the title in it; drawn here, since Textual takes a millisecond for each new title."""
        if y and not self.footnote:
            return super().edge(y, width)
        styles = self.styles
        border = Style(color=styles.border_top[1].rich_color, bgcolor=palette.BACK)
        if y:
            words = clip(self.footnote, width - 6)
            rule = "─" * (width - 5 - length([(words, palette.DIM)]))
            return line([("╰─ ", border), (words, palette.DIM), (f" {rule}╯", border)], width)
        title = Style(color=styles.border_title_color.rich_color, bgcolor=palette.BACK, bold=True)
        room = width - 6
        name = clip(f"{self.number()} {self.NAME.capitalize()}", room)
        detail = clip(f" {self.detail}" if self.detail else "", room - len(name))
        beside = self._beside(room - len(name + detail))
        rule = "─" * (width - 5 - length([(name + detail + beside, title)]))
        shown = [(name, title), (detail, palette.DIM), (f" {rule}", border), (beside, palette.DIM), ("╮", border)]
        return line([("╭─ ", border), *shown], width)

    def _beside(self, room: int) -> str:
        """The panes that share the place, as they are called with their keys; nothing where there is no room."""
        shown = ""
        if not self.alone:
            forms = [f" {', '.join(map(form, self._others))} " for form in (numbered, numbered_in_short)]
            shown = next((text for text in forms if self._others and len(text) + 2 <= room), "")
        self._named = len(shown)
        return shown

    @property
    def _others(self) -> list[str]:
        return [name for name in self.beside if name != self.NAME]

    def place_beside(self, name: str) -> int:
        """The column at which the frame names another pane that shares the place; -1 if it does not."""
        text = self.edge(0, self.outer_size.width).text
        return (
            text.find(f"{PANES.index(name) + 1} {name.capitalize()}", 2 + len(self.NAME)) if name != self.NAME else -1
        )

    def message(self, text: str, width: int, height: int) -> list[Strip]:
        """The lines of a pane that has nothing to show: they say why."""
        rows = wrapped(text, width)
        top = max(0, (height - len(rows)) // 2)
        return [blank(width)] * top + [line([(centred(row, width), palette.FAINT)], width) for row in rows]

    # -- the mouse; a click on a unit is the pane's own

    def reading(self, x: int, y: int) -> str:
        """What is under the mouse, in words; empty where there is nothing to say."""
        return ""

    def wheel(self, by: int) -> None:
        """Move the cursor by a line down (1) or up (-1), or where there are no lines go to another example."""
        chosen = self.Chosen(example=self.selection.example + by) if self.NAME in WITH_EXAMPLE else self.moved(0, by)
        if chosen is not None:
            self.post_message(chosen)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.wheel(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.wheel(-1)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        at = event.get_content_offset(self)
        self._tell(self.reading(at.x, at.y) if at is not None else "")

    def on_leave(self) -> None:
        self._tell("")

    def on_click(self, event: events.Click) -> None:
        """A click on the name of a pane that shares the place picks that one; the right button opens the menu.

        The pane itself has chosen the unit under the mouse by then.
        """
        x = event.x - (self.outer_size.width - 1 - self._named)
        if not event.y and 0 <= x < self._named:
            self.post_message(self.Picked(self._others[int(x * len(self._others) / self._named)]))
        elif event.button == RIGHT:
            self.post_message(self.MenuAsked())

    def moved(self, right: int, down: int) -> Chosen | None:
        """Where an arrow key moves the cursor; None if arrows have no special meaning in this pane."""
        return None

    def leapt(self, to: Leap) -> Chosen | None:
        """Where a key leaps with the cursor; None if that has no special meaning in this pane."""
        return None

    def leapt_over(self, columns: int, rows: int, to: Leap) -> Chosen | None:
        """The same in a map of units across, with so many of its rows in sight."""
        if to in ("home", "end"):
            return self.Chosen(unit=0 if to == "home" else columns - 1) if columns else None
        page = max(1, rows - 1)
        return self.moved(0, page if to == "down" else -page)

    def escaped(self) -> bool:
        """Undo the innermost thing that this pane alone has, as the marks in it; False if there is none."""
        return False


def _at(lines: list[Strip], y: int) -> Strip | None:
    return lines[y] if y < len(lines) else None


def _same(one: Strip | None, other: Strip | None) -> bool:
    if isinstance(one, LazyLine) and isinstance(other, LazyLine):
        return one.key == other.key
    return one is other or (one is not None and other is not None and list(one) == list(other))
