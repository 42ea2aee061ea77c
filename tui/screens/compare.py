"""Compares two runs: where they part, their losses in one plot, how far apart their parameters and outputs are."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.strip import Strip

from tinynets.measure.comparison import BlockDistance, Comparison, Side
from tui.render import palette
from tui.render.drawing import (
    Part,
    clip,
    columns,
    first_fitting,
    legend,
    length,
    line,
    number,
    padded,
    plain_bar,
    wrapped,
)
from tui.render.plain_text import plain
from tui.render.plot import Curve, pair_difference, pair_plot
from tui.screens.modal import Modal
from tui.widgets.pane import Lines

LABEL = 12
SPARKS = " ▁▂▃▄▅▆▇█"
PLAIN_SPARKS = " .:-=+*#%"
AXIS = "│┤┐|"
"""The characters of the vertical axis of a plot."""
MOST = 3
"""How many units are named for each block."""


class CompareScreen(Modal[None]):
    """Shows as much of the comparison as there is room for; arrows scroll."""

    DEFAULT_CSS = "CompareScreen > VerticalScroll { width: 132; height: auto; }"
    BINDINGS: ClassVar = [("escape,enter,q,c", "dismiss(None)", "close")]

    def __init__(self, found: Comparison, python: str) -> None:
        super().__init__()
        self._found, self._python = found, python

    def compose(self) -> ComposeResult:
        box = VerticalScroll(classes="box")
        box.border_title = plain(f"{self._found.a.name} and {self._found.b.name} at step {self._found.step:,}")
        box.border_subtitle = plain(f"{self._python}   arrows scroll   esc closes")
        with box:
            yield Compared(self._found)


class Compared(Lines):
    """The comparison as lines."""

    DEFAULT_CSS = "Compared { width: 1fr; height: 10; }"

    def __init__(self, found: Comparison) -> None:
        super().__init__()
        self._found = found
        self._made: tuple[tuple[int, int, int], list[Strip]] | None = None

    def draw(self, width: int, height: int) -> list[Strip]:
        """All lines of the comparison, and make the widget that high."""
        tall = min(16, max(8, self.app.size.height // 3))
        if self._made is None or self._made[0] != (width, tall, palette.worn):
            self._made = (width, tall, palette.worn), self._lines_of(width, tall)
            self.styles.height = len(self._made[1])
        return self._made[1]

    def _lines_of(self, width: int, tall: int) -> list[Strip]:
        found = self._found
        made = [*self._facts(width), line([], width)]
        if found.a.losses.size or found.b.losses.size:
            made += [*self._plot(width, tall), line([], width)]
        made += [*self._answers(width), line([], width), *self._parameters(width)]
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

    def _plot(self, width: int, tall: int) -> list[Strip]:
        found = self._found
        marks = ("•", "×") if self.look.unicode else ("*", "o")
        heading: list[Part] = [("Training loss  ", palette.BRIGHT)]
        named: list[Part] = []
        for side, mark, ink in zip((found.a, found.b), marks, _inks(), strict=True):
            heading += [(f"{mark} {side.name}", ink), (f" {_average(side, found.step)}   ", palette.TEXT)]
            named += [(f"{mark} {clip(side.name, 20)} ", ink)]
        one, other = (
            Curve(side.losses.astype(np.float64), color, mark)
            for side, color, mark in zip((found.a, found.b), (palette.HERE, palette.SPLITS["dev"]), marks, strict=True)
        )
        plot = pair_plot(one, other, found.first_difference, width, tall)
        last: list[Part] = [("mean of the last 100 steps", palette.FAINT)]
        return [
            first_fitting(width, (heading, [*last]), (heading, []), (named, [])),
            *plot,
            *self._difference(one, other, plot, width),
        ]

    def _difference(self, one: Curve, other: Curve, plot: list[Strip], width: int) -> list[Strip]:
        """A colour under each column of the plot: how much higher or lower the other's loss is there."""
        found = self._found
        left = next((at + 1 for at, text in enumerate(plot[0].text) if text in AXIS), 0)
        values = pair_difference(one, other, found.first_difference, width - left)
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
        for entry in found.blocks:
            made += self._block(entry, name, limit, width)
        return made

    def _block(self, entry: BlockDistance, name: int, limit: float, width: int) -> list[Strip]:
        """One block: a bar of the distance, the units that moved most, and all units in order."""
        bar = max(8, min(30, width // 4))
        parts: list[Part] = [("  " + padded(clip(entry.block, name - 1), name), palette.TEXT)]
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
        return [line(parts, width), self._units(entry, name, width)]

    def _units(self, entry: BlockDistance, name: int, width: int) -> Strip:
        """How far apart each unit is, as a row of bars; units that share a column show the largest."""
        room = width - name - 2 - 24
        across = min(len(entry.units), max(8, room))
        edges = np.linspace(0, len(entry.units), across, endpoint=False).astype(int)
        heights = np.maximum.reduceat(entry.units, edges) / (float(entry.units.max()) or 1.0)
        sparks = SPARKS if self.look.unicode else PLAIN_SPARKS
        drawn = "".join(sparks[int(np.ceil(height * 8))] for height in np.nan_to_num(heights))
        said = f" {len(entry.units)} units, in order"
        return line([(" " * (name + 2), palette.DIM), (drawn, palette.DIM), (said, palette.FAINT)], width)


def _average(side: Side, step: int) -> str:
    return number(side.average(step)) if step else "-"


def _loss(side: Side) -> str:
    return number(side.probe_loss)


def _accuracy(side: Side) -> str:
    return f"{side.probe_accuracy:.1%}" if side.probe_accuracy is not None else "-"


def _inks() -> tuple[Style, Style]:
    """The styles of the two sides' names, in the colours of their curves."""
    return palette.ACCENT_BOLD, palette.WARN + Style(bold=True)
