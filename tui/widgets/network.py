"""The network pane: every unit of every block as a cell, coloured by what it does on the selected probe example."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip

from tinynets.frame import BlockCells, BlockInfo, Frame
from tui import palette
from tui.drawing import Part, both_ends, clip, length, line, signed
from tui.widgets.activations import unit_mark
from tui.widgets.heatmap import WITH_VALUE
from tui.widgets.pane import Pane

GUTTER = 5


@dataclass(frozen=True)
class Span:
    """A run of one position's units in one line."""

    block: str
    position: int
    first: int
    count: int
    x: int
    label: str


@dataclass(frozen=True)
class Row:
    """One line of the pane: a block's heading, or spans of its units."""

    block: int
    spans: tuple[Span, ...] = ()


@lru_cache(64)
def arrange(blocks: tuple[BlockInfo, ...], example: str, width: int, cell: int) -> tuple[Row, ...]:
    """All lines of the network at a width, with cells of `cell` characters."""
    rows = []
    for index, block in enumerate(blocks):
        rows.append(Row(index))
        if block.units:
            rows += _block_rows(index, block, example, width, cell)
    return tuple(rows)


def _block_rows(index: int, block: BlockInfo, example: str, width: int, cell: int) -> list[Row]:
    if block.positions > 1 and block.units * cell + 4 <= width - GUTTER:
        return _position_rows(index, block, example, width, cell)
    step = max(1, (width - GUTTER) // cell)
    step = min(block.units, step - step % 10 if step >= 10 else step)
    rows = []
    for position in range(block.positions):
        for first in range(0, block.units, step):
            span = Span(block.name, position, first, min(step, block.units - first), GUTTER, str(first))
            rows.append(Row(index, (span,)))
    return rows


def _position_rows(index: int, block: BlockInfo, example: str, width: int, cell: int) -> list[Row]:
    """Positions side by side, each after the character that stands there."""
    letters = example.split(" ")[0]  # of `.em → m`
    if len(letters) != block.positions:
        letters = ""
    room = block.units * cell + 3
    per_row = max(1, (width - GUTTER + 3) // room)
    rows = []
    for first in range(0, block.positions, per_row):
        spans = tuple(
            Span(block.name, p, 0, block.units, GUTTER + i * room, letters[p] if letters else str(p))
            for i, p in enumerate(range(first, min(block.positions, first + per_row)))
        )
        rows.append(Row(index, spans))
    return rows


class NetworkPane(Pane):
    """The blocks one under another; arrows walk the units."""

    NUMBER = 1
    NAME = "network"

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[Row, ...] = ()
        self._cell = 1
        self._top = 0
        self._position = 0

    def draw(self, width: int, height: int) -> list[Strip]:
        frame = self.frame
        if frame is None or frame.network is None:
            return self.message(self.WAITING, width, height)
        self.title(self._about_example(frame, width))
        self._fit(frame, width, height)
        cells = {block.name: block for block in frame.network}
        self._top = max(0, min(self._top, len(self._rows) - height))
        at = next((i for i, row in enumerate(self._rows) if self._span_of_cursor(row)), 0)
        self._top = min(self._top, max(0, at - 1)) if at < self._top + 1 else max(self._top, at - height + 1)
        shown = self._rows[self._top : self._top + height]
        return [self._line(frame, row, cells.get(frame.blocks[row.block].name), width) for row in shown]

    def _about_example(self, frame: Frame, width: int) -> str:
        """The example in words, with what is right for it where that is known."""
        at = f"{self.selection.example + 1} of {len(frame.examples)}"
        text = self._example(frame)
        if width < 70:
            return f"on {text} ({at})"
        return f"each unit on probe example  {text}  ({at}; , and . change it)"

    def wanted_height(self, frame: Frame, width: int) -> int:
        """Lines that show the whole network at a width, with wide cells if that is not too many."""
        example = self._example(frame)
        return len(arrange(frame.blocks, example, width, 2 if width >= 70 else 1))

    def _fit(self, frame: Frame, width: int, height: int) -> None:
        """The widest cells with which everything fits; one character where nothing does."""
        example = self._example(frame)
        for cell in (8, 4, 3, 2, 1):
            self._rows, self._cell = arrange(frame.blocks, example, width, cell), cell
            if len(self._rows) <= height and (cell <= 2 or max(b.units for b in frame.blocks) * cell <= width - GUTTER):
                break
        if all(not self._span_of_cursor(row) for row in self._rows):
            self._position = 0

    def _example(self, frame: Frame) -> str:
        return frame.examples[self.selection.example] if self.selection.example < len(frame.examples) else ""

    def _span_of_cursor(self, row: Row) -> Span | None:
        for span in row.spans:
            inside = span.first <= self.selection.unit < span.first + span.count
            if span.block == self.selection.block and span.position == self._position and inside:
                return span
        return None

    def _line(self, frame: Frame, row: Row, cells: BlockCells | None, width: int) -> Strip:
        block = frame.blocks[row.block]
        if not row.spans:
            return self._heading(block, cells, width)
        parts: list[Part | Segment] = []
        for span in row.spans:
            gap = span.x - length(parts)
            here = span.block == self.selection.block
            parts.append((f"{span.label} ".rjust(gap), palette.DIM if here else palette.FAINT))
            parts += self._units(span, cells) if cells else []
        return line(parts, width)

    def _heading(self, block: BlockInfo, cells: BlockCells | None, width: int) -> Strip:
        selected = block.name == self.selection.block
        name = f"{self.look.glyph('right')} {block.name}" if selected else f"  {block.name}"
        style = palette.ACCENT_BOLD if selected else palette.TEXT if block.units else palette.DIM
        counts = self._counts(cells, width >= 60) if cells else []
        positions = f"  at {block.positions} positions" if block.units and block.positions > 1 and width >= 60 else ""
        room = width - len(name) - 2 - len(positions) - length(counts) - 1
        left: list[Part | Segment] = [(name + "  ", style), (clip(block.summary, room), palette.DIM)]
        return both_ends([*left, (positions, palette.FAINT)], [*counts], width)

    def _counts(self, cells: BlockCells, words: bool) -> list[Part]:
        found = (
            ("frozen", cells.frozen, palette.ICE),
            ("zeroed", cells.zeroed, palette.BRIGHT),
            ("dead", cells.dead, palette.BAD),
        )
        return [
            (f" {self.look.glyph(name)} {int(mask.sum())}" + (f" {name}" if words else ""), style)
            for name, mask, style in found
            if mask.any()
        ]

    def _units(self, span: Span, cells: BlockCells) -> list[Segment]:
        values = cells.values[span.position, span.first : span.first + span.count]
        levels = palette.levels(values, cells.limit).tolist()
        special = (cells.frozen | cells.zeroed | cells.dead).tolist()
        blank = " " * self._cell
        plain = self.look.colour and self._cell < WITH_VALUE
        selected = self.selection.unit if span.block == self.selection.block else -1
        return [
            palette.cell(level, blank)
            if plain and not special[unit] and unit != selected
            else self._unit(span, unit, level, float(values[unit - span.first]), cells if special[unit] else None)
            for unit, level in enumerate(levels, span.first)
        ]

    def _unit(self, span: Span, unit: int, level: int, value: float, marked: BlockCells | None) -> Segment:
        text, style = signed(value, 3).center(self._cell) if self._cell >= WITH_VALUE else " " * self._cell, None
        if marked is not None:
            mark = unit_mark(bool(marked.frozen[unit]), bool(marked.zeroed[unit]), bool(marked.dead[unit]), self.look)
            text = mark[0].center(self._cell) if mark else text
        elif not self.look.colour and self._cell < WITH_VALUE:
            text = palette.sign_glyph(level, self._cell)
        selected = span.block == self.selection.block and unit == self.selection.unit
        if selected:
            style = self._cursor_style(level, span.position == self._position)
            text = text if text.strip() else self._cursor_text()
        elif not self.look.colour:
            style = palette.TEXT
        return Segment(text, style) if style else palette.cell(level, text)

    def _cursor_text(self) -> str:
        """The unit's own colour as a block in the middle of the white cell."""
        if not self.look.unicode:
            return "o".center(self._cell)
        return ("▐▌" if self._cell % 2 == 0 else "■").center(self._cell)

    def _cursor_style(self, level: int, here: bool) -> Style:
        if not self.look.colour:
            return Style(reverse=True, bold=True)
        return palette.cursor_cell(level) if here else palette.paper(level) + Style(color="#ffffff", underline=True)

    def moved(self, right: int, down: int) -> Pane.Chosen | None:
        if right:
            return self._sideways(right)
        return self._vertically(down)

    def _sideways(self, right: int) -> Pane.Chosen:
        """Along the units; past the end of one position to the next."""
        block = next((b for b in self.frame.blocks if b.name == self.selection.block), None) if self.frame else None
        unit = self.selection.unit + right
        if block and not 0 <= unit < block.units and 0 <= self._position + right < block.positions:
            self._position += right
            unit = 0 if right > 0 else block.units - 1
        return self.Chosen(unit=unit)

    def _vertically(self, down: int) -> Pane.Chosen | None:
        """To the nearest cell in the next row above or below, in this block or the neighbour."""
        at = next((i for i, row in enumerate(self._rows) if self._span_of_cursor(row)), None)
        if at is None:
            return None
        span = self._span_of_cursor(self._rows[at])
        assert span is not None
        x = span.x + (self.selection.unit - span.first) * self._cell
        at += down
        while 0 <= at < len(self._rows) and not self._rows[at].spans:
            at += down
        return self._at(self._rows[at], x) if 0 <= at < len(self._rows) else None

    def _at(self, row: Row, x: int) -> Pane.Chosen:
        """The unit of a row nearest to a column."""
        span = min(row.spans, key=lambda s: max(s.x - x, x - (s.x + s.count * self._cell - 1), 0))
        unit = span.first + max(0, min(span.count - 1, (x - span.x) // self._cell))
        self._position = span.position
        return self.Chosen(block=span.block, unit=unit)

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is None or not 0 <= at.y + self._top < len(self._rows):
            return
        row = self._rows[at.y + self._top]
        if row.spans:
            self.post_message(self._at(row, at.x))
        elif self.frame and self.frame.blocks[row.block].units:
            self._position = 0
            self.post_message(self.Chosen(block=self.frame.blocks[row.block].name, unit=0))
