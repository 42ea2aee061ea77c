"""The weights pane: the selected block's weight matrix, inputs down and units across."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from textual import events
from textual.strip import Strip

from tinynets.server.frame import LensInfo, Weights
from tui.model.weight_line import last_row
from tui.render import drawing, palette
from tui.render.drawing import Part, clip_name, first_fitting, legend, signed
from tui.render.marks import Marks
from tui.widgets.heatmap import Grid, cell_lines, grid, gutter_width, hatched_lines, ruler
from tui.widgets.pane import Leap, Pane

LABEL = 14
"""The widest label of a row."""


@lru_cache(32)
def _short(rows: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(clip_name(row, LABEL) for row in rows)


class WeightsPane(Pane):
    """A heat map of w (in, out)."""

    NAME = "weights"

    def __init__(self) -> None:
        super().__init__()
        self.place: Grid | None = None
        self._first = (0, 0)

    def draw(self, width: int, height: int) -> list[Strip]:
        weights = self.frame.weights if self.frame else None
        self.place = None
        if weights is None:
            self.title(self.frame.view.block if self.frame else "")
            return self.message(self._why_nothing(), width, height)
        alone = "" if weights.held is None else f", {int(weights.held.sum()):,} frozen alone"
        lens = self.frame.lens if self.frame else LensInfo()
        shown = "" if lens.name == "value" else f"  {lens.weights} {lens.of}".rstrip()
        self.title(weights.title + alone + shown)
        own = weights.block == self.selection.block
        unit = min(self.selection.unit, weights.values.shape[1] - 1) if own else -1
        row = min(self.selection.row, weights.values.shape[0] - 1)
        place = self._fit(weights, width, height, unit, row)
        standing = self.frame.standing.get(weights.block) if self.frame else None
        marks = Marks(standing, np.zeros(weights.values.shape[1], np.bool_))
        lines = [ruler(place, lambda column: marks.glyph(column, self.look), self.look)]
        on_bias = own and self.selection.row > row and last_row(weights) > row
        labels, at = _short(weights.rows), row if own and not on_bias else -1
        if weights.missing:
            lines += hatched_lines(place, at, labels, self.look)
        else:
            lines += cell_lines(weights.values, weights.limit, place, at, labels, self.look, held=weights.held)
        blank = [drawing.blank(width)] * max(0, height - len(lines) - 1)
        last = self._bias_line(weights, unit, width) if on_bias else self._value_line(weights, unit, row, width, lens)
        return [*lines, *blank, last]

    def _why_nothing(self) -> str:
        return self.waiting if self.frame is None else "no weights in this block"

    def _fit(self, weights: Weights, width: int, height: int, unit: int, row: int) -> Grid:
        assert self.frame is not None
        place = grid(
            weights.values.shape, (height - 2, width), gutter_width(self.frame), unit, row, self._first, self.look
        )
        self.place, self._first = place, (place.first_row, place.first_column)
        return place

    def _bias_line(self, weights: Weights, unit: int, width: int) -> Strip:
        """The last line while the cursor is on the bias, below the last weight."""
        where: Part = (f"bias {self.look.glyph('arrow')} {weights.block}[{unit}] ", palette.DIM)
        value: Part = (f"b {signed(weights.own_bias)}", palette.BRIGHT)
        return first_fitting(width, ([where, value], legend(weights.limit, self.look)), ([value], []))

    def _value_line(self, weights: Weights, unit: int, row: int, width: int, lens: LensInfo) -> Strip:
        if weights.missing:
            return drawing.line([(weights.missing, palette.DIM)], width)
        wide, narrow = legend(weights.limit, self.look), legend(weights.limit, self.look, 5)
        if unit < 0:
            return first_fitting(width, ([], wide), ([], narrow))
        here = float(weights.values[row, unit])
        shown = "new" if np.isnan(here) and lens.name == "change" else signed(here)
        value = (f"{lens.weights} {shown}", palette.BRIGHT)
        label = weights.rows[row] if row < len(weights.rows) else str(row)
        where = (f"{label} {self.look.glyph('arrow')} {weights.block}[{unit}] ", palette.DIM)
        bias = f"  b {signed(float(weights.bias[unit]))}" if weights.bias is not None else ""
        frozen: list[Part] = []
        if weights.held is not None and weights.held[row, unit]:
            frozen = [(f" {self.look.glyph('frozen')} frozen", palette.ICE)]
        full: list[Part] = [where, value, *frozen, (bias, palette.DIM)]
        return first_fitting(
            width, (full, wide), (full, narrow), ([where, value, *frozen], narrow), ([value, *frozen], [])
        )

    def moved(self, right: int, down: int) -> Pane.Chosen | None:
        weights = self.frame.weights if self.frame else None
        row = max(0, min(last_row(weights) if weights is not None else 0, self.selection.row + down))
        return self.Chosen(unit=self.selection.unit + right, row=row)

    def reading(self, x: int, y: int) -> str:
        """The weight under the mouse: where it comes from, where it goes, its value."""
        weights = self.frame.weights if self.frame else None
        if weights is None or self.place is None:
            return ""
        unit, row = self.place.column_at(x), self.place.row_at(y - 1)
        if unit is None or row is None or row >= len(weights.values):
            return ""
        label = weights.rows[row] if row < len(weights.rows) else str(row)
        return f"{label} {self.look.glyph('arrow')} {weights.block}[{unit}] {float(weights.values[row, unit]):+.4g}"

    def leapt(self, to: Leap) -> Pane.Chosen | None:
        place = self.place
        return self.leapt_over(place.columns, place.shown_rows, to) if place else None

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is None or self.place is None or self.frame is None or self.frame.weights is None:
            return
        unit, row = self.place.column_at(at.x), self.place.row_at(at.y - 1)
        if unit is not None and row is not None:
            self.post_message(self.Chosen(block=self.frame.weights.block, unit=unit, row=row))
