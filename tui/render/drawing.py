"""Pieces of lines that several panes draw: numbers, bars, the legend, and lines cut to a width."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from textwrap import wrap

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tinynets.foreign_text import one_for_one, printable
from tui.render import palette
from tui.render.palette import Terminal
from tui.render.strips import StyledLine, joined

Part = tuple[str, Style]
OUTER = re.compile(r"^(.* )?(?:\w+\.)+(\w+\[.*)$")
"""A selector whose block's name has a container before it, perhaps after a gate's name."""
EIGHTHS = " ▏▎▍▌▋▊▉█"


def number(value: float | None, digits: int = 4) -> str:
    """A number in about seven characters at most, without a sign if positive."""
    if value is None:
        return "-"
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    size = abs(value)
    if size != 0 and (size < 0.001 or size >= 100_000):
        return f"{value:.1e}"
    return f"{value + 0.0:.{max(0, digits - max(1, len(str(int(size)))))}f}"  # no sign for -0.0


def signed(value: float, digits: int = 4) -> str:
    """A number that always shows its sign, so that it can be told without colour."""
    text = number(value, digits)
    return text if text.startswith("-") or text == "NaN" else "+" + text


def setting(value: float) -> str:
    """A setting as a user would type it: 0.1, 0.01, 1e-05."""
    return f"{value:.4g}"


def line(parts: Iterable[Part | Segment], width: int) -> Strip:
    """One line of exactly `width` cells."""
    return joined(parts, width, palette.GROUND)


def cells(segments: list[Segment], width: int) -> Strip:
    """One line of exactly `width` cells; neighbours of one style are not merged, since a map has few."""
    used = length(segments)
    if used < width:
        segments.append(Segment(" " * (width - used), palette.GROUND))
    return StyledLine(segments, max(used, width))


@palette.themed
def blank(width: int) -> Strip:
    return Strip.blank(width, palette.GROUND)


def length(parts: Iterable[Part | Segment]) -> int:
    return sum([columns(part[0]) for part in parts])


def both_ends(left: list[Part | Segment], right: list[Part | Segment], width: int) -> Strip:
    """One line with text at both ends; the right end is cut if there is too little room."""
    gap = width - length(left) - length(right)
    if gap < 1:
        return line(left, width)
    return line([*left, (" " * gap, palette.TEXT), *right], width)


# -- foreign text: results are printable, and as wide as they say


def narrow(text: str) -> str:
    """The text with each letter one cell wide, for drawings in which every letter has its place."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(letter if cell_len(letter) == 1 else "?" for letter in one_for_one(text))


def columns(text: str) -> int:
    """The width of a text in cells once it is made printable."""
    return len(text) if text.isascii() and text.isprintable() else cell_len(printable(text))


def clip(text: str, width: int) -> str:
    """The text in at most `width` cells, with an ellipsis if it was cut."""
    text = printable(text)
    if cell_len(text) <= width:
        return text
    return _head(text, width - 1) + "…" if width > 0 else ""


def clip_words(text: str, width: int) -> str:
    """The text in at most `width` cells, cut between words."""
    text = printable(text)
    if cell_len(text) <= width:
        return text
    words = _head(text, width - 1).rpartition(" ")[0].rstrip(" ,;:")
    return f"{words} …" if words else clip(text, width)


def clip_name(text: str, width: int) -> str:
    """A unit's name in at most `width` cells: `block1.norm[3]@2` loses its container's name before its numbers."""
    text = printable(text)
    if cell_len(text) <= width:
        return text
    text = OUTER.sub(r"\1\2", text)
    return text if cell_len(text) <= width else "…" + _tail(text, width - 1) if width > 1 else clip(text, width)


def _head(text: str, width: int) -> str:
    """The beginning of the text that fits into `width` cells; a wide letter is never split."""
    return set_cell_size(text, max(0, width)) if cell_len(text) > width else text


def _tail(text: str, width: int) -> str:
    """The end of the text that fits into `width` cells."""
    text = text[-width:]
    while columns(text) > width:
        text = text[1:]
    return printable(text)


def padded(text: str, width: int) -> str:
    """The text with blanks after it, up to `width` cells."""
    return printable(text) + " " * (width - columns(text))


def padded_left(text: str, width: int) -> str:
    """The text with blanks before it, up to `width` cells."""
    return " " * (width - columns(text)) + printable(text)


def centred(text: str, width: int) -> str:
    """The text centred in exactly `width` cells, cut if it is longer."""
    text = printable(text) if columns(text) <= width else set_cell_size(one_for_one(text), width)
    return text.center(width - columns(text) + len(text))


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells, broken between words if possible."""
    rows = wrap(printable(text), width)
    return [piece for row in rows for piece in (chop_cells(row, width) if cell_len(row) > width else [row])]


def places(example: str, count: int) -> tuple[str, ...]:
    """Labels for the positions of a sequence: its characters, if an example (`.em → m`) has one for each.

    Of an input of the user's own (`yours: emma`, `dev 12: .em → m`) the last ones; the network sees dots before it.
    """
    text = example.rpartition(" → ")[0] or example
    of, own, typed = text.partition(": ")
    if own and (of == "yours" or of[-1:].isdigit()):
        text = typed[-count:].rjust(count, ".")
    return tuple(text) if len(text) == count else tuple(map(str, range(count)))


def clip_middle(text: str, width: int) -> str:
    """The text in at most `width` cells, cut in the middle, since both ends of a path matter."""
    text = printable(text)
    if cell_len(text) <= width or width < 10:
        return clip(text, width)
    head = (width - 1) * 2 // 5
    return _head(text, head) + "…" + _tail(text, width - 1 - head)


def plain_bar(share: float, width: int, style: Style, look: Terminal) -> list[Part]:
    """A bar from the left that fills `share` of the width."""
    share = min(1.0, max(0.0, share)) if math.isfinite(share) else 0.0
    if not look.unicode:
        filled = round(share * width)
        return [("#" * filled, style), (" " * (width - filled), style)]
    eighths = round(share * width * 8)
    full, rest = divmod(eighths, 8)
    text = "█" * full + (EIGHTHS[rest] if rest else "")
    return [(text, style), (" " * (width - len(text)), style)]


def signed_bar(value: float, limit: float, width: int, look: Terminal) -> list[Part]:
    """A bar from the middle: orange and to the left if negative, blue and to the right if positive."""
    half = max(1, (width - 1) // 2)
    share = min(1.0, abs(value) / limit) if limit > 0 and math.isfinite(value) else 0.0
    axis = (look.glyph("bar"), palette.FAINT)
    if value >= 0:
        return [(" " * half, palette.TEXT), axis, *plain_bar(share, half, palette.POSITIVE_INK, look)]
    halves = round(share * half * 2)
    full, rest = divmod(halves, 2)
    text = (("▐" if rest else "") + "█" * full) if look.unicode else "#" * (full + rest)
    return [(text.rjust(half), palette.NEGATIVE_INK), axis, (" " * half, palette.TEXT)]


def legend(limit: float, look: Terminal, width: int = 15) -> list[Part | Segment]:
    """The colour map with its limits: what orange and blue mean here."""
    edge = number(limit, 3) if limit >= 0.1 else f"{limit:.2g}"
    steps = [round(i * (palette.LEVELS - 1) / (width - 1)) for i in range(width)]
    if not look.colour:
        swatch: list[Part | Segment] = [("= - . + #", palette.TEXT)]
    else:
        swatch = [palette.cell(level, " ") for level in steps]
    return [(f"-{edge} ", palette.NEGATIVE_INK), *swatch, (f" +{edge}", palette.POSITIVE_INK)]


def first_fitting(width: int, *choices: tuple[list[Part], list[Part | Segment]]) -> Strip:
    """The first pair of ends that fits into the width; if none does, the last pair, cut."""
    for left, right in choices:
        if length(left) + length(right) + 2 <= width:
            return both_ends([*left], right, width)
    return both_ends([*choices[-1][0]], choices[-1][1], width)


def chip(text: str, style: Style) -> Part:
    """A word on a coloured background."""
    return (f" {text} ", style)
