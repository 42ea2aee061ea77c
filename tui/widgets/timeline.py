"""The timeline strip: how far the run has come, the edits on it as marks, evaluations, and where we stand."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.strip import Strip

from tinynets.frame import Mark, TimelineStrip
from tui import palette
from tui.drawing import Part, line
from tui.widgets.pane import Lines

MARKS = {"zero": "z", "release": "r", "freeze": "f", "unfreeze": "u", "set": "="}
LABEL = 10


class Timeline(Lines):
    """Two lines: edits, and under them the track with evaluations as dots; a click goes to that step."""

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
        """Edits by their first letter, several in one place by their number; those ahead of us are faint."""
        span = self._span(width)
        row: list[Part] = [(" ", palette.TEXT)] * span
        places: dict[int, list[Mark]] = {}
        for mark in strip.marks:
            places.setdefault(self._x(mark.step, strip, width), []).append(mark)
        for x, marks in places.items():
            style = palette.ACCENT_BOLD if any(mark.applied for mark in marks) else palette.FAINT
            letter = MARKS.get(marks[0].op, marks[0].op[:1] or "?")
            row[x] = (letter if len(marks) == 1 else str(len(marks)) if len(marks) < 10 else "+", style)
        left: list[Part] = [(" edits ".ljust(LABEL), palette.DIM), *row]
        return line([*left], width)

    def _track(self, strip: TimelineStrip, width: int) -> Strip:
        at = self._x(strip.step, strip, width)
        done, ahead = self.look.glyph("line"), self.look.glyph("ahead")
        row: list[Part] = [(done, palette.ACCENT)] * at + [(ahead, palette.FAINT)] * (self._span(width) - at)
        for step in strip.evaluations:
            style = palette.WARN if step <= strip.step else palette.FAINT
            row[self._x(step, strip, width)] = (self.look.glyph("evaluation"), style)
        row[at] = (self.look.glyph("here"), palette.CURSOR)
        return line([(" timeline ".ljust(LABEL), palette.DIM), *row, (self._end_text(), palette.DIM)], width)

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is None or self.frame is None:
            return
        span = self._span(self.size.width)
        share = min(1.0, max(0.0, (at.x - LABEL) / max(1, span - 1)))
        self.post_message(self.Sought(round(share * self.frame.timeline.end)))
