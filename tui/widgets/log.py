"""The Log pane: every action of the branch as its line of Python, with the loss before and after it."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from tinynets.server.frame import Frame, Log, LogRow
from tui.model.selection import Selection
from tui.render import palette
from tui.render.drawing import Part, both_ends, clip_middle, length, number
from tui.widgets.pane import Pane

AHEAD = 3
"""Windows of rows that are asked for: the one that is seen, one above it and one below."""
LEAST = 60
WITH_BEFORE, WITH_LOSS = 56, 34
"""From so many columns on, the loss before an action is shown beside the one after; from fewer, the latter alone."""


class LogPane(Pane):
    """A list with a cursor, which stays on the present until it is moved; what is still to come is dim."""

    NAME = "log"

    class Looked(Message):
        """Rows that were not sent yet have come into sight."""

    def __init__(self) -> None:
        super().__init__()
        self._cursor: int | None = None
        """The row under the cursor; None: the present one."""
        self._top = 0

    # -- what is looked at

    @property
    def wanted(self) -> tuple[int, int]:
        """The row in the middle of what is seen (-1: the present), and how many rows around it to send."""
        height = self._inner()[1]
        middle = -1 if self._cursor is None else self._top + height // 2
        return middle, max(LEAST, AHEAD * height)

    @property
    def row(self) -> LogRow | None:
        """The action under the cursor; None where nothing was done, or before it was sent."""
        log = self.frame.log if self.frame else None
        return _row(log, self._at(log)) if log is not None else None

    def show(self, frame: Frame, selection: Selection, *, hold: bool = False) -> None:
        if frame.log is not None and self._cursor is not None and self._cursor >= frame.log.total:
            self._cursor = None
        super().show(frame, selection, hold=hold)

    def move(self, by: int) -> None:
        """Move the cursor by some rows; on the present one it follows that again."""
        log = self.frame.log if self.frame else None
        if log is None:
            return
        at = max(0, min(log.total - 1, self._at(log) + by))
        self._cursor = None if at == _present(log) else at
        self.redraw()
        self.post_message(self.Looked())

    def page(self, by: int) -> None:
        """Move the cursor by so many windows."""
        self.move(by * max(1, self._inner()[1] - 1))

    def follow(self) -> None:
        """Have the cursor stay on the present."""
        self._cursor = None
        self.redraw()
        self.post_message(self.Looked())

    def _at(self, log: Log) -> int:
        return _present(log) if self._cursor is None else min(self._cursor, log.total - 1)

    # -- the lines

    def draw(self, width: int, height: int) -> list[Strip]:
        log = self.frame.log if self.frame else None
        if log is None:
            self.title("")
            return self.message(self.waiting if self.frame is None else "", width, height)
        coming = log.total - log.done
        count = log.total - 1
        actions = f"{count:,} action{'s' if count != 1 else ''}"
        self.title(actions + (f", {coming:,} still to come" if coming else ""))
        at = self._at(log)
        self._top = max(0, min(max(min(self._top, at - 1), at - height + 2), log.total - height))
        last = self.frame.status.end if self.frame else 0
        room = len(f"{last:,}")
        return [self._line(log, place, at, room, width) for place in range(self._top, self._top + height)]

    def _line(self, log: Log, place: int, at: int, room: int, width: int) -> Strip:
        if place >= log.total:
            return both_ends([], [], width)
        row = _row(log, place)
        here, coming = place == _present(log), place >= log.done
        style = palette.FAINT if coming else palette.TEXT
        if place == at:
            style = palette.BRIGHT
        mark = self.look.glyph("here") if here else " "
        pointer = self.look.glyph("right") if place == at else " "
        left: list[Part | Segment] = [(pointer, palette.CURSOR), (f"{mark} ", palette.ACCENT_BOLD)]
        if row is None:
            return both_ends([*left, ("…" if self.look.unicode else "...", palette.FAINT)], [], width)
        left.append((f"{row.step:>{room},}  ", palette.FAINT if coming else palette.DIM))
        right = self._loss(row, width, coming)
        words = row.text
        if here and log.within is not None and place >= log.done:
            words += f"  (at {log.within:,})"
        left.append((clip_middle(words, max(8, width - length(left) - length(right) - 1)), style))
        return both_ends(left, right, width)

    def _loss(self, row: LogRow, width: int, coming: bool) -> list[Part | Segment]:
        """The loss before and after; where it got worse or better is told by the numbers."""
        if row.after is None or width < WITH_LOSS:
            return []
        style: Style = palette.FAINT if coming else palette.DIM
        after: Part = (f"{number(row.after)} ", style if coming else palette.TEXT)
        if row.before is None or width < WITH_BEFORE:
            return [after]
        return [(f"{number(row.before)} {self.look.glyph('arrow')} ", style), after]

    # -- the mouse

    def wheel(self, by: int) -> None:
        self.move(by)

    def reading(self, x: int, y: int) -> str:
        """The whole line under the mouse."""
        log = self.frame.log if self.frame else None
        row = _row(log, self._top + y) if log is not None else None
        return f"{row.python}   step {row.step:,}; enter or a second click goes there" if row else ""

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor on a row; another on that row goes there."""
        at, log = event.get_content_offset(self), self.frame.log if self.frame else None
        if at is None or log is None or not 0 <= (place := self._top + at.y) < log.total or event.button != 1:
            return
        if place == self._at(log):
            self.post_message(self.Asked())
        else:
            self.move(place - self._at(log))

    class Asked(Message):
        """The user wants to go to the moment after the action under the cursor."""


def _present(log: Log) -> int:
    """The row that the present is on: the one it lies within, or the last that is done."""
    return log.done if log.within is not None else max(0, log.done - 1)


def _row(log: Log, place: int) -> LogRow | None:
    at = place - log.first
    return log.rows[at] if 0 <= at < len(log.rows) else None
