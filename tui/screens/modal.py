"""What the screens that open over the lab have in common."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

from tinynets.server.frame import Frame

Result = TypeVar("Result")


class Modal(ModalScreen[Result], Generic[Result]):
    """Closes once: keys that were typed ahead of its closing do nothing more."""

    STILL: ClassVar = False
    """Whether it asks about this moment: what goes on is paused while it is the one on top."""

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
        """A frame has come while it is the one on top."""
