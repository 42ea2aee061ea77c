"""The Examples pane."""

from __future__ import annotations

from textual.strip import Strip

from tui.widgets.pane import Pane


class ExamplesPane(Pane):
    """The examples."""

    NAME = "examples"

    def draw(self, width: int, height: int) -> list[Strip]:
        return self.message("", width, height)
