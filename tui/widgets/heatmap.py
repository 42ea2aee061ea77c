"""A heat map as lines: rows x columns of coloured cells, scrolled to keep the selected column and row visible.

Small maps grow to fill the pane; if there is little room, half blocks draw two rows in one line. The selected column is
between two bars, so that its own colours do not change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from math import ceil

import numpy as np
from numpy.typing import NDArray
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tinynets.server.frame import Frame
from tui.render import palette
from tui.render.drawing import Part, cells, clip, line, padded_left, signed
from tui.render.palette import WITH_VALUE, Levels, Terminal
from tui.render.strips import LazyLine, ansi

WIDEST, TALLEST = 10, 3
"""The largest cell, in characters and lines."""


@dataclass(frozen=True)
class Grid:
    """The geometry of a map: sizes in characters, and the first visible row and column."""

    rows: int
    columns: int
    cell_width: int
    rows_per_line: int
    """Rows per line: 2 with half blocks, else 1."""
    lines_per_row: int
    """Lines per row: more than 1 for small maps."""
    lines: int
    """Lines available for cells."""
    first_row: int
    first_column: int
    shown_columns: int
    gutter: int
    """Columns for labels, left of the cells."""
    marked: int
    """The selected column, which is between two bars; -1 for none."""

    @property
    def shown_rows(self) -> int:
        return self.lines * self.rows_per_line // self.lines_per_row

    def column_at(self, x: int) -> int | None:
        """The column at a character, counted from the left of the widget."""
        x -= self.gutter
        if x < 0:
            return None
        at = (self.marked - self.first_column) * self.cell_width
        if self.marked >= self.first_column and x > at:
            x = max(at, x - 2) if x > at + self.cell_width else max(at, x - 1)
        column = self.first_column + x // self.cell_width
        return column if column < min(self.columns, self.first_column + self.shown_columns) else None

    def row_at(self, y: int, lower_half: bool = False) -> int | None:
        """The row at a line, counted from the first line of cells."""
        row = self.first_row + y * self.rows_per_line // self.lines_per_row + (lower_half and self.rows_per_line == 2)
        return row if 0 <= y < self.lines and row < self.rows else None

    def x_of(self, column: int) -> int:
        """The first character of a column."""
        x = self.gutter + (column - self.first_column) * self.cell_width
        return x + (0 if self.marked < 0 or column < self.marked else 1 if column == self.marked else 2)


def grid(
    shape: tuple[int, int],
    room: tuple[int, int],
    gutter: int,
    marked: int,
    row: int,
    first: tuple[int, int],
    look: Terminal,
) -> Grid:
    """Fit a map of (rows, columns) into (lines, characters), scrolled to show the selected column and row.

    Where the labels would leave no room for a cell between its bars, there are none.
    """
    (rows, columns), (lines, width) = shape, room
    gutter = gutter if gutter + 3 <= width else 0
    inner = max(1, width - gutter - 2)
    cell_width = max(1, min(WIDEST, inner // max(1, columns)))
    rows_per_line = 2 if look.half_blocks and rows > lines else 1
    lines_per_row = 1 if rows_per_line == 2 else max(1, min(TALLEST, lines // max(1, rows)))
    shown_columns = min(columns, inner // cell_width)
    shown_rows = min(rows, lines * rows_per_line // lines_per_row)
    first_row = scrolled(first[0], row, shown_rows, rows)
    if rows_per_line == 2:
        first_row -= first_row % 2
        if row >= first_row + shown_rows:
            first_row += 2
    first_column = scrolled(first[1], marked, shown_columns, columns)
    used = min(lines, ceil((rows - first_row) * lines_per_row / rows_per_line))
    return Grid(
        rows,
        columns,
        cell_width,
        rows_per_line,
        lines_per_row,
        used,
        first_row,
        first_column,
        shown_columns,
        gutter,
        marked,
    )


def scrolled(first: int, wanted: int, shown: int, total: int) -> int:
    """The first visible index, moved no more than needed for `wanted` to be visible with a margin."""
    margin = min(4, max(0, (shown - 1) // 2))
    if wanted >= 0:
        first = min(first, wanted - margin)
        first = max(first, wanted - shown + 1 + margin)
    return max(0, min(first, total - shown))


def cell_lines(
    values: NDArray[np.floating],
    limit: float,
    place: Grid,
    row: int,
    labels: tuple[str, ...],
    look: Terminal,
    saturated: NDArray[np.bool_] | None = None,
    held: NDArray[np.bool_] | None = None,
) -> list[Strip]:
    """The lines of cells with their labels; `values` and the masks of marked cells are (rows, columns)."""
    seen = (
        slice(place.first_row, place.first_row + place.lines * place.rows_per_line),
        slice(place.first_column, place.first_column + place.shown_columns),
    )
    levels = palette.levels(values[seen], limit)
    if saturated is not None:
        levels = palette.saturated(levels, saturated[seen])
    if held is not None:
        levels = palette.held(levels, held[seen])
    if place.rows_per_line == 2:
        return _half_lines(levels, place, row, labels, look)
    return [
        _line(levels, values[seen], y, place, _gutter_at(y, place, row, labels, look), row, look)
        for y in range(place.lines)
    ]


def hatched_lines(place: Grid, row: int, labels: tuple[str, ...], look: Terminal) -> list[Strip]:
    """The lines of a map whose cells have no values yet, with their labels."""
    hatch = look.glyph("hatch") * (place.shown_columns * place.cell_width + 2 * (place.marked >= 0))
    return [
        line([*_gutter_at(y, place, row, labels, look), (hatch, palette.FAINT)], _width(place))
        for y in range(place.lines)
    ]


def _line(
    levels: Levels, values: NDArray[np.floating], y: int, place: Grid, gutter: list[Part], row: int, look: Terminal
) -> Strip:
    at = y // place.lines_per_row
    if place.cell_width >= WITH_VALUE and y % place.lines_per_row == (place.lines_per_row - 1) // 2:
        groups = _value_cells(levels[at].tolist(), values[at].tolist(), place, look)
    else:
        groups = _cells(levels[at].tolist(), place, look)
    mark = place.marked - place.first_column
    if 0 <= mark < len(groups):
        groups[mark] = _between_bars(groups[mark], 0 if place.first_row + at == row else -1, place, look)
    return cells([*(Segment(*part) for part in gutter), *chain.from_iterable(groups)], _width(place))


def _width(place: Grid) -> int:
    return place.gutter + place.shown_columns * place.cell_width + 2


def _half_lines(levels: Levels, place: Grid, row: int, labels: tuple[str, ...], look: Terminal) -> list[Strip]:
    """Two rows per line. The codes of all cells are computed at once; segments are made only when asked for."""
    if len(levels) % 2:
        levels = np.vstack([levels, np.full((1, levels.shape[1]), palette.NOTHING, np.int8)])
    pairs = np.repeat(levels, place.cell_width, axis=1)
    at = (place.marked - place.first_column) * place.cell_width
    cuts = (at, at + place.cell_width) if 0 <= at < pairs.shape[1] else (0, 0)
    codes = palette.pair_codes(pairs[::2], pairs[1::2], cuts)
    return [
        _half_line(
            codes[y].tolist(),
            pairs[2 * y : 2 * y + 2],
            cuts,
            place,
            _gutter_at(y, place, row, labels, look),
            _bar(row - place.first_row - 2 * y, place, look),
        )
        for y in range(place.lines)
    ]


def _half_line(
    codes: list[int], pair: Levels, cuts: tuple[int, int], place: Grid, gutter: list[Part], bar: Segment
) -> Strip:
    """One line; `pair` is (2, characters), and the characters between the two cuts are between bars."""
    bars = [bar] if cuts[1] else []
    room = _width(place) - place.gutter - len(codes) - 2 * len(bars)
    end = [Segment(" " * room, palette.GROUND)] if room else []
    spans = [slice(*cuts), slice(cuts[1], None)]

    def make() -> list[Segment]:
        pairs = [palette.pair(a, b) for a, b in pair.T.tolist()]
        left = [*(Segment(*part) for part in gutter), *pairs[: cuts[0]]]
        return [*left, *bars, *pairs[spans[0]], *bars, *pairs[spans[1]], *end]

    def write(system: ColorSystem) -> str:
        characters = palette.writer(system)
        texts = [characters[code] for code in codes]
        left = [ansi((Segment(*part) for part in gutter), system), *texts[: cuts[0]]]
        between = [ansi(bars, system)] if bars else []
        return "".join([*left, *between, *texts[spans[0]], *between, *texts[spans[1]], ansi(end, system)])

    return LazyLine((pair.tobytes(), cuts, bar, tuple(gutter)), _width(place), make, write)


def _cells(levels: list[int], place: Grid, look: Terminal) -> list[list[Segment]]:
    if not look.colour:
        return [[Segment(palette.sign_glyph(level, place.cell_width), palette.TEXT)] for level in levels]
    blank = " " * place.cell_width
    return [[palette.cell(level, blank)] for level in levels]


def _value_cells(levels: list[int], values: list[float], place: Grid, look: Terminal) -> list[list[Segment]]:
    """Cells with their values in them."""
    frozen = look.glyph("frozen")
    texts = [
        (signed(value, 3) + (frozen if level in palette.HELD else "")).center(place.cell_width)[: place.cell_width]
        for level, value in zip(levels, values, strict=True)
    ]
    if not look.colour:
        return [[Segment(text, palette.TEXT)] for text in texts]
    return [[Segment(text, palette.paper(level))] for level, text in zip(levels, texts, strict=True)]


def _between_bars(cells: list[Segment], cursor: int, place: Grid, look: Terminal) -> list[Segment]:
    """Put the selected column's cell between two bars."""
    side = _bar(cursor, place, look)
    return [side, *cells, side]


def _bar(cursor: int, place: Grid, look: Terminal) -> Segment:
    """A thin bar; at the cursor a thick one, in the cursor's half of the line."""
    bar = look.glyph("bar")
    if 0 <= cursor < place.rows_per_line:
        bar = "▀▄"[cursor] if place.rows_per_line == 2 else "█" if look.unicode else "#"
    return Segment(bar, palette.CURSOR)


def _gutter_at(y: int, place: Grid, row: int, labels: tuple[str, ...], look: Terminal) -> list[Part]:
    """The label of a line: that of the selected row if it is in the line, otherwise that of the first row."""
    top = place.row_at(y)
    assert top is not None
    here = top <= row < top + place.rows_per_line
    return _gutter(labels, row if here else top, place.gutter, here, y % place.lines_per_row == 0, look)


def _gutter(labels: tuple[str, ...], row: int, width: int, here: bool, first_line: bool, look: Terminal) -> list[Part]:
    if not width:
        return []
    text = clip(labels[row], width - 2) if first_line and row < len(labels) else ""
    text = padded_left(text, width - 2)
    pointer = look.glyph("right") if here and first_line else " "
    return [(text, palette.BRIGHT if here else palette.DIM), (f"{pointer} "[:2], palette.CURSOR)]


def gutter_width(frame: Frame) -> int:
    """The gutter's width in both weights and activations, so that a unit is in the same column of both."""
    rows = frame.weights.rows if frame.weights else ()
    return min(14, max([9, *map(len, rows), *map(len, frame.examples)])) + 2


def ruler(place: Grid, marks: Callable[[int], tuple[str, Style] | None], look: Terminal) -> Strip:
    """The line above the cells: a pointer over the selected column, marks or ticks over the others."""
    shown = range(place.first_column, place.first_column + place.shown_columns)
    return _ruler(place, tuple([marks(column) for column in shown]), look)


@palette.themed
def _ruler(place: Grid, marks: tuple[tuple[str, Style] | None, ...], look: Terminal) -> Strip:
    pointer = look.glyph("down")
    characters: dict[int, Part] = {}
    for column, mark in enumerate(marks, place.first_column):
        x = place.x_of(column)
        if column == place.marked:
            characters[x + (place.cell_width - 1) // 2] = (pointer, palette.CURSOR)
        elif mark:
            characters[x + (place.cell_width - 1) // 2] = mark
    _ticks(place, characters)
    cells = [characters.get(x, (" ", palette.FAINT)) for x in range(place.gutter, _width(place))]
    return line([(_shown_part(place)[: place.gutter].ljust(place.gutter), palette.FAINT), *cells], _width(place))


def _shown_part(place: Grid) -> str:
    """Which rows are visible, if not all are."""
    if place.shown_rows >= place.rows:
        return ""
    return f"{place.first_row}-{min(place.rows, place.first_row + place.shown_rows) - 1} of {place.rows}"


def _ticks(place: Grid, characters: dict[int, Part]) -> None:
    """Put numbers over every tenth column (every column if cells are wide), unless a mark is in the way."""
    every = 1 if place.cell_width >= 4 else 5 if place.cell_width >= 2 else 10
    for column in range(place.first_column, place.first_column + place.shown_columns):
        if column % every or column == place.marked:
            continue
        x = place.x_of(column)
        spots = range(x, x + len(str(column)))
        if not any(spot in characters for spot in range(x - 1, x + len(str(column)) + 1)):
            for spot, digit in zip(spots, str(column), strict=True):
                characters[spot] = (digit, palette.FAINT)


def share_line(shares: np.ndarray, place: Grid, look: Terminal, label: str) -> Strip:
    """A line under the map, with a small bar for each column's share."""
    steps = " ▁▂▃▄▅▆▇█" if look.unicode else " .:-=+*#@"
    shown = slice(place.first_column, place.first_column + place.shown_columns)
    heights = np.clip(np.rint(shares[shown] * 8), 1, 8).astype(int) * (shares[shown] > 0)
    text = [" "] * _width(place)
    for column, height in enumerate(heights.tolist(), place.first_column):
        x = place.x_of(column)
        text[x : x + place.cell_width] = steps[height] * place.cell_width
    left = label.rjust(place.gutter - 2) + "  " if place.gutter else ""
    return line([(left, palette.DIM), ("".join(text[place.gutter :]), palette.WARN)], _width(place))
