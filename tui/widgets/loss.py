"""The loss pane: the training curve, evaluations and other branches, with a cursor; also learning rate and updates."""

from __future__ import annotations

from time import monotonic

import numpy as np
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from tinynets.server.frame import LossCurve
from tui.actions import keyed
from tui.render import palette
from tui.render.drawing import Part, blank, both_ends, clip, columns, first_fitting, length, number, setting
from tui.render.loss_chart import chart_of, fits_log, lowest, split_colour, split_glyph, tint
from tui.render.plot import Mark, Plot, draw, ink
from tui.widgets.pane import Pane

INTERVAL = 0.25
LEAST = (16, 4)
"""Columns and lines that a curve needs beside its numbers; with less there is only the line below it."""
LOG10 = "log10 scale"
STAYS_LINEAR = "linear: some losses are <= 0"
TITLES = {
    "loss": "training loss by step",
    "rate": "learning rate by step",
    "updates": "update:data, log10 of their std, where it was seen",
}
NOTHING = {
    "loss": "no step yet: {step} makes one, {run} runs",
    "rate": "no step yet: {step} makes one, {run} runs",
    "updates": "not measured yet: it is at each step that is seen",
}
NAMED = "abcde"
"""The letters at the ends of other branches' curves, as in the legend."""
STRIDE = 10


class LossPane(Pane):
    """The training curve with a legend under it; where there is a cursor, what it is on."""

    NAME = "loss"

    class Sought(Message):
        """The user wants to go to a step of the curve."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def __init__(self) -> None:
        super().__init__()
        self.log10 = False
        self.cursor: int | None = None
        """The step under the cursor."""
        self._plot: Plot | None = None
        self._plotted: tuple[object, ...] | None = None
        self._at = 0.0
        self._late = False

    # -- what keys do

    def toggle_log(self) -> str:
        """Switch between linear and log10. Returns the message that says which it is now."""
        self.log10 = not self.log10
        self._at = 0.0
        self.redraw()
        curve = self.frame.loss if self.frame else None
        if self.log10 and curve is not None and not fits_log(curve):
            return f"loss stays {STAYS_LINEAR}, down to {number(lowest(curve))}"
        return "loss as log10" if self.log10 else "loss, linear"

    def put_cursor(self, step: int | None) -> None:
        self.cursor = step
        self.redraw()

    def moved_cursor(self, by: int) -> int | None:
        """The step that the cursor comes to if it moves so many columns; None without a curve."""
        curve, plot = self._curve, self._plot
        if curve is None or plot is None or not curve.end:
            return None
        if self.cursor is None:
            return min(max(curve.step, curve.span[0]), min(curve.span[1], curve.end))
        each = max(1, round((curve.span[1] - curve.span[0]) / plot.columns))
        return min(max(self.cursor + by * each, 0), curve.end)

    def leapt_cursor(self, by: int) -> int | None:
        """The evaluation before or after the cursor; some columns on if there is none."""
        curve = self._curve
        if curve is not None and self.cursor is not None:
            known = sorted({int(step) for steps, _ in curve.evaluations.values() for step in steps})
            beyond = [step for step in known if (step - self.cursor) * by > 0]
            if beyond:
                return beyond[0] if by > 0 else beyond[-1]
        return self.moved_cursor(by * STRIDE)

    def readout(self, step: int, spare: int = 0) -> str:
        """What the curve says of a step: all, without the number of steps (1), or without the range of losses (2)."""
        curve = self._curve
        if curve is None:
            return ""
        at = f"step {step:,}"
        if curve.kind == "updates":
            return f"{at}: {_updates_at(curve, step)}"
        found = int(np.searchsorted(curve.steps, step, "right")) - 1
        if found < 0 or step > curve.ends[found]:
            told = [] if step else ["before the first step"]
        elif curve.kind == "rate":
            told = [f"learning rate {setting(float(curve.mean[found]))}, as it was for step {curve.steps[found]:,}"]
        else:
            told = [_loss_at(curve, found, spare)]
        return f"{at}: {', '.join([*told, *self._also(curve, step)]) or 'no loss'}"

    def _also(self, curve: LossCurve, step: int) -> list[str]:
        """The evaluations and the losses of other branches in the column of a step."""
        plot = self._plot
        if plot is None:
            return []
        column = plot.column(step)
        told = []
        for split, (steps, losses) in curve.evaluations.items():
            near = [i for i, at in enumerate(steps) if plot.column(int(at)) == column]
            if near:
                told.append(f"{split} {number(float(losses[near[-1]]))}")
        for other in curve.others:
            at = int(np.searchsorted(other.steps, step, "right")) - 1
            if at >= 0 and plot.column(int(other.steps[at])) <= column <= plot.column(int(other.steps[-1])):
                told.append(f"{other.name} {number(float(other.mean[at]))}")
        return told

    # -- drawing

    @property
    def _curve(self) -> LossCurve | None:
        return self.frame.loss if self.frame else None

    def draw(self, width: int, height: int) -> list[Strip]:
        curve = self._curve
        if curve is None:
            return self.message(self.waiting, width, height)
        self.title(self._title(curve))
        if not (len(curve.steps) or curve.evaluations or curve.others or curve.updates):
            return self.message(keyed(NOTHING[curve.kind]), width, height)
        if lowest(curve) is None:
            return self.message(
                "no loss is a finite number" if curve.kind == "loss" else "no update moved anything", width, height
            )
        if width < LEAST[0] or height < LEAST[1]:
            self._plot = self._plotted = None
            return [*[blank(width)] * (height - 1), self._below(curve, width)]
        self._plot_again(curve, width, height)
        if self._plot is None:
            return self.message("", width, height)
        return [*self._plot.strips(self._marks(curve, self._plot)), self._below(curve, width)]

    def _title(self, curve: LossCurve) -> str:
        log = self.log10 and curve.kind == "loss"
        scale = f", {LOG10 if fits_log(curve) else STAYS_LINEAR}" if log else ""
        first, last = curve.span
        view = self.frame.view if self.frame else None
        part = f", {first + 1:,} to {last:,}" if view is not None and view.window else ""
        return f"{TITLES[curve.kind]}{part}{scale}"

    def _plot_again(self, curve: LossCurve, width: int, height: int) -> None:
        """Plot now, or a little later if the last plot is too recent; the newest curve is always drawn."""
        assert self.frame is not None
        view = self.frame.view
        selected = self.selection.block if curve.kind == "updates" else ""
        asked = (width, height, palette.worn, self.log10, curve.kind, view.window, view.until, selected)
        seen = sum(len(steps) for steps, _ in [*curve.evaluations.values(), *curve.updates.values()])
        others = tuple((other.name, len(other.steps)) for other in curve.others)
        wanted = (asked, curve.span, curve.step, curve.end, len(curve.steps), seen, others)
        if wanted == self._plotted:
            return
        wait = self._at + INTERVAL - monotonic()
        if wait > 0 and self._plotted is not None and self._plotted[0] == asked:
            if not self._late:
                self._late = True
                self.set_timer(wait, self._redraw_late)
            return
        log = self.log10 and curve.kind == "loss"
        self._plot = draw(
            chart_of(curve, (width - 6, max(1, height - 3)), log, self.look, selected), width, height - 1, self.look
        )
        self._plotted, self._at = wanted, monotonic()

    def _redraw_late(self) -> None:
        self._late = False
        self.redraw()

    def _marks(self, curve: LossCurve, plot: Plot) -> list[Mark]:
        """The present step, if it is in the past; the letters of other branches; the cursor."""
        bar = self.look.glyph("bar")
        marks = []
        if curve.step < curve.end and curve.span[0] <= curve.step <= curve.span[1]:
            marks.append(Mark(plot.column(curve.step), _line(palette.colours.accent), bar))
        for at, other in enumerate(curve.others):
            last = other.mean[-1]
            if np.isfinite(last) and (last > 0 or not plot.axis.log):
                place = plot.column(float(other.steps[-1])), ink(tint(at))
                marks.append(Mark(*place, NAMED[at % len(NAMED)], plot.row(float(last))))
        if self.cursor is not None and curve.span[0] <= self.cursor <= curve.span[1]:
            marks.append(Mark(plot.column(self.cursor), _line(palette.colours.bright), bar))
        return marks

    def _below(self, curve: LossCurve, width: int) -> Strip:
        """The legend, or what is under the cursor and the key that goes there."""
        if self.cursor is None:
            return self._legend(curve, width)
        texts = [self.readout(self.cursor, spare) for spare in range(3)]
        text = next((text for text in texts if columns(text) <= width), texts[-1])
        read: list[Part] = [(clip(text, width), palette.BRIGHT)]
        return first_fitting(width, (read, [("enter goes there", palette.FAINT)]), (read, []))

    def _legend(self, curve: LossCurve, width: int) -> Strip:
        if curve.kind == "updates":
            return self._legend_of_updates(curve, width)
        least: list[Part] = []
        each, average = ("•", "─") if self.look.unicode else ("*", "*")
        if curve.kind == "rate":
            least.append((f"{average} learning rate ", palette.TEXT))
        else:
            if curve.single:
                least.append((f"{each} each step ", palette.DIM if curve.average is not None else palette.TEXT))
            if curve.average is not None or not curve.single:
                least.append((f"{average} average ", palette.BRIGHT))
        band: list[Part] = [(f"{'░' if self.look.unicode else '.'} min to max ", palette.DIM)]
        more: list[Part] = []
        for split, (_, losses) in curve.evaluations.items():
            glyph = split_glyph(split, self.look)
            more.append((f"{glyph} {split} {number(float(losses[-1]))} ", ink(split_colour(split))))
        for at, other in enumerate(curve.others):
            more.append((f"{NAMED[at % len(NAMED)]} {clip(other.name, 16)} ", ink(tint(at))))
        if curve.left_out:
            more.append((f"+{curve.left_out} more", palette.FAINT))
        shown = [] if curve.single or curve.kind != "loss" else band
        choices = ([*least, *shown, *more], [*least, *more], more)
        parts = next((choice for choice in choices if choice and length(choice) <= width), list(more or least))
        while len(parts) > 1 and length(parts) > width:
            parts.pop()
        key = "L linear" if self.log10 else "L log10"
        return both_ends([*parts], [(key, palette.FAINT)] if curve.kind == "loss" else [], width)

    def _legend_of_updates(self, curve: LossCurve, width: int) -> Strip:
        """The latest ratio of the selected block, and what the line at -3 means."""
        parts: list[Part] = []
        if self.selection.block in curve.updates:
            latest = curve.updates[self.selection.block][1][-1]
            parts.append((f"{self.selection.block} {number(float(latest), 3)} ", palette.ACCENT))
        others = len(curve.updates) - len(parts)
        parts.append((f"{others} other block{'s' if others != 1 else ''} ", palette.DIM))
        words: list[Part] = [("-3: a good pace", palette.FAINT)]
        return first_fitting(width, (parts, [*words]), (parts, []))

    # -- the mouse

    def step_at(self, x: int, y: int) -> int | None:
        """The step under a place of the curve, that of an evaluation if there is one; None outside."""
        curve, plot = self._curve, self._plot
        if curve is None or plot is None or not (plot.left <= x < plot.left + plot.columns and 0 <= y < plot.rows):
            return None
        for steps, _ in curve.evaluations.values():
            for step in steps:
                if plot.column(int(step)) == x:
                    return int(step)
        return min(round(plot.x(x)), curve.end)

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        step = self.step_at(at.x, at.y) if at is not None else None
        if step is not None:
            self.post_message(self.Sought(step))

    def wheel(self, by: int) -> None:
        self.post_message(self.Wheeled(by))

    def reading(self, x: int, y: int) -> str:
        """What the curve is at the mouse."""
        step = self.step_at(x, y)
        return "" if step is None else f"{self.readout(step)}; a click goes there"


@palette.themed
def _line(colour: str) -> Style:
    """The style of a line through the plot, and of what it crosses."""
    return Style(bgcolor=palette.colours.line, color=colour, bold=True)


def _loss_at(curve: LossCurve, column: int, spare: int) -> str:
    count = int(curve.ends[column] - curve.steps[column]) + 1
    mean, low, high = (number(float(part[column])) for part in (curve.mean, curve.low, curve.high))
    if count < 2 or spare > 1:
        return f"loss {mean}"
    return f"loss {mean} ({low} to {high}{'' if spare else f' in {count:,} steps'})"


def _updates_at(curve: LossCurve, step: int) -> str:
    """The ratios at the measured step nearest to one."""
    known = {int(at): abs(int(at) - step) for steps, _ in curve.updates.values() for at in steps}
    if not known:
        return "not measured"
    nearest = min(known, key=lambda at: known[at])
    told = [
        f"{block} {number(float(ratios[np.flatnonzero(steps == nearest)[0]]), 3)}"
        for block, (steps, ratios) in curve.updates.items()
        if (steps == nearest).any()
    ]
    return ", ".join(told) if nearest == step else f"at {nearest:,}, {', '.join(told)}"
