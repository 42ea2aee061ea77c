"""The phase bar: the phases of a step in one line under the header; a click on one goes there."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.render.drawing import blank, columns, line
from tui.render.phase_line import Piece, phase_line
from tui.widgets.pane import Lines

ALWAYS, IN_STEP = 30, 24
"""Lines of a terminal from which on it is shown always, and while a step is half done."""


class PhaseBar(Lines):
    """One line: what is done of a step, the present phase, and what is to come."""

    class Picked(Message):
        """The user clicked a phase."""

        def __init__(self, phase: str) -> None:
            super().__init__()
            self.phase = phase

    def fit(self, lines: int) -> bool:
        """Show it where a terminal of so many lines has room for it now; returns whether it is shown."""
        half = self.frame is not None and bool(self.frame.status.phase)
        shown = lines >= (IN_STEP if half else ALWAYS)
        if self.display != shown:
            self.display = shown
        return shown

    def _pieces(self, width: int) -> list[Piece]:
        return phase_line(self.frame.status, width, self.look) if self.frame is not None else []

    def draw(self, width: int, height: int) -> list[Strip]:
        pieces = self._pieces(width)
        return [line([piece[:2] for piece in pieces], width) if pieces else blank(width)]

    def on_click(self, event: events.Click) -> None:
        at, x = event.get_content_offset(self), 0
        for piece in self._pieces(self.size.width):
            if at is not None and piece.phase >= 0 and x <= at.x < x + columns(piece.text) and self.frame is not None:
                self.post_message(self.Picked(self.frame.status.phases[piece.phase].name))
            x += columns(piece.text)
