"""The moments on a timeline where one can stop, and the lanes of the other branches.

Plain functions of a `TimelineStrip`; nothing here draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tinynets.server.frame import BranchLine, EditMark, TimelineStrip

Place = tuple[int, int]
"""A step, and how many of its edits have been applied."""


@dataclass(frozen=True)
class Stop:
    """A moment worth stopping at: before or after an edit, a bookmark, a fork, or either end."""

    place: Place
    text: str
    edited: bool = False
    """Whether this step has edits, so that a stop must say which of them are applied."""


def stops(strip: TimelineStrip) -> list[Stop]:
    """All stops in order; before and after each edit are two of them."""
    texts: dict[Place, list[str]] = {}

    def add(place: Place, text: str) -> None:
        texts.setdefault(place, []).append(text)

    by_step = edits_by_step(strip)
    add((0, 0), "the start")
    for step, marks in by_step.items():
        add((step, 0), f"before {plain(marks[0])}")
        for mark in marks:
            which = f" (edit {mark.here} of {len(marks)} here)" if len(marks) > 1 else ""
            add((step, mark.here), f"after {plain(mark)}{which}")
    for pin in strip.pins:
        if pin.on_branch:
            add((pin.step, pin.here), f"bookmark {pin.name}")
    for lane in lanes(strip):
        if not lane.on:
            add((lane.start, len(by_step.get(lane.start, ()))), f"{lane.name} parts from here")
    add((strip.end, len(by_step.get(strip.end, ()))), "the end")
    return [Stop(place, ", ".join(texts[place]), place[0] in by_step) for place in sorted(texts)]


def next_stop(strip: TimelineStrip, here: Place, by: int) -> Stop | None:
    """The stop before (`by` -1) or after (1) a place; None if there is none."""
    found = stops(strip)
    if by > 0:
        return next((stop for stop in found if stop.place > here), None)
    return next((stop for stop in reversed(found) if stop.place < here), None)


def edits_by_step(strip: TimelineStrip) -> dict[int, list[EditMark]]:
    found: dict[int, list[EditMark]] = {}
    for mark in strip.marks:
        found.setdefault(mark.step, []).append(mark)
    return found


def plain(mark: EditMark) -> str:
    """An edit's call without the lab's name: `zero("hidden[3]")`."""
    return mark.text.removeprefix("lab.")


@dataclass(frozen=True)
class Lane:
    """Another branch drawn as a line: from its fork on the line above to its end."""

    name: str
    start: int
    end: int
    on: str
    """The lane it forks from; empty for the line of the current branch."""


def lanes(strip: TimelineStrip) -> list[Lane]:
    """The other branches: late forks first, each followed by the lanes that fork from it.

    In this order the connecting lines do not cross. What a branch shares with the current one is not drawn twice: the
    current branch's ancestors begin where it left them.
    """
    lines = {line.name: line for line in strip.branches}
    parted = _ancestors(strip, lines)
    hanging: dict[str, list[Lane]] = {}
    for line in strip.branches:
        if not line.current:
            on = "" if line.name in parted else _holder(line, lines, parted)
            hanging.setdefault(on, []).append(Lane(line.name, parted.get(line.name, line.fork), line.end, on))

    def under(name: str) -> Iterator[Lane]:
        for lane in sorted(hanging.get(name, ()), key=lambda lane: -lane.start):
            yield lane
            yield from under(lane.name)

    return list(under(""))


def _ancestors(strip: TimelineStrip, lines: dict[str, BranchLine]) -> dict[str, int]:
    """Each ancestor of the current branch -> the step at which the two part."""
    line = next((line for line in strip.branches if line.current), None)
    found: dict[str, int] = {}
    step = strip.end
    while line is not None and line.parent in lines and line.parent not in found:
        step = min(step, line.fork)
        found[line.parent] = step
        line = lines[line.parent]
    return found


def _holder(line: BranchLine, lines: dict[str, BranchLine], parted: dict[str, int]) -> str:
    """The lane that shows a branch's fork: its parent's, unless that lane begins after the fork."""
    parent = lines.get(line.parent)
    while parent is not None and not parent.current and line.fork <= parted.get(parent.name, parent.fork):
        if parent.name in parted:
            return ""
        parent = lines.get(parent.parent)
    return "" if parent is None or parent.current else parent.name


def shown_lanes(strip: TimelineStrip, room: int) -> tuple[list[Lane], int]:
    """The lanes shown on at most `room` lines, and how many are left out."""
    found = lanes(strip)
    if len(found) <= room:
        return found, 0
    shown = nearest_lanes(found, room - 1)
    return shown, len(found) - len(shown)


def nearest_lanes(found: list[Lane], room: int) -> list[Lane]:
    """At most `room` of the lanes, in order; those that fork from the current branch take precedence."""
    chosen: set[str] = set()
    depth: set[str] = {""}
    while len(chosen) < room and depth:
        layer = [lane for lane in found if lane.on in depth][: room - len(chosen)]
        chosen |= {lane.name for lane in layer}
        depth = {lane.name for lane in layer}
    return [lane for lane in found if lane.name in chosen]


def cost_words(seconds: float) -> str:
    """An upper bound of a time in words: 40 ms, 1.5 s; two digits, at least a millisecond."""
    if seconds < 0.9995:
        milliseconds = max(1.0, seconds * 1000)
        return f"{milliseconds:.0f} ms" if milliseconds < 100 else f"{round(milliseconds, -1):.0f} ms"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:,.0f} s"
