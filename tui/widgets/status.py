"""The status line (what changed, and the Python that does it) and the key bar under it."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from rich.segment import Segment
from textual import events
from textual.strip import Strip

from tinynets.foreign_text import printable
from tui.actions import Action
from tui.render import palette
from tui.render.drawing import Part, both_ends, clip_middle, clip_words, columns, length, line, plain_bar
from tui.widgets.pane import Lines

OFFERED = 6
"""So many candidates are given room before the usage is."""
MORE = 6
"""Columns for how many candidates are left out."""
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class StatusLine(Lines):
    """One line: a message and the Python for it, or the running command and its progress."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._message, self._python, self._ink = "", "", "TEXT"
        self._work: tuple[str, int, int | None] | None = None
        self._hint = ""
        self._offers: list[str] = []

    def hint(self, text: str) -> None:
        """Show what the mouse is over, in place of the message; with an empty text, the message again."""
        self._hint = text
        self.redraw()

    def say(self, message: str, python: str = "", error: bool = False, warning: bool = False) -> None:
        """Show a message; only its first line."""
        self._message = printable(message.split("\n")[0])
        self._python = python
        self._ink = "BAD" if error else "WARN" if warning else "TEXT"
        self._offers = []
        self.redraw()

    def say_typing(self, usage: str, offers: list[str]) -> None:
        """Show how what is being typed is written, and what it can be completed to."""
        self.say(usage)
        self._offers = offers
        self.redraw()

    def whole(self, message: str) -> bool:
        """Whether the whole message fits here."""
        return "\n" not in message and columns(message) <= self.room

    @property
    def room(self) -> int:
        """The most letters of a message that fit."""
        return self.size.width - 3

    @property
    def message(self) -> str:
        return self._message

    @property
    def python(self) -> str:
        return self._python

    def working(self, what: str, done: int = 0, total: int | None = None) -> None:
        """Show that a command is running, and its progress."""
        self._work = (what, done, total)
        self.redraw()

    def rest(self) -> None:
        if self._work is not None:
            self._work = None
            self.redraw()

    def draw(self, width: int, height: int) -> list[Strip]:
        if self._work is not None:
            return [self._progress(*self._work, width)]
        if self._hint:
            return [line([(" " + clip_middle(self._hint, width - 3), palette.DIM)], width)]
        if self._offers:
            return [self._typing(width)]
        python: list[Part] = [(self._python + " ", palette.DIM)] if self._python else []
        if length(python) > width // 2 or columns(self._message) > width - 3 - length(python):
            python = []
        message = clip_middle(self._message, width - 3 - length(python))
        return [both_ends([(" " + message, palette.named(self._ink))], [*python], width)]

    def _typing(self, width: int) -> Strip:
        """The usage, cut where the candidates need room, and as many of these as fit, with how many are left out."""
        wanted = length([(f"  {word}", palette.DIM) for word in self._offers[:OFFERED]])
        room = max(width // 3, width - wanted - 3 - (MORE if len(self._offers) > OFFERED else 0))
        said = self._message.split("   ")
        shorter = ("   ".join(said[:count]) for count in range(len(said), 0, -1))
        message = next((text for text in shorter if columns(text) <= room), clip_words(said[0], room))
        parts: list[Part | Segment] = [(f" {message} ", palette.named(self._ink))]
        for at, word in enumerate(self._offers):
            part: Part = (f"  {word}", palette.ACCENT if at == 0 else palette.DIM)
            if length([*parts, part]) > width - (MORE if at + 1 < len(self._offers) else 0):
                parts.append((f"  +{len(self._offers) - at}", palette.FAINT))
                break
            parts.append(part)
        return line(parts, width)

    def _progress(self, what: str, done: int, total: int | None, width: int) -> Strip:
        spin = (
            SPINNER[int(monotonic() * 10) % len(SPINNER)] if self.look.unicode else "|/-\\"[int(monotonic() * 10) % 4]
        )
        left: list[Part] = [(f" {spin} ", palette.ACCENT_BOLD), (what + "  ", palette.BRIGHT)]
        if total:
            left += [*plain_bar(done / total, 20, palette.ACCENT, self.look), (f" {done:,} of {total:,}", palette.TEXT)]
        return both_ends([*left], [("escape cancels ", palette.WARN)], width)


class KeyBar(Lines):
    """The keys that matter now, each with a label; a click presses one."""

    def __init__(
        self, actions: Callable[[], list[Action]], label: Callable[[Action], str], *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._actions, self._label = actions, label

    def _keys(self, width: int) -> list[tuple[Action, list[Part]]]:
        shown: list[tuple[Action, list[Part]]] = []
        used = 1
        for action in self._actions():
            parts: list[Part] = [
                (f" {action.shown_key}", palette.ACCENT_BOLD),
                (f" {self._label(action)} ", palette.DIM),
            ]
            used += length(parts)
            if used > width:
                break
            shown.append((action, parts))
        return shown

    def draw(self, width: int, height: int) -> list[Strip]:
        return [line([part for _, parts in self._keys(width) for part in parts], width)]

    async def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        x = 0
        for action, parts in self._keys(self.size.width):
            if at is not None and x <= at.x < x + length(parts):
                await self.app.run_action(action.command)
            x += length(parts)
