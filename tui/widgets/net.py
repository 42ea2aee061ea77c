"""A small network drawn as a net: nodes that hold their pictures, and weighted edges, from the inputs to the answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tinynets.server.frame import BlockCells, Floats, Frame, NetGraph, NetLink
from tui.model.selection import Selection
from tui.render import palette
from tui.render.drawing import Part, blank, clip, columns, first_fitting, legend, line, signed
from tui.render.marks import Marks
from tui.render.net_canvas import Curve, NetCanvas, chosen
from tui.render.net_layout import DOT, NetLayout, Node, Wanted, columns_of, layout
from tui.render.palette import Terminal
from tui.render.pictures import greys, resized

MOST_EDGES = 72
"""Of more edges between two columns, only the strongest are drawn, and those of the selected unit."""
AROUND = 2
"""The lines of the names above the columns and of the legend below them."""
LEVELS = 3
"""The axes of pictures given as levels: units, rows, columns. Others have an axis for their colours."""
SHORTEST = 9
"""From this many lines on, a net is drawn."""


@dataclass(frozen=True)
class Net:
    """A net of a frame, with what is needed to draw it."""

    graph: NetGraph
    frame: Frame
    selection: Selection
    look: Terminal
    marks: dict[str, Marks]

    @cached_property
    def cells(self) -> dict[str, BlockCells]:
        return {block.name: block for block in self.frame.network or ()}

    @property
    def values_lens(self) -> bool:
        """Whether the units are coloured by their values, so that their pictures show the same thing."""
        return self.frame.lens.name == "value"

    @cached_property
    def levels(self) -> dict[str, list[int]]:
        """The levels of the units' colours on the selected example, by block."""
        reach = self.graph.pictures[""].limit if "" in self.graph.pictures else 1.0
        inputs = {"": palette.levels(self.graph.values, reach or 1.0)}
        blocks = {name: palette.levels(cells.values[-1], cells.limit) for name, cells in self.cells.items()}
        return {name: found.tolist() for name, found in (inputs | blocks).items()}

    def pictures(self, wide: int, tall: int) -> dict[str, NDArray[np.integer]]:
        """The units' pictures in a size, by block: greys of images, else levels; the single row of a course repeats.

        Units whose pictures would not show what the lens shows have none.
        """
        found: dict[str, NDArray[np.integer]] = {}
        for block, own in self.graph.pictures.items():
            cells, shown = self.cells.get(block), resized(own.values, tall, wide)
            if own.kind == "image":
                found[block] = greys(shown)
            elif cells is None or (self.values_lens and not cells.missing):
                found[block] = palette.levels(shown, own.limit)
        return found


def wanted_of(graph: NetGraph, width: int) -> Wanted:
    """What is to be placed for a net."""
    links = [(link.block, link.sources, link.weights.shape[1]) for link in graph.links]
    fields = [own.values.shape[1:] for own in graph.pictures.values() if own.kind == "field"]
    before = max(map(columns, graph.inputs), default=0) + 1 if width >= 40 else 0
    after = min(8, max(map(columns, graph.names), default=0)) + 1 if width >= 40 and graph.names else 0
    planar = any(own.kind == "response" for own in graph.pictures.values())
    return Wanted(columns_of(links, len(graph.inputs)), before, after, max(fields[0]) if fields else 0, planar)


def placed(graph: NetGraph, width: int, height: int) -> NetLayout | None:
    """Where everything stands in a pane of a size; None if there is no room, and units are to be cells."""
    return layout(wanted_of(graph, width), width, height - AROUND)


def wanted_height(graph: NetGraph) -> int:
    """The lines in which a net or a map looks good."""
    if graph.grid is not None:
        return max(14, min(26, 2 * int(graph.grid.values.shape[0]) + AROUND))
    most = max(sum(count for _, count in column) for column in wanted_of(graph, 80).columns)
    return max(16, min(26, most * 6 + AROUND))


def draw(net: Net, where: NetLayout, width: int, height: int) -> list[Strip]:
    """All lines of a net: the names of its columns, the drawing, and a legend."""
    canvas = NetCanvas(width, height - AROUND, net.look)
    canvas.curves(_edges(net, where))
    pictures = net.pictures(where.size.wide, where.size.tall) if where.size != DOT else {}
    for node in where.nodes:
        _node(canvas, net, where, node, pictures.get(node.block))
    _names(canvas, net, where)
    if where.answer is not None and net.graph.answer is not None:
        _answer(canvas, net, where.answer)
    lines = [_captions(net, where, width), *canvas.strips()]
    return [*lines, *[blank(width)] * (height - 1 - len(lines)), _legend(net, width)]


def _edges(net: Net, where: NetLayout) -> list[Curve]:
    """The edges, weak ones first and those of the selected unit last."""
    selected = net.selection.block, net.selection.unit
    faint: list[tuple[float, Curve]] = []
    bright: list[tuple[float, Curve]] = []
    for link in net.graph.links:
        sources = _sources(net.graph, link)
        shown = _drawn(link.weights)
        levels = palette.levels(link.weights, net.graph.limit)
        for row, column in zip(*np.nonzero(shown | _touching(link, sources, selected)), strict=True):
            one, other = where.at[sources[row]], where.at[link.block, int(column)]
            ours = selected in (sources[row], (link.block, int(column)))
            curve = _curve(where, one, other, int(levels[row, column]), not ours)
            (bright if ours else faint).append((_size(link.weights[row, column]), curve))
    ordered = [curve for some in (faint, bright) for _, curve in sorted(some, key=lambda entry: entry[0])]
    return _to_answer(net, where) + ordered


def _to_answer(net: Net, where: NetLayout) -> list[Curve]:
    """From the units of the last block to what the network says."""
    if where.answer is None:
        return []
    x, y, side = where.answer
    last = net.graph.links[-1].block
    ends = [node for node in where.nodes if node.block == last]
    return [
        Curve(_right(where, node), _middle(where, node), x - 1, y + side // 2, palette.MIDDLE, True) for node in ends
    ]


def _size(weight: float) -> float:
    return abs(float(weight)) if np.isfinite(weight) else 0.0


def _sources(graph: NetGraph, link: NetLink) -> list[tuple[str, int]]:
    """The node of each row of a link's weights."""
    counts = {entry.block: entry.weights.shape[1] for entry in graph.links} | {"": len(graph.inputs)}
    return [(source, unit) for source in link.sources for unit in range(counts[source])]


def _drawn(weights: Floats) -> NDArray[np.bool_]:
    """Which edges are drawn though they do not touch the selected unit: all, or the strongest of too many."""
    sizes = np.abs(np.nan_to_num(weights))
    there = (sizes > 0) | np.isnan(weights)
    if there.sum() <= MOST_EDGES:
        return np.asarray(there)
    return np.asarray(there & (sizes >= np.partition(sizes.ravel(), -MOST_EDGES)[-MOST_EDGES]))


def _touching(link: NetLink, sources: list[tuple[str, int]], selected: tuple[str, int]) -> NDArray[np.bool_]:
    """The edges of the selected unit."""
    rows = np.array([source == selected for source in sources])[:, None]
    own = np.arange(link.weights.shape[1]) == (selected[1] if link.block == selected[0] else -1)
    return np.asarray((rows | own) & (np.nan_to_num(link.weights, nan=1.0) != 0))


def _curve(where: NetLayout, one: Node, other: Node, level: int, dim: bool) -> Curve:
    """From the right of one node's column to the left of the other's."""
    begin, end = where.edges[one.column][1], where.edges[other.column][0] - 1
    return Curve(begin, _middle(where, one) + min(one.lane, 2), end, _middle(where, other), level, dim)


def _middle(where: NetLayout, node: Node) -> int:
    return node.y + where.size.tall // 2


def _right(where: NetLayout, node: Node) -> int:
    return node.x + where.size.wide + 1


def _node(canvas: NetCanvas, net: Net, where: NetLayout, node: Node, pictures: NDArray[np.integer] | None) -> None:
    """A unit's picture, beside it its value on the example, and around the selected one a frame."""
    level = net.levels[node.block][node.unit]
    selected = (node.block, node.unit) == (net.selection.block, net.selection.unit)
    mark = net.marks[node.block].glyph(node.unit, net.look) if node.block in net.marks else None
    if where.size == DOT:
        _dot(canvas, net, node, level, selected, mark)
        return
    wide, tall = where.size.wide, where.size.tall
    if selected:
        canvas.ring(node.x, node.y, wide + 1, tall, chosen())
    plain, cells = np.full((tall, wide + 1), level), net.cells.get(node.block)
    if pictures is None:
        canvas.picture(node.x, node.y, plain)
    elif pictures.ndim > LEVELS:
        canvas.colours(node.x, node.y, pictures[node.unit])
    else:
        plain[:, :-1] = pictures[node.unit]
        canvas.picture(node.x, node.y, plain)
    if mark is not None:
        canvas.write(node.y // 2, node.x, mark[0], mark[1])
    if not net.values_lens and cells is not None and not cells.missing and wide >= 6:
        value = float(cells.values[-1, node.unit])
        text = f"{value:+.0e}" if 0 < abs(value) < 0.1 else signed(value, 2)
        text = text if len(text) <= wide else ""
        canvas.write((node.y + tall // 2) // 2, node.x + (wide - len(text)) // 2, text, palette.BRIGHT)
    elif cells is not None and cells.missing and len(cells.missing) <= wide:
        canvas.write((node.y + tall // 2) // 2, node.x + (wide - len(cells.missing)) // 2, cells.missing, palette.DIM)


def _dot(canvas: NetCanvas, net: Net, node: Node, level: int, selected: bool, mark: tuple[str, Style] | None) -> None:
    number = node.y // 2
    dot = net.look.glyph("dot") if net.look.colour else palette.sign_glyph(level)
    style = palette.ink(level if abs(level - palette.MIDDLE) > 3 else palette.MIDDLE + 4)
    canvas.write(number, node.x, *(mark or (dot, style)))
    if selected:
        left, right = ("▐", "▌") if net.look.unicode else ("[", "]")
        canvas.write(number, node.x - 1, left, palette.CURSOR)
        canvas.write(number, node.x + 1, right, palette.CURSOR)


def _names(canvas: NetCanvas, net: Net, where: NetLayout) -> None:
    """The names of the inputs on the left, and those of the outputs on the right."""
    last, wanted = net.graph.links[-1].block, wanted_of(net.graph, canvas.width)
    for node in where.nodes:
        number = _middle(where, node) // 2
        if not node.block and wanted.before:
            name = clip(net.graph.inputs[node.unit], wanted.before - 1)
            canvas.write(number, node.x - len(name) - 1, name, palette.DIM)
        elif node.block == last and wanted.after and node.unit < len(net.graph.names):
            name = clip(net.graph.names[node.unit], wanted.after - 1)
            inside = _right(where, node) < where.edges[node.column][1]
            x, style = (node.x, palette.BRIGHT) if inside else (_right(where, node) + 1, palette.TEXT)
            canvas.write(number, x, name, style)


def _answer(canvas: NetCanvas, net: Net, where: tuple[int, int, int]) -> None:
    """What the network says over the plane, with the probe's examples on it."""
    plane, (x, y, side) = net.graph.answer, where
    assert plane is not None
    levels = palette.levels(resized(plane.values, side, side) * 0.7, 1.0)  # so that the examples on it can be seen
    canvas.picture(x, y, levels)
    if side < 2 * 8:
        return
    x0, x1, y0, y1 = plane.extent
    example = -1 if net.frame.of_batch else net.frame.example
    order = sorted(range(len(plane.points)), key=lambda number: number == example)
    for number in order:
        column = round((float(plane.points[number, 0]) - x0) / (x1 - x0) * (side - 1))
        row = round((y1 - float(plane.points[number, 1])) / (y1 - y0) * (side - 1))
        if 0 <= column < side and 0 <= row < side:
            label, here = bool(plane.labels[number]), number == example
            glyph, style = _example(int(levels[row, column]), label, here, net.look)
            canvas.write((y + row) // 2, x + column, glyph, style)


def _example(level: int, label: bool, here: bool, look: Terminal) -> tuple[str, Style]:
    """The glyph of an example on the plane: in the colour of its class, or that of the selected one."""
    if here:
        return look.glyph("here"), palette.BRIGHT
    if not look.colour:
        return "ox"[label], palette.BRIGHT
    dot = palette.dot(level, label, look.glyph("dot"))
    return dot.text, dot.style or palette.TEXT


def _captions(net: Net, where: NetLayout, width: int) -> Strip:
    """The name of each column over it, as far as there is room."""
    titles: list[tuple[int, int, str, Style]] = []
    edges = where.edges
    for number, (first, end) in enumerate(edges):
        names = list(dict.fromkeys(node.block for node in where.nodes if node.column == number))
        chosen = net.selection.block in names
        text = " | ".join(name.rpartition(".")[2] for name in names) or "input"
        before = (edges[number - 1][1] + first) // 2 if number else 0
        after = (end + edges[number + 1][0]) // 2 if number + 1 < len(edges) else width
        if where.answer is not None and number + 1 == len(edges):
            after = where.answer[0] - 1
        titles.append((first, end, text, palette.ACCENT_BOLD if chosen else palette.DIM))
        text = clip(text, after - before - 1)
        titles[-1] = (max(before, min((first + end - len(text)) // 2, width - len(text))), end, text, titles[-1][3])
    if where.answer is not None:
        titles.append((where.answer[0], width, "the answer", palette.DIM))
    parts: list[Part | Segment] = []
    at = 0
    for x, _, text, style in titles:
        parts += [(" " * max(0, x - at), palette.TEXT), (text, style)]
        at = max(at, x) + columns(text)
    return line(parts, width)


def _legend(net: Net, width: int) -> Strip:
    """The selected unit with its value and marks, and what the colours of edges mean."""
    at, lens = net.selection, net.frame.lens
    cells = net.cells.get(at.block)
    left: list[Part] = []
    if cells is not None and at.unit < cells.values.shape[1]:
        value = float(cells.values[-1, at.unit])
        what = "" if net.values_lens else f"{cells.words or lens.units} "
        said: Part = (cells.missing, palette.DIM) if cells.missing else (signed(value), palette.sign_ink(value))
        left = [(f"{at.selector} ", palette.ACCENT_BOLD), (what, palette.DIM), said, ("  ", palette.TEXT)]
    short = left[:1] + left[2:3]
    marks = net.marks.get(at.block)
    if marks is not None:
        left += [(f"{sign.glyph(net.look)} {count} {sign.words}  ", sign.style) for sign, count in marks.counts()]
    wide, narrow = legend(net.graph.limit, net.look), legend(net.graph.limit, net.look, 5)
    word: Part = (f"edges: {'weight' if net.values_lens else lens.weights} ", palette.DIM)
    return first_fitting(
        width, (left, [word, *wide]), (left, [word, *narrow]), (short, [word, *narrow]), (short, narrow), (short, [])
    )
