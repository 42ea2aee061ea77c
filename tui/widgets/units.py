"""The Units pane: every unit of a block, or of the whole net, as a row; sorted, filtered and marked."""

from __future__ import annotations

import numpy as np
from textual import events
from textual.strip import Strip

from tinynets.server.frame import Frame
from tui.model.selection import Selection
from tui.model.unit_filter import UnitFilter
from tui.model.unit_rows import Order, Sorting, UnitRows, marked_units
from tui.render.marks import Marks
from tui.render.unit_table import Layout, Row, Titles, heading, layout, row_line
from tui.widgets.heatmap import scrolled
from tui.widgets.pane import Leap, Pane

WHEEL = 3
"""How many rows one notch of the wheel scrolls."""
MEANINGS = {
    "unit": "the units by their numbers",
    "mean": "mean output over the probe",
    "std": "standard deviation of the output over the probe",
    "flat": "share of the probe on which its activation is flat, so that no gradient passes",
    "gradient": "mean over the probe of |d loss / d output|",
    "change": "change of all that it has learned by the last update, as a share of its size",
    "worth": "by how much the loss rises without the unit: A measures it",
}
"""What each column holds."""
TOLD = {
    "mean": "mean {:+.4g}",
    "std": "deviation {:.4g}",
    "flat": "saturated {:.3g}%",
    "gradient": "|grad| {:.3g}",
    "change": "change {:.3g}",
    "worth": "worth {:+.3g}",
}
"""How each number of a unit is told."""
NO_ROWS: Order = np.zeros(0, np.intp)


class UnitsPane(Pane):
    """A table of units; the cursor goes along the rows that are shown."""

    NAME = "units"

    def __init__(self) -> None:
        super().__init__()
        self.sorting = Sorting()
        self.filter = UnitFilter()
        self.every_unit = False
        """Whether it lists the units of all blocks."""
        self.marks: dict[str, frozenset[int]] = {}
        self.rows: UnitRows | None = None
        self._shown: Order = NO_ROWS
        self._ranks: Order = NO_ROWS
        self._layout = Layout(0, 0, 0, ())
        self._first = 0
        self._lines_of_rows = 1
        self._away = False
        """Whether the wheel has scrolled away from the cursor."""
        self._followed = Selection()

    # -- drawing

    def draw(self, width: int, height: int) -> list[Strip]:
        frame = self.frame
        self.rows = rows = None if frame is None else UnitRows.of(frame, self.marks)
        self._shown = NO_ROWS
        if frame is None or rows is None:
            self.note("")
            why = "no block has units" if frame and not any(block.units for block in frame.blocks) else ""
            return self.message(self.waiting if frame is None else why, width, height)
        self._shown, self._ranks = rows.shown(self.sorting, self.filter)
        self.title(self._about(rows))
        self.note(self._measured(rows))
        self._lines_of_rows = max(1, height - 1)
        self._scroll()
        longest = max(len(name) + len(str(rows.units.unit.max())) + 2 for name in rows.units.blocks)
        known = {name for name, values in rows.columns.items() if not np.isnan(values).all() or name == "change"}
        self._layout = layout(width, len(rows), longest, self.sorting.column, known)
        whose, lens = "batch" if frame.of_batch else "probe", frame.lens.name
        spark = (f"on the {whose}", whose) if lens == "value" else (f"{lens}, {whose}", lens[:6])
        titles = Titles(self.sorting.column, self.sorting.rises, rows.only_off, spark)
        lines = [heading(titles, self._layout, width, self.look)]
        if not len(self._shown):
            why = f"no unit is {self.filter.text}" if self.filter.terms else ""
            return [*lines, *self.message(why, width, height - 1)]
        signs = self._signs(frame, rows)
        seen = range(self._first, min(len(self._shown), self._first + self._lines_of_rows))
        return [*lines, *(self._line(rows, at, signs, width) for at in seen)]

    def _line(self, rows: UnitRows, at: int, signs: dict[str, Marks], width: int) -> Strip:
        row, units = int(self._shown[at]), rows.units
        block, unit = rows.name(row)
        found = Row(
            rank=int(self._ranks[at]) + 1,
            name=f"{block}[{unit}]",
            selected=(block, unit) == (self.selection.block, self.selection.unit),
            marked=bool(rows.marked[row]),
            sign=signs[block].of(unit),
            bins=units.bins[row],
            limit=float(units.limit[row]),
            values={name: float(rows.columns[name][row]) for name in self._layout.columns},
            dead=bool(units.dead[row]),
            old=not units.worth_holds[row],
        )
        return row_line(found, self._layout, width, self.look)

    def _signs(self, frame: Frame, rows: UnitRows) -> dict[str, Marks]:
        """What stands on the units of each block."""
        units = rows.units
        return {
            block: Marks(frame.standing.get(block), units.dead[units.block == at])
            for at, block in enumerate(units.blocks)
        }

    def _about(self, rows: UnitRows) -> str:
        """Whose units they are, how many are shown, and how many are marked."""
        whose = "all blocks" if self.every_unit else rows.units.blocks[0]
        count = f"{len(rows)}" if not self.filter.terms else f"{len(self._shown)} of {len(rows)}: {self.filter.text}"
        marked = sum(map(len, self.marked().values()))
        return f"{whose} {self.look.glyph('sum')} {count}" + (f"  {marked} marked" if marked else "")

    def _measured(self, rows: UnitRows) -> str:
        """On what the worth of the units was measured, and when."""
        blocks = rows.units.blocks
        own = rows.units.measured[blocks.index(self.selection.block) if self.selection.block in blocks else 0]
        return f"worth {own}" if own else ""

    def _scroll(self) -> None:
        """Scroll no more than needed to show the cursor, unless the wheel has scrolled away from it."""
        at = self._cursor()
        self._away = self._away and self._followed == self.selection
        self._followed = self.selection
        if not self._away:
            self._first = scrolled(self._first, at, self._lines_of_rows, len(self._shown))
        self._first = max(0, min(self._first, len(self._shown) - self._lines_of_rows))

    def _cursor(self) -> int:
        """The place of the selected unit among the rows that are shown; -1 if it is not."""
        row = self.rows.row_of(self.selection) if self.rows else -1
        found = np.flatnonzero(self._shown == row)
        return int(found[0]) if row >= 0 and found.size else -1

    def _redraw_from_cursor(self) -> None:
        self._away = False
        self.redraw()

    # -- what keys do

    def sort(self, sorting: Sorting) -> None:
        """Sort the rows, and show the first of them, wherever the cursor is."""
        self.sorting = sorting
        self._first, self._away, self._followed = 0, True, self.selection
        self.redraw()

    def let_through(self, wanted: UnitFilter) -> None:
        """Show only the units that a filter lets through."""
        self.filter = wanted
        self._redraw_from_cursor()

    def shown_by(self, wanted: UnitFilter) -> tuple[int, int]:
        """How many units a filter would show, and how many there are."""
        return (0, 0) if self.rows is None else (len(self.rows.shown(self.sorting, wanted)[0]), len(self.rows))

    def toggle_marks(self, every: bool) -> None:
        """Mark the unit under the cursor, or all that are shown; if they are marked, take their marks away."""
        at = self._cursor()
        rows = self._shown if every else self._shown[at : at + 1] if at >= 0 else NO_ROWS
        if self.rows is not None and len(rows):
            self.marks = dict(self.rows.toggled(rows))
            self.redraw()

    def marked(self) -> dict[str, tuple[int, ...]]:
        """Block -> its marked units."""
        return {} if self.frame is None else marked_units(self.frame, self.marks)

    def escaped(self) -> bool:
        if self.marked():
            self.marks = {}
        elif self.filter.terms:
            self.filter = UnitFilter()
        else:
            return False
        self._redraw_from_cursor()
        return True

    # -- the cursor

    def moved(self, right: int, down: int) -> Pane.Chosen | None:
        return self._chosen(max(0, self._cursor() + down)) if down else None

    def leapt(self, to: Leap) -> Pane.Chosen | None:
        last, at = len(self._shown) - 1, self._cursor()
        page = max(1, self._lines_of_rows - 1)
        return self._chosen({"home": 0, "end": last, "up": max(0, at - page), "down": at + page}[to])

    def here(self) -> Pane.Chosen | None:
        """The unit under the cursor; the first that is shown, if that one is not."""
        return self._chosen(max(0, self._cursor()))

    def _chosen(self, at: int) -> Pane.Chosen | None:
        if self.rows is None or not len(self._shown):
            return None
        block, unit = self.rows.name(int(self._shown[min(at, len(self._shown) - 1)]))
        return self.Chosen(block=block, unit=unit)

    # -- the mouse

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is None or self.rows is None:
            return
        if at.y == 0:
            self._click_heading(at.x)
        elif (chosen := self._first + at.y - 1) < len(self._shown) and (found := self._chosen(chosen)):
            self.post_message(found)

    def _click_heading(self, x: int) -> None:
        """Sort by the column there; if it is sorted so, turn the order round."""
        for column, (first, end) in self._layout.starts().items():
            if first <= x < end:
                here = column == self.sorting.column
                self.sort(Sorting(column, here and not self.sorting.turned))

    def wheel(self, by: int) -> None:
        """Scroll some rows; the cursor stays."""
        self._first, self._away = self._first + WHEEL * by, True
        self._followed = self.selection
        self.redraw()

    def reading(self, x: int, y: int) -> str:
        """What the column under the mouse holds, or all numbers of the unit there, also those without room."""
        if self.rows is None:
            return ""
        if y == 0:
            column = next((name for name, (first, end) in self._layout.starts().items() if first <= x < end), "")
            return MEANINGS.get(column, "")
        at = self._first + y - 1
        if not 0 <= at < len(self._shown):
            return ""
        row, rows = int(self._shown[at]), self.rows
        block, unit = rows.name(row)
        known = {name: float(values[row]) for name, values in rows.columns.items() if name in TOLD}
        told = [TOLD[name].format(value) for name, value in known.items() if value == value]
        if rows.units.off[rows.units.block[row]]:
            told = [text.replace("saturated", "off") for text in told]
        return f"{block}[{unit}]: {', '.join(told)}"
