"""What the screens that open over the lab have in common."""

from __future__ import annotations

from typing import Generic, TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

from tinynets.frame import Frame

Result = TypeVar("Result")


class Modal(ModalScreen[Result], Generic[Result]):
    """Closes once: keys that were typed ahead of its closing do nothing more."""

    _answered = False

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        if self._answered:
            return AwaitComplete()
        self._answered = True
        return super().dismiss(result)


class LiveModal(Modal[None]):
    """Hears of every frame while it is the one on top."""

    def take(self, frame: Frame) -> None:
        """A frame has come."""
        raise TypeError(f"{type(self).__name__} takes no frames")
