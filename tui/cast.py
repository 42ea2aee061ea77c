"""A recording of the terminal in asciinema's format, version 2 (docs.asciinema.org/manual/asciicast/v2)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic, time
from typing import TextIO


class Cast:
    """Writes each piece of output with its time to a new file, line by line."""

    def __init__(self, path: Path, width: int, height: int, title: str, clock: Callable[[], float] = monotonic) -> None:
        """Begin the file; FileExistsError if there is one, OSError if it cannot be written."""
        self.path, self.size = path, (width, height)
        self._clock, self._begun = clock, clock()
        self._file: TextIO = path.open("x", encoding="utf-8")
        head = {
            "version": 2, "width": width, "height": height, "timestamp": int(time()), "title": title,
            "env": {"TERM": os.environ.get("TERM", "")},
        }  # fmt: skip
        self._file.write(json.dumps(head) + "\n")

    @property
    def seconds(self) -> float:
        """How long it has been recording."""
        return self._clock() - self._begun

    def output(self, text: str) -> None:
        """Record what is written to the terminal."""
        self._event("o", text)

    def resize(self, width: int, height: int) -> None:
        """Record that the terminal has another size."""
        if (width, height) != self.size:
            self.size = width, height
            self._event("r", f"{width}x{height}")

    def _event(self, kind: str, text: str) -> None:
        self._file.write(json.dumps([round(self.seconds, 6), kind, text], ensure_ascii=False) + "\n")

    def close(self) -> None:
        self._file.close()
