"""A small picture of a source, a few characters wide: its points, its colours, or the widths of its layers."""

from __future__ import annotations

import math
from colorsys import hsv_to_rgb

import numpy as np
from rich.segment import Segment
from rich.style import Style

from tui.render import palette
from tui.render.palette import Terminal
from tui.render.pictures import Pixels, colours, mapped, picture

WIDTH, LINES = 8, 2
"""Characters and lines; with half blocks, twice as many rows of pixels as lines."""
BARS = " ▁▂▃▄▅▆▇█"
PLAIN_BARS = " .:-=+*#@"


def thumbnail(data: str, widths: tuple[int, ...], look: Terminal) -> list[list[Segment]]:
    """The picture of a recipe, by its data set and the widths of its layers."""
    rows = LINES * (2 if look.half_blocks else 1)
    pixels = _pixels(data, rows)
    if pixels is not None and look.colour:
        return picture(pixels, 0, look)
    return _bars(widths, look)


def _pixels(data: str, rows: int) -> Pixels | None:
    """What the data look like, for data that are points or colours."""
    x, y = np.meshgrid(np.linspace(-1, 1, WIDTH), np.linspace(1, -1, rows))
    if data == "xor":
        return mapped(np.sign(x * y) * (1 - 0.4 * np.hypot(np.abs(x) - 0.5, np.abs(y) - 0.5)), 1.0)
    if data == "halves":
        return mapped(np.clip(1.5 * (x + 0.6 * y), -1, 1), 1.0)
    if data == "spiral":
        radius = np.hypot(x, y)
        return mapped(np.sin(np.arctan2(y, x) + 4.2 * radius) * np.minimum(1, 2 * radius), 1.0)
    if data == "colors":
        hues = [hsv_to_rgb(i % WIDTH / WIDTH, 0.55 + 0.4 * (i // WIDTH) / rows, 0.9) for i in range(rows * WIDTH)]
        return colours(np.array(hues).reshape(rows, WIDTH, 3))
    return None


def _bars(widths: tuple[int, ...], look: Terminal) -> list[list[Segment]]:
    """A bar for each layer, as high as it is wide, from orange (inputs) to blue (outputs)."""
    shown = widths if len(widths) <= WIDTH else tuple(widths[i * len(widths) // WIDTH] for i in range(WIDTH))
    each = 2 if 2 * len(shown) <= WIDTH else 1
    heights = [max(2, min(8 * LINES, round(2.0 * math.log2(1 + width)))) for width in shown]
    levels = [round(i * (palette.LEVELS - 1) / max(1, len(shown) - 1)) for i in range(len(shown))]
    steps = BARS if look.unicode else PLAIN_BARS
    lines = []
    for line in reversed(range(LINES)):
        row = [
            Segment(steps[max(0, min(8, height - 8 * line))] * each, _ink(level, look))
            for height, level in zip(heights, levels, strict=True)
        ]
        lines.append([*row, Segment(" " * (WIDTH - each * len(shown)), palette.TEXT)])
    return lines


def _ink(level: int, look: Terminal) -> Style:
    strong = level if abs(level - palette.MIDDLE) > 6 else palette.MIDDLE + 6
    return palette.ink(strong) if look.colour else palette.TEXT
