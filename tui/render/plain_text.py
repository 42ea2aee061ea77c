"""Foreign text (names, notes, paths, messages) made safe for Textual's widgets: never markup, never a command.

Here `[/]` and `[red]` are names like any others, and control characters are written out. What the panes draw line by
line goes through `drawing` and `strips` instead.
"""

from __future__ import annotations

from rich.cells import cell_len
from rich.highlighter import Highlighter
from rich.segment import Segment
from rich.text import Text
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter

from tinynets.foreign_text import one_for_one, printable


def plain(*lines: str) -> Content:
    """Text without markup, for titles, options and everything else that is shown."""
    return Content("\n".join(map(printable, lines)))


class Typed(Highlighter):
    """Highlighter of input fields: shows one sign for each character typed, so that the cursor is placed right."""

    def __call__(self, text: str | Text) -> Text:
        made = text.copy() if isinstance(text, Text) else Text(text)
        self.highlight(made)
        return made

    def highlight(self, text: Text) -> None:
        text.plain = one_for_one(text.plain)


class Seen(LineFilter):
    """The last filter before the terminal: replaces what Textual let through, keeping the width it had there."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment
            if segment.control or printable(segment.text) == segment.text
            else Segment(_in_place(segment.text), segment.style)
            for segment in segments
        ]


def _in_place(text: str) -> str:
    shown = ((printable("a" + letter)[1:], letter) for letter in text)  # an accent is one only after a letter
    return "".join(sign if len(sign) == 1 else "?" * cell_len(letter) for sign, letter in shown)
