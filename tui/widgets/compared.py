"""A comparison of two runs as lines: where they part, their losses in one plot, and their units side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tinynets.measure.comparison import BlockDistance, Comparison, Side
from tui.render import palette
from tui.render.drawing import (
    Part,
    clip,
    clip_name,
    columns,
    first_fitting,
    legend,
    length,
    line,
    number,
    padded,
    plain_bar,
    signed,
    signed_bar,
    wrapped,
)
from tui.render.pair import Pair
from tui.render.plot import Mark, Plot, draw
from tui.widgets.pane import Lines

LABEL = 12
SPARKS = " ▁▂▃▄▅▆▇█"
PLAIN_SPARKS = " .:-=+*#%"
MOST = 3
"""How many units are named for each block."""
WEIGHTS = 8
"""How many weights of a unit are listed, those that differ most."""


@dataclass(frozen=True)
class Cursor:
    """The unit that is looked at in both runs."""

    block: int = 0
    unit: int = 0


class Compared(Lines):
    """The comparison as lines."""

    DEFAULT_CSS = "Compared { width: 1fr; height: 10; }"

    def __init__(self, found: Comparison, keys: str = "") -> None:
        super().__init__()
        self._found, self._keys = found, keys
        self._step = found.step
        self._cursor = Cursor()
        self._made: tuple[tuple[object, ...], list[Strip]] | None = None
        self._plotted: tuple[tuple[object, ...], Plot] | None = None
        self._cursor_line = 0

    # -- what is looked at

    def take(self, found: Comparison, step: int) -> None:
        """Show another comparison of the same two; `step` is where the scrubber stands by now."""
        self._found = found
        self.scrub(step)

    def scrub(self, step: int) -> None:
        self._step = step
        self.redraw()

    def scrubbed(self, step: int, by: int) -> int:
        """The step so many columns on, among those that both have."""
        pair = self._pair
        each = max(1, round((pair.end - pair.first) / max(20, self.size.width - 8)))
        return min(max(step + by * each, 0), pair.common)

    def move(self, *, block: int = 0, unit: int = 0) -> tuple[int, int]:
        """Move the cursor over the blocks, or over the units of one; returns the lines that tell of it."""
        blocks = self._found.blocks
        if blocks:
            at = min(max(self._cursor.block + block, 0), len(blocks) - 1)
            units = max(1, self._units_of(blocks[at]))
            self._cursor = Cursor(at, min(max(self._cursor.unit + unit, 0), units - 1))
            self.redraw()
        return self._cursor_line, len(self._made[1]) if self._made else 1

    def _units_of(self, entry: BlockDistance) -> int:
        known = [len(entry.units)] + [len(pair[0]) for pair in (entry.values,) if pair is not None]
        return max(known)

    @property
    def _pair(self) -> Pair:
        found = self._found
        return Pair(found.a.losses, found.b.losses, found.first_difference)

    # -- lines

    def draw(self, width: int, height: int) -> list[Strip]:
        """All lines of the comparison, and make the widget that high."""
        tall = min(16, max(8, self.app.size.height // 3))
        wanted = (width, tall, palette.worn, id(self._found), self._step, self._cursor)
        if self._made is None or self._made[0] != wanted:
            self._made = wanted, self._lines_of(width, tall)
            self.styles.height = len(self._made[1])
        return self._made[1]

    def _lines_of(self, width: int, tall: int) -> list[Strip]:
        found = self._found
        made = [*self._facts(width), *self._fact("keys", self._keys, width, palette.DIM), line([], width)]
        if found.a.losses.size or found.b.losses.size:
            made += [*self._losses(width, tall), line([], width)]
        made += [*self._answers(width), line([], width)]
        self._cursor_line = len(made)
        made += self._parameters(width)
        made += self._unit(width)
        return made + [row for text in found.unlike for row in self._fact("unlike", text, width, palette.WARN)]

    def _fact(self, label: str, text: str, width: int, style: Style | None = None) -> list[Strip]:
        """A label and a text after it, on as many lines as it needs."""
        rows = wrapped(text, max(20, width - LABEL)) or [""]
        return [
            line([((label if not i else "").ljust(LABEL), palette.DIM), (row, style or palette.TEXT)], width)
            for i, row in enumerate(rows)
        ]

    def _facts(self, width: int) -> list[Strip]:
        found = self._found
        made = self._fact("they part", found.difference, width, palette.BRIGHT)
        made += self._fact("batches", found.batches, width, palette.TEXT if found.same_batches else palette.WARN)
        for side in (found.a, found.b):
            if side.interventions:
                made += self._fact("standing", f"{side.name}: {', '.join(side.interventions)}", width)
        return made

    # -- losses

    def _losses(self, width: int, tall: int) -> list[Strip]:
        found, pair = self._found, self._pair
        marks = ("•", "×") if self.look.unicode else ("*", "o")
        heading: list[Part] = [("Training loss  ", palette.BRIGHT)]
        named: list[Part] = []
        for side, mark, ink in zip((found.a, found.b), marks, _inks(), strict=True):
            heading += [(f"{mark} {side.name}", ink), (f" {_average(side, found.step)}   ", palette.TEXT)]
            named += [(f"{mark} {clip(side.name, 20)} ", ink)]
        wanted = (width, tall, palette.worn, len(found.a.losses), len(found.b.losses), found.first_difference)
        if self._plotted is None or self._plotted[0] != wanted:
            chart = pair.chart(max(2, width - 8), tall - 2, self.look, marks)
            self._plotted = wanted, draw(chart, width, tall, self.look)
        plot = self._plotted[1]
        last: list[Part] = [("mean of the last 100 steps", palette.FAINT)]
        return [
            first_fitting(width, (heading, [*last]), (heading, []), (named, [])),
            *plot.strips(self._marks(plot, marks)),
            *self._difference(pair, plot, width),
        ]

    def _marks(self, plot: Plot, glyphs: tuple[str, str]) -> list[Mark]:
        """The scrubber, where they part, and a sign at the end of each curve."""
        found, bar = self._found, self.look.glyph("bar")
        marks = []
        if found.first_difference is not None and plot.span[0] < found.first_difference < plot.span[1]:
            marks.append(Mark(plot.column(found.first_difference), palette.FAINT, bar))
        if plot.span[0] <= self._step <= plot.span[1]:
            style = palette.BRIGHT + Style(bgcolor=palette.colours.line)
            marks.append(Mark(plot.column(self._step), style, bar))
        for side, glyph, ink in zip((found.a, found.b), glyphs, _inks(), strict=True):
            last = side.losses[: int(plot.span[1])][-20:]
            if len(last) and np.isfinite(last).all():
                row = plot.row(float(last.mean(dtype=np.float64)))
                marks.append(Mark(plot.column(min(len(side.losses), int(plot.span[1]))), ink, glyph, row))
        return marks

    def _difference(self, pair: Pair, plot: Plot, width: int) -> list[Strip]:
        """A colour under each column of the plot: how much higher or lower the other's loss is there."""
        found = self._found
        left = plot.left
        values = pair.difference(width - left)
        known = values[np.isfinite(values)]
        limit = float(np.abs(known).max()) if known.size else 0.0
        if not limit:
            return []
        shown = palette.levels(values, limit)
        row: list[Part | Segment] = [("diff".ljust(left)[:left], palette.DIM)]
        for value, level in zip(values, shown.tolist(), strict=True):
            if not np.isfinite(value):
                row.append((" ", palette.TEXT))
            else:
                row.append(palette.cell(level, " ") if self.look.colour else (palette.sign_glyph(level), palette.TEXT))
        minus = self.look.glyph("minus")
        words: list[Part] = [(f"{' ' * left}{found.b.name} {minus} {found.a.name} on the same steps", palette.DIM)]
        return [
            line(row, width),
            first_fitting(width, (words, legend(limit, self.look)), ([], legend(limit, self.look))),
        ]

    # -- answers

    def _answers(self, width: int) -> list[Strip]:
        found = self._found
        top: list[Part] = [("On the probe".ljust(LABEL + 2), palette.BRIGHT), *self._probe("loss", _loss)]
        if found.a.probe_accuracy is not None and found.b.probe_accuracy is not None:
            top += self._probe("accuracy", _accuracy)
        apart = found.disagreement
        if apart is None:
            return [line(top, width)]
        words = f"{apart.what} {apart.mean:.4f} apart on average, {apart.largest:.4f} at most"
        if apart.other is not None:
            words = f"{apart.other:.1%} of the answers name another class; {words}"
        rows = wrapped(words, max(20, width - LABEL - 2))
        return [line(top, width), *(line([(" " * (LABEL + 2) + row, palette.TEXT)], width) for row in rows)]

    def _probe(self, label: str, of: Callable[[Side], str]) -> list[Part]:
        a, b = of(self._found.a), of(self._found.b)
        arrow = self.look.glyph("arrow")
        return [
            (f"{label} ", palette.DIM),
            (a, _inks()[0]),
            (f" {arrow} ", palette.DIM),
            (b, _inks()[1]),
            ("   ", palette.TEXT),
        ]

    # -- parameters

    def _parameters(self, width: int) -> list[Strip]:
        found = self._found
        if found.equal:
            return [line([("Parameters    ", palette.BRIGHT), ("the same bytes", palette.GOOD)], width)]
        if not found.blocks:
            return []
        total = f"{number(found.distance)} apart (L2), {found.relative:.1%} of {found.a.name}'s length"
        made = [line([("Parameters".ljust(LABEL + 2), palette.BRIGHT), (clip(total, width - 14), palette.TEXT)], width)]
        name = min(24, max(columns(entry.block) for entry in found.blocks) + 2)
        limit = max(entry.distance for entry in found.blocks) or 1.0
        for at, entry in enumerate(found.blocks):
            here = at == self._cursor.block
            if here:
                self._cursor_line += len(made)
            made += self._block(entry, name, limit, width, here)
        return made

    def _block(self, entry: BlockDistance, name: int, limit: float, width: int, here: bool) -> list[Strip]:
        """One block: a bar of the distance, the units that moved most, and all units in order."""
        bar = max(8, min(30, width // 4))
        mark = f"{self.look.glyph('right')} " if here else "  "
        ink = palette.ACCENT_BOLD if here else palette.TEXT
        parts: list[Part] = [(mark + padded(clip(entry.block, name - 1), name), ink)]
        parts += plain_bar(entry.distance / limit, bar, palette.ACCENT, self.look)
        parts.append((f" {number(entry.distance):>7} {entry.relative:>7.1%}", palette.TEXT))
        if len(entry.units) < 2:
            return [line(parts, width)]
        room = width - length(parts) - 3
        named = [f"{entry.block}[{unit}] {number(far, 3)}" for unit, far in entry.largest(MOST)]
        while named and columns("most: " + ", ".join(named)) > room:
            named.pop()
        if named:
            parts += [("   most: ", palette.DIM), (", ".join(named), palette.TEXT)]
        return [line(parts, width), self._units(entry, name, width, here)]

    def _units(self, entry: BlockDistance, name: int, width: int, here: bool) -> Strip:
        """How far apart each unit is, as a row of bars; units that share a column show the largest."""
        room = width - name - 2 - 24
        across = min(len(entry.units), max(8, room))
        edges = np.linspace(0, len(entry.units), across, endpoint=False).astype(int)
        heights = np.maximum.reduceat(entry.units, edges) / (float(entry.units.max()) or 1.0)
        sparks = SPARKS if self.look.unicode else PLAIN_SPARKS
        drawn = "".join(sparks[int(np.ceil(height * 8))] for height in np.nan_to_num(heights))
        said = f" {len(entry.units)} units, in order"
        parts: list[Part] = [(" " * (name + 2), palette.DIM)]
        if here:
            at = int(np.searchsorted(edges, self._cursor.unit, "right")) - 1
            cursor = palette.CHIP if self.look.colour else palette.CURSOR
            under = drawn[at] if drawn[at] != " " or self.look.colour else self.look.glyph("up")
            parts += [(drawn[:at], palette.DIM), (under, cursor), (drawn[at + 1 :], palette.DIM)]
        else:
            parts.append((drawn, palette.DIM))
        return line([*parts, (said, palette.FAINT)], width)

    # -- one unit in both

    def _unit(self, width: int) -> list[Strip]:
        """The unit under the cursor: its mean output and its incoming weights, in both runs side by side."""
        found = self._found
        if not found.blocks or found.equal:
            return []
        entry, unit = found.blocks[min(self._cursor.block, len(found.blocks) - 1)], self._cursor.unit
        half = (width - LABEL - 8) // 2
        names = [padded(clip(side.name, half - 2), half) for side in (found.a, found.b)]
        title = clip_name(f"{entry.block}[{unit}]", LABEL + 6)
        heads = [(text, ink) for text, ink in zip(names, _inks(), strict=True)]
        made = [line([], width), line([(padded(title, LABEL + 8), palette.BRIGHT), *heads], width)]
        if entry.values is not None and unit < len(entry.values[0]):
            pair = (float(entry.values[0][unit]), float(entry.values[1][unit]))
            made.append(self._pair_line("mean output", pair, max(map(abs, pair)), half, width))
        if entry.weights is not None and unit < entry.weights[0].shape[1]:
            made += self._weights(entry, unit, half, width)
        return made

    def _weights(self, entry: BlockDistance, unit: int, half: int, width: int) -> list[Strip]:
        """The incoming weights of a unit that differ most."""
        assert entry.weights is not None
        ours, theirs = (part[:, unit].astype(np.float64) for part in entry.weights)
        order = np.argsort(-np.abs(theirs - ours), kind="stable")[:WEIGHTS]
        limit = float(np.abs([ours, theirs]).max(initial=0.0))
        said = f"weights in, of {len(ours)} those that differ most" if len(ours) > len(order) else "weights in"
        made = [line([(said, palette.DIM)], width)]
        return made + [
            self._pair_line(entry.rows[row], (float(ours[row]), float(theirs[row])), limit, half, width)
            for row in order
        ]

    def _pair_line(self, name: str, pair: tuple[float, float], limit: float, half: int, width: int) -> Strip:
        """A number in both runs, each with a bar from the middle."""
        parts: list[Part] = [(padded(clip_name(name, LABEL + 7), LABEL + 8), palette.TEXT)]
        for value in pair:
            bar = max(3, half - 12) | 1
            parts += [(f"{signed(value, 3):>8} ", palette.sign_ink(value)), *signed_bar(value, limit, bar, self.look)]
            parts.append((" " * max(1, half - 9 - bar), palette.TEXT))
        return line(parts, width)


def _average(side: Side, step: int) -> str:
    return number(side.average(step)) if step else "-"


def _loss(side: Side) -> str:
    return number(side.probe_loss)


def _accuracy(side: Side) -> str:
    return f"{side.probe_accuracy:.1%}" if side.probe_accuracy is not None else "-"


def _inks() -> tuple[Style, Style]:
    """The styles of the two sides' names, in the colours of their curves."""
    return palette.ACCENT_BOLD, palette.WARN + Style(bold=True)
