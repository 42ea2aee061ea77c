"""Lines for the terminal: variants of Textual's Strip that are cheap to draw once and throw away.

A frame is a hundred such lines, ten times a second. A Strip creates seven caches, and writes a full colour code and a
reset around every segment. A StyledLine creates the caches only when asked for them, and writes only what changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.cells import cell_len
from rich.color import Color, ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tinynets.foreign_text import printable

Codes = tuple[str, str, str]
"""The codes of a style: attributes (bold, ...), colour, background."""
MOST_STYLES = 8192

_codes: dict[int, tuple[Style, Codes]] = {}
_system: ColorSystem | None = None


class StyledLine(Strip):
    """A Strip of known width."""

    __slots__ = ()

    def __init__(self, segments: list[Segment], cell_length: int) -> None:
        self._segments = segments
        self._cell_length = cell_length
        self._render_cache = None

    def __getattr__(self, name: str) -> Any:
        """Create the other attributes of a Strip, needed when something overlaps the line or it is exported."""
        Strip.__init__(self, self._segments, self._cell_length)
        return object.__getattribute__(self, name)

    def adjust_cell_length(self, cell_length: int, style: Style | None = None) -> Strip:
        return self if cell_length == self._cell_length else super().adjust_cell_length(cell_length, style)

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        wanted = list(cuts)
        return [self] if wanted == [self._cell_length] else super().divide(wanted)

    def render(self, console: Console) -> str:
        if self._render_cache is None:
            self._render_cache = ansi(self._segments, console._color_system or ColorSystem.TRUECOLOR)
        return self._render_cache


class LazyLine(StyledLine):
    """A line that is written without its segments, which are made only when asked for."""

    __slots__ = ("_make", "_write", "key")

    def __init__(
        self, key: object, cell_length: int, make: Callable[[], list[Segment]], write: Callable[[ColorSystem], str]
    ) -> None:
        self.key = key
        """Two lines with the same key look the same."""
        self._make, self._write = make, write
        self._cell_length = cell_length
        self._render_cache = None

    def __getattr__(self, name: str) -> Any:
        self._segments = self._make()
        if name == "_segments":
            return self._segments
        return super().__getattr__(name)

    def render(self, console: Console) -> str:
        if self._render_cache is None:
            self._render_cache = self._write(console._color_system or ColorSystem.TRUECOLOR)
        return self._render_cache


def between(side: Segment, inside: Strip, width: int) -> StyledLine:
    """A line between the left and right sides of a frame."""
    if not isinstance(inside, LazyLine):
        return StyledLine([side, *inside, side], width)
    made = inside

    def write(system: ColorSystem) -> str:
        bar = ansi([side], system)
        return f"{bar}{made._write(system)}{bar}"

    return LazyLine(made.key, width, lambda: [side, *made, side], write)


def ansi(segments: Iterable[Segment], system: ColorSystem) -> str:
    """The segments as text, with only those colour codes that change from one to the next, and a reset at the end."""
    global _system
    if system is not _system or len(_codes) > MOST_STYLES:
        _system = system
        _codes.clear()
    out: list[str] = []
    last: Style | None = None
    had = colour = ground = ""
    for text, style, _ in segments:
        if style is not last:
            last = style
            known = _codes.get(id(style))
            now, front, back = known[1] if known else _learn(style, system)
            if had != now or (colour and not front) or (ground and not back):
                out.append(f"\x1b[0{now}{front}{back}m")
            elif front != colour:
                out.append(f"\x1b[{front[1:]}{back if back != ground else ''}m")
            elif back != ground:
                out.append(f"\x1b[{back[1:]}m")
            had, colour, ground = now, front, back
        out.append(text)
    out.append("\x1b[0m")
    return "".join(out)


def _learn(style: Style | None, system: ColorSystem) -> Codes:
    """The codes of a style, each after a semicolon; cached with the style itself, so that its id is never reused."""
    if style is None:
        return ("", "", "")
    attributes = Strip.render_ansi(style.without_color, system)
    codes = (
        f";{attributes}" if attributes else "",
        colour_code(style.color, system, True),
        colour_code(style.bgcolor, system, False),
    )
    _codes[id(style)] = (style, codes)
    return codes


def colour_code(colour: Color | None, system: ColorSystem, front: bool) -> str:
    return "".join(f";{code}" for code in colour.downgrade(system).get_ansi_codes(front)) if colour else ""


def joined(parts: Iterable[tuple[str, Style] | Segment], width: int, ground: Style) -> Strip:
    """Styled texts as one line of exactly `width` cells; neighbours of one style become one segment."""
    segments: list[Segment] = []
    texts: list[str] = []
    last: Style | None = None
    used = 0
    for part in parts:
        text, style = printable(part[0]), part[1]
        if not text:
            continue
        used += len(text) if text.isascii() else cell_len(text)
        if style is not last:
            if texts:
                segments.append(Segment("".join(texts), last))
                texts = []
            last = style
        texts.append(text)
    if used < width:
        if last is not ground:
            if texts:
                segments.append(Segment("".join(texts), last))
            texts, last = [], ground
        texts.append(" " * (width - used))
    if texts:
        segments.append(Segment("".join(texts), last))
    if used > width:
        return Strip(segments).adjust_cell_length(max(0, width), ground)
    return StyledLine(segments, max(0, width))
