"""A canvas for nets: pixels half a line high, thin lines in braille behind them, and glyphs before both.

Where the terminal lacks colour or half blocks, a pixel is a sign or a coloured character and a line is made of dashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.render import palette
from tui.render.drawing import blank, line, narrow
from tui.render.palette import Terminal
from tui.render.strips import StyledLine

Ints = NDArray[np.int64]
NONE = -1
DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""The bit of each dot of a braille letter, by row and column."""
LEAST_BRIGHT = 6
"""How far from the middle the colour of a weak edge of the selected unit is at least."""
THICK = 9
"""How far from the middle the level of an edge of the selected unit is that is drawn twice as thick."""
DIM = 0.34
"""How much of its colour an edge keeps that does not touch the selected unit."""


class Curve(NamedTuple):
    """A line from pixel to pixel in the colour of a level."""

    x0: int
    y0: int
    x1: int
    y1: int
    level: int
    dim: bool


def packed(rgb: tuple[int, int, int]) -> int:
    return rgb[0] << 16 | rgb[1] << 8 | rgb[2]


@palette.themed
def packed_levels() -> Ints:
    """The colour of each level of the diverging map, as one number each."""
    return np.array([packed(palette.rgb(level)) for level in range(palette.LEVELS)])


@palette.themed
def line_colour(level: int, dim: bool) -> int:
    """The colour of an edge: that of its weight's level, nearer to the background if it is dim."""
    share = DIM if dim else 1.0
    away = level - palette.MIDDLE
    if not dim and away:
        level = palette.MIDDLE + max(abs(away), LEAST_BRIGHT) * (1 if away > 0 else -1)
    level = level if abs(away) > 2 or not dim else palette.MIDDLE
    base = palette.rgb(level) if level != palette.MIDDLE else _triplet(palette.FAINT)
    mixed = [round(b + (a - b) * share) for a, b in zip(base, palette.GROUND_RGB, strict=True)]
    return packed((mixed[0], mixed[1], mixed[2]))


class NetCanvas:
    """A drawing of some characters by some lines."""

    def __init__(self, width: int, lines: int, look: Terminal) -> None:
        self.width, self.lines, self.look = width, lines, look
        self.pixels: Ints = np.full((2 * lines, width), NONE)
        self.levels: Ints = np.full((2 * lines, width), palette.MIDDLE)
        self._dots = np.zeros((4 * lines, 2 * width), np.bool_)
        self._ink: Ints = np.zeros((lines, width), np.int64)
        self._slope: Ints = np.zeros((lines, width), np.int64)
        self._signs: Ints = np.zeros((lines, width), np.int64)
        self.glyphs: dict[tuple[int, int], tuple[str, Style]] = {}
        """(line, character) -> a letter and its style; its background is that of the pixels."""

    def picture(self, x: int, y: int, levels: NDArray[np.integer]) -> None:
        """Put a picture, given as levels of the map, with its upper left pixel at a place."""
        rows, columns = min(levels.shape[0], 2 * self.lines - y), min(levels.shape[1], self.width - x)
        part = np.s_[y : y + rows, x : x + columns]
        self.levels[part] = levels[:rows, :columns]
        self.pixels[part] = packed_levels()[levels[:rows, :columns]]

    def colours(self, x: int, y: int, pixels: NDArray[np.uint8]) -> None:
        """Put a picture, given as red, green and blue, with its upper left pixel at a place."""
        rows, columns = min(pixels.shape[0], 2 * self.lines - y), min(pixels.shape[1], self.width - x)
        part, shown = np.s_[y : y + rows, x : x + columns], pixels[:rows, :columns].astype(np.int64)
        self.pixels[part] = shown[..., 0] << 16 | shown[..., 1] << 8 | shown[..., 2]
        self.levels[part] = shown.mean(axis=-1) / 255 * palette.MIDDLE + palette.MIDDLE

    def block(self, x: int, y: int, columns: int, rows: int, colour: int) -> None:
        """Fill a rectangle with a colour; what lies outside is left out."""
        self.pixels[max(0, y) : max(0, y + rows), max(0, x) : max(0, x + columns)] = colour

    def ring(self, x: int, y: int, columns: int, rows: int, colour: int) -> None:
        """A frame of one pixel around a rectangle."""
        self.block(x - 1, y - 1, columns + 2, 1, colour)
        self.block(x - 1, y + rows, columns + 2, 1, colour)
        self.block(x - 1, y - 1, 1, rows + 2, colour)
        self.block(x + columns, y - 1, 1, rows + 2, colour)

    def write(self, line_number: int, x: int, text: str, style: Style) -> None:
        """Put letters, each one character wide, before everything else."""
        for at, letter in enumerate(narrow(text), x):
            if 0 <= at < self.width and 0 <= line_number < self.lines:
                self.glyphs[line_number, at] = (letter, style)

    def curves(self, lines: Sequence[Curve]) -> None:
        """Draw lines that leave and arrive level; later ones cover earlier ones."""
        if not lines:
            return
        thick = [curve for curve in lines if abs(curve.level - palette.MIDDLE) >= THICK and not curve.dim]
        drawn = [*lines, *thick]  # a thick line is two, one below the other
        count = 2 * max(2, *(max(curve.x1 - curve.x0, abs(curve.y1 - curve.y0)) for curve in lines)) + 2
        room = self.width, self.lines
        paths = [_path(curve[:4], count, int(number >= len(lines)), room) for number, curve in enumerate(drawn)]
        lengths = [len(path[0]) for path in paths]
        rows, columns = np.concatenate(paths, axis=1)
        signs = np.repeat([1 if curve.level >= palette.MIDDLE else -1 for curve in drawn], lengths)
        inks = np.repeat([line_colour(curve.level, curve.dim) for curve in drawn], lengths)
        rises = [curve.y1 - curve.y0 for curve in drawn]
        slope = np.repeat([int(np.sign(rise)) if abs(rise) > 2 else 0 for rise in rises], lengths)
        if not self.look.colour:  # dashes, where there is no colour to tell the sign
            shown = (signs > 0) | ((columns // 2 + rows // 2) % 2 == 0)
            rows, columns, signs, inks, slope = (values[shown] for values in (rows, columns, signs, inks, slope))
        at = rows // 4, columns // 2
        self._dots[rows, columns] = True
        self._ink[at], self._slope[at], self._signs[at] = inks, slope, signs

    def strips(self) -> list[Strip]:
        """The drawing as lines."""
        letters = self._dots.reshape(self.lines, 4, self.width, 2) * DOTS[:, None]
        glyphs: dict[int, dict[int, tuple[str, Style]]] = {}
        for (number, x), glyph in self.glyphs.items():
            glyphs.setdefault(number, {})[x] = glyph
        rows = letters.sum(axis=(1, 3)).tolist()
        return [self._line(number, row, glyphs.get(number, {})) for number, row in enumerate(rows)]

    def _line(self, number: int, dots: list[int], glyphs: dict[int, tuple[str, Style]]) -> Strip:
        """One line; `dots` has the bits of its letters of braille, `glyphs` its letters by character."""
        upper, lower = self.pixels[2 * number].tolist(), self.pixels[2 * number + 1].tolist()
        ink, halves = self._ink[number].tolist(), self.look.half_blocks
        made, used = list[Segment](), 0
        taken = [x for x in range(self.width) if dots[x] or upper[x] != NONE or lower[x] != NONE or x in glyphs]
        if not taken:
            return blank(self.width)
        for x in taken:
            if x > used:
                made.append(_empty(x - used))
            used = x + 1
            if x in glyphs:
                made.append(_glyph(*glyphs[x], max(upper[x], lower[x]) if self.look.colour else NONE))
            elif upper[x] != NONE or lower[x] != NONE:
                made.append(_halves(upper[x], lower[x]) if halves else self._pixel(number, x, upper[x], lower[x]))
            else:
                made.append(self._dash(number, x, dots[x], ink[x]))
        if used < self.width:
            made.append(_empty(self.width - used))
        return StyledLine(made, self.width) if self.look.colour else line(made, self.width)

    def _pixel(self, number: int, x: int, upper: int, lower: int) -> Segment:
        shown = upper if upper != NONE else lower
        if self.look.colour:
            return _halves(shown, shown, " ")
        if shown == chosen():
            return Segment("|", palette.BRIGHT)
        rows = self.levels[2 * number : 2 * number + 2, x]
        level = int(rows[np.abs(rows - palette.MIDDLE).argmax()])
        return Segment(palette.sign_glyph(level), palette.TEXT)

    def _dash(self, number: int, x: int, dots: int, ink: int) -> Segment:
        if self.look.unicode:
            return _braille(dots, ink if self.look.colour else 0)
        sign = int(self._signs[number, x])
        text = "-\\/"[int(self._slope[number, x])] if sign > 0 or self.look.colour else "."
        return Segment(text, Style(color=_colour(ink), bgcolor=palette.BACK) if self.look.colour else palette.TEXT)


@lru_cache(8192)  # a net keeps its shape while its weights change
def _path(ends: tuple[int, ...], count: int, lower: int, room: tuple[int, int]) -> Ints:
    """The dots (2, n), as rows and columns, of a curve sampled `count` times; `room` is the characters and lines."""
    (x0, y0, x1, y1), (width, lines) = ends, room
    t = np.linspace(0.0, 1.0, count)
    columns = np.rint(2 * x0 + 2 * (x1 - x0) * t).astype(np.int64)
    rows = np.rint(2 * y0 + 2 * (y1 - y0) * t * t * (3 - 2 * t) + 1 + lower).astype(np.int64)
    shown = (columns >= 0) & (columns < 2 * width) & (rows >= 0) & (rows < 4 * lines)
    dots = np.stack([rows[shown], columns[shown]])
    new = np.append(True, (np.diff(dots) != 0).any(axis=0))[: dots.shape[1]]
    return dots[:, new]


@palette.themed
def _empty(count: int) -> Segment:
    return Segment(" " * count, palette.GROUND)


@palette.themed
def chosen() -> int:
    """The colour of the frame around the selected unit."""
    return packed(_triplet(palette.ACCENT))


def _triplet(style: Style) -> tuple[int, int, int]:
    """The colour of a style's letters as red, green and blue."""
    assert style.color is not None
    found = style.color.get_truecolor()
    return found.red, found.green, found.blue


@palette.themed
def _colour(value: int) -> Color:
    return Color.from_rgb(value >> 16, value >> 8 & 255, value & 255)


@palette.themed
def _halves(upper: int, lower: int, text: str = "▀") -> Segment:
    ground = packed(palette.GROUND_RGB)
    front, back = (value if value != NONE else ground for value in (upper, lower))
    return Segment(text, Style(color=_colour(front), bgcolor=_colour(back)))


@palette.themed
def _braille(dots: int, ink: int) -> Segment:
    style = Style(color=_colour(ink), bgcolor=palette.BACK) if ink else palette.DIM
    return Segment(chr(0x2800 + dots), style)


@palette.themed
def _glyph(text: str, style: Style, ground: int) -> Segment:
    return Segment(text, style if ground == NONE else style + Style(bgcolor=_colour(ground)))
