"""A list of examples in columns: each with its text and, where that is known, its loss as a bar and a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from rich.style import Style
from textual.strip import Strip

from tinynets.server.frame import Floats
from tui.render import palette
from tui.render.drawing import Part, clip, columns, length, line, number, padded, plain_bar
from tui.render.palette import Terminal

WIDEST = 32
"""The most columns of an example's text."""
BAR, NUMBER, GAP = 10, 7, 3


@dataclass(frozen=True)
class ExampleList:
    """Where the examples of a list stand: `order` down one column after another, from the `first` on."""

    order: tuple[int, ...]
    rows: int
    across: int
    wide: int
    """The width of a column."""
    first: int

    @staticmethod
    def of(texts: Sequence[str], losses: Floats | None, selected: int, width: int, height: int) -> ExampleList:
        """In their own order; where losses are known, the largest first."""
        order = range(len(texts)) if losses is None else sorted(range(len(texts)), key=lambda at: -losses[at])
        wide = min(WIDEST, max(map(columns, texts), default=1)) + GAP + (BAR + NUMBER + 2 if losses is not None else 0)
        across = max(1, min(ceil(len(texts) / max(1, height)), (width + GAP) // wide))
        rows = max(1, min(height, ceil(len(texts) / across)))
        found = tuple(order)
        at, room = found.index(selected) if selected in found else 0, rows * across
        first = max(0, min(at - room // 2, len(found) - room))
        return ExampleList(found, rows, across, wide, first)

    @property
    def shown(self) -> tuple[int, ...]:
        return self.order[self.first : self.first + self.rows * self.across]

    def moved(self, selected: int, right: int, down: int) -> int:
        """The example that many columns to the right and rows below."""
        at = self.order.index(selected) if selected in self.order else 0
        wanted = at + down + right * self.rows
        return self.order[max(0, min(len(self.order) - 1, wanted))]

    def example_at(self, x: int, y: int) -> int | None:
        """The example at a character of a line."""
        place = x // self.wide * self.rows + y
        return self.shown[place] if 0 <= y < self.rows and place < len(self.shown) else None

    def lines(
        self, texts: Sequence[str], losses: Floats | None, selected: int, width: int, look: Terminal
    ) -> list[Strip]:
        """The lines of the list."""
        most = max((float(losses[at]) for at in self.order), default=1.0) if losses is not None else 1.0
        made = []
        for y in range(self.rows):
            parts: list[Part] = []
            for at in self.shown[y :: self.rows]:
                parts += self._entry(
                    texts[at], None if losses is None else float(losses[at]), most, at == selected, look
                )
            made.append(line(parts, width))
        return made

    def _entry(self, text: str, loss: float | None, most: float, here: bool, look: Terminal) -> list[Part]:
        room = self.wide - GAP - (0 if loss is None else BAR + NUMBER + 2)
        ink = palette.BRIGHT + Style(reverse=True) if here else palette.TEXT
        parts: list[Part] = [(padded(clip(text, room), room), ink)]
        if loss is not None:
            bar = plain_bar(loss / most if most > 0 else 0.0, BAR, palette.WARN, look)
            parts += [(" ", palette.TEXT), *bar, (number(loss).rjust(NUMBER + 1), palette.DIM)]
        return [*parts, (" " * (self.wide - length(parts)), palette.TEXT)]
