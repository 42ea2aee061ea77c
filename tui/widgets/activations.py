"""The activations pane: what the lens shows of each unit (across) on each example (down); saturated ones are marked.

While a step has only drawn its batch, and right after its losses are known, the examples themselves are listed.
"""

from __future__ import annotations

from rich.segment import Segment
from textual import events
from textual.strip import Strip

from tinynets.server.frame import Activations, Frame
from tui.render import drawing, palette
from tui.render.drawing import Part, first_fitting, legend, number, signed
from tui.render.example_list import ExampleList
from tui.render.marks import Marks
from tui.widgets.heatmap import Grid, cell_lines, grid, gutter_width, hatched_lines, ruler, share_line
from tui.widgets.pane import Leap, Pane


class ActivationsPane(Pane):
    """A heat map of a block's output over the probe."""

    NAME = "activations"

    def __init__(self) -> None:
        super().__init__()
        self.place: Grid | None = None
        self._first = (0, 0)
        self._list: ExampleList | None = None

    def draw(self, width: int, height: int) -> list[Strip]:
        data = self.frame.activations if self.frame else None
        self.place = None
        self._list = None
        if self.frame is None or data is None:
            self.title("")
            return self.message(self.waiting if self.frame is None else "this block has no units", width, height)
        self.title(self._about(self.frame, data))
        if self._is_listed(self.frame):
            return self._listed(self.frame, data, width, height)
        own = data.block == self.selection.block
        unit = min(self.selection.unit, data.values.shape[0] - 1) if own else -1
        example = min(self.selection.shown(self.frame), data.values.shape[1] - 1)
        place = self._fit(data, width, height, unit, example)
        marks = Marks(self.frame.standing.get(data.block) if self.frame else None, data.dead)
        lines = [ruler(place, lambda column: marks.glyph(column, self.look), self.look)]
        any_saturated = bool(data.saturated.any())
        mask = data.saturated.T if any_saturated else None
        if data.missing:
            lines += hatched_lines(place, example, data.examples, self.look)
        else:
            lines += cell_lines(data.values.T, data.limit, place, example, data.examples, self.look, mask)
        if any_saturated:
            lines.append(share_line(data.saturated.mean(axis=1), place, self.look, "sat."))
        blank = [drawing.blank(width)] * max(0, height - len(lines) - 1)
        return [*lines, *blank, self._value_line(data, unit, example, width)]

    def _about(self, frame: Frame, data: Activations) -> str:
        """The block and the lens, and the examples in words."""
        lens, count = frame.lens, len(data.examples) - frame.own
        whose = (
            f"batch of step {frame.status.step + 1:,}: {count} examples"
            if frame.of_batch
            else f"{count} probe examples{' and yours' if frame.own else ''}"
        )
        if self._is_listed(frame):
            return f"{whose}{'' if data.losses is None else ', the largest loss first'}"
        if lens.name == "importance":
            return f"{data.block}  {lens.units}"
        since = f" {lens.of}," if lens.name == "change" and not data.missing else ""
        what = data.block if lens.name == "value" else f"{data.block}  {lens.units}{since}"
        arrived = f", {data.missing or 'arrived'}" if frame.of_batch else ""
        return f"{what} on {whose}{arrived}"

    def _is_listed(self, frame: Frame) -> bool:
        """Whether the phase brought nothing about units, but about the examples."""
        return frame.of_batch and not frame.lens.by_hand and frame.status.phase_kind in ("batch", "loss")

    def _listed(self, frame: Frame, data: Activations, width: int, height: int) -> list[Strip]:
        """The examples of the batch; once their losses are known, the worst first."""
        at = min(self.selection.example, len(data.examples) - 1)
        self._list = ExampleList.of(frame.examples, data.losses, at, width, height - 1)
        lines = self._list.lines(frame.examples, data.losses, at, width, self.look)
        said: list[Part] = [(f"{frame.examples[at]}  ", palette.DIM)]
        if data.losses is not None:
            said += [("loss ", palette.DIM), (number(float(data.losses[at])), palette.BRIGHT)]
            said.append((f"  mean {number(float(data.losses.mean()))}", palette.DIM))
        blank = [drawing.blank(width)] * max(0, height - len(lines) - 1)
        return [*lines, *blank, drawing.line(said, width)]

    def _fit(self, data: Activations, width: int, height: int, unit: int, example: int) -> Grid:
        assert self.frame is not None
        units, examples = data.values.shape
        room = (max(1, height - 2 - bool(data.saturated.any())), width)
        place = grid((examples, units), room, gutter_width(self.frame), unit, example, self._first, self.look)
        self.place, self._first = place, (place.first_row, place.first_column)
        return place

    def _value_line(self, data: Activations, unit: int, example: int, width: int) -> Strip:
        if data.missing:
            return drawing.line([(data.missing, palette.DIM)], width)
        wide, narrow = legend(data.limit, self.look), legend(data.limit, self.look, 5)
        where: list[Part] = []
        value: list[Part] = []
        if unit >= 0:
            text = data.examples[example] if example < len(data.examples) else str(example)
            where = [(f"{data.block}[{unit}] on {text} ", palette.DIM)]
            value = [(f"{signed(float(data.values[unit, example]))}  ", palette.BRIGHT)]
        full, short = self._counts(data, True), self._counts(data, False)
        wide, narrow = self._with_saturated(data, wide), self._with_saturated(data, narrow)
        return first_fitting(
            width,
            ([*where, *value, *full], wide),
            ([*where, *value, *full], narrow),
            ([*value, *full], narrow),
            ([*value, *short], narrow),
            ([*value, *short], []),
        )

    def _with_saturated(self, data: Activations, shown: list[Part | Segment]) -> list[Part | Segment]:
        """The legend, with the colours of saturated cells at its ends."""
        if not data.saturated.any():
            return shown
        negative, positive, _ = palette.SATURATED
        if not self.look.colour:
            return [*shown[:-1], (" % @ sat.", palette.WARN), shown[-1]]
        return [shown[0], palette.cell(negative, " "), *shown[1:-1], palette.cell(positive, " "), shown[-1]]

    def _counts(self, data: Activations, words: bool) -> list[Part]:
        """The number of dead units, and the share of saturated cells."""
        parts: list[Part] = []
        if dead := int(data.dead.sum()):
            parts.append((f"{dead} dead " if words else f"{dead}{self.look.glyph('dead')} ", palette.BAD))
        if data.saturated.size and data.saturated.any():
            kind = ("saturated (light)" if self.look.colour else "saturated") if words else "sat."
            parts.append((f"layer {data.saturated.mean():.0%} {kind}", palette.WARN))
        return parts

    def moved(self, right: int, down: int) -> Pane.Chosen | None:
        at = self.selection.shown(self.frame) if self.frame else 0
        if self._list is not None:
            return self.Chosen(example=self._list.moved(at, right, down))
        return self.Chosen(unit=self.selection.unit + right, example=at + down)

    def reading(self, x: int, y: int) -> str:
        """The unit and the example under the mouse, with the activation there."""
        data = self.frame.activations if self.frame else None
        if data is None or self.place is None or self._list is not None:
            return ""
        unit, example = self.place.column_at(x), self.place.row_at(y - 1)
        if unit is None or example is None or example >= data.values.shape[1]:
            return ""
        text = data.examples[example] if example < len(data.examples) else str(example)
        saturated = ", saturated" if data.saturated[unit, example] else ""
        return f"{data.block}[{unit}] on {text}: {float(data.values[unit, example]):+.4g}{saturated}"

    def leapt(self, to: Leap) -> Pane.Chosen | None:
        place = self.place
        return self.leapt_over(place.columns, place.shown_rows, to) if place else None

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is not None and self._list is not None:
            self.post_message(self.Chosen(example=self._list.example_at(at.x, at.y)))
            return
        if at is None or self.place is None or self.frame is None or self.frame.activations is None:
            return
        unit, example = self.place.column_at(at.x), self.place.row_at(at.y - 1)
        if unit is not None and example is not None:
            self.post_message(self.Chosen(block=self.frame.activations.block, unit=unit, example=example))
