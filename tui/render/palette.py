"""Colours: one diverging map for all panes (orange negative, blue positive), styles for text, and glyphs.

Each value becomes one of 31 levels, so that at most 961 colour pairs exist and every Style and Segment is made once.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from rich.color import Color, ColorSystem
from rich.segment import Segment
from rich.style import Style

from tui.render.operation_looks import LOOKS
from tui.render.strips import colour_code

WITH_VALUE = 7
"""From this many characters on, a cell has room for its value."""
LEVELS = 31
MIDDLE = LEVELS // 2
NEUTRAL = (38, 44, 54)
NEGATIVE = (255, 158, 44)
POSITIVE = (58, 160, 255)
SATURATED_RGB = (255, 214, 166), (166, 213, 255), (214, 220, 230)
SATURATED = 31, 32, 33
"""Extra levels of saturated values: negative, positive, and near zero (of a sigmoid)."""
HELD_RGB = (214, 190, 150), (126, 196, 226), (74, 112, 122)
HELD = 34, 35, 36
"""Extra levels of weights frozen one by one, in shades of ice: negative, positive, and near zero."""
NOTHING = 37
"""The level of the background, below the last row of a map with an odd number of rows."""
ALL = 38
"""The number of all levels; a map with marked cells does not use the two outermost plain ones (see `marked`)."""

BACK = "#11151b"
"""The app's background; every style includes it, so that no line needs a second pass."""
GROUND = Style(bgcolor=BACK)
GROUND_RGB = (17, 21, 27)

Levels = NDArray[np.int8]


@dataclass(frozen=True)
class Terminal:
    """What the terminal can show: colours or only glyphs, Unicode or only ASCII."""

    colour: bool = True
    unicode: bool = True

    @property
    def half_blocks(self) -> bool:
        """Whether two rows of a map fit into one line, which takes half blocks in two colours."""
        return self.colour and self.unicode

    def glyph(self, name: str) -> str:
        """A glyph by its name, in the richest character set of the terminal."""
        return GLYPHS[name][0 if self.unicode else 1]


GLYPHS: dict[str, tuple[str, str]] = {
    "frozen": ("✱", "*"),
    "partly": ("½", ":"),
    "rate": ("η", "n"),
    **{name: look.glyphs for name, look in LOOKS.items() if look.glyphs},
    "several": ("&", "&"),
    "other": ("●", "o"),
    "before": ("›", ")"),
    "undone": ("○", "o"),
    "weights": ("w", "w"),
    "structure": ("▦", "#"),
    "setting": ("=", "="),
    "dead": ("†", "x"),
    "down": ("▼", "v"),
    "up": ("▲", "^"),
    "right": ("▶", ">"),
    "bar": ("│", "|"),
    "target": ("◀", "<"),
    "dot": ("●", "o"),
    "arrow": ("→", ">"),
    "times": ("×", "*"),
    "sum": ("·", "."),
    "minus": ("−", "-"),
    "here": ("◆", "@"),
    "hit": ("✓", "v"),
    "miss": ("✗", "x"),
    "line": ("━", "="),
    "ahead": ("╌", "-"),
    "block": ("█", "#"),
    "evaluation": ("•", "e"),
    "pin": ("⚑", "!"),
    "lane": ("─", "-"),
    "fork": ("┯", "+"),
    "fork ahead": ("┬", "+"),
    "lane fork": ("┬", "+"),
    "leave": ("╰", "+"),
    "leave and pass": ("├", "+"),
    "cross": ("┼", "+"),
}


def levels(values: NDArray[np.floating], limit: float) -> Levels:
    """The level, 0 to 30, of each value on a scale from -limit to +limit; NaN counts as 0."""
    if not limit > 0 or not np.isfinite(limit):
        return np.full(np.shape(values), MIDDLE, dtype=np.int8)
    scaled = np.minimum(np.maximum(np.asarray(values, dtype=np.float32) / np.float32(limit), -1), 1)
    scaled[np.isnan(scaled)] = 0
    return np.asarray(np.rint(scaled * MIDDLE) + MIDDLE, dtype=np.int8)


def saturated(shown: Levels, mask: NDArray[np.bool_]) -> Levels:
    """Levels in which saturated cells differ from those that are merely large."""
    return marked(shown, mask, SATURATED, MIDDLE // 2)


def held(shown: Levels, mask: NDArray[np.bool_]) -> Levels:
    """Levels in which weights frozen one by one differ from those that learn."""
    return marked(shown, mask, HELD, 2)


def marked(shown: Levels, mask: NDArray[np.bool_], to: tuple[int, int, int], zero: int) -> Levels:
    """Levels with those under a mask replaced by `to`: negative, positive, or (up to `zero` from the middle) near 0."""
    signs = np.where(shown < MIDDLE - zero, to[0], np.where(shown > MIDDLE + zero, to[1], to[2]))
    return np.asarray(np.where(mask, signs, np.clip(shown, 1, LEVELS - 2)), dtype=np.int8)


@cache
def rgb(level: int) -> tuple[int, int, int]:
    """The colour of a level: dark grey in the middle, bright at the ends."""
    if level >= LEVELS:
        special = dict(zip((*SATURATED, *HELD), (*SATURATED_RGB, *HELD_RGB), strict=True))
        return {**special, NOTHING: GROUND_RGB}[level]
    share = abs(level - MIDDLE) / MIDDLE
    end = POSITIVE if level > MIDDLE else NEGATIVE
    weight = share**0.85
    red, green, blue = (round(a + (b - a) * weight) for a, b in zip(NEUTRAL, end, strict=True))
    return red, green, blue


@cache
def colour(level: int) -> Color:
    return Color.from_rgb(*rgb(level))


@cache
def ink(level: int) -> Style:
    """The style of text or bars in the colour of a level."""
    return Style(color=colour(level), bgcolor=BACK)


@cache
def paper(level: int) -> Style:
    """The style of a cell of a level, on which a glyph is legible."""
    return Style(color=Color.from_rgb(*glyph_rgb(level)), bgcolor=colour(level), bold=True)


def glyph_rgb(level: int) -> tuple[int, int, int]:
    """The colour of a glyph on a cell: black on bright cells, white on dark ones."""
    red, green, blue = rgb(level)
    return (10, 12, 16) if 0.3 * red + 0.59 * green + 0.11 * blue > 110 else (240, 244, 250)


@cache
def pair(top: int, bottom: int) -> Segment:
    """Two rows of a map in one character."""
    return Segment("▀", Style(color=colour(top), bgcolor=colour(bottom)))


@lru_cache(4096)
def cell(level: int, text: str) -> Segment:
    """One cell of a map, with text (usually blanks) on it."""
    return Segment(text, paper(level))


def sign_glyph(level: int, width: int = 1) -> str:
    """A level without colour: its sign, in heavier glyphs for larger values, as the legend shows them."""
    if level >= LEVELS:
        return dict(zip((*SATURATED, *HELD), "%@!***", strict=True))[level] * width
    share = abs(level - MIDDLE) / MIDDLE
    strong, weak = ("#", "+") if level > MIDDLE else ("=", "-")
    return ("." if share < 0.1 else weak if share < 0.5 else strong) * width


TEXT = Style(bgcolor=BACK, color="#d5dbe5")
BRIGHT = Style(bgcolor=BACK, color="#ffffff", bold=True)
DIM = Style(bgcolor=BACK, color="#8b95a5")
FAINT = Style(bgcolor=BACK, color="#4d5766")
ACCENT = Style(bgcolor=BACK, color="#c9a6ff")
ACCENT_BOLD = Style(bgcolor=BACK, color="#c9a6ff", bold=True)
GOOD = Style(bgcolor=BACK, color="#7fd88f")
WARN = Style(bgcolor=BACK, color="#ffd76a")
BAD = Style(bgcolor=BACK, color="#ff7b72", bold=True)
ICE = Style(bgcolor=BACK, color="#8ff0ff", bold=True)
DONE = Style(bgcolor=BACK, color="#ff7ae0", bold=True)
"""The style of interventions."""
CURSOR = Style(bgcolor=BACK, color="#ffffff", bold=True)
CURSOR_PAPER = Color.parse("#ffffff")
CHIP = Style(color="#11151b", bgcolor="#c9a6ff", bold=True)
CHIP_GOOD = Style(color="#11151b", bgcolor="#7fd88f", bold=True)
CHIP_QUIET = Style(color="#d5dbe5", bgcolor="#343d4b", bold=True)
CHIP_WARN = Style(color="#11151b", bgcolor="#ffd76a", bold=True)
CHIP_DONE = Style(color="#11151b", bgcolor="#ff7ae0", bold=True)
CHIP_ICE = Style(color="#11151b", bgcolor="#8ff0ff", bold=True)
CHIP_BAD = Style(color="#ffffff", bgcolor="#b3312c", bold=True)
NEGATIVE_INK = Style(bgcolor=BACK, color=Color.from_rgb(*NEGATIVE))
POSITIVE_INK = Style(bgcolor=BACK, color=Color.from_rgb(*POSITIVE))


def sign_ink(value: float) -> Style:
    """The style of a signed value: orange if negative, blue if positive."""
    return NEGATIVE_INK if value < 0 else POSITIVE_INK if value > 0 else DIM


@cache
def cursor_cell(level: int) -> Style:
    """The style of the cell under the cursor: a mark in the cell's colour on white."""
    return Style(
        color=colour(level) if level != MIDDLE else Color.from_rgb(90, 98, 110), bgcolor=CURSOR_PAPER, bold=True
    )


@lru_cache(ALL * 8)
def dot(level: int, positive: bool, glyph: str) -> Segment:
    """A point of a class on a map: a bold glyph in a lighter shade of the class's colour, so that it stands out."""
    red, green, blue = POSITIVE if positive else NEGATIVE
    light = Color.from_rgb((red * 3 + 255) // 4, (green * 3 + 255) // 4, (blue * 3 + 255) // 4)
    return Segment(glyph, Style(color=light, bgcolor=colour(level), bold=True))


def pair_codes(upper: Levels, lower: Levels, cuts: tuple[int, ...] = ()) -> NDArray[np.intp]:
    """What to write for each pair of cells, as indices into a `CellWriter`: what differs from the cell to the left.

    At each cut (a column) something else is written in between, so the cell after it is written in full.
    """
    up, low = (upper.astype(np.intp) + 1) * (ALL + 1), lower.astype(np.intp) + 1
    fresh = np.ones((2, *up.shape), np.bool_)
    fresh[0, :, 1:] = up[:, 1:] != up[:, :-1]
    fresh[1, :, 1:] = low[:, 1:] != low[:, :-1]
    fresh[:, :, [cut for cut in cuts if cut < up.shape[1]]] = True
    return np.asarray(up * fresh[0] + low * fresh[1])


class CellWriter(dict[int, str]):
    """Index of a pair of cells -> its character after its colour codes, for one colour system of a terminal."""

    def __init__(self, system: ColorSystem) -> None:
        super().__init__()
        self.system = system

    def __missing__(self, code: int) -> str:
        upper, lower = divmod(code, ALL + 1)
        codes = colour_code(colour(upper - 1), self.system, True) if upper else ""
        codes += colour_code(colour(lower - 1), self.system, False) if lower else ""
        self[code] = text = f"\x1b[{codes[1:]}m▀" if codes else "▀"
        return text


writer = cache(CellWriter)


def speaks_unicode() -> bool:
    """Whether to use Unicode: not if the terminal's encoding has no blocks, or if the user asks for plain ASCII."""
    if os.environ.get("TINYNETS_ASCII"):
        return False
    encoding = (getattr(sys.__stdout__, "encoding", "") or "utf-8").lower()
    return "utf" in encoding
