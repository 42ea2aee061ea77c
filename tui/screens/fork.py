"""Asks for the name of a branch that leaves from this moment."""

from __future__ import annotations

from typing import ClassVar

from textual.containers import Vertical

from tinynets.server.frame import Frame
from tui.render.plain_text import plain
from tui.screens.ask import AskScreen


class ForkScreen(AskScreen):
    """Enter forks; the title says from where."""

    STILL: ClassVar = True

    def __init__(self, step: int, name: str) -> None:
        super().__init__(_title(step), name, "a name")

    def take(self, frame: Frame) -> None:
        self.query_one(Vertical).border_title = plain(_title(frame.status.step))


def _title(step: int) -> str:
    return f"Fork at step {step:,}: a name for the new branch"
