"""The palette's entries: what fits the selection first, then all keys by group, and behind them the verbs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from rich.style import Style as RichStyle
from rich.text import Text
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.screen import Screen
from textual.style import Style

from tui.render import palette
from tui.render.drawing import clip, columns

SIDES = 6
"""Columns of the palette beside its entries."""
KEY = 8
"""Columns for a key in front of what it does."""
HERE, KEYS, TYPED = range(3)
"""The ranks of entries: what fits the selection and the focused pane, the other keys, the verbs."""
GROUP = RichStyle(dim=True)
WEIGHTS = (1.0, 0.9, 0.5)
"""What a match counts in each rank, so that verbs stand behind what has a key."""


@dataclass(frozen=True)
class Entry:
    """One thing that can be chosen."""

    words: str
    key: str
    group: str
    run: Callable[[], Any]
    rank: int = KEYS


class Palette(CommandPalette):
    """Textual's palette, which closes only once: a click behind it may still come when it is gone."""

    _answered = False

    def dismiss(self, result: Any = None) -> AwaitComplete:
        if self._answered:
            return AwaitComplete()
        self._answered = True
        return super().dismiss(result)


def provider(entries: Callable[[], Iterable[Entry]]) -> type[Provider]:
    """A provider for Textual's palette; `entries` are asked for each time it opens."""

    class LabCommands(Provider):
        """What can be done in the lab, in this order: verbs only once something is typed."""

        def __init__(self, screen: Screen[Any], match_style: Style | None = None) -> None:
            super().__init__(screen, match_style)
            self._entries = sorted(entries(), key=lambda entry: entry.rank)

        async def discover(self) -> Hits:
            for entry in self._entries:
                if entry.rank < TYPED:
                    yield DiscoveryHit(_shown(entry, self.app.size.width - SIDES), entry.run, entry.words)

        async def search(self, query: str) -> Hits:
            found = [(score, entry) for entry in self._entries if (score := fit(query, entry))]
            if not found:
                matcher = self.matcher(query)
                found = [(score, entry) for entry in self._entries if (score := matcher.match(entry.words))]
            for score, entry in found:
                yield Hit(
                    score * WEIGHTS[entry.rank], _shown(entry, self.app.size.width - SIDES), entry.run, entry.words
                )

    return LabCommands


def fit(query: str, entry: Entry) -> float:
    """How well an entry fits: each typed word is its key or begins a word of it (1), or is somewhere in it (0.7)."""
    words = f"{entry.words} {entry.group}".lower().replace("_", " ").split()
    scores = []
    for typed in query.split():
        begun = typed == entry.key or any(word.startswith(typed.lower()) for word in words)
        scores.append(1.0 if begun else 0.7 if typed.lower() in " ".join(words) else 0.0)
    return min(scores, default=0.0)


def _shown(entry: Entry, room: int) -> Text:
    """One line: the key, what it does, and its group where that has room."""
    row = Text(no_wrap=True, overflow="ellipsis")
    row.append(f"{entry.key:<{KEY}}", palette.ACCENT_BOLD.without_color)
    words = clip(entry.words, room - KEY)
    row.append(words)
    if columns(words) + len(entry.group) + 3 <= room - KEY:
        row.append(f"   {entry.group}", palette.DIM.without_color + GROUP)
    return row
