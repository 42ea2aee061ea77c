"""Pictures: pixels of any colour drawn as characters, two rows in a line if the terminal has half blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from tui.render import palette
from tui.render.palette import Terminal
from tui.render.themes import Rgb

Pixels = NDArray[np.uint8]
"""Red, green and blue of each pixel: (rows, columns, 3)."""
RAMP = " .:-=+*#%@"
STEPS = 32
"""Shades of grey, and of red, green and blue each: few enough that every style is made once."""


def greys(values: NDArray[np.floating]) -> Pixels:
    """Values as shades of grey: 0 close to the background, 1 far from it."""
    shares = np.rint(np.clip(np.nan_to_num(values), 0, 1) * (STEPS - 1))[..., None] / (STEPS - 1)
    low, high = (np.array(end) for end in palette.GREYS)
    return np.asarray(np.rint(low + shares * (high - low)), np.uint8)


def colours(values: NDArray[np.floating]) -> Pixels:
    """Values of red, green and blue, from 0 to 1, as pixels."""
    return np.asarray(
        np.rint(np.rint(np.clip(np.nan_to_num(values), 0, 1) * (STEPS - 1)) * 255 / (STEPS - 1)), np.uint8
    )


def mapped(values: NDArray[np.floating], limit: float) -> Pixels:
    """Values as pixels, orange if negative and blue if positive, as in all maps."""
    table = np.array([palette.rgb(level) for level in range(palette.LEVELS)], np.uint8)
    return np.asarray(table[palette.levels(values, limit)])


def picture(
    pixels: Pixels, size: int, look: Terminal, marks: dict[tuple[int, int], str] | None = None
) -> list[list[Segment]]:
    """The lines of a picture. A pixel is `2 size` characters by `size` lines; at size 0, one character by half a line.

    marks: (row, column) -> a character drawn on that pixel.
    """
    marks = marks or {}
    if not size:
        rows = 2 if look.half_blocks else 1
        return [_small(pixels[y : y + rows], y, marks, look) for y in range(0, len(pixels), rows)]
    lines = []
    for y, row in enumerate(pixels.tolist()):
        plain = [_cell(tuple(rgb), 2 * size, "", look) for rgb in row]
        first = [_cell(tuple(rgb), 2 * size, marks.get((y, x), ""), look) for x, rgb in enumerate(row)]
        lines += [first if line == (size - 1) // 2 else plain for line in range(size)]
    return lines


def resized(values: NDArray[Any], rows: int, columns: int) -> NDArray[Any]:
    """An array (..., rows, columns) of another number of both, each of them the nearest that there was."""
    down, across = (np.arange(n) * there // n for n, there in zip((rows, columns), values.shape[-2:], strict=True))
    return np.asarray(values[..., down[:, None], across])


def fitting(shape: tuple[int, int], width: int, height: int, most: int = 4) -> int:
    """The largest size at which a picture of (rows, columns) fits; 0 if at best the smallest does."""
    return next((s for s in range(most, 0, -1) if shape[1] * 2 * s <= width and shape[0] * s <= height), 0)


def extent(shape: tuple[int, int], size: int, look: Terminal) -> tuple[int, int]:
    """The lines and characters that a picture takes."""
    rows, columns = shape
    if size:
        return rows * size, columns * 2 * size
    return (rows + 1) // 2 if look.half_blocks else rows, columns


def _small(pair: Pixels, y: int, marks: dict[tuple[int, int], str], look: Terminal) -> list[Segment]:
    """One line of pixels, one character each: two rows of them if `pair` has two."""
    upper, lower = pair[0].tolist(), pair[-1].tolist()
    line = []
    for x, (top, bottom) in enumerate(zip(upper, lower, strict=True)):
        mark = marks.get((y, x), "") or (marks.get((y + 1, x), "") if len(pair) == 2 else "")
        if mark or not look.half_blocks:
            line.append(_cell(tuple(top), 1, mark, look))
        else:
            line.append(_pair(tuple(top), tuple(bottom) if len(pair) == 2 else palette.GROUND_RGB))
    return line


@palette.themed
def _pair(top: Rgb, bottom: Rgb) -> Segment:
    return Segment("▀", Style(color=Color.from_rgb(*top), bgcolor=Color.from_rgb(*bottom)))


@palette.themed
def _cell(rgb: Rgb, width: int, mark: str, look: Terminal) -> Segment:
    brightness = (0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2]) / 255
    if not look.colour:
        text = RAMP[min(len(RAMP) - 1, int(brightness * len(RAMP)))] * width
        return Segment(mark.center(width, text[0]) if mark else text, palette.BRIGHT if mark else palette.TEXT)
    ink = (10, 12, 16) if brightness > 0.45 else (255, 255, 255)
    style = Style(color=Color.from_rgb(*ink), bgcolor=Color.from_rgb(*rgb), bold=bool(mark))
    return Segment(mark.center(width) if mark else " " * width, style)
