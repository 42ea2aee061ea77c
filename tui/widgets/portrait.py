"""The picture of one unit in the neuron pane: what it responds to, its kernel, or a table of vectors as points."""

from __future__ import annotations

from math import ceil

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tinynets.server.frame import Floats, Scatter, UnitPicture
from tui.render import palette
from tui.render.drawing import Part, blank, clip, columns, line, narrow
from tui.render.palette import Terminal
from tui.render.pictures import extent, fitting, mapped, picture, resized

SMALLEST = 6
"""The fewest lines in which a picture is drawn."""
LEAST_KERNEL = 4
"""The fewest lines in which a kernel is drawn."""
WIDEST = 0.45
"""The largest share of the pane's width for a picture beside the numbers."""


def portrait(own: UnitPicture, width: int, height: int, look: Terminal) -> list[Strip]:
    """A unit's picture with its caption below it, in at most a width and height; empty if there is no room."""
    if height < (LEAST_KERNEL if own.kind == "kernel" else SMALLEST) or width < 8:
        return []
    rows = _kernels(own, width, height - 1, look) if own.kind == "kernel" else _single(own, width, height - 1, look)
    wide = max((sum(columns(segment.text) for segment in row) for row in rows), default=0)
    if not rows or wide > width or len(rows) > height - 1:
        return []
    wide = max(wide, min(width, columns(own.caption)))
    return [*(line(row, wide) for row in rows), line([(clip(own.caption, wide), palette.FAINT)], wide)]


def portrait_side(width: int, height: int, half_blocks: bool) -> int:
    """How many points wide a response is that has such a room."""
    return max(8, min(width, height * 2 if half_blocks else height))


def _single(own: UnitPicture, width: int, height: int, look: Terminal) -> list[list[Segment]]:
    values = own.values
    if own.kind == "response":
        side = min(portrait_side(width, height, look.half_blocks), 128)
        marks = {}
        if own.at is not None:
            down, across = (min(side - 1, max(0, int(share * side))) for share in own.at)
            marks = {(down, across): look.glyph("here")}
        return picture(mapped(resized(values, side, side), own.limit), 0, look, marks)
    shape = values.shape[0], values.shape[1]
    return picture(mapped(values, own.limit), fitting(shape, width, height, most=2), look)


def _kernels(own: UnitPicture, width: int, height: int, look: Terminal) -> list[list[Segment]]:
    """A kernel for each channel, in rows of as many as there is room for; each pixel large if all of them fit."""
    shape = own.values.shape[1], own.values.shape[2]
    for size in (2, 1, 0):
        tall, wide = extent(shape, size, look)
        across = max(1, min(len(own.values), (width + 2) // (wide + 2)))
        if ceil(len(own.values) / across) * (tall + 1) - 1 <= height:
            break
    lines: list[list[Segment]] = []
    for first in range(0, len(own.values), across):
        made = [picture(mapped(one, own.limit), size, look) for one in own.values[first : first + across]]
        lines += [[]] if lines else []
        lines += [[part for one in made for part in (*one[y], Segment("  ", palette.GROUND))] for y in range(tall)]
    return lines


def scattered(own: Scatter, example: str, width: int, height: int, look: Terminal) -> list[Strip]:
    """The rows of a table as their labels on a plane, coloured by the selected unit's entry in each.

    The row that is looked up last for the example in words (`.em → m`) is marked.
    """
    if height < SMALLEST or width < 20:
        return []
    values, chosen = own.entries, example.rpartition(" → ")[0][-1:]
    limit = float(np.nanmax(np.abs(values))) or 1.0
    letters = _letters(own, values, limit, chosen, width, height - 2, look)
    lines = []
    for y in range(height - 2):
        parts: list[Part] = []
        for x in range(width):
            parts.append(letters.get((y, x), (" ", palette.TEXT)))
        lines.append(line(parts, width))
    first, second = own.shares
    about = f"rows on 2 principal components, {first:.0%} + {second:.0%} of variance"
    signs = "colour: this unit's entry; signs: largest loading is positive"
    return [
        line([(clip(about, width), palette.DIM)], width),
        *lines,
        line([(clip(signs, width), palette.FAINT)], width),
    ]


def _letters(
    own: Scatter, values: Floats, limit: float, chosen: str, width: int, height: int, look: Terminal
) -> dict[tuple[int, int], Part]:
    low, high = own.points.min(axis=0), own.points.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    levels = palette.levels(values, limit).tolist()
    letters: dict[tuple[int, int], Part] = {}
    for point, label, level in zip(own.points, own.labels, levels, strict=True):
        text = narrow(clip(label, 6))
        share = (point - low) / span
        x, y = int(share[0] * (width - columns(text))), int((1 - share[1]) * (height - 1))
        style = palette.ink(
            level if abs(level - palette.MIDDLE) > 4 else palette.MIDDLE + (5 if level >= palette.MIDDLE else -5)
        )
        style = style + Style(bold=True, reverse=label == chosen)
        if not look.colour:
            text = text + palette.sign_glyph(level)
        for at, letter in enumerate(text, x):
            letters.setdefault((y, at), (letter, style))
    return letters


def beside(left: list[Strip], right: list[Strip], width: int, height: int) -> list[Strip]:
    """Lines with a picture at their right end."""
    if not right:
        return left
    wide = right[0].cell_length
    at = width - wide
    found = []
    for y in range(min(height, max(len(left), len(right)))):
        one = left[y] if y < len(left) else blank(at)
        other = right[y] if y < len(right) else blank(wide)
        found.append(line([*one.adjust_cell_length(at, palette.GROUND), *other], width))
    return found
