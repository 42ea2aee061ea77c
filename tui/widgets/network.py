"""The network pane: every unit of every block as a cell, coloured by what it does on the selected probe example."""

from __future__ import annotations

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip

from tinynets.server.frame import BlockCells, BlockInfo, Frame
from tui.render import palette
from tui.render.arrangement import Arrangement, Room, Row, Span, arrange, fit
from tui.render.drawing import (
    Part,
    blank,
    both_ends,
    clip,
    clip_name,
    columns,
    first_fitting,
    legend,
    length,
    line,
    padded,
    signed,
)
from tui.render.marks import SIGNS, Marks, UnitMark
from tui.render.pictures import mapped, picture
from tui.widgets.heatmap import WITH_VALUE
from tui.widgets.pane import Pane

WITH_LEGEND = 6
"""Lines from which the last one is the legend's."""


class NetworkPane(Pane):
    """The blocks one under another; arrows walk the units."""

    NUMBER = 1
    NAME = "network"

    def __init__(self) -> None:
        super().__init__()
        self._arrangement = Arrangement((), 1, False)
        self._top = 0
        self._marks: dict[str, Marks] = {}
        self._marks_at: dict[tuple[str, int], Marks] = {}
        self._pictures: dict[tuple[str, int], list[list[Segment]]] = {}

    def draw(self, width: int, height: int) -> list[Strip]:
        frame = self.frame
        if frame is None or frame.network is None:
            return self.message(self.waiting, width, height)
        self.title(self._about_example(frame, width))
        legend_lines = int(height >= WITH_LEGEND)
        height -= legend_lines
        self._arrangement = fit(frame.blocks, self._room(frame, width), height, self.selection.block)
        self._pictures.clear()
        cells = {block.name: block for block in frame.network}
        self._marks = {name: Marks(frame.standing.get(name), block.dead) for name, block in cells.items()}
        self._marks_at = {
            (name, time): Marks(frame.standing[name], block.dead, time)
            for name, block in cells.items()
            if name in frame.standing and frame.standing[name].timed
            for time in range(len(block.values))
        }
        self._scroll(frame, height)
        shown = self._rows[self._top : self._top + height]
        lines = [self._line(frame, row, cells.get(frame.blocks[row.block].name), width) for row in shown]
        if legend_lines:
            lines += [blank(width)] * (height - len(lines))
            lines.append(self._legend(cells.get(self.selection.block), width))
        return lines

    def _legend(self, cells: BlockCells | None, width: int) -> Strip:
        """What the colours of the selected block mean; each block has a scale of its own."""
        if cells is None:
            return blank(width)
        wide, narrow = legend(cells.limit, self.look), legend(cells.limit, self.look, 5)
        whose: list[Part] = [(f"scale of {cells.name}", palette.DIM)]
        marks: list[Part] = []
        for sign, _ in self._marks[cells.name].counts():
            added = [*marks, (f"{sign.glyph(self.look)} {sign.words}  ", sign.style)]
            marks = added if length(added) + length(narrow) + 2 <= width else marks
        return first_fitting(width, (marks or whose, wide), (marks or whose, narrow), ([], narrow))

    @property
    def _rows(self) -> tuple[Row, ...]:
        return self._arrangement.rows

    @property
    def _cell(self) -> int:
        return self._arrangement.cell

    def _room(self, frame: Frame, width: int) -> Room:
        timed = any(block.timed for block in frame.blocks)
        return Room(width, self._example(frame), self.look.half_blocks, timed)

    def _scroll(self, frame: Frame, height: int) -> None:
        """As little as needed to see the whole selected block, or at least the cursor in it."""
        block = next((i for i, entry in enumerate(frame.blocks) if entry.name == self.selection.block), -1)
        ours = [i for i, row in enumerate(self._rows) if row.block == block]
        cursor = [i for i in ours if self._span_of_cursor(self._rows[i])]
        for first, last in ((ours[0], ours[-1]) if ours else (0, 0), (cursor[0], cursor[-1]) if cursor else (0, 0)):
            self._top = min(max(self._top, last - height + 1), first)
        self._top = max(0, min(self._top, len(self._rows) - height))

    def _about_example(self, frame: Frame, width: int) -> str:
        """The example in words, with what is right for it where that is known."""
        at = f"{self.selection.example + 1} of {len(frame.examples)}"
        text = self._example(frame)
        if width < 70:
            return f"on {text} ({at})"
        return f"each unit on probe example  {text}  ({at}; , and . change it)"

    def wanted_height(self, frame: Frame, width: int) -> int:
        """Lines that show the whole network at a width, with wide cells if that is not too many."""
        return len(arrange(frame.blocks, self._room(frame, width), 2 if width >= 70 else 1, False)) + 1

    def _example(self, frame: Frame) -> str:
        return frame.examples[self.selection.example] if self.selection.example < len(frame.examples) else ""

    def _span_of_cursor(self, row: Row) -> Span | None:
        for span in row.spans:
            inside = span.first <= self.selection.unit < span.first + span.count
            if span.block == self.selection.block and span.home and inside:
                return span
        return None

    def _line(self, frame: Frame, row: Row, cells: BlockCells | None, width: int) -> Strip:
        block = frame.blocks[row.block]
        if row.gap:
            return blank(width)
        if not row.spans:
            return self._heading(block, cells, width)
        parts: list[Part | Segment] = [self._folded_name(block, row.spans[0].x)] if row.folded else []
        for span in row.spans:
            gap = max(0, span.x - length(parts))
            parts += [(" " * (gap - columns(span.label) - 1), palette.TEXT), (span.label, self._label_style(span))]
            parts.append((" ", palette.TEXT))
            if span.line >= 0:
                parts += self._pixels(span, block, cells)
            elif cells:
                parts += self._units(span, cells, self._marks_of(span, row.folded))
        return line(parts, width)

    def _marks_of(self, span: Span, folded: bool) -> Marks:
        """What to mark in a span: what stands at its time step, on a folded block at whichever."""
        whole = self._marks[span.block]
        return whole if folded else self._marks_at.get((span.block, span.position), whole)

    def _folded_name(self, block: BlockInfo, room: int) -> Part:
        """The name before a folded block."""
        return (padded(f"  {clip_name(block.name, room - 3)}", room), palette.TEXT)

    def _label_style(self, span: Span) -> Style:
        if span.block != self.selection.block:
            return palette.FAINT
        if span.line < 0 or not self._span_of_cursor(Row(0, (span,))):
            return palette.DIM
        return palette.BRIGHT + Style(reverse=True)

    def _pixels(self, span: Span, block: BlockInfo, cells: BlockCells | None) -> list[Segment]:
        """A line of the picture of a channel."""
        if cells is None or block.image is None:
            return []
        made = self._pictures.get((span.block, span.first))
        if made is None:
            values = cells.values[:, span.first].reshape(block.image)
            mark = self._marks[span.block].glyph(span.first, self.look)
            marks = {(0, 0): mark[0]} if mark else {}
            made = picture(mapped(values, cells.limit), int(self._arrangement.big), self.look, marks)
            self._pictures[span.block, span.first] = made
        return made[span.line]

    def _heading(self, block: BlockInfo, cells: BlockCells | None, width: int) -> Strip:
        selected = block.name == self.selection.block
        name = f"{self.look.glyph('right')} {block.name}" if selected else f"  {block.name}"
        style = palette.ACCENT_BOLD if selected else palette.TEXT if block.units else palette.DIM
        passed = self._phase(block)
        positions = self._positions(block) if width >= 60 else ""
        counts = self._counts(cells, width - columns(name) - length(passed) - len(positions) - 12) if cells else []
        room = width - columns(name) - 2 - len(positions) - length(counts) - length(passed) - 1
        left: list[Part | Segment] = [(name + "  ", style), *passed, (clip(block.summary, room), palette.DIM)]
        return both_ends([*left, (positions, palette.FAINT)], [*counts], width)

    def _phase(self, block: BlockInfo) -> list[Part]:
        """Which way a half-done step has just passed this block."""
        status = self.frame.status if self.frame else None
        if status is None or status.phase_block != block.name:
            return []
        forward = status.phase_kind == "forward"
        arrow = self.look.glyph("down" if forward else "up")
        return [(f"{arrow} {status.phase_kind}  ", palette.GOOD if forward else palette.WARN)]

    def _positions(self, block: BlockInfo) -> str:
        if not block.units or block.positions == 1:
            return ""
        return "  {} x {} pixels".format(*block.image) if block.image else f"  at {block.positions} positions"

    def _counts(self, cells: BlockCells, room: int) -> list[Part]:
        """How many units have which mark: in words where there is room, at least for the glyphs."""
        found = self._marks[cells.name].counts()
        wordy: list[Part] = [(f"  {sign.glyph(self.look)} {n} {sign.words}", sign.style) for sign, n in found]
        short: list[Part] = [(f"  {sign.glyph(self.look)} {n}", sign.style) for sign, n in found]
        several = SIGNS["several"]
        total = sum(n for sign, n in found if sign.style is several.style)
        rest = [part for part, (sign, _) in zip(short, found, strict=True) if sign.style is not several.style]
        merged: list[Part] = [(f"  {several.glyph(self.look)} {total}", several.style), *rest] if total else rest
        shown = next((parts for parts in (wordy, short) if length(parts) <= room), merged)
        while shown and length(shown) > room:
            shown = shown[:-1]
        return shown

    def _units(self, span: Span, cells: BlockCells, marks: Marks) -> list[Segment]:
        values = cells.values[span.position] if span.position >= 0 else cells.values.mean(axis=0)
        values = np.asarray(values[span.first : span.first + span.count])
        levels = palette.levels(values, cells.limit).tolist()
        special = marks.any.tolist()
        empty = " " * self._cell
        plain = self.look.colour and self._cell < WITH_VALUE
        selected = self.selection.unit if span.block == self.selection.block else -1
        made: list[Segment] = []
        for unit, level in enumerate(levels, span.first):
            if plain and not special[unit] and unit != selected:
                made.append(palette.cell(level, empty))
            else:
                made += self._unit(span, unit, level, float(values[unit - span.first]), marks.of(unit))
        return made

    def _unit(self, span: Span, unit: int, level: int, value: float, mark: UnitMark | None) -> list[Segment]:
        """A cell with what is to be said of its unit: the glyph on dark ground, then the value's colour."""
        text = signed(value, 3).center(self._cell) if self._cell >= WITH_VALUE else " " * self._cell
        if not self.look.colour and self._cell < WITH_VALUE:
            text = palette.sign_glyph(level, self._cell)
        if mark is not None:
            value_text = signed(value, 3).rjust(self._cell - 2) if self._cell >= WITH_VALUE else text[2:]
            text = (mark.text(2, self.look) + value_text)[: self._cell]
        ground: Style | None = None if self.look.colour else palette.TEXT
        if span.block == self.selection.block and unit == self.selection.unit:
            ground = self._cursor_style(level, span.home)
            text = self._cursor_text() if span.home and not text.strip() else text
            return [Segment(text, ground)]
        if mark is None or self._cell == 1:
            return [palette.cell(level, text) if ground is None else Segment(text, ground)]
        rest = palette.cell(level, text[1:]) if ground is None else Segment(text[1:], ground)
        return [Segment(text[0], mark.style), rest]

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
        return self.Chosen(unit=self.selection.unit + right) if right else self._vertically(down)

    def _vertically(self, down: int) -> Pane.Chosen | None:
        """To the nearest cell in the next row above or below in which a cursor may stand, in this block or another."""
        at = next((i for i, row in enumerate(self._rows) if self._span_of_cursor(row)), None)
        if at is None:
            return None
        span = self._span_of_cursor(self._rows[at])
        assert span is not None
        x = span.x + (self.selection.unit - span.first) * self._cell
        at += down
        while 0 <= at < len(self._rows) and not any(entry.home for entry in self._rows[at].spans):
            at += down
        return self._at(self._rows[at], x) if 0 <= at < len(self._rows) else None

    def _at(self, row: Row, x: int) -> Pane.Chosen:
        """The unit of a row nearest to a column."""
        spans = [(span, self._wide(span)) for span in row.spans]
        span, wide = min(spans, key=lambda s: max(s[0].x - x, x - (s[0].x + s[1] - 1), 0))
        unit = span.first + max(0, min(span.count - 1, (x - span.x) * span.count // wide))
        return self.Chosen(block=span.block, unit=unit)

    def _wide(self, span: Span) -> int:
        """Characters that a span takes."""
        made = self._pictures.get((span.block, span.first)) if span.line >= 0 else None
        return len(made[0]) if made else span.count * self._cell

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is None or not 0 <= at.y + self._top < len(self._rows):
            return
        row = self._rows[at.y + self._top]
        if row.spans:
            self.post_message(self._at(row, at.x))
        elif self.frame and self.frame.blocks[row.block].units:
            self.post_message(self.Chosen(block=self.frame.blocks[row.block].name, unit=0))
