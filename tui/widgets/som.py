"""A self-organizing map drawn as its grid: each unit at its place, in the colour that it has learned."""

from __future__ import annotations

import numpy as np
from rich.style import Style
from textual.strip import Strip

from tinynets.server.frame import MapGrid
from tui.render import palette, themes
from tui.render.drawing import Part, blank, both_ends, first_fitting, line
from tui.render.net_canvas import NetCanvas, chosen, packed
from tui.render.net_layout import NetLayout, map_layout
from tui.render.pictures import Pixels, colours, mapped
from tui.widgets.net import AROUND, Net


def placed_map(grid: MapGrid, block: str, width: int, height: int) -> NetLayout | None:
    """Where each unit of a map stands; None if there is no room for the map."""
    return map_layout(block, (grid.values.shape[0], grid.values.shape[1]), width, height - AROUND)


def draw_map(net: Net, grid: MapGrid, where: NetLayout, width: int, height: int) -> list[Strip]:
    """The grid, with the selected unit framed and the one nearest to the example marked."""
    canvas = NetCanvas(width, height - AROUND, net.look)
    pixels = _pixels(grid).reshape(-1, 3).tolist()
    size, columns = where.size, grid.values.shape[1]
    for node in where.nodes:
        if node.unit < len(pixels):
            red, green, blue = pixels[node.unit]
            canvas.block(node.x, node.y, size.wide, size.tall, packed((red, green, blue)))
    here = where.at.get((net.selection.block, net.selection.unit))
    if here is not None:
        canvas.ring(here.x, here.y, size.wide, size.tall, chosen())
    for node in where.nodes:
        mark = net.marks[node.block].glyph(node.unit, net.look) if node.block in net.marks else None
        if mark is not None:
            canvas.write(node.y // 2, node.x, mark[0], mark[1])
    nearest = where.at.get((where.nodes[0].block, grid.best[0] * columns + grid.best[1]))
    if nearest is not None:
        across = nearest.x + (size.wide - 1) // 2
        canvas.write((nearest.y + size.tall // 2) // 2, across, net.look.glyph("here"), _ink(pixels[nearest.unit]))
    kind = (
        "the colour that each unit has learned" if grid.colors is not None else "how far each unit is from those about"
    )
    return [
        line([(f"the map, {grid.values.shape[0]} x {columns}: {kind}", palette.DIM)], width),
        *canvas.strips(),
        *[blank(width)] * (height - AROUND - canvas.lines),
        _legend(net, grid, width),
    ]


def _pixels(grid: MapGrid) -> Pixels:
    """Red, green and blue of each unit, (rows, columns, 3)."""
    if grid.colors is not None:
        return colours(grid.colors)
    apart = grid.values - np.nanmin(grid.values)
    return mapped(apart, float(np.nanmax(apart)) or 1.0)


def _ink(rgb: list[int]) -> Style:
    """A style that is legible on a colour."""
    dark = 0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2] > 110
    return Style(color=themes.BLACK if dark else themes.WHITE, bold=True)


def _legend(net: Net, grid: MapGrid, width: int) -> Strip:
    """The selected unit, and the one that is nearest to the example."""
    at, here = net.selection, net.look.glyph("here")
    cells = net.cells.get(at.block)
    parts: list[Part] = [(f"{at.selector} ", palette.ACCENT_BOLD)]
    if cells is not None and at.unit < cells.values.shape[1]:
        parts.append((f"distance {float(cells.values[-1, at.unit]):.3f}  ", palette.TEXT))
    unit = grid.best[0] * grid.values.shape[1] + grid.best[1]
    near: list[Part] = [(f"{here} {at.block}[{unit}] is nearest to the example", palette.DIM)]
    short: list[Part] = [(f"{here} nearest", palette.DIM)]
    return first_fitting(width, (parts, [*near]), (parts, [*short])) if width > 24 else both_ends([*parts], [], width)
