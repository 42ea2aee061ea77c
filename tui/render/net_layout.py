"""Places the nodes of a net: columns from the inputs to the answer, in pixels one character wide and half a line high.

A column with more nodes than lines has them in several lanes. Pictures are as large as all of them find room for; what
has no room even for dots is not drawn as a net.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil

LARGEST = 28
"""The largest side of a node's picture."""
PICTURE = 3
"""The smallest side of one; below it, a node is a dot."""
ROUND = 8
"""Pictures less tall than this may be wider than tall."""
CROWDED = 16
"""With more units than this a column is drawn with pictures, or not at all."""
GAP = {"wide": 9, "narrow": 5}
"""The least space for edges between two columns."""
LEAST_ANSWER = 14
"""The least side of the answer's picture."""

Column = tuple[tuple[str, int], ...]
"""The blocks that stand in one column, each with its units; the name of the inputs is empty."""


@dataclass(frozen=True)
class Size:
    """The size of a node's picture in pixels; a dot is 1 x 1."""

    wide: int
    tall: int

    @property
    def pitch(self) -> int:
        """Pixels from one node to the next one below it."""
        return self.tall + 1 if self.tall > 1 else 2

    @property
    def lane(self) -> int:
        """Characters from one lane to the next: a picture, the value beside it, and a gap."""
        return self.wide + 2

    def lanes(self, column: Column, height: int) -> int:
        """How many lanes a column needs."""
        rows = max(1, (height - (2 if self.tall > 1 else 0) + self.pitch - self.tall) // self.pitch)
        return ceil(sum(count for _, count in column) / rows)


DOT = Size(1, 1)


@dataclass(frozen=True)
class Node:
    """A unit's place: its upper left pixel."""

    block: str
    unit: int
    x: int
    y: int
    column: int
    lane: int


@dataclass(frozen=True)
class NetLayout:
    """Where everything of a net is, and how large a node's picture is."""

    size: Size
    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int], ...]
    """(first, behind the last) character of each column."""
    answer: tuple[int, int, int] | None = None
    """x, y and side of the answer over the plane."""
    at: dict[tuple[str, int], Node] = field(default_factory=dict)
    below: int = 1
    """How many units further the one below is."""


@dataclass(frozen=True)
class Wanted:
    """What is to be placed: the columns, and the letters of names at both ends."""

    columns: tuple[Column, ...]
    before: int = 0
    after: int = 0
    natural: int = 0
    """Pictures are this large or a multiple of it, if not 0."""
    answer: bool = False


@lru_cache(64)
def layout(wanted: Wanted, width: int, lines: int) -> NetLayout | None:
    """The best layout in a room; None if the net has no room there."""
    height = 2 * lines
    if wanted.answer:
        beside = LEAST_ANSWER + 5 + max(0, width - 80) // 4
        size = _largest(wanted, width - beside, height)
        if size is not None and size.tall >= PICTURE + 1:
            return _placed(wanted, size, width, height)
    size = _largest(wanted, width, height)
    return _placed(wanted, size, width, height) if size else None


def _largest(wanted: Wanted, width: int, height: int) -> Size | None:
    """The best size of a node's picture, a dot if need be, None if there is no room even for dots.

    A picture counts for less if its column has several lanes, since their edges pass behind it.
    """
    best: tuple[float, Size] | None = None
    step = wanted.natural or 1
    for tall in range(min(LARGEST, height - 2) // step * step, PICTURE - 1, -step):
        for wide in (tall * 3 // 2, tall) if tall < ROUND and not wanted.natural else (tall,):
            size = Size(wide, tall)
            if _width(wanted, size, height) <= width:
                most = max(size.lanes(column, height) for column in wanted.columns)
                score = (wide * tall) ** 0.5 / (1 + 0.35 * (most - 1))
                best = (score, size) if best is None or score > best[0] else best
    if best is not None:
        return best[1]
    crowded = max(sum(count for _, count in column) for column in wanted.columns) > CROWDED
    return DOT if not crowded and _width(wanted, DOT, height) <= width else None


def _width(wanted: Wanted, size: Size, height: int) -> int:
    columns = sum(size.lanes(column, height) * size.lane for column in wanted.columns)
    gap = GAP["narrow"] if size.tall < 6 else GAP["wide"]
    return columns + (len(wanted.columns) - 1) * gap + wanted.before + wanted.after


def _placed(wanted: Wanted, size: Size, width: int, height: int) -> NetLayout:
    lanes = [size.lanes(column, height) for column in wanted.columns]
    taken = sum(lanes) * size.lane + wanted.before + wanted.after
    gaps = max(1, len(wanted.columns) - 1)
    spare, answer = width - taken, 0
    if wanted.answer:
        least = GAP["wide" if size.tall >= 6 else "narrow"]
        answer = min(height, spare - gaps * max(least, min(16, spare // (3 * gaps + 3))) - 4)
        answer = answer if answer >= LEAST_ANSWER else 0
    beside = answer + 4 if answer else 0
    gap = min(26, (spare - beside) // gaps)
    x = wanted.before + max(0, (width - taken - gap * (len(lanes) - 1) - beside) // 2)
    nodes: list[Node] = []
    edges = []
    for number, (column, count) in enumerate(zip(wanted.columns, lanes, strict=True)):
        nodes += _column(column, number, count, size, x, height)
        edges.append((x, x + count * size.lane - 1))
        x += count * size.lane + gap
    place = (x - gap + wanted.after + 3, (height - answer) // 4 * 2, answer) if answer else None
    return NetLayout(size, tuple(nodes), tuple(edges), place, {(node.block, node.unit): node for node in nodes})


def _column(column: Column, number: int, lanes: int, size: Size, x: int, height: int) -> list[Node]:
    """The nodes of a column, lane by lane, as far apart as there is room for."""
    units = [(block, unit) for block, count in column for unit in range(count)]
    rows, cuts = ceil(len(units) / lanes), [round(lane * len(units) / lanes) for lane in range(lanes + 1)]
    pitch = max(size.pitch, min((height + 1) // rows, size.tall + max(2, size.tall // 2)))
    if size == DOT:
        pitch -= pitch % 2
    made = []
    for lane in range(lanes):
        own = units[cuts[lane] : cuts[lane + 1]]
        top = max(0, (height - (len(own) * pitch - (pitch - size.tall))) // 2)
        if size == DOT:
            top -= top % 2
        at = x + lane * size.lane
        made += [Node(block, unit, at, top + row * pitch, number, lane) for row, (block, unit) in enumerate(own)]
    return made


@lru_cache(16)
def map_layout(block: str, shape: tuple[int, int], width: int, lines: int) -> NetLayout | None:
    """The units of a map, each at its place; None if there is no room for them."""
    rows, columns = shape
    pitch = min((2 * lines - 1) // rows, (width - 1) // columns, LARGEST)
    if pitch < 1:
        return None
    size = Size(pitch - (pitch > 3), pitch - (pitch > 3))
    left, top = max(1, (width - pitch * columns) // 2), max(0, (2 * lines - pitch * rows) // 2)
    nodes = tuple(
        Node(block, row * columns + column, left + column * pitch, top + row * pitch, 0, column)
        for row in range(rows)
        for column in range(columns)
    )
    return NetLayout(size, nodes, (), None, {(block, node.unit): node for node in nodes}, columns)


def columns_of(links: Sequence[tuple[str, tuple[str, ...], int]], inputs: int) -> tuple[Column, ...]:
    """The columns of a net, from (block, what comes into it, units): each block one further right than its sources."""
    depth = {"": 0}
    columns: dict[int, list[tuple[str, int]]] = {0: [("", inputs)]}
    for block, sources, units in links:
        depth[block] = 1 + max(depth[source] for source in sources)
        columns.setdefault(depth[block], []).append((block, units))
    return tuple(tuple(columns[at]) for at in sorted(columns))


def right_of(placed: NetLayout, node: Node, by: int) -> Node | None:
    """The nearest node in the next lane to the right (or left, if `by` is negative), not among the inputs."""
    lanes = sorted({(other.x, other.column) for other in placed.nodes if other.block})
    after = [x for x, _ in lanes if (x - node.x) * by > 0]
    if not after:
        return None
    x = min(after) if by > 0 else max(after)
    return min((other for other in placed.nodes if other.x == x), key=lambda other: abs(other.y - node.y))


def nearest(placed: NetLayout, x: int, y: int) -> Node | None:
    """The unit whose picture is at a pixel, or at most two pixels away."""
    size = placed.size

    def away(node: Node) -> int:
        return max(node.x - x, x - node.x - size.wide, node.y - y, y - node.y - size.tall + 1, 0)

    node = min((node for node in placed.nodes if node.block), key=away, default=None)
    return node if node is not None and away(node) <= 2 else None
