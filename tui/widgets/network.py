"""The network pane: every unit of every block as a cell, coloured by what the lens shows on the selected example."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip

from tinynets.server.frame import BlockCells, BlockInfo, Frame, Scatter, View
from tui.render import palette
from tui.render.arrangement import Arrangement, Room, Row, Span, arrange, fit
from tui.render.drawing import Part, blank, clip_name, columns, length, line, padded
from tui.render.marks import Marks
from tui.render.net_layout import NetLayout, Node, nearest, right_of
from tui.render.network_cells import block_legend, hatched, heading, unit_cells
from tui.render.palette import Terminal
from tui.render.pictures import mapped, picture
from tui.widgets.net import AROUND, SHORTEST, Net, draw, placed
from tui.widgets.net import wanted_height as net_height
from tui.widgets.pane import Leap, Pane
from tui.widgets.portrait import beside, scattered
from tui.widgets.som import draw_map, placed_map

AROUND_TITLE = 14
"""The part of the upper line of the frame that is not for what the title says."""
LEAST_TABLE = 40
"""The least width of an embedding's table of points."""
WITH_LEGEND = 6
"""From this many lines on, the last line is the legend."""


class NetworkPane(Pane):
    """The blocks one under another; arrow keys go from unit to unit."""

    NAME = "network"

    def __init__(self) -> None:
        super().__init__()
        self._arrangement = Arrangement((), 1, False)
        self._top = 0
        self._net: NetLayout | None = None
        """Where the nodes are, if the network is drawn as a net; else its units are cells."""
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
        self._net = _placed(frame, width, height + legend_lines)
        if self._net is not None:
            return self._drawn(frame, self._net, width, height + legend_lines)
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
        neuron = frame.neuron if self.alone else None
        if neuron is not None and neuron.scatter is not None and neuron.block == self.selection.block:
            used = max((span.x + self._wide(span) for row in shown for span in row.spans), default=0) + 4
            lines = _with_table(neuron.scatter, self._example(frame), lines, used, width, height, self.look)
        if legend_lines:
            lines += [blank(width)] * (height - len(lines))
            selected = self.selection.block
            own = cells.get(selected), self._marks.get(selected)
            lines.append(block_legend(*own, width, self.look, frame.lens))
        return lines

    def _drawn(self, frame: Frame, where: NetLayout, width: int, height: int) -> list[Strip]:
        """The network as a net or a map."""
        self.note("")
        assert frame.net is not None
        marks = {cells.name: Marks(frame.standing.get(cells.name), cells.dead) for cells in frame.network or ()}
        net = Net(frame.net, frame, self.selection, self.look, marks)
        if frame.net.grid is not None:
            return draw_map(net, frame.net.grid, where, width, height)
        return draw(net, where, width, height)

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
        """What is shown, and the example in words, with its target if that is known."""
        lens = frame.lens
        what = "each unit" if lens.name == "value" else f"{lens.name} of each unit"
        if lens.name == "importance":
            return f"{what}, {lens.of}" if width >= 70 else lens.name
        at = f"{self.selection.shown(frame) + 1} of {len(frame.examples)}"
        text = self._example(frame)
        if self.selection.own is not None and frame.own:
            back = "  (esc: back to the probe)"
            return f"on {text}{back}" if width < 70 else f"{what} on {text}{back}"
        keys = "key , changes it" if frame.of_batch else "keys , and . change it"
        whose = f"the batch of step {frame.status.step + 1:,}:" if frame.of_batch else "probe example"
        brief = f"{'' if lens.name == 'value' else f'{lens.name} '}on {text}"
        choices = [f"{what} on {whose} {text}  ({at}; {keys})", f"{what} on {whose} {text}  ({at})"]
        choices = [*(choices if width >= 70 else []), f"{brief} ({at})", brief]
        return next((words for words in choices if columns(words) <= width - AROUND_TITLE), brief)

    def wanted_height(self, frame: Frame, width: int, most: int = 1000) -> int:
        """The number of lines that show the whole network at a width, with wide cells unless that takes too many.

        `most`: those that there are for it; if a net does not fit into them, it is drawn as cells, which takes fewer.
        """
        if frame.net is not None and _placed(frame, width, min(most, net_height(frame.net))) is not None:
            return net_height(frame.net)
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
            chosen, missing = block.name == self.selection.block, cells.missing if cells else ""
            return heading(block, marks, frame.status, chosen, width, self.look, missing)
        parts: list[Part | Segment] = [_folded_name(block, row.spans[0].x)] if row.folded else []
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
        if cells.missing:
            return hatched(span, self._cursor_in(span), block.image[1] * (2 if self._arrangement.big else 1), self.look)
        made = self._pictures.get((span.block, span.first))
        if made is None:
            values = cells.values[:, span.first].reshape(block.image)
            mark = self._marks[span.block].glyph(span.first, self.look)
            marks = {(0, 0): mark[0]} if mark else {}
            made = picture(mapped(values, cells.limit), int(self._arrangement.big), self.look, marks)
            self._pictures[span.block, span.first] = made
        return made[span.line]

    def moved(self, right: int, down: int) -> Pane.Chosen | None:
        node = self._net.at.get((self.selection.block, self.selection.unit)) if self._net else None
        if self._net is not None and node is not None:
            return (
                self.Chosen(unit=_below(self._net, node, down)) if down else _chosen(right_of(self._net, node, right))
            )
        return self.Chosen(unit=self.selection.unit + right) if right else self._vertically(down)

    def leapt(self, to: Leap) -> Pane.Chosen | None:
        """To the block's first or last unit, or to the block before or after it that has units."""
        blocks = [] if self.frame is None else [block for block in self.frame.blocks if block.units]
        at = next((at for at, block in enumerate(blocks) if block.name == self.selection.block), None)
        if at is None:
            return None
        if to in ("home", "end"):
            return self.Chosen(unit=0 if to == "home" else blocks[at].units - 1)
        return self.Chosen(block=blocks[max(0, min(at + (1 if to == "down" else -1), len(blocks) - 1))].name)

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

    def reading(self, x: int, y: int) -> str:
        """The unit under the mouse and its value, or a block's name."""
        if self.frame is None:
            return ""
        if self._net is not None:
            node = nearest(self._net, x, 2 * (y - AROUND + 1))
            return _value_of(self.frame, node.block, node.unit) if node is not None else ""
        if not 0 <= y + self._top < len(self._rows):
            return ""
        row = self._rows[y + self._top]
        if not row.spans:
            block = self.frame.blocks[row.block]
            return f"{block.name}: {block.summary}" if not row.gap else ""
        hit = self._at(row, x)
        span = next((span for span in row.spans if 0 <= x - span.x < self._wide(span)), None)
        if span is None or hit.block is None or hit.unit is None:
            return ""
        at = None if span.line >= 0 or row.folded else span.position
        return _value_of(self.frame, hit.block, hit.unit, at, span.label)

    def pixels(self, frame: Frame) -> tuple[tuple[int, int], int]:
        """How many points high and wide the pictures of units are here, and the answer's side; 0 without one."""
        where = _placed(frame, *self._inner())
        if where is None:
            return View.pixels, 0
        return (where.size.tall, where.size.wide), where.answer[2] if where.answer else 0

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is not None and self._net is not None:
            chosen = _chosen(nearest(self._net, at.x, 2 * (at.y - AROUND + 1)))
            if chosen is not None:
                self.post_message(chosen)
            return
        if at is None or not 0 <= at.y + self._top < len(self._rows):
            return
        row = self._rows[at.y + self._top]
        if row.spans:
            self.post_message(self._at(row, at.x))
        elif self.frame and self.frame.blocks[row.block].units:
            self.post_message(self.Chosen(block=self.frame.blocks[row.block].name, unit=0))


def _with_table(
    table: Scatter, example: str, lines: list[Strip], used: int, width: int, height: int, look: Terminal
) -> list[Strip]:
    """Beside the blocks of a network that is shown alone: the table of the selected embedding, as points."""
    points = scattered(table, example, width - used, min(height, 30), look) if width - used >= LEAST_TABLE else []
    return beside(lines, points, width, height)


def _placed(frame: Frame, width: int, height: int) -> NetLayout | None:
    """Where the units stand if the network is drawn as a net or a map; None if they are cells."""
    net = frame.net
    if net is None or height < SHORTEST:
        return None
    if net.grid is not None:
        return placed_map(net.grid, frame.view.block, width, height)
    return placed(net, width, height)


def _below(where: NetLayout, node: Node, down: int) -> int:
    """The unit below or above a node; itself at the edge of a map."""
    unit = node.unit + down * where.below
    return unit if (node.block, unit) in where.at else node.unit


def _value_of(frame: Frame, block: str, unit: int, position: int | None = None, label: str = "") -> str:
    """A unit with its value at a position, or its mean over all, and what stands on it."""
    cells = next((cells for cells in frame.network or () if cells.name == block), None)
    if cells is None or unit >= cells.values.shape[1]:
        return ""
    mark = Marks(frame.standing.get(block), cells.dead).of(unit)
    state = f", {mark.sign.words}" if mark else ""
    if position is None or len(cells.values) == 1:
        return f"{block}[{unit}] = {float(cells.values[:, unit].mean()):.4g}{state}"
    return f"{block}[{unit}] = {float(cells.values[position, unit]):.4g} at {label or position}{state}"


def _folded_name(block: BlockInfo, room: int) -> Part:
    """The name in front of a folded block."""
    return (padded(f"  {clip_name(block.name, room - 3)}", room), palette.TEXT)


def _chosen(node: Node | None) -> Pane.Chosen | None:
    return None if node is None else Pane.Chosen(block=node.block, unit=node.unit)
