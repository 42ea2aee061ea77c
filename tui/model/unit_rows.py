"""The rows of the Units pane: their columns, their states, their order, and which of them are marked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tinynets.server.frame import FROZEN, Codes, Floats, Frame, Mask, Standing, Units
from tui.model.selection import Selection
from tui.model.unit_filter import UnitFilter
from tui.render.marks import SIGNS

Order = NDArray[np.intp]
Marked = Mapping[str, frozenset[int]]
"""Block -> the marked units, by the numbers that stay their own."""

COLUMNS = ("unit", "mean", "std", "flat", "gradient", "change", "worth")
"""The columns that can be sorted by, from left to right."""
TOUCHED = {name: sign.words for name, sign in SIGNS.items() if sign.ink == "DONE" and sign.words.isalpha()}
"""Kind of intervention -> the word for a unit under it."""
NEVER = -1
"""A code that no intervention has."""
STATES = (
    "dead",
    "saturated",
    "off",
    "frozen",
    "marked",
    "touched",
    *TOUCHED.values(),
)
"""What a filter can ask of a unit: `touched` by any intervention, or by one of them."""


@dataclass(frozen=True)
class Sorting:
    """The column that rows are sorted by: the largest first, but units by their numbers; or the other way round."""

    column: str = "unit"
    turned: bool = False

    @property
    def rises(self) -> bool:
        return (self.column == "unit") != self.turned

    def beside(self, by: int) -> Sorting:
        """By the column to the left or right of it."""
        at = COLUMNS.index(self.column) + by
        return Sorting(COLUMNS[max(0, min(at, len(COLUMNS) - 1))])


@dataclass(frozen=True)
class UnitRows:
    """The units of a frame, with what stands on them and which of them are marked."""

    units: Units
    standing: Mapping[str, Standing]
    marks: Marked

    @staticmethod
    def of(frame: Frame, marks: Marked) -> UnitRows | None:
        return None if frame.units is None else UnitRows(frame.units, frame.standing, marks)

    def __len__(self) -> int:
        return len(self.units.unit)

    def name(self, row: int) -> tuple[str, int]:
        """The block and the unit of a row."""
        return self.units.blocks[self.units.block[row]], int(self.units.unit[row])

    def row_of(self, selection: Selection) -> int:
        """The row of the selected unit; -1 if it has none."""
        if selection.block not in self.units.blocks:
            return -1
        same = self.units.block == self.units.blocks.index(selection.block)
        found = np.flatnonzero(same & (self.units.unit == selection.unit))
        return int(found[0]) if found.size else -1

    # -- what they are

    @cached_property
    def columns(self) -> dict[str, Floats]:
        """The columns by name; shares are in per cent."""
        units = self.units
        return {
            "unit": units.unit.astype(np.float64),
            "mean": units.mean,
            "std": units.std,
            "flat": 100 * units.flat,
            "gradient": units.gradient,
            "change": units.change,
            "worth": units.worth,
        }

    @cached_property
    def states(self) -> dict[str, Mask]:
        """Which units are in each of the states that a filter can ask for."""
        flat = np.nan_to_num(self.units.flat) > 0
        off = np.array(self.units.off)[self.units.block]
        codes = self._codes(lambda standing: standing.anywhere().op)
        frozen = self._codes(lambda standing: standing.frozen)
        found = {
            "dead": self.units.dead,
            "saturated": flat & ~off,
            "off": flat & off,
            "frozen": frozen == FROZEN,
            "marked": self.marked,
            "touched": codes > 0,
        }
        kinds = next((standing.kinds for standing in self.standing.values()), ())
        return found | {
            words: codes == (kinds.index(name) if name in kinds else NEVER) for name, words in TOUCHED.items()
        }

    @cached_property
    def marked(self) -> Mask:
        """(rows,)"""
        found = np.zeros(len(self), np.bool_)
        for at, block in enumerate(self.units.blocks):
            numbers, chosen = self._numbers(block), self.marks.get(block)
            if chosen:
                found[self.units.block == at] = np.isin(numbers, sorted(chosen))
        return found

    def _numbers(self, block: str) -> NDArray[np.int64]:
        """The numbers that stay the units' own, in the order of a block's rows."""
        own = self.units.unit[self.units.block == self.units.blocks.index(block)]
        standing = self.standing.get(block)
        return own if standing is None or len(standing.numbers) != len(own) else standing.numbers

    def _codes(self, of: Callable[[Standing], Codes]) -> Codes:
        """(rows,) what `of` finds in the standing of each block."""
        found = np.zeros(len(self), np.int8)
        for at, block in enumerate(self.units.blocks):
            own, standing = self.units.block == at, self.standing.get(block)
            if standing is not None and len(standing.frozen) == own.sum():
                found[own] = of(standing)
        return found

    @property
    def only_off(self) -> bool:
        """Whether all activations there are can only be off, rather than saturated."""
        known = self.units.block[~np.isnan(self.units.flat)]
        return bool(known.size) and all(self.units.off[block] for block in set(known.tolist()))

    # -- in which order

    def order(self, sorting: Sorting) -> Order:
        """All rows, sorted; those without a number come last."""
        if sorting.column == "unit":
            rows = np.arange(len(self))
            return rows if sorting.rises else rows[::-1]
        values = self.columns[sorting.column]
        return np.argsort(values if sorting.rises else -values, kind="stable")

    def shown(self, sorting: Sorting, wanted: UnitFilter) -> tuple[Order, Order]:
        """The rows that a filter lets through, sorted, and the rank that each has among all."""
        order = self.order(sorting)
        through = wanted.mask(self.columns, self.states)[order] if wanted.terms else np.ones(len(order), np.bool_)
        ranks = np.flatnonzero(through)
        return order[ranks], ranks

    # -- marks

    def toggled(self, rows: Order) -> Marked:
        """The marks with these rows marked; without them, if all of them were."""
        on = not self.marked[rows].all()
        found = {block: set(numbers) for block, numbers in self.marks.items()}
        for at, block in enumerate(self.units.blocks):
            there = self.units.unit[rows[self.units.block[rows] == at]]
            chosen = set(self._numbers(block)[there].tolist())
            found[block] = found.get(block, set()) | chosen if on else found.get(block, set()) - chosen
        return {block: frozenset(numbers) for block, numbers in found.items() if numbers}


def marked_units(frame: Frame, marks: Marked) -> dict[str, tuple[int, ...]]:
    """Block -> the places of its marked units, in the order of the blocks; of marks that still are there."""
    found = {}
    for block in frame.blocks:
        chosen, standing = marks.get(block.name), frame.standing.get(block.name)
        if chosen and standing is not None:
            places = np.flatnonzero(np.isin(standing.numbers, sorted(chosen)))
            if places.size:
                found[block.name] = tuple(places.tolist())
    return found
