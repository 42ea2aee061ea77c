"""The base of all screens that open over the lab."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

from tinynets.server.frame import Frame

Result = TypeVar("Result")


class Modal(ModalScreen[Result], Generic[Result]):
    """A screen that closes only once: keys typed before it is gone do nothing more."""

    STILL: ClassVar = False
    """Whether it asks about the present moment: then the lab is paused while this is the top screen."""

    _answered = False

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        if self._answered:
            return AwaitComplete()
        self._answered = True
        return super().dismiss(result)

    def hear(self, frame: Frame) -> None:
        if not self._answered:
            self.take(frame)

    def take(self, frame: Frame) -> None:
        """Take a frame that came while this is the top screen."""
