"""Shows the progress of a command: one changing line in a terminal, or a new line now and then in a file or pipe."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, TextIO

from tinynets.foreign_text import printable
from tinynets.jobs import Progress
from tinynets.system import streams

if TYPE_CHECKING:
    from tinynets.lab.lab import Lab  # loads numpy, which help and wrong arguments do not need

WIDTH = 24  # characters of the bar
SECONDS = 0.1  # seconds between two updates
LINE_SECONDS = 5.0  # seconds between two lines, if it is not a terminal


class Bar:
    """Shows the Progress of one job after another: steps, or examples of a split."""

    def __init__(self, stream: TextIO, lab: Lab) -> None:
        self.stream, self.lab = stream, lab
        self._in_place = stream.isatty()
        self._every = SECONDS if self._in_place else LINE_SECONDS
        self._full, self._empty = "█░" if streams.speaks(stream, "█░") else "#."
        self._drawn = False
        self._last = self._begun = perf_counter()
        self._of, self._first = "", 0

    def show(self, progress: Progress) -> None:
        now = perf_counter()
        if progress.what != self._of or progress.done < self._first:
            self._of, self._first, self._begun = progress.what, progress.done, now
        if now - self._last < self._every:
            return
        self._last = now
        if self._in_place:
            self._drawn = True
            self._write(f"\r{self._pictured(progress)} {self._told(progress, now)}\x1b[K")
        else:
            self._write(f"{self._told(progress, now)}\n")

    def _pictured(self, progress: Progress) -> str:
        filled = min(WIDTH * progress.done // (progress.total or progress.done or 1), WIDTH)
        return self._full * filled + self._empty * (WIDTH - filled)

    def _told(self, progress: Progress, now: float) -> str:
        total = progress.total or progress.done
        rate = (progress.done - self._first) / (now - self._begun) if now > self._begun else 0.0
        left = f"  {rate:,.0f}/s  {(total - progress.done) / rate:,.0f} s left" if rate else ""
        return printable(f"{progress.what} {progress.done:,}/{total:,}{left}{self._measured(progress)}")

    def _measured(self, progress: Progress) -> str:
        """The loss of a run, and its latest evaluation."""
        if progress.what != "steps":
            return ""
        loss = "" if self.lab.loss is None else f"  loss {self.lab.loss:.3f}"
        last = self.lab.evaluations[-1:]
        return loss + (f"  {last[0].split} {last[0].loss:.3f}" if last else "")

    def _write(self, text: str) -> None:
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):  # the work goes on, shown or not
            self._every = float("inf")

    def end(self) -> None:
        """End the line and leave it as it is."""
        if self._drawn:
            self._drawn = False
            self._write("\r\x1b[K")
