"""The confusion matrix as lines: truth down, answer across, the diagonal told apart, a cursor in one cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from textual.strip import Strip

from tui.render import palette
from tui.render.drawing import Part, clip, columns, line, padded, padded_left
from tui.render.palette import Terminal

LABEL = 8
"""The most cells that the label of a row takes."""
SHARE = 7
"""The cells of the share of right answers behind a row."""


@dataclass(frozen=True)
class Matrix:
    """Where a matrix stands in a room, scrolled so that the cursor is to be seen."""

    counts: NDArray[np.int64]
    labels: tuple[str, ...]
    cursor: tuple[int, int]
    first: tuple[int, int]
    rows: int
    across: int
    label: int
    cell: int
    shares: bool

    @staticmethod
    def fit(
        counts: NDArray[np.int64],
        labels: tuple[str, ...],
        cursor: tuple[int, int],
        first: tuple[int, int],
        width: int,
        height: int,
    ) -> Matrix:
        """`height` counts the line of labels, and not the line that tells of the cell."""
        label = max(5, min(LABEL, max(map(columns, labels))))
        cell = max(len(str(int(counts.max(initial=0)))), min(3, max(map(columns, labels)))) + 2
        room = width - label - 1
        shares = room - SHARE >= min(len(labels), 3) * cell
        across = max(1, min(len(labels), (room - (SHARE if shares else 0)) // cell))
        rows = max(1, min(len(labels), height - 1))
        at = tuple(
            max(0, min(max(start, place - shown + 1), place, len(labels) - shown) if shown < len(labels) else 0)
            for start, place, shown in zip(first, cursor, (rows, across), strict=True)
        )
        return Matrix(counts, labels, cursor, (at[0], at[1]), rows, across, label, cell, shares)

    def lines(self, width: int, look: Terminal) -> list[Strip]:
        shown = range(self.first[1], self.first[1] + self.across)
        head: list[Part] = [(padded("truth", self.label + 1), palette.DIM)]
        for column in shown:
            style = palette.BRIGHT if column == self.cursor[1] else palette.DIM
            head.append((padded_left(clip(self.labels[column], self.cell - 2), self.cell - 1) + " ", style))
        if self.shares:
            head.append((" right", palette.DIM))
        largest = int((self.counts - np.diag(np.diag(self.counts))).max(initial=0))
        return [
            line(head, width),
            *(self._row(row, shown, largest, width, look) for row in range(self.first[0], self.first[0] + self.rows)),
        ]

    def _row(self, row: int, shown: range, largest: int, width: int, look: Terminal) -> Strip:
        style = palette.BRIGHT if row == self.cursor[0] else palette.TEXT
        parts: list[Part] = [(padded(clip(self.labels[row], self.label), self.label) + " ", style)]
        parts += [self._cell(row, column, largest, look) for column in shown]
        total = int(self.counts[row].sum())
        if self.shares:
            share = f"{self.counts[row, row] / total:.0%}" if total else "-"
            parts.append((f"{share:>6}", palette.DIM))
        return line(parts, width)

    def _cell(self, row: int, column: int, largest: int, look: Terminal) -> Part:
        count = int(self.counts[row, column])
        text = str(count) if count or row == column else look.glyph("sum")
        behind = look.glyph("hit") if row == column else " "
        if (row, column) == self.cursor:
            return (padded_left(f"[{text}]", self.cell), palette.CHIP)
        shown = padded_left(text, self.cell - 1) + behind
        if row == column:
            return (shown, palette.GOOD if count else palette.DIM)
        if not count:
            return (shown, palette.FAINT)
        level = palette.MIDDLE - max(2, round(palette.MIDDLE * count / max(1, largest)))
        return (shown, palette.paper(level))

    def at(self, x: int, y: int) -> tuple[int, int] | None:
        """The cell at a place of the room."""
        row, column = self.first[0] + y - 1, self.first[1] + (x - self.label - 1) // self.cell
        inside = y >= 1 and x > self.label and row < self.first[0] + self.rows and column < self.first[1] + self.across
        return (row, column) if inside else None

    def out_of_sight(self) -> str:
        """Which classes are to be seen, if not all are; empty if they are."""
        count = len(self.labels)
        if self.rows >= count and self.across >= count:
            return ""
        down = f"{self.labels[self.first[0]]} to {self.labels[self.first[0] + self.rows - 1]}"
        across = f"{self.labels[self.first[1]]} to {self.labels[self.first[1] + self.across - 1]}"
        return f"; {down} down, {across} across, of {count}"

    def words(self, hint: str) -> str:
        """What the cell under the cursor says."""
        row, column = self.cursor
        count, total = int(self.counts[row, column]), int(self.counts[row].sum())
        share = f" ({count / total:.0%})" if total else ""
        what = "answered right" if row == column else f"taken for {self.labels[column]}"
        return f"{self.labels[row]} {what}: {count} of {total}{share}{hint if count else ''}"
