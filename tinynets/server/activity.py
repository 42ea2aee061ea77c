"""Activity: what the server is doing, and how fast."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from time import perf_counter


@dataclass
class Playback:
    """A playback of the history: from a step and a time on, at a speed in steps per second (below 0: backward)."""

    speed: float
    first: int
    begun: float
    due: float = 0.0


class StepRate:
    """Steps per second over roughly the last second."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def note(self, step: int) -> None:
        now = perf_counter()
        if not self._marks or now - self._marks[-1][0] > 0.05:
            self._marks.append((now, step))
            while len(self._marks) > 2 and now - self._marks[0][0] > 1.0:
                self._marks.popleft()

    @property
    def value(self) -> float:
        if len(self._marks) < 2:
            return 0.0
        (begun, first), (ended, last) = self._marks[0], self._marks[-1]
        return (last - first) / (ended - begun)


@dataclass(frozen=True)
class Activity:
    """What the server is doing, which a Lab does not know: mode, speed and a message."""

    mode: str = "paused"
    steps_per_second: float = 0.0
    note: str = ""
