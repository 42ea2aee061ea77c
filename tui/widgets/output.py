"""The output pane: the network's output on the selected probe example, and what it generates."""

from __future__ import annotations

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tinynets.server.frame import Floats, Frame, MapGrid, Output, Plane, View
from tui.render import drawing, palette
from tui.render.drawing import (
    Part,
    clip,
    columns,
    length,
    line,
    number,
    padded,
    padded_left,
    plain_bar,
    signed,
    signed_bar,
)
from tui.render.pictures import colours, extent, fitting, greys, mapped, picture
from tui.widgets.pane import Pane

SAMPLES_WIDTH = 16


class OutputPane(Pane):
    """Probabilities or values with their targets; beside them samples, the decision map or the input's picture."""

    NAME = "output"

    def draw(self, width: int, height: int) -> list[Strip]:
        output = self.frame.output if self.frame else None
        if output is None:
            self.note("")
            if self.frame is not None and self.frame.of_batch:
                return self._awaited(self.frame, width, height)
            self.title("")
            return self.message(self.waiting, width, height)
        loss = "no truth to compare with" if output.loss is None else f"loss {number(output.loss)}"
        self.title(f"{output.input}  {loss}")
        self.note(self._about(output))
        if output.grid is not None:
            return self._map(output.grid, width, height)
        if output.plane is not None and width < 56 and height > len(output.labels) + 8:
            return self._stacked(output, output.plane, width, height)
        side = self._side(output, width, height - 1)
        if not side:
            return self._main(output, width, height)
        wide = side[0].cell_length
        left = self._bars(output, width - wide - 2, height - 1)
        left += [drawing.blank(width - wide - 2)] * (height - 1 - len(left))
        side += [drawing.blank(wide)] * (height - 1 - len(side))
        beside = [line([*a, ("  ", palette.TEXT), *b], width) for a, b in zip(left, side, strict=False)]
        return [self._verdict(output, width), *beside]

    def _awaited(self, frame: Frame, width: int, height: int) -> list[Strip]:
        """The examples of the batch in columns, the selected one marked, until forward brings an answer."""
        self.title(f"not yet; the batch of step {frame.status.step + 1:,}")
        names, chosen = frame.examples, self.selection.shown(frame)
        wide = min(width, max(map(columns, names), default=0) + 4)
        across, tall = max(1, width // wide), max(1, height - 1)
        first = max(0, min(chosen - tall // 2, len(names) - tall)) if across * tall < len(names) else 0
        rows = [line([("the loss of each comes after forward", palette.DIM)], width)]
        for y in range(min(tall, len(names))):
            parts: list[Part] = []
            for at in range(first + y, len(names), tall)[:across]:
                mark = self.look.glyph("right") if at == chosen else " "
                style = palette.BRIGHT if at == chosen else palette.TEXT
                parts.append((padded(f"{mark} {clip(names[at], wide - 4)}", wide), style))
            rows.append(line(parts, width))
        return rows[:height]

    def _stacked(self, output: Output, plane: Plane, width: int, height: int) -> list[Strip]:
        """Lines for a tall pane: the decision map under the bars."""
        top = self._main(output, width, len(output.labels) + 1)
        room = min(height - len(top) - 1, width // 2)
        margin = (" " * ((width - room * 2) // 2), palette.TEXT)
        return [
            *top,
            drawing.blank(width),
            *(line([margin, *row], width) for row in self._plane(plane, room * 2, room)),
        ]

    def _side(self, output: Output, width: int, height: int) -> list[Strip]:
        """The right side: decision map, picture or samples; nothing if there is none, or no room."""
        if output.plane is not None:
            return self._plane(output.plane, max(12, min(width - 22, height * 2 + 2)), height)
        if output.image is not None and width >= 34:
            return self._image(output.image, width - 22, height)
        return self._samples(output, SAMPLES_WIDTH, height) if output.samples and width >= 36 else []

    def plane_points(self) -> int:
        """How many points on each side the decision map has room for."""
        width, height = self._inner()
        return max(View.plane, min(128, max(width - 22, height * 2)))

    def _image(self, image: Floats, width: int, height: int) -> list[Strip]:
        """The input as a picture."""
        shape = image.shape[0], image.shape[1]
        rows = picture(greys(image), fitting(shape, width, height), self.look)
        wide = max(12, len(rows[0]) and extent(shape, fitting(shape, width, height), self.look)[1])
        return [line(row, wide) for row in rows][:height]

    def _map(self, grid: MapGrid, width: int, height: int) -> list[Strip]:
        """A self-organizing map: the units' colours, and how far apart neighbours are, beside or below them."""
        shape = grid.values.shape[0], grid.values.shape[1]
        apart = grid.values - np.nanmin(grid.values)
        maps = [("distance to neighbours", mapped(apart, float(np.nanmax(apart)) or 1.0))]
        if grid.colors is not None:
            maps.insert(0, ("colours learned", colours(grid.colors)))
        count, nearest = len(maps), grid.best[0] * shape[1] + grid.best[1]
        here, dot = self.look.glyph("here"), self.look.glyph("dot")
        marks = {divmod(self._unit(shape), shape[1]): dot, grid.best: here}
        beside = fitting(shape, (width - 2 * (count - 1)) // count, height - 2)
        below = fitting(shape, width, (height - 1) // count - 1)
        bare = fitting(shape, (width - 2 * (count - 1) - SAMPLES_WIDTH // 2) // count, height)
        size = max(beside, below, bare)
        small = extent(shape, 0, self.look)[0] + 1
        first = size or fitting(shape, width, height - 2 - small * (count - 1))
        sizes = [first, *[size] * (count - 1)]
        panels = [
            self._panel(name, picture(pixels, s, self.look, marks))
            for (name, pixels), s in zip(maps, sizes, strict=True)
        ]
        if bare > max(beside, below):  # no lines for the words, which then go to the right
            words = [
                f"{here} unit {nearest}",
                "is nearest",
                f"{dot} selected",
                "",
                "right:",
                "distance",
                "to neigh-",
                "bours",
            ]
            notes = [line([(word, palette.DIM)], 10) for word in words[: 3 if count == 1 else None]]
            return _side_by_side([*(panel[1:] for panel in panels), notes], width)[:height]
        key: list[Part] = [
            (f"{here} unit {nearest} is nearest", palette.BRIGHT),
            (f"  {dot} selected", palette.DIM),
        ]
        if below > beside or first > size:
            lines = [line([*strip], width) for panel in panels for strip in panel]
        else:
            lines = _side_by_side(panels, width)
        return [*lines[: height - 1], line([*key], width)]

    def _panel(self, name: str, rows: list[list[Segment]]) -> list[Strip]:
        """A picture under its name."""
        wide = max(length(rows[0]), len(name))
        return [line([(name, palette.DIM)], wide), *(line(row, wide) for row in rows)]

    def _unit(self, shape: tuple[int, int]) -> int:
        """The unit of the map under the cursor; while another block is selected, one that does not exist."""
        last = self.frame.blocks[-1].name if self.frame else ""
        return self.selection.unit if self.selection.block == last else shape[0] * shape[1]

    def _about(self, output: Output) -> str:
        """What the bars are, and how many of the probe are right."""
        if output.grid is not None:
            return ""
        answers = self.frame.answers if self.frame else None
        right = ""
        if answers is not None and answers.wrong is not None and len(answers.wrong):
            where = answers.split or ("batch" if answers.of_batch else "probe")
            right = f"; {where}: {int((~answers.wrong).sum()):,} of {len(answers.wrong):,} right"
        what = "outputs"
        if output.kind == "classes":
            what = "probability of what comes next" if output.samples else "probability of each class"
        elif output.shares:
            what = "probability of each output"
        return what + right

    def _main(self, output: Output, width: int, height: int) -> list[Strip]:
        return [self._verdict(output, width), *self._bars(output, width, height - 1)][:height]

    def _bars(self, output: Output, width: int, height: int) -> list[Strip]:
        if output.kind == "classes":
            return self._class_lines(output, width, height)[: max(0, height)]
        return self._values(output, width, max(0, height))

    def _verdict(self, output: Output, width: int) -> Strip:
        """Answer, truth and verdict in a line, in as many words as there is room for."""
        if output.kind != "classes" and not output.sides:
            return self._compared(output, width)
        names = output.sides or output.labels
        said, wanted = _name(names, output.answer, "NaN"), _name(names, output.target, "unknown")
        chances = ["", ""]
        if output.kind == "classes":
            chances = [_chance(output, output.answer), _chance(output, output.target)]
        if output.answer == output.target:
            chances[1] = ""
            said = "neither" if output.right is False else said
        glyph, verdict, style = self._ruling(output)
        word: Part = ("answers " if output.samples else "answer ", palette.DIM)
        answer: list[Part] = [(said, style if verdict else palette.BRIGHT), (chances[0], palette.TEXT)]
        truth: list[Part] = [("  truth ", palette.DIM), (wanted, palette.GOOD if output.target >= 0 else palette.DIM)]
        ruled = (f"  {glyph} {verdict}" if verdict else "", style)
        choices: tuple[list[Part], ...] = (
            [word, *answer, (" ", palette.TEXT), *truth, (chances[1] + " ", palette.TEXT), ruled],
            [word, *answer, *truth, ruled],
            [word, *answer, *truth, (f" {glyph}", style)],
            [*answer, *truth, (f" {glyph}", style)],
            [answer[0], (f" {glyph} ", style), truth[1]],
        )
        return line(next((parts for parts in choices if length(parts) <= width), choices[-1]), width)

    def _ruling(self, output: Output) -> tuple[str, str, Style]:
        """The verdict as a glyph, a word and a style; in texts, where many answers are good, a miss is no alarm."""
        if output.right is None:
            return "", "", palette.BRIGHT
        if output.right:
            return self.look.glyph("hit"), "right", palette.GOOD
        return self.look.glyph("miss"), "wrong", palette.WARN if output.samples else palette.BAD

    def _compared(self, output: Output, width: int) -> Strip:
        """For plain values: the answer, the truth and how far they are apart; of several, the largest error."""
        glyph, verdict, style = self._ruling(output)
        end: list[Part] = [(f"   {glyph} {verdict}", style)] if verdict else []
        wanted = output.targets
        if wanted is None or len(wanted) != len(output.values) or not len(wanted):
            text = f"answer {signed(float(output.values[0]))}" if len(output.values) == 1 else "answer"
            return line([(text, palette.BRIGHT), ("   truth unknown", palette.DIM)], width)
        errors = np.abs(output.values - wanted)
        at = int(np.nanargmax(errors)) if np.isfinite(errors).any() else 0
        error = number(float(errors[at]), 3)
        if len(wanted) == 1:
            parts: list[Part] = [("answer ", palette.DIM), (signed(float(output.values[0])), palette.BRIGHT)]
            parts += [("   truth ", palette.DIM), (signed(float(wanted[0]), 3), palette.GOOD)]
            return line([*parts, (f"   error {error}", palette.TEXT), *end], width)
        name = output.labels[at] if at < len(output.labels) else str(at)
        return line([(f"largest error {error}, in {name}", palette.TEXT), *end], width)

    def _class_lines(self, output: Output, width: int, height: int) -> list[Strip]:
        """One bar per class: all classes in order if there is room, else the likeliest and the right one."""
        count, room = len(output.labels), max(0, height)
        if count <= room:
            order = list(range(count))
        else:
            order = [int(i) for i in np.argsort(-output.values, kind="stable")[:room]]
            if 0 <= output.target < count and output.target not in order:
                order[-1:] = [output.target]
        shown = output.values[order]
        limit = max(float(np.nanmax(shown)) if np.isfinite(shown).any() else 0.0, 0.05) if order else 1.0
        return [self._class_line(output, index, limit, width) for index in order]

    def _class_line(self, output: Output, index: int, limit: float, width: int) -> Strip:
        """A class with its probability; answer and truth are told by glyph, word and colour."""
        label_width = min(8, max(map(columns, output.labels)))
        value = float(output.values[index])
        tail, style = self._standing(output, index, width >= 34)
        room = 9 if width >= 34 else 2
        bar = plain_bar(value / limit, max(3, width - label_width - 8 - room), style or palette.POSITIVE_INK, self.look)
        label = padded_left(clip(output.labels[index], label_width), label_width)
        parts: list[Part] = [(label + " ", palette.BRIGHT if tail else palette.TEXT), *bar]
        share = f"{value:7.1%}" if np.isfinite(value) else "    NaN"
        parts += [(share, palette.BRIGHT if tail else palette.DIM), (tail, style or palette.TEXT)]
        return line(parts, width)

    def _standing(self, output: Output, index: int, words: bool) -> tuple[str, Style | None]:
        """What a class is, the answer or the truth or both, and its style; nothing and None for all others."""
        is_answer, is_truth = index == output.answer, index == output.target
        _, _, ruled = self._ruling(output)
        if is_answer and is_truth:
            return f" {self.look.glyph('hit')}" + (" both" if words else ""), palette.GOOD
        if is_answer:
            glyph = self.look.glyph("dot" if output.right is None else "miss")
            return f" {glyph}" + (" answer" if words else ""), palette.ACCENT_BOLD if output.right is None else ruled
        if is_truth:
            return f" {self.look.glyph('target')}" + (" truth" if words else ""), palette.GOOD
        return "", None

    def _values(self, output: Output, width: int, height: int) -> list[Strip]:
        """Plain outputs as bars, each with its target if that is known."""
        wanted = output.targets if output.targets is not None and len(output.targets) == len(output.values) else None
        limit = _largest(output.values, wanted)
        label_width = min(10, max(map(columns, output.labels), default=1))
        tail = 17 if wanted is not None else 9
        lines = []
        for i, value in enumerate(output.values[:height].tolist()):
            label = output.labels[i] if i < len(output.labels) else str(i)
            room = max(5, width - label_width - 1 - tail)
            if output.shares:
                bar = plain_bar(value, room, palette.POSITIVE_INK, self.look)
            else:
                bar = signed_bar(value, limit, room, self.look)
            parts: list[Part] = [(padded(clip(label, label_width), label_width) + " ", palette.TEXT), *bar]
            parts.append((f"{f'{value:.1%}' if output.shares else signed(value):>8}", palette.BRIGHT))
            if wanted is not None:
                parts.append((f" {self.look.glyph('target')} {signed(float(wanted[i]), 3)}", palette.GOOD))
            lines.append(line(parts, width))
        return lines

    def _samples(self, output: Output, width: int, height: int) -> list[Strip]:
        lines = [line([(clip(f"names at {output.samples_step:,}", width), palette.DIM)], width)]
        return lines + [line([(clip(name, width), palette.TEXT)], width) for name in output.samples[: height - 1]]

    def _plane(self, plane: Plane, width: int, height: int) -> list[Strip]:
        """The decision map: two rows of points per line, probe examples as dots in the colour of their class."""
        per_line = 2 if self.look.half_blocks else 1
        rows, columns = height * per_line, width
        values = _resampled(plane.values, rows, columns)
        levels = palette.levels(values * 0.6, 1.0)
        dots = _dots(plane, height, columns)
        at = self.frame.view.example if self.frame and not self.frame.of_batch else -1
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


def _side_by_side(columns: list[list[Strip]], width: int) -> list[Strip]:
    """Columns of lines with a gap between them."""
    wide = [column[0].cell_length for column in columns]
    lines = []
    for y in range(max(map(len, columns))):
        parts: list[Segment] = []
        for column, room in zip(columns, wide, strict=True):
            parts += [*(column[y] if y < len(column) else drawing.blank(room)), Segment("  ", palette.TEXT)]
        lines.append(line(parts, width))
    return lines


def _name(names: tuple[str, ...], index: int, none: str) -> str:
    return names[index] if 0 <= index < len(names) else none


def _chance(output: Output, index: int) -> str:
    """The probability of a class; nothing for none."""
    return f" {output.values[index]:.1%}" if 0 <= index < len(output.values) else ""


def _largest(values: Floats, wanted: Floats | None) -> float:
    """The largest size of the values that are numbers."""
    sizes = np.abs(np.concatenate([values, [] if wanted is None else wanted, [1e-6]]))
    return float(sizes[np.isfinite(sizes)].max())


def _resampled(values: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """A map resized to another number of rows and columns, by nearest points."""
    y = np.minimum((np.arange(rows) + 0.5) * values.shape[0] / rows, values.shape[0] - 1).astype(int)
    x = np.minimum((np.arange(columns) + 0.5) * values.shape[1] / columns, values.shape[1] - 1).astype(int)
    return values[np.ix_(y, x)]


def _dots(plane: Plane, rows: int, columns: int) -> dict[tuple[int, int], int]:
    """The places of the probe examples: (line, column) -> class."""
    places = (_place(plane, point, rows, columns) for point in plane.points)
    return {place: int(label) for place, label in zip(places, plane.labels, strict=False) if place}


def _place(plane: Plane, point: np.ndarray, rows: int, columns: int) -> tuple[int, int] | None:
    """The line and column of a point; None if it is outside the map."""
    x0, x1, y0, y1 = plane.extent
    column = int((point[0] - x0) / (x1 - x0) * columns)
    row = int((y1 - point[1]) / (y1 - y0) * rows)
    return (row, column) if 0 <= column < columns and 0 <= row < rows else None
