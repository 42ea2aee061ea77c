"""Arranges the units of a network in the network pane: lines of spans, as plain numbers.

Positions (characters, time steps) are placed side by side or one below another; an image has a small picture for each
channel. If the network does not fit, layers without units are left out. If that is not enough, every block but the
selected one is folded into one line.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

from tinynets.foreign_text import one_for_one
from tinynets.server.frame import BlockInfo
from tui.render.drawing import columns, places

WIDTHS = (8, 4, 3, 2, 1)
"""The widths, in characters, that a unit's cell may have."""


@dataclass(frozen=True)
class Span:
    """Units of one position in one line, or one line of a channel's picture."""

    block: str
    position: int
    """The position; -1 for the mean over all positions."""
    first: int
    count: int
    x: int
    label: str
    home: bool
    """Whether the cursor may be here: only at the last position, which the neuron pane shows."""
    line: int = -1
    """The line of a picture; -1 if this is no picture."""


@dataclass(frozen=True)
class Row:
    """One line of the pane: a block's heading, spans of its units, both (a folded block), or neither (a gap)."""

    block: int
    spans: tuple[Span, ...] = ()
    folded: bool = False
    gap: bool = False


@dataclass(frozen=True)
class Arrangement:
    rows: tuple[Row, ...]
    cell: int
    """The width of a unit's cell, in characters."""
    big: bool
    """Whether pixels are two characters wide; if not, they are one wide, and half a line high if half blocks exist."""


@dataclass(frozen=True)
class Room:
    """The space that the blocks are arranged in."""

    width: int
    example: str
    half: bool
    """Whether one line can hold two rows of pixels."""
    timed: bool = False
    """Whether there are time steps, which are numbered as selectors name them."""
    alone: bool = False
    """Whether units may take more lines than they need, to be wider: there is nothing else to be shown."""

    @property
    def gutter(self) -> int:
        """Columns for the numbers before the cells."""
        wide = self.width >= 50
        return (7 if self.timed else 5) if wide else (5 if self.timed else 4)

    def names(self, block: BlockInfo) -> tuple[str, ...]:
        """The label of each position of a block: its character or number; for a time step `t=3 e`, or `t3`."""
        found = tuple(map(one_for_one, places(self.example, block.positions)))
        if not block.timed:
            return found
        numbers = [f"{'t=' if self.width >= 50 else 't'}{time}" for time in range(block.positions)]
        if found[0] == "0" and found[-1] == str(block.positions - 1):
            return tuple(numbers)
        named = [f"{number} {name}" for number, name in zip(numbers, found, strict=True)]
        return tuple(named if max(map(columns, named)) < self.gutter else numbers)


@lru_cache(64)
def fit(blocks: tuple[BlockInfo, ...], room: Room, height: int, selected: str) -> Arrangement:
    """Arrange with the widest cells that fit. If none fit, fold blocks; even that may exceed the height."""
    outlined = tuple(block for block in blocks if block.units)
    widest = max((block.units for block in outlined), default=1)
    images = any(block.image for block in outlined)
    for some in (blocks, outlined):
        for big in (True, False) if images else (True,):
            for cell in WIDTHS:
                if cell > 2 and widest * cell > room.width - room.gutter and not room.alone:
                    continue
                rows = arrange(blocks, room, cell, big, hidden=some is outlined)
                if len(rows) <= height:
                    return Arrangement(rows, cell, big)
    cell = 2 if widest * 2 <= room.width - _name_width(blocks, room.width) else 1
    rows = arrange(blocks, room, cell, False, hidden=True, unfolded={selected})
    if room.alone and len(rows) <= height:
        return Arrangement(_unfolded(blocks, room, cell, height, selected), cell, False)
    ours = [i for i, row in enumerate(rows) if blocks[row.block].name == selected and row.spans]
    earlier = sum(not any(span.home for span in rows[i].spans) for i in ours)
    spare = min(len(ours) - max(2, height * 2 // 3), earlier)
    if spare > 0 and not blocks[rows[ours[0]].block].image:  # the end of a long sequence
        rows = rows[: ours[0]] + rows[ours[0] + spare :]
    return Arrangement(rows, cell, False)


def arrange(
    blocks: tuple[BlockInfo, ...],
    room: Room,
    cell: int,
    big: bool,
    *,
    hidden: bool = False,
    unfolded: set[str] | None = None,
) -> tuple[Row, ...]:
    """All lines of the network; `hidden` layers without units, every block folded but those `unfolded`."""
    rows = []
    for index, block in enumerate(blocks):
        if not block.units and hidden:
            continue
        if unfolded is not None and block.name not in unfolded:
            rows.append(_folded(index, block, _name_width(blocks, room.width), room.width, cell))
            continue
        rows.append(Row(index))
        if block.units:
            rows += _block_rows(index, block, room, cell, big)
    return tuple(rows)


def _unfolded(blocks: tuple[BlockInfo, ...], room: Room, cell: int, height: int, selected: str) -> tuple[Row, ...]:
    """The selected block, and as many of those about it as there is room for, the rest folded."""
    names = [block.name for block in blocks if block.units]
    at = names.index(selected) if selected in names else 0
    unfolded = {selected}
    for name in sorted(names, key=lambda name: abs(names.index(name) - at)):
        if len(arrange(blocks, room, cell, False, hidden=True, unfolded=unfolded | {name})) <= height:
            unfolded.add(name)
    return arrange(blocks, room, cell, False, hidden=True, unfolded=unfolded)


def _name_width(blocks: tuple[BlockInfo, ...], width: int) -> int:
    return min(max((columns(block.name) for block in blocks if block.units), default=0), width // 3) + 3


def _folded(index: int, block: BlockInfo, x: int, width: int, cell: int) -> Row:
    """A block in one line: its last position, or the means of its channels."""
    position = -1 if block.image else block.positions - 1
    count = min(block.units, max(1, (width - x) // cell))
    return Row(index, (Span(block.name, position, 0, count, x, "", True),), True)


def _block_rows(index: int, block: BlockInfo, room: Room, cell: int, big: bool) -> list[Row]:
    if block.image and block.positions > 1:
        return _picture_rows(index, block, block.image, room, big)
    if block.positions > 1 and block.units * cell + 4 <= room.width - room.gutter:
        return _position_rows(index, block, room, cell)
    step = max(1, (room.width - room.gutter) // cell)
    if step < block.units:
        step -= step % 10 if step >= 10 else 0
    names = room.names(block)
    rows = []
    for position in range(block.positions):
        for first in range(0, block.units, step):
            label = names[position] if block.positions > 1 and not first else str(first)
            home = position == block.positions - 1
            span = Span(block.name, position, first, min(step, block.units - first), room.gutter, label, home)
            rows.append(Row(index, (span,)))
    return rows


def _position_rows(index: int, block: BlockInfo, room: Room, cell: int) -> list[Row]:
    """Positions side by side, each after its label."""
    names = room.names(block)
    wide = block.units * cell + max(map(columns, names)) + 2
    per_row = _balanced(block.positions, (room.width - room.gutter + 3) // wide)
    rows = []
    for first in range(0, block.positions, per_row):
        spans = tuple(
            Span(block.name, p, 0, block.units, room.gutter + i * wide, names[p], p == block.positions - 1)
            for i, p in enumerate(range(first, min(block.positions, first + per_row)))
        )
        rows.append(Row(index, spans))
    return rows


def _picture_rows(index: int, block: BlockInfo, image: tuple[int, int], room: Room, big: bool) -> list[Row]:
    """A picture for each channel, side by side, each after the channel's number."""
    columns = image[1] * (2 if big else 1)
    lines = ceil(image[0] / 2) if room.half and not big else image[0]
    gap = len(str(block.units - 1)) + 1
    wide = columns + max(3, gap + 1)
    per_row = _balanced(block.units, (room.width - room.gutter + 3) // wide)
    rows = []
    for first in range(0, block.units, per_row):
        rows += [Row(index, gap=True)] if first else []
        for line in range(lines):
            spans = tuple(
                Span(block.name, -1, unit, 1, room.gutter + i * wide, "" if line else str(unit), line == 0, line)
                for i, unit in enumerate(range(first, min(block.units, first + per_row)))
            )
            rows.append(Row(index, spans))
    return rows


def _balanced(count: int, most: int) -> int:
    """How many to put in each row so that rows are about equally long."""
    most = max(1, most)
    return ceil(count / ceil(count / most))
