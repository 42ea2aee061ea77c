"""The header: the run, its step and its loss; and the row of tabs shown when not all panes fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from tinynets.server.frame import PANES, Status
from tui.render import palette
from tui.render.drawing import Part, chip, clip, length, line, number, setting
from tui.render.sparks import sparks
from tui.widgets.pane import Lines, numbered, numbered_in_short

MODES = {
    "running": ("▶ running", "CHIP_GOOD"),
    "playing": ("▶ playing", "CHIP"),
    "rewinding": ("◀ rewinding", "CHIP"),
    "paused": ("▮▮ paused", "CHIP_QUIET"),
}

SPARKS = 10
"""Columns of the losses."""
MOST = 24
"""Columns of a branch's name, and of a recipe's name."""
LEAST, PHASE = 7, 20
"""Columns of a recipe's name and of the phase in mid-step, if there is too little room."""


class Header(Lines):
    """One line; the least important fields are left out first."""

    dead = False
    names_phase = True
    """Whether it says how far a half-done step has come; a phase bar does it otherwise."""

    def draw(self, width: int, height: int) -> list[Strip]:
        if self.frame is None:
            return [line([chip("tinynets", palette.CHIP), (f"  {self.waiting}", palette.DIM)], width)]
        status = self.frame.status
        parts = self._fields(status)
        # The fields are numbered in reading order; the less useful ones are left out first.
        playing = status.mode in ("playing", "rewinding")
        for spare in (8, 3.2, 3.4, 5, 4, 7) if playing else (8, 3.2, 7, 3.4, 5, 4, 6):
            if spare == 5 and status.still:
                continue
            if sum(length(field) for field in parts.values()) <= width:
                break
            parts.pop(spare, None)
        for key, shorter in self._in_short(status).items():
            if sum(length(field) for field in parts.values()) > width and key in parts:
                parts[key] = shorter
        return [line([part for key in sorted(parts) for part in parts[key]], width)]

    def _fields(self, status: Status) -> dict[float, list[Part | Segment]]:
        probe = number(status.probe_loss) if status.probe_loss is not None else "-"
        return {
            0: [chip(clip(status.recipe, MOST), palette.CHIP), (" ", palette.TEXT)],
            1: [self._mode(status), (" " if _is_past(status) else "  ", palette.TEXT)],
            2: [*_past(status), ("step ", palette.DIM), *_step(status), ("  ", palette.TEXT)],
            3: [*_loss(status), ("  ", palette.TEXT)],
            3.2: self._sparkline(),
            3.4: _evaluated(status),
            4: [("probe ", palette.DIM), (probe, palette.TEXT), ("  ", palette.TEXT)],
            5: [("lr ", palette.DIM), *_rate(status), ("  ", palette.TEXT)],
            6: [(f"{status.steps_per_second:,.0f}", palette.TEXT), (" steps/s  ", palette.DIM)]
            if status.mode == "running"
            else _speed(status),
            7: [("branch ", palette.DIM), (clip(status.branch, MOST), palette.TEXT), ("  ", palette.TEXT)],
            8: [(f"{status.parameters:,} parameters  {status.dtype}  seed {status.seed}  ", palette.FAINT)],
            9: self._kept(status),
        }

    def _sparkline(self) -> list[Part | Segment]:
        """The losses that the timeline shows, in few characters."""
        losses = self.frame.timeline.losses if self.frame else None
        if losses is None or np.isfinite(losses).sum() < 2:
            return []
        return [(sparks(losses, SPARKS, self.look), palette.DIM), ("  ", palette.TEXT)]

    def _in_short(self, status: Status) -> dict[int, list[Part | Segment]]:
        """Shorter wordings of fields that must stay, in the order in which they are tried."""
        recipe: list[Part | Segment] = [chip(clip(status.recipe, LEAST), palette.CHIP), (" ", palette.TEXT)]
        kept, rate, mode = self._kept_in_short(status), _rate_in_short(status), self._mode_in_short(status)
        if not _is_past(status):
            return {9: kept, 5: rate, 0: recipe, **mode, 6: []}
        here: list[Part | Segment] = [*_past(status), ("step ", palette.DIM), _here(status), ("  ", palette.TEXT)]
        return {0: recipe, **mode, 9: kept, 5: rate, 6: [], 2: here}

    def _mode_in_short(self, status: Status) -> dict[int, list[Part | Segment]]:
        """Of a half-done step the phase alone, and in the past of a pause its sign; nothing else can be shorter."""
        if self.dead or status.mode != "paused":
            return {}
        if status.phase:
            phase = clip(f"{_phases(status)}: {status.phase}", PHASE) if self.names_phase else "mid-step"
            return {1: [chip(phase, palette.CHIP_WARN), ("  ", palette.TEXT)]}
        sign = chip("▮▮" if self.look.unicode else "||", palette.CHIP_QUIET)
        return {1: [sign, (" ", palette.TEXT)]} if _is_past(status) else {}

    def _kept(self, status: Status) -> list[Part | Segment]:
        """Whether the work is saved, and whether it may be."""
        if status.unsaved:
            unsaved = (f"{self.look.glyph('dot')} unsaved", palette.WARN)
            return [unsaved, (", read-only", palette.WARN)] if status.read_only else [unsaved]
        if status.read_only:
            return [("read-only", palette.WARN)]
        return [("saved", palette.GOOD)] if status.path else []

    def _kept_in_short(self, status: Status) -> list[Part | Segment]:
        return [(self.look.glyph("dot"), palette.WARN)] if status.unsaved else []

    def _mode(self, status: Status) -> Part:
        if self.dead:
            return chip("engine stopped", palette.CHIP_BAD)
        if status.phase and status.mode == "paused":
            far = f" {_phases(status)}: {status.phase}" if self.names_phase else ""
            return chip(f"mid-step{far}", palette.CHIP_WARN)
        text, ink = MODES.get(status.mode, (status.mode, "CHIP_QUIET"))
        return chip(text if self.look.unicode else status.mode, palette.named(ink))


def _phases(status: Status) -> str:
    return f"{status.phases_done}/{status.phases_total}"


def _speed(status: Status) -> list[Part | Segment]:
    """The speed of playback."""
    if status.mode not in ("playing", "rewinding"):
        return []
    speed = status.steps_per_second
    shown = f"{speed:,.0f}" if speed >= 10 else f"{speed:.3g}"
    return [(shown, palette.BRIGHT), (" steps/s  ", palette.DIM)]


def _rate(status: Status) -> list[Part]:
    """The learning rate, and a warning if nothing learns."""
    shown = setting(status.lr)
    return [(f"{shown}, nothing learns", palette.WARN)] if status.still else [(shown, palette.TEXT)]


def _rate_in_short(status: Status) -> list[Part | Segment]:
    """The learning rate in few letters; a rate of 0 says by itself that nothing learns."""
    shown: list[Part] = [("nothing learns", palette.WARN)]
    if not status.lr:
        shown = [("lr ", palette.DIM), (setting(status.lr), palette.WARN)]
    return [*shown, ("  ", palette.TEXT)]


def _loss(status: Status) -> list[Part]:
    """The loss of the last step, or of the unfinished step once it has one."""
    if status.batch_loss is not None:
        return [
            ("batch loss ", palette.DIM),
            (number(status.batch_loss, 3 if status.batch_loss >= 0.1 else 4), palette.WARN),
        ]
    return [("loss ", palette.DIM), (number(status.loss), palette.BRIGHT)]


def _evaluated(status: Status) -> list[Part | Segment]:
    """The last evaluation; fainter if the run has gone on since."""
    if status.evaluated is None:
        return []
    split, step, loss = status.evaluated
    style = palette.TEXT if step == status.step else palette.DIM
    return [(f"{split} ", palette.DIM), (number(loss), style), ("  ", palette.TEXT)]


def _is_past(status: Status) -> bool:
    return status.step < status.end


def _here(status: Status) -> Part:
    return f"{status.step:,}", palette.BRIGHT


def _step(status: Status) -> list[Part]:
    of_all = [(f" of {status.end:,}", palette.ACCENT)] if _is_past(status) else []
    return [_here(status), *of_all]


def _past(status: Status) -> list[Part | Segment]:
    """A pill that says that this moment is in the past: later ones are recorded."""
    return [chip("past", palette.CHIP_WARN), (" ", palette.TEXT)] if _is_past(status) else []


class Tabs(Lines):
    """The panes with their numbers: which are shown, and which one is active."""

    shown: tuple[str, ...] = ()
    active: str = ""

    class Picked(Message):
        def __init__(self, pane: str) -> None:
            super().__init__()
            self.pane = pane

    def update(self, shown: tuple[str, ...], active: str) -> None:
        self.shown, self.active = shown, active
        self.redraw()

    def _tabs(self, width: int) -> list[tuple[str, Part]]:
        """A tab for each pane, in the longest names that fit."""
        fitting = (form for form in FORMS if sum(len(form(pane)) for pane in PANES) < width)
        form = next(fitting, FORMS[-1])
        return [(pane, (form(pane), self._style(pane))) for pane in PANES]

    def _style(self, pane: str) -> Style:
        return palette.CHIP if pane == self.active else palette.CHIP_QUIET if pane in self.shown else palette.DIM

    def place_of(self, name: str) -> int:
        """The column at which a pane's tab begins."""
        tabs = self._tabs(self.size.width)
        at = next(at for at, (pane, _) in enumerate(tabs) if pane == name)
        return sum(len(text) for _, (text, _) in tabs[:at])

    def draw(self, width: int, height: int) -> list[Strip]:
        parts: list[Part] = []
        before = palette.DIM
        for pane, (text, style) in self._tabs(width):
            shared = style if pane == self.active or before == palette.DIM else before
            parts += [(text[:1], style if text.endswith(" ") else shared), (text[1:], style)]
            before = style
        parts.append((" ", palette.DIM if parts[-1][0].endswith(" ") else before))
        zoom = "  x zoom" if len(self.shown) > 1 else "  x all panes"
        return [line([*parts, (zoom if length(parts) + len(zoom) <= width else "", palette.FAINT)], width)]

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        x = 0
        for pane, (text, _) in self._tabs(self.size.width):
            if at is not None and x <= at.x < x + len(text):
                self.post_message(self.Picked(pane))
            x += len(text)


FORMS: tuple[Callable[[str], str], ...] = (
    lambda pane: f" {numbered(pane)} ",
    lambda pane: f" {numbered_in_short(pane)}",
    lambda pane: f" {PANES.index(pane) + 1} {pane.capitalize()[:4]}",
    lambda pane: f" {PANES.index(pane) + 1} {pane.capitalize()[:3]}",
)
"""How a tab is written; the first form that fits is taken. Without a blank after it, it shares its neighbour's."""
