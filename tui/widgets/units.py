"""The Units pane."""

from __future__ import annotations

from textual.strip import Strip

from tui.widgets.pane import Pane


class UnitsPane(Pane):
    """The units."""

    NAME = "units"

    def draw(self, width: int, height: int) -> list[Strip]:
        return self.message("", width, height)
