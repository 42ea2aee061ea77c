"""Bell: rung by SIGTERM in the server's process. It has a file of its own because it must not load numpy."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any


class Bell:
    """Rung by SIGTERM, which ends the server as `leave` does; the wait for commands also waits for it."""

    def __init__(self) -> None:
        self.rung = False
        self.heard: list[Any] = []
        """Handles to wait for, together with a pipe."""
        if os.name == "posix":
            out, self._into = os.pipe()
            os.set_blocking(self._into, False)
            self.heard = [out]

    def ring(self, number: int, frame: Any) -> None:
        self.rung = True
        if self.heard:
            with suppress(OSError):  # full: it has been rung often enough
                os.write(self._into, b"!")
