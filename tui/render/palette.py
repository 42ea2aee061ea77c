"""Colours: one diverging map for all panes (orange negative, blue positive), styles for text, and glyphs.

Each value becomes one of 31 levels, so that at most 961 colour pairs exist and every Style and Segment is made once.

What is worn can change at any time (`wear`): a style is asked for when something is drawn, as `palette.TEXT`, and never
kept. What a function makes of styles is cached by `themed`; a widget that keeps lines compares `worn` with what it was.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from rich.color import Color, ColorSystem
from rich.segment import Segment
from rich.style import Style

from tui.render import themes
from tui.render.operation_looks import LOOKS
from tui.render.strips import colour_code
from tui.render.themes import Colours, Rgb, rgb_of

P = ParamSpec("P")
R = TypeVar("R")

WITH_VALUE = 7
"""From this many characters on, a cell has room for its value."""
LEVELS = 31
MIDDLE = LEVELS // 2
SATURATED = 31, 32, 33
"""Extra levels of saturated values: negative, positive, and near zero (of a sigmoid)."""
HELD = 34, 35, 36
"""Extra levels of weights frozen one by one, in shades of ice: negative, positive, and near zero."""
NOTHING = 37
"""The level of the background, below the last row of a map with an odd number of rows."""
ALL = 38
"""The number of all levels; a map with marked cells does not use the two outermost plain ones (see `marked`)."""

Levels = NDArray[np.int8]

# -- what is worn; `wear` sets all of it

worn = 0
"""How many times something was put on: what was drawn under another number is out of date."""
colours = themes.DARK
BACK = colours.back
"""The app's background; every style includes it, so that no line needs a second pass."""
GROUND_RGB = NEUTRAL = NEGATIVE = POSITIVE = rgb_of(BACK)
GREYS = (GROUND_RGB, GROUND_RGB)
"""The ends of the shades of pictures."""
BAND = MEAN = HERE = AXIS = rgb_of(BACK)
"""The colours of plots: the range of losses, their mean, where we stand, the axes."""
SPLITS: dict[str, Rgb] = {}
GROUND = TEXT = BRIGHT = DIM = FAINT = ACCENT = ACCENT_BOLD = CURSOR = NEGATIVE_INK = POSITIVE_INK = Style()
GOOD = WARN = BAD = Style()
ICE = Style()
"""The style of what is frozen."""
DONE = BEFORE = Style()
"""The styles of interventions, and of those before the activation."""
CHIP = CHIP_GOOD = CHIP_QUIET = CHIP_WARN = CHIP_DONE = CHIP_ICE = CHIP_BAD = Style()
CURSOR_PAPER = Color.default()

_caches: list[Any] = []


def themed(function: Callable[P, R]) -> Callable[P, R]:
    """A function whose results are cached until other colours are worn."""
    made = lru_cache(8192)(function)
    _caches.append(made)
    return cast(Callable[P, R], made)


def wear(wanted: Colours) -> None:
    """Draw in these colours from now on."""
    global worn
    worn += 1
    globals().update(colours=wanted, **_plain(wanted), **_inks(wanted), **_chips(wanted))
    for cache in _caches:
        cache.cache_clear()


def named(ink: str) -> Style:
    """The style of that name (`DONE`), as it is worn now."""
    style: Style = globals()[ink]
    return style


def _plain(on: Colours) -> dict[str, Any]:
    splits = {"train": on.good, "dev": on.warn, "test": on.bad}
    return {
        "BACK": on.back,
        "GROUND": Style(bgcolor=on.back),
        "GROUND_RGB": rgb_of(on.back),
        "GREYS": tuple(rgb_of(themes.mixed(on.back, on.bright, share)) for share in (0.05, 0.95)),
        "NEUTRAL": rgb_of(on.neutral),
        "NEGATIVE": rgb_of(on.low),
        "POSITIVE": rgb_of(on.high),
        "BAND": rgb_of(on.band),
        "MEAN": rgb_of(on.text),
        "HERE": rgb_of(on.accent),
        "AXIS": rgb_of(on.dim),
        "SPLITS": {split: rgb_of(colour) for split, colour in splits.items()},
        "CURSOR_PAPER": Color.parse(on.cursor),
    }


def _inks(on: Colours) -> dict[str, Style]:
    def ink(colour: str, bold: bool | None = None, underline: bool | None = None) -> Style:
        return Style(bgcolor=on.back, color=colour, bold=bold, underline=underline)

    return {
        "TEXT": ink(on.text),
        "BRIGHT": ink(on.bright, bold=True),
        "DIM": ink(on.dim),
        "FAINT": ink(on.faint),
        "ACCENT": ink(on.accent),
        "ACCENT_BOLD": ink(on.accent, bold=True),
        "GOOD": ink(on.good),
        "WARN": ink(on.warn),
        "BAD": ink(on.bad, bold=True),
        "ICE": ink(on.ice, bold=True),
        "DONE": ink(on.done, bold=True),
        "BEFORE": ink(on.done, bold=True, underline=True),
        "CURSOR": ink(on.bright, bold=True),
        "NEGATIVE_INK": ink(on.negative),
        "POSITIVE_INK": ink(on.positive),
    }


def _chips(on: Colours) -> dict[str, Style]:
    grounds = {"": on.accent, "_GOOD": on.good, "_WARN": on.warn, "_DONE": on.done, "_ICE": on.ice}
    made = {f"CHIP{name}": Style(color=on.on_chip, bgcolor=ground, bold=True) for name, ground in grounds.items()}
    made["CHIP_QUIET"] = Style(color=on.text, bgcolor=on.line, bold=True)
    made["CHIP_BAD"] = Style(color=themes.WHITE, bgcolor=on.alarm, bold=True)
    return made


# -- what the terminal can show


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
    "left": ("◀", "<"),
    "phase done": ("●", "*"),
    "phase now": ("◉", "@"),
    "phase to come": ("○", "o"),
    "phase back done": ("◀", "*"),
    "phase back to come": ("◁", "<"),
    "more before": ("‹", "<"),
    "more behind": ("›", ">"),
    "bar": ("│", "|"),
    "hatch": ("╱", "/"),
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


# -- the map of values


@themed
def rgb(level: int) -> Rgb:
    """The colour of a level: close to the background in the middle, strong at the ends."""
    if level >= LEVELS:
        special = dict(zip((*SATURATED, *HELD), (*colours.saturated, *colours.held), strict=True))
        return rgb_of(special.get(level, colours.back))
    if colours.steps:
        return rgb_of(colours.steps[round(level / (LEVELS - 1) * (len(colours.steps) - 1))])
    share = abs(level - MIDDLE) / MIDDLE
    end = POSITIVE if level > MIDDLE else NEGATIVE
    weight = share**0.85
    red, green, blue = (round(a + (b - a) * weight) for a, b in zip(NEUTRAL, end, strict=True))
    return red, green, blue


@themed
def colour(level: int) -> Color:
    return Color.from_rgb(*rgb(level))


@themed
def ink(level: int) -> Style:
    """The style of text or bars in the colour of a level."""
    return Style(color=colour(level), bgcolor=BACK)


@themed
def paper(level: int) -> Style:
    """The style of a cell of a level, on which a glyph is legible."""
    return Style(color=Color.from_rgb(*glyph_rgb(level)), bgcolor=colour(level), bold=True)


def glyph_rgb(level: int) -> Rgb:
    """The colour of a glyph on a cell: black or white, whichever stands out more."""
    ground = themes.hex_of(rgb(level))
    return rgb_of(max(themes.BLACK, themes.WHITE, key=lambda letters: themes.contrast(letters, ground)))


@themed
def pair(top: int, bottom: int) -> Segment:
    """Two rows of a map in one character."""
    return Segment("▀", Style(color=colour(top), bgcolor=colour(bottom)))


@themed
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


def sign_ink(value: float) -> Style:
    """The style of a signed value: orange if negative, blue if positive."""
    return NEGATIVE_INK if value < 0 else POSITIVE_INK if value > 0 else DIM


@themed
def cursor_cell(level: int) -> Style:
    """The style of the cell under the cursor: a mark in the cell's colour on the cursor's ground."""
    mark = colours.dim if level == MIDDLE else themes.hex_of(rgb(level))
    least = themes.SEEN if colours.dark else themes.READABLE
    return Style(color=themes.legible(mark, colours.cursor, least), bgcolor=CURSOR_PAPER, bold=True)


@themed
def beside_cursor(level: int) -> Style:
    """The style of a cell of the selected unit at which the cursor is not."""
    return paper(level) + Style(underline=True)


@themed
def dot(level: int, positive: bool, glyph: str) -> Segment:
    """A point of a class on a map: a bold glyph in a stronger shade of the class's colour, so that it stands out."""
    end = themes.hex_of(POSITIVE if positive else NEGATIVE)
    strong = themes.mixed(end, colours.bright, 0.25 if colours.dark else 0.45)
    return Segment(glyph, Style(color=strong, bgcolor=colour(level), bold=True))


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


@themed
def writer(system: ColorSystem) -> CellWriter:
    return CellWriter(system)


def speaks_unicode() -> bool:
    """Whether to use Unicode: not if the terminal's encoding has no blocks, or if the user asks for plain ASCII."""
    if os.environ.get("TINYNETS_ASCII"):
        return False
    encoding = (getattr(sys.__stdout__, "encoding", "") or "utf-8").lower()
    return "utf" in encoding


wear(themes.DARK)
