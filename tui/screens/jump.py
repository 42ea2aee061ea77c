"""Letters over the lab's places: one key goes to any of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.widgets import Static

from tui.screens.modal import Modal

LETTERS = "asdfghjklqwertyuiopzxcvbnm"
"""The keys under the fingers first."""


@dataclass(frozen=True)
class Spot:
    """A place on the screen that a letter stands on: its column and line, and what choosing it goes to."""

    x: int
    y: int
    kind: str
    """pane, moment or line."""
    target: tuple[Any, ...] = ()


class JumpScreen(Modal[Spot | None]):
    """The lab as it is, with a letter on each place; any other key closes it."""

    DEFAULT_CSS = """
    JumpScreen { layers: base letters; }
    JumpScreen > Static {
        position: absolute; layer: letters; width: 3; height: 1;
        background: $lab-warn; color: $lab-back; text-style: bold;
    }
    """
    BINDINGS: ClassVar = [("escape", "dismiss(None)", "close")]

    def __init__(self, spots: Sequence[Spot]) -> None:
        super().__init__()
        self.spots = dict(zip(LETTERS, spots, strict=False))

    def compose(self) -> ComposeResult:
        for letter, spot in self.spots.items():
            label = Static(f" {letter} ", markup=False)
            label.styles.offset = (max(0, spot.x), spot.y)
            yield label

    def on_key(self, event: events.Key) -> None:
        event.stop()
        self.dismiss(self.spots.get(event.key))

    def on_click(self, event: events.Click) -> None:
        """A click takes the letter under it."""
        hit = [spot for spot in self.spots.values() if spot.y == event.screen_y and 0 <= event.screen_x - spot.x < 3]
        self.dismiss(hit[0] if hit else None)
