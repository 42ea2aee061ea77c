"""Which element of which parameter stands in a row and column of a block's weight matrix, as a selector names it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod


@dataclass(frozen=True)
class MatrixPart:
    """A parameter whose elements are rows of a weight matrix; gates and heads have several columns for each unit."""

    name: str
    shape: tuple[int, ...]
    groups: int = 1
    each: int = 1

    @property
    def rows(self) -> int:
        """How many rows of the matrix it takes."""
        return prod(self.shape[:-1]) * self.groups * self.each

    def place(self, row: int, unit: int) -> tuple[int, ...]:
        """The indices of the element in one of its rows, for a unit."""
        inputs = prod(self.shape[:-1])
        group, rest = divmod(row, inputs * self.each)
        index, part = divmod(rest, self.each)
        units = self.shape[-1] // (self.groups * self.each)
        column = (group * units + unit) * self.each + part
        found = [column]
        for size in reversed(self.shape[:-1]):
            index, at = divmod(index, size)
            found.insert(0, at)
        return tuple(found)


def weight_selector(block: str, parts: Sequence[MatrixPart], row: int, unit: int) -> str:
    """The selector of an element of a block's weight matrix: `hidden.w[4,3]`; empty if it has no such row."""
    for part in parts:
        if row < part.rows:
            return f"{block}.{part.name}[{','.join(map(str, part.place(row, unit)))}]" if row >= 0 else ""
        row -= part.rows
    return ""
