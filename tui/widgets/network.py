"""The network pane: every unit of every block as a cell, coloured by its activation on the selected example."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip

from tinynets.server.frame import BlockCells, BlockInfo, Frame
from tui.render import palette
from tui.render.arrangement import Arrangement, Room, Row, Span, arrange, fit
from tui.render.drawing import Part, blank, clip_name, columns, length, line, padded
from tui.render.marks import Marks
from tui.render.network_cells import block_legend, heading, unit_cells
from tui.render.pictures import mapped, picture
from tui.widgets.pane import Pane

WITH_LEGEND = 6
"""From this many lines on, the last line is the legend."""


class NetworkPane(Pane):
    """The blocks one under another; arrow keys go from unit to unit."""

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
        self.note(self._out_of_sight(height))
        shown = self._rows[self._top : self._top + height]
        lines = [self._line(frame, row, cells.get(frame.blocks[row.block].name), width) for row in shown]
        if legend_lines:
            lines += [blank(width)] * (height - len(lines))
            selected = self.selection.block
            lines.append(block_legend(cells.get(selected), self._marks.get(selected), width, self.look))
        return lines

    @property
    def _rows(self) -> tuple[Row, ...]:
        return self._arrangement.rows

    @property
    def _cell(self) -> int:
        return self._arrangement.cell

    def _room(self, frame: Frame, width: int) -> Room:
        timed = any(block.timed for block in frame.blocks)
        return Room(width, self._example(frame), self.look.half_blocks, timed, self.alone)

    def _scroll(self, frame: Frame, height: int) -> None:
        """Scroll no more than needed to show the whole selected block, or at least its cursor."""
        block = next((i for i, entry in enumerate(frame.blocks) if entry.name == self.selection.block), -1)
        ours = [i for i, row in enumerate(self._rows) if row.block == block]
        cursor = [i for i in ours if self._span_of_cursor(self._rows[i])]
        for first, last in ((ours[0], ours[-1]) if ours else (0, 0), (cursor[0], cursor[-1]) if cursor else (0, 0)):
            self._top = min(max(self._top, last - height + 1), first)
        self._top = max(0, min(self._top, len(self._rows) - height))

    def _out_of_sight(self, height: int) -> str:
        """How many blocks more there are above and below; of a block that is cut, that there is more of it."""
        end = self._top + height
        shown = {row.block for row in self._rows[self._top : end]}
        words = []
        for where, glyph, rows in (("above", "up", self._rows[: self._top]), ("below", "down", self._rows[end:])):
            count = len({row.block for row in rows} - shown)
            if rows:
                words.append(f"{self.look.glyph(glyph)} {f'{count} more' if count else 'more of it'} {where}")
        return "   ".join(words)

    def _about_example(self, frame: Frame, width: int) -> str:
        """The example in words, with its target if that is known."""
        at = f"{self.selection.shown(frame) + 1} of {len(frame.examples)}"
        text = self._example(frame)
        if self.selection.own is not None and frame.own:
            back = "  (esc: back to the probe)"
            return f"on {text}{back}" if width < 70 else f"each unit on  {text}{back}"
        if width < 70:
            return f"on {text} ({at})"
        return f"each unit on probe example  {text}  ({at}; , and . change it)"

    def wanted_height(self, frame: Frame, width: int) -> int:
        """The number of lines that show the whole network at a width, with wide cells unless that takes too many."""
        return len(arrange(frame.blocks, self._room(frame, width), 2 if width >= 70 else 1, False)) + 1

    def _example(self, frame: Frame) -> str:
        at = self.selection.shown(frame)
        return frame.examples[at] if at < len(frame.examples) else ""

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
            marks = self._marks[cells.name] if cells else None
            return heading(block, marks, frame.status, block.name == self.selection.block, width, self.look)
        parts: list[Part | Segment] = [self._folded_name(block, row.spans[0].x)] if row.folded else []
        for span in row.spans:
            gap = max(0, span.x - length(parts))
            parts += [(" " * (gap - columns(span.label) - 1), palette.TEXT), (span.label, self._label_style(span))]
            parts.append((" ", palette.TEXT))
            if span.line >= 0:
                parts += self._pixels(span, block, cells)
            elif cells:
                marks, cursor = self._marks_of(span, row.folded), self._cursor_in(span)
                parts += unit_cells(span, cells, marks, cursor, self._cell, self.look)
        return line(parts, width)

    def _marks_of(self, span: Span, folded: bool) -> Marks:
        """The marks of a span: those at its time step, or on a folded block those at any."""
        whole = self._marks[span.block]
        return whole if folded else self._marks_at.get((span.block, span.position), whole)

    def _cursor_in(self, span: Span) -> int:
        """The selected unit if it is in this block, otherwise -1."""
        return self.selection.unit if span.block == self.selection.block else -1

    def _folded_name(self, block: BlockInfo, room: int) -> Part:
        """The name in front of a folded block."""
        return (padded(f"  {clip_name(block.name, room - 3)}", room), palette.TEXT)

    def _label_style(self, span: Span) -> Style:
        if span.block != self.selection.block:
            return palette.FAINT
        if span.line < 0 or not self._span_of_cursor(Row(0, (span,))):
            return palette.DIM
        return palette.BRIGHT + Style(reverse=True)

    def _pixels(self, span: Span, block: BlockInfo, cells: BlockCells | None) -> list[Segment]:
        """One line of a channel's picture."""
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

    def moved(self, right: int, down: int) -> Pane.Chosen | None:
        return self.Chosen(unit=self.selection.unit + right) if right else self._vertically(down)

    def _vertically(self, down: int) -> Pane.Chosen | None:
        """Go to the nearest cell in the next row up or down that may hold the cursor, in this block or another."""
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
        """Choose the unit of a row that is nearest to a column."""
        spans = [(span, self._wide(span)) for span in row.spans]
        span, wide = min(spans, key=lambda s: max(s[0].x - x, x - (s[0].x + s[1] - 1), 0))
        unit = span.first + max(0, min(span.count - 1, (x - span.x) * span.count // wide))
        return self.Chosen(block=span.block, unit=unit)

    def _wide(self, span: Span) -> int:
        """The width of a span in characters."""
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
