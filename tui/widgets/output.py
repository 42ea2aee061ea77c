"""The output pane: what the network says about the selected probe example, and what it generates."""

from __future__ import annotations

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tinynets.frame import Output, Plane
from tui import drawing, palette
from tui.drawing import Part, clip, line, number, plain_bar, signed, signed_bar
from tui.widgets.pane import Pane

SAMPLES_WIDTH = 16


class OutputPane(Pane):
    """Probabilities or values with their targets; samples or the decision map beside them."""

    NUMBER = 6
    NAME = "output"

    def draw(self, width: int, height: int) -> list[Strip]:
        output = self.frame.output if self.frame else None
        if output is None:
            return self.message(self.WAITING, width, height)
        self.title(f"{output.input}  loss {number(output.loss)}")
        if output.plane is not None and width < 56 and height > len(output.labels) + 8:
            return self._stacked(output, output.plane, width, height)
        side = self._side_width(output, width, height)
        left = self._main(output, width - side - (2 if side else 0), height)
        if not side:
            return left
        right = self._plane(output.plane, side, height) if output.plane else self._samples(output, side, height)
        left += [drawing.blank(width - side - 2)] * (height - len(left))
        right += [drawing.blank(side)] * (height - len(right))
        return [line([*a, ("  ", palette.TEXT), *b], width) for a, b in zip(left, right, strict=False)]

    def _stacked(self, output: Output, plane: Plane, width: int, height: int) -> list[Strip]:
        """In a tall pane the decision map stands under the bars."""
        top = self._main(output, width, len(output.labels) + 1)
        room = min(height - len(top) - 1, width // 2)
        margin = (" " * ((width - room * 2) // 2), palette.TEXT)
        return [
            *top,
            drawing.blank(width),
            *(line([margin, *row], width) for row in self._plane(plane, room * 2, room)),
        ]

    def _side_width(self, output: Output, width: int, height: int) -> int:
        """Columns for samples or the decision map; none where there is neither."""
        if output.plane is not None:
            return max(12, min(width - 22, height * 2 + 2))
        return SAMPLES_WIDTH if output.samples and width >= 36 else 0

    def _main(self, output: Output, width: int, height: int) -> list[Strip]:
        lines = (
            self._class_lines(output, width, height)
            if output.kind == "classes"
            else self._values(output, width, height)
        )
        return lines[:height]

    def _class_lines(self, output: Output, width: int, height: int) -> list[Strip]:
        """Each class a bar: all in their own order where there is room, else the likeliest and the right one."""
        count = len(output.labels)
        room = height - 1
        if count <= room:
            order = list(range(count))
        else:
            order = [int(i) for i in np.argsort(-output.values, kind="stable")[:room]]
            if 0 <= output.target < count and output.target not in order:
                order[-1] = output.target
        heading = "probability of what comes next" if count > 4 else "probability of each class"
        lines = [line([(clip(heading, width), palette.DIM)], width)]
        limit = max(float(np.max(output.values[order])), 0.05) if order else 1.0
        return lines + [self._class_line(output, index, limit, width) for index in order]

    def _class_line(self, output: Output, index: int, limit: float, width: int) -> Strip:
        right = index == output.target
        label_width = min(8, max(map(len, output.labels)))
        value = float(output.values[index])
        tail = f" {self.look.glyph('target')} right" if width >= 30 else f" {self.look.glyph('target')}"
        bar = plain_bar(value / limit, max(3, width - label_width - 7 - len(tail)), _bar_style(right), self.look)
        label = clip(output.labels[index], label_width).rjust(label_width)
        parts: list[Part] = [(label + " ", palette.BRIGHT if right else palette.TEXT), *bar]
        parts += [(f"{value:6.1%}", palette.BRIGHT if right else palette.DIM), (tail if right else "", palette.GOOD)]
        return line(parts, width)

    def _values(self, output: Output, width: int, height: int) -> list[Strip]:
        lines = [line([("output, and what it should be", palette.DIM)], width)]
        targets = output.targets if output.targets is not None else np.full(len(output.values), np.nan)
        limit = float(np.nanmax(np.abs(np.concatenate([output.values, targets, [1e-6]]))))
        for i, (value, target) in enumerate(zip(output.values, targets, strict=False)):
            label = output.labels[i] if i < len(output.labels) else str(i)
            bar = signed_bar(float(value), limit, max(5, width - 24), self.look)
            parts: list[Part] = [
                (clip(label, 6).ljust(7), palette.TEXT),
                *bar,
                (f"{signed(float(value)):>8}", palette.BRIGHT),
            ]
            lines.append(line([*parts, (f" {signed(float(target), 3)}", palette.GOOD)], width))
        return lines

    def _samples(self, output: Output, width: int, height: int) -> list[Strip]:
        lines = [line([(clip(f"names at {output.samples_step:,}", width), palette.DIM)], width)]
        return lines + [line([(clip(name, width), palette.TEXT)], width) for name in output.samples[: height - 1]]

    def _plane(self, plane: Plane, width: int, height: int) -> list[Strip]:
        """The decision map: two points in one line, probe examples as dots in the colour of their class."""
        per_line = 2 if self.look.half_blocks else 1
        rows, columns = height * per_line, width
        values = _resampled(plane.values, rows, columns)
        levels = palette.levels(values * 0.6, 1.0)
        dots = _dots(plane, height, columns)
        at = self.frame.view.example if self.frame else -1
        here = _place(plane, plane.points[at], height, columns) if 0 <= at < len(plane.points) else None
        return [
            line(
                [self._plane_cell(levels, y, x, per_line, dots.get((y, x)), here == (y, x)) for x in range(columns)],
                width,
            )
            for y in range(height)
        ]

    def _plane_cell(
        self, levels: palette.Levels, y: int, x: int, per_line: int, label: int | None, here: bool
    ) -> Segment:
        top = int(levels[y * per_line, x])
        if here:
            return Segment(self.look.glyph("here"), palette.CURSOR + Style(bgcolor=palette.colour(top)))
        if label is not None:
            glyph = self.look.glyph("dot") if self.look.colour else "ox"[label % 2]
            return palette.dot(top, label > 0, glyph) if self.look.colour else Segment(glyph, palette.BRIGHT)
        if not self.look.colour:
            return Segment(palette.sign_glyph(top), palette.DIM)
        return palette.pair(top, int(levels[y * 2 + 1, x])) if per_line == 2 else palette.cell(top, " ")


def _bar_style(right: bool) -> Style:
    return palette.GOOD if right else palette.POSITIVE_INK


def _resampled(values: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Nearest points of a map on another number of rows and columns."""
    y = np.minimum((np.arange(rows) + 0.5) * values.shape[0] / rows, values.shape[0] - 1).astype(int)
    x = np.minimum((np.arange(columns) + 0.5) * values.shape[1] / columns, values.shape[1] - 1).astype(int)
    return values[np.ix_(y, x)]


def _dots(plane: Plane, rows: int, columns: int) -> dict[tuple[int, int], int]:
    """Where each probe example falls: (line, column) -> class."""
    places = (_place(plane, point, rows, columns) for point in plane.points)
    return {place: int(label) for place, label in zip(places, plane.labels, strict=False) if place}


def _place(plane: Plane, point: np.ndarray, rows: int, columns: int) -> tuple[int, int] | None:
    """The line and column of a point; None when it lies outside the map."""
    x0, x1, y0, y1 = plane.extent
    column = int((point[0] - x0) / (x1 - x0) * columns)
    row = int((y1 - point[1]) / (y1 - y0) * rows)
    return (row, column) if 0 <= column < columns and 0 <= row < rows else None
