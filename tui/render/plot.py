"""Plots of curves over steps; the only user of plotext, which keeps its figure in module globals.

plotext draws curves, points and axes; the band and what moves on top of a plot (the cursor) are put around that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.render import palette, themes
from tui.render.axis import Axis, labels, short, ticks
from tui.render.palette import Terminal
from tui.render.strips import StyledLine
from tui.render.themes import Rgb

FRAMED = "│┤└┬─┼┐"
"""What plotext draws axes of."""
PLAIN_FRAME = str.maketrans(FRAMED, "||++-++")
EIGHTHS = " ▁▂▃▄▅▆▇"
_CODE = re.compile(r"\x1b\[([0-9;]*)m")


@dataclass(frozen=True)
class Curve:
    """Points of a plot, joined or not: x and y (n,), of which only finite ones are drawn."""

    x: np.ndarray
    y: np.ndarray
    color: Rgb
    joined: bool = False
    marker: str = ""
    """The glyph of each point; empty: the finest dots that the terminal has."""


@dataclass(frozen=True)
class Band:
    """An area between two curves: from x `first` to `last`, each (n,), between `low` and `high`."""

    first: np.ndarray
    last: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Chart:
    """What is to be plotted; later curves lie over earlier ones."""

    span: tuple[float, float]
    axis: Axis
    curves: list[Curve]
    band: Band | None = None
    guide: float | None = None
    """A number with a line across the plot."""


@dataclass(frozen=True)
class Mark:
    """A glyph or a whole column that lies over a plot."""

    column: int
    style: Style
    glyph: str
    row: int | None = None
    """None: every line that is empty there; the others get the style's background."""


@dataclass
class Plot:
    """A drawn chart, as the letter and the style of each cell."""

    letters: list[list[str]]
    styles: list[list[Style]]
    left: int
    """Columns before the first one of the curves."""
    span: tuple[float, float]
    axis: Axis
    rows: int
    """Lines of curves; below them is the other axis."""
    marked: tuple[Mark, ...] = field(default=())

    @property
    def columns(self) -> int:
        return max(1, len(self.letters[0]) - self.left)

    def column(self, x: float) -> int:
        """The column of the widget in which x lies."""
        share = (x - self.span[0]) / ((self.span[1] - self.span[0]) or 1)
        return self.left + int(np.floor(0.5 + (2 * self.columns - 1) * min(1.0, max(0.0, share)))) // 2

    def x(self, column: int) -> float:
        """What a column of the widget stands for."""
        share = min(1.0, max(0.0, (column - self.left) / max(1, self.columns - 1)))
        return self.span[0] + share * (self.span[1] - self.span[0])

    def row(self, y: float) -> int:
        """The line in which y lies."""
        share = float(np.clip(self.axis.share([y])[0], 0, 1))
        return self.rows - 1 - int(np.floor(0.5 + (4 * self.rows - 1) * share)) // 4

    def strips(self, marks: Iterable[Mark] = ()) -> list[Strip]:
        """The lines, with marks over them."""
        over: dict[tuple[int, int], tuple[str, Style]] = {}
        for mark in marks:
            rows = range(self.rows) if mark.row is None else (mark.row,)
            for y in rows:
                there = self.letters[y][mark.column]
                free = mark.row is not None or there in " ░." or there in EIGHTHS
                under = self.styles[y][mark.column]
                over[y, mark.column] = (mark.glyph, mark.style) if free else (there, _over(under, mark.style))
        return [self._strip(y, over) for y in range(len(self.letters))]

    def _strip(self, y: int, over: dict[tuple[int, int], tuple[str, Style]]) -> Strip:
        cells = list(zip(self.letters[y], self.styles[y], strict=True))
        for (row, x), cell in over.items():
            if row == y and 0 <= x < len(cells):
                cells[x] = cell
        runs = groupby(cells, key=lambda cell: id(cell[1]))
        segments = []
        for _, run in runs:
            together = list(run)
            segments.append(Segment("".join(letter for letter, _ in together), together[0][1]))
        return StyledLine(segments, len(cells))


def draw(chart: Chart, width: int, height: int, look: Terminal) -> Plot:
    """Draw a chart into so many columns and lines."""
    import plotext as plt  # slow to import: only when a plot is first drawn

    plt.clear_figure()
    plt.limit_size(False, False)  # ignores `COLUMNS` and `LINES`
    plt.plotsize(width, height)
    plt.theme("clear")
    plt.axes_color("default")
    plt.ticks_color(palette.AXIS)
    for curve in chart.curves:
        _draw_curve(plt, curve, chart.axis, look)
    first, last = chart.span
    xticks = ticks(first, last, max(1, width // 12), whole=True)
    plt.xlim(first, last)
    plt.xticks(xticks, step_labels(xticks))
    plt.ylim(chart.axis.bottom, chart.axis.top)
    plt.yticks(chart.axis.place(chart.axis.ticks).tolist(), labels(chart.axis.ticks))
    plt.xaxes(True, False)
    plt.yaxes(True, False)
    rows = [_cells(row, width) for row in str(plt.build()).splitlines()[:height]]
    left = next((at + 1 for at, letter in enumerate(rows[0][0]) if letter in FRAMED), 0) if rows else 0
    plot = Plot(
        [letters for letters, _ in rows],
        [styles for _, styles in rows],
        left,
        chart.span,
        chart.axis,
        max(1, height - 2),
    )
    if chart.guide is not None:
        _draw_guide(plot, chart.guide, look)
    if chart.band is not None and len(rows) > 2:
        _draw_band(plot, chart.band, look)
    if not look.unicode:
        plot.letters = [[letter.translate(PLAIN_FRAME) for letter in row] for row in plot.letters]
    return plot


def _draw_curve(plt: Any, curve: Curve, axis: Axis, look: Terminal) -> None:
    known = np.isfinite(curve.y) & ((curve.y > 0) | (not axis.log))
    marker = curve.marker or ("braille" if look.unicode else "*")
    if not curve.joined:
        if known.any():
            plt.scatter(curve.x[known].tolist(), axis.place(curve.y[known]).tolist(), marker=marker, color=curve.color)
        return
    edges = np.flatnonzero(np.diff(known.astype(np.int8), prepend=0, append=0))
    for start, end in edges.reshape(-1, 2):
        x, y = curve.x[start:end].tolist(), axis.place(curve.y[start:end]).tolist()
        plt.plot(x, y, marker=marker, color=curve.color)


def _draw_guide(plot: Plot, number: float, look: Terminal) -> None:
    """A line across the plot, below the curves."""
    if not 0 <= float(plot.axis.share([number])[0]) <= 1:
        return
    row = plot.letters[plot.row(number)]
    styles = plot.styles[plot.row(number)]
    for x in range(plot.left, len(row)):
        if row[x] == " ":
            row[x], styles[x] = ("╌" if look.unicode else "-"), palette.FAINT


def _draw_band(plot: Plot, band: Band, look: Terminal) -> None:
    """Put the band behind what is drawn: as a background to an eighth of a line, or as glyphs without colours."""
    low, high = _edges(plot, band)
    for x in range(plot.columns):
        if high[x] < low[x]:
            continue
        for y in range(plot.rows):
            base = 8 * (plot.rows - 1 - y)
            under, over = max(0, low[x] - base), min(8, high[x] + 1 - base)
            if over > under:
                _shade(plot, y, plot.left + x, int(under), int(over), look)


def _edges(plot: Plot, band: Band) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest eighth of a line that the band takes in each column; none where high < low."""
    columns, fine = plot.columns, 8 * plot.rows - 1
    low, high = [fine + 1.0] * columns, [-1.0] * columns
    known = np.isfinite(band.low) & np.isfinite(band.high) & ((band.low > 0) | (not plot.axis.log))
    bounds = [np.floor(0.5 + fine * np.clip(plot.axis.share(part[known]), -1, 2)) for part in (band.low, band.high)]
    width = (plot.span[1] - plot.span[0]) or 1.0
    shares = [np.clip((part[known] - plot.span[0]) / width, 0, 1) for part in (band.first, band.last)]
    places = [(np.floor(0.5 + (2 * columns - 1) * share).astype(int) // 2).tolist() for share in shares]
    for first, last, bottom, top in zip(*places, *(bound.tolist() for bound in bounds), strict=True):
        for x in range(first, last + 1):
            low[x], high[x] = min(low[x], bottom), max(high[x], top)
    return np.maximum(low, 0).astype(int), np.minimum(high, fine).astype(int)


def _shade(plot: Plot, y: int, x: int, under: int, over: int, look: Terminal) -> None:
    """Shade one cell from one eighth to another."""
    free = plot.letters[y][x] == " "
    if not look.half_blocks:
        if free and over - under >= 4:
            plot.letters[y][x], plot.styles[y][x] = ("░" if look.unicode else "."), palette.FAINT
    elif not free:
        if over - under >= 4:
            plot.styles[y][x] = _on_band(plot.styles[y][x])
    elif over == 8:
        plot.letters[y][x], plot.styles[y][x] = EIGHTHS[under], _edge(above=True)
    elif over - under >= 2:
        plot.letters[y][x], plot.styles[y][x] = EIGHTHS[over], _edge(above=False)


def step_labels(steps: list[float]) -> list[str]:
    """Labels of steps: in few characters if these tell them apart, else in full."""
    written = [short(step) for step in steps]
    return written if len(set(written)) == len(steps) else [f"{step:,.0f}" for step in steps]


def _cells(row: str, width: int) -> tuple[list[str], list[Style]]:
    """A line of plotext's output, with its colour codes, as letters and styles."""
    letters: list[str] = []
    styles: list[Style] = []
    style, at = palette.DIM, 0
    for match in _CODE.finditer(row):
        letters += row[at : match.start()]
        styles += [style] * (match.start() - at)
        style, at = _style(match[1]), match.end()
    letters += row[at:]
    styles += [style] * (len(row) - at)
    missing = width - len(letters)
    return [*letters, *" " * missing][:width], [*styles, *[palette.GROUND] * missing][:width]


def _style(code: str) -> Style:
    numbers = [int(part) for part in code.split(";") if part]
    return ink((numbers[2], numbers[3], numbers[4])) if len(numbers) >= 5 and numbers[:2] == [38, 2] else palette.DIM


@palette.themed
def ink(color: Rgb) -> Style:
    """The style of a curve of a colour."""
    return Style(bgcolor=palette.BACK, color=themes.hex_of(color))


@palette.themed
def _edge(above: bool) -> Style:
    """The style of an eighth of a line at the upper or the lower edge of the band."""
    band, back = themes.hex_of(palette.BAND), palette.BACK
    return Style(bgcolor=band, color=back) if above else Style(bgcolor=back, color=band)


@palette.themed
def _on_band(style: Style) -> Style:
    return style + Style(bgcolor=themes.hex_of(palette.BAND))


@palette.themed
def _over(style: Style, mark: Style) -> Style:
    """A style on the background of another."""
    return style + Style(bgcolor=mark.bgcolor)
