"""Draws the table of the Units pane: which columns fit into a width, its heading, and its rows."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from math import isnan

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tinynets.server.frame import Floats
from tui.render import palette
from tui.render.drawing import Part, clip, clip_name, line, number, padded, padded_left, signed
from tui.render.marks import UnitMark
from tui.render.palette import Terminal

TITLES = {
    "unit": "unit",
    "mean": "mean",
    "std": "dev.",
    "flat": "sat.",
    "gradient": "|grad|",
    "change": "change",
    "worth": "worth",
}
WIDTHS = {"mean": 9, "std": 8, "flat": 6, "gradient": 9, "change": 9, "worth": 10}
"""The columns behind the sparkline, with the blank before each."""
GIVEN_UP = ("std", "change", "mean", "gradient", "flat", "worth")
"""The columns that are left out where there is no room, the first of these first."""
SPARK, SHORT_SPARK = 16, 7
LEAD, SIGNS = 2, 3
"""Characters for pointer and mark, and for the signs of what stands on a unit."""
MUCH = 0.3
"""From this share on, saturation is shown as a warning (makemore part 3)."""
STEPS = "▁▂▃▄▅▆▇█", ".:-=+*%#"


@dataclass(frozen=True)
class Layout:
    """What fits into a width: the widths of rank, name and sparkline (0: left out), and the columns behind them."""

    rank: int
    name: int
    spark: int
    columns: tuple[str, ...]

    def starts(self) -> dict[str, tuple[int, int]]:
        """The first character of each column that can be sorted by, and the one behind its last."""
        x = LEAD + self.rank
        found = {"unit": (x, x + self.name + SIGNS)}
        x += self.name + SIGNS + self.spark
        for name in self.columns:
            found[name] = (x, x + WIDTHS[name])
            x += WIDTHS[name]
        return found


def layout(width: int, count: int, longest: int, sorted_by: str, known: Container[str]) -> Layout:
    """The columns for a table of `count` units whose longest name has that many characters; it shows what sorts it.

    `known`: the columns that have numbers.
    """
    columns = [name for name in WIDTHS if name in known or name == sorted_by or (name == "worth" and width >= 80)]
    rank, name, spark = len(str(count)) + 1, min(longest, max(12, width // 4)) + 1, SPARK

    def used() -> int:
        return LEAD + rank + name + SIGNS + spark + sum(WIDTHS[column] for column in columns)

    if used() > width:
        rank = 0
    spare = [column for column in GIVEN_UP if column != sorted_by and not (column == "worth" and column in known)]
    while used() > width and len(columns) > 4 and any(column in columns for column in spare):
        columns.remove(next(column for column in spare if column in columns))
    if used() > width:
        spark = SHORT_SPARK
    while used() > width and len(columns) > 1 and any(column in columns for column in spare):
        columns.remove(next(column for column in spare if column in columns))
    if used() > width:
        spark = 0
    if used() > width:
        name = max(2, name - (used() - width))
    while spark and spark < 64 and used() + spark <= width:
        spark *= 2
    return Layout(rank, name, spark, tuple(columns))


@dataclass(frozen=True)
class Titles:
    """What the heading says: which column sorts the rows and how, and what the sparklines show."""

    sorted_by: str
    rises: bool
    off: bool
    """Whether all activations can only be off, rather than saturated."""
    spark: tuple[str, str]
    """In many letters and in few."""


def heading(titles: Titles, shape: Layout, width: int, look: Terminal) -> Strip:
    """The titles of the columns, with an arrow at the one that sorts the rows."""
    arrow = look.glyph("up" if titles.rises else "down")

    def title(column: str, room: int, left: bool = False) -> Part:
        here = column == titles.sorted_by
        text = "off" if column == "flat" and titles.off else TITLES[column]
        text = f"{text}{arrow}" if here and left else f"{arrow}{text}" if here else text
        shown = padded(text, room) if left else padded_left(text, room)
        return (shown[:room], palette.ACCENT_BOLD if here else palette.DIM)

    parts: list[Part] = [(" " * LEAD, palette.DIM), (padded_left("#", shape.rank - 1)[: shape.rank] + " ", palette.DIM)]
    parts = parts if shape.rank else parts[:1]
    parts += [title("unit", shape.name + SIGNS, True)]
    spark = clip(titles.spark[shape.spark <= SHORT_SPARK], shape.spark - 1)
    parts += [(padded(spark, shape.spark), palette.DIM)] if shape.spark else []
    parts += [title(column, WIDTHS[column]) for column in shape.columns]
    return line(parts, width)


@dataclass(frozen=True)
class Row:
    """A unit as a row."""

    rank: int
    name: str
    selected: bool
    marked: bool
    sign: UnitMark | None
    bins: Floats
    limit: float
    values: dict[str, float]
    dead: bool
    old: bool
    """Whether its worth was measured at another moment."""


def row_line(row: Row, shape: Layout, width: int, look: Terminal) -> Strip:
    parts: list[Part | Segment] = [
        (look.glyph("right") if row.selected else " ", palette.CURSOR),
        (look.glyph("dot") if row.marked else " ", palette.ACCENT_BOLD),
    ]
    if shape.rank:
        parts.append((padded_left(str(row.rank), shape.rank - 1) + " ", palette.FAINT))
    style = palette.BRIGHT if row.selected else palette.TEXT
    parts.append((padded(clip_name(row.name, shape.name - 1), shape.name), style))
    mark = (row.sign.text(2, look), row.sign.style) if row.sign is not None else ("  ", palette.TEXT)
    parts += [mark, (" ", palette.TEXT)]
    if shape.spark:
        parts += sparkline(row.bins, row.limit, shape.spark - 1, look)
        parts.append((" ", palette.TEXT))
    for column in shape.columns:
        text, ink = _number(column, row, look)
        parts.append((padded_left(text, WIDTHS[column]), ink))
    return line(parts, width)


def _number(column: str, row: Row, look: Terminal) -> Part:
    """A number of a row, in the style that says what to think of it."""
    value = row.values[column]
    if isnan(value):
        return (look.glyph("sum"), palette.FAINT)
    if column == "flat":
        share = f"{look.glyph('dead')}{value:.0f}%" if row.dead else f"{value:.0f}%"
        ink = palette.BAD if row.dead else palette.WARN if value > 100 * MUCH else palette.DIM
        return (share, ink if value else palette.FAINT)
    if column == "worth":
        return (f"{value:+.2g}", palette.FAINT if row.old else palette.sign_ink(value))
    if column == "mean":
        return (signed(value), palette.sign_ink(value))
    text = number(value) if column == "std" else f"{value:.2g}"
    return (text, palette.TEXT if value else palette.FAINT)


def sparkline(bins: Floats, limit: float, width: int, look: Terminal) -> Iterable[Segment]:
    """The values in a row of bars, as high as they are large, in the colour of their sign."""
    known = bins[~np.isnan(bins)]
    if not known.size:
        return [Segment(" " * width, palette.FAINT)]
    values = known[np.arange(width) * len(known) // width] if width >= len(known) else _fewer(known, width)
    levels = palette.levels(values, limit)
    return _bars(levels.tobytes(), look)


def _fewer(values: Floats, width: int) -> Floats:
    """Neighbours averaged to this many values."""
    edges = np.linspace(0, len(values), width + 1).astype(np.int64)
    found: Floats = np.add.reduceat(values, edges[:-1]) / np.diff(edges)
    return found


@palette.themed
def _bars(levels: bytes, look: Terminal) -> tuple[Segment, ...]:
    steps, made = STEPS[not look.unicode], []
    for level in np.frombuffer(levels, np.int8).tolist():
        if not look.colour:
            made.append(Segment(palette.sign_glyph(level), palette.TEXT))
            continue
        share = abs(level - palette.MIDDLE) / palette.MIDDLE
        style: Style = palette.ink(level) if share > 0.1 else palette.FAINT
        made.append(Segment(steps[min(len(steps) - 1, int(share * len(steps)))], style))
    return tuple(made)
