"""The range of steps that the loss curve and the timeline show: zoomed, moved along, or all of the branch.

Plain functions; nothing here draws.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinynets.server.frame import CURVES, Frame, View

LEAST = 8
"""Steps that are shown at least."""


@dataclass(frozen=True)
class TimeWindow:
    """What is looked at: so many steps up to a step, and which curve of them."""

    steps: int = 0
    """0: all of the branch."""
    until: int | None = None
    """The last step; None: the newest, as it grows."""
    curve: str = CURVES[0]


def span_of(window: TimeWindow, end: int) -> tuple[int, int]:
    """The steps shown of a branch that ends at a step: those after the first number, through the second."""
    return View(window=window.steps, until=window.until).span(end)


def zoomed(window: TimeWindow, factor: float, frame: Frame, cursor: int | None) -> TimeWindow:
    """Show fewer steps (a factor above 1) or more, around the cursor, else around a present step in the past.

    Beyond all of the branch, more are shown if another branch is longer.
    """
    end = frame.status.end
    first, last = span_of(window, end)
    longest = max([end, *(branch.end for branch in frame.timeline.branches)])
    wanted = max(LEAST, round((last - first) / factor))
    if factor < 1 and wanted >= end:
        further = window.steps == 0 or window.steps >= end
        return replace(window, steps=min(wanted, longest) if further and longest > end else 0, until=None)
    if wanted >= last - first and factor > 1:
        return window
    centre = cursor if cursor is not None else frame.status.step if frame.status.step < end else None
    if centre is None:
        return replace(window, steps=wanted)
    return _ending(replace(window, steps=wanted), centre + wanted // 2, end)


def moved(window: TimeWindow, by: int, frame: Frame) -> TimeWindow:
    """Show steps that come half of the range earlier (-1) or later (1)."""
    first, last = span_of(window, frame.status.end)
    return _ending(window, last + by * max(1, (last - first) // 2), frame.status.end) if window.steps else window


def containing(window: TimeWindow, step: int, frame: Frame) -> TimeWindow:
    """A range of the same size in which a step is seen."""
    first, last = span_of(window, frame.status.end)
    if not window.steps or first < step <= last:
        return window
    return _ending(window, step + (last - first) // 2, frame.status.end)


def _ending(window: TimeWindow, last: int, end: int) -> TimeWindow:
    """The same number of steps up to a step, or to the newest one if that is not beyond it."""
    last = max(last, window.steps)
    return replace(window, until=None if last >= end else last)


def words(window: TimeWindow, end: int) -> str:
    """What is shown."""
    first, last = span_of(window, end)
    if not window.steps:
        return "all steps of this branch"
    newest = ", following the newest" if window.until is None else ""
    return f"steps {first + 1:,} to {last:,}{newest}"
