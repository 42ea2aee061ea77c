"""The timeline strip: how far the run has come, the edits on it as marks, evaluations, and where we stand."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.strip import Strip

from tinynets.frame import TimelineStrip
from tui import palette
from tui.drawing import Part, line
from tui.widgets.pane import Lines

MARKS = {"zero": "z", "release": "r", "freeze": "f", "unfreeze": "u", "set": "="}
LABEL = 10


class Timeline(Lines):
    """Two lines: marks, and the track under them; a click goes to that step."""

    class Sought(Message):
        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def draw(self, width: int, height: int) -> list[Strip]:
        if self.frame is None:
            return [line([], width)] * height
        strip = self.frame.timeline
        return [self._marks(strip, width), self._track(strip, width)]

    def _span(self, width: int) -> int:
        return max(10, width - LABEL - len(self._end_text()) - 2)

    def _end_text(self) -> str:
        return f" {self.frame.timeline.end:,} " if self.frame else ""

    def _x(self, step: int, strip: TimelineStrip, width: int) -> int:
        return round(step / max(1, strip.end) * (self._span(width) - 1))

    def _marks(self, strip: TimelineStrip, width: int) -> Strip:
        """Edits by their first letter and evaluations as dots; those ahead of us are faint."""
        span = self._span(width)
        row: list[Part] = [(" ", palette.TEXT)] * span
        for step in strip.evaluations:
            row[self._x(step, strip, width)] = (
                self.look.glyph("evaluation"),
                palette.WARN if step <= strip.step else palette.FAINT,
            )
        for mark in strip.marks:
            style = palette.ACCENT_BOLD if mark.applied else palette.FAINT
            row[self._x(mark.step, strip, width)] = (MARKS.get(mark.op, mark.op[:1] or "?"), style)
        left: list[Part] = [(" edits ".ljust(LABEL), palette.DIM), *row]
        return line([*left], width)

    def _track(self, strip: TimelineStrip, width: int) -> Strip:
        at = self._x(strip.step, strip, width)
        done, ahead = self.look.glyph("line"), self.look.glyph("ahead")
        parts: list[Part] = [(" timeline ".ljust(LABEL), palette.DIM), (done * at, palette.ACCENT)]
        parts += [(self.look.glyph("here"), palette.CURSOR), (ahead * (self._span(width) - 1 - at), palette.FAINT)]
        return line([*parts, (self._end_text(), palette.DIM)], width)

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is None or self.frame is None:
            return
        span = self._span(self.size.width)
        share = min(1.0, max(0.0, (at.x - LABEL) / max(1, span - 1)))
        self.post_message(self.Sought(round(share * self.frame.timeline.end)))
