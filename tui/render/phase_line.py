"""The phases of a step in one line: all with their names, or only those near the present one, or a part of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rich.style import Style

from tinynets.server.frame import PhaseMark, Status
from tui.actions import keyed
from tui.render import palette
from tui.render.drawing import clip, columns
from tui.render.palette import Terminal

LONGEST = 24
"""Columns of a phase's name, at most."""
BREAK = "!"


class Piece(NamedTuple):
    """A piece of the line, and the number of the phase that a click on it means; -1 for none."""

    text: str
    style: Style
    phase: int


def phase_line(status: Status, width: int, look: Terminal) -> list[Piece]:
    """The line, in at most `width` columns."""
    right = _right(status)
    room = width - columns(right) - 1
    if not status.phases or room < 10:
        return []
    stops = {entry.text for entry in status.breakpoints if entry.at_phase and entry.on}
    entries = [_Entry(number, mark, status, mark.name in stops, look) for number, mark in enumerate(status.phases)]
    pieces = [Piece(" ", palette.TEXT, -1), *_fitted(entries, max(0, status.phases_done - 1), room, look)]
    gap = width - sum(columns(piece.text) for piece in pieces) - columns(right)
    style = palette.WARN if status.phase else palette.FAINT
    return [*pieces, Piece(" " * gap, palette.TEXT, -1), Piece(right, style, -1)]


def _right(status: Status) -> str:
    if status.mode != "paused":
        return ""
    return f" {status.phases_done} / {status.phases_total} " if status.phase else keyed(" {phase} begins a step ")


class _Entry:
    """A phase as it is drawn."""

    def __init__(self, number: int, mark: PhaseMark, status: Status, stops: bool, look: Terminal) -> None:
        self.number, self.mark, self.stops = number, mark, stops
        self.now = number == status.phases_done - 1
        self.name = clip(mark.layer or mark.kind if self.now else mark.label, LONGEST)
        back = "back " if mark.kind == "backward" else ""
        done = number < status.phases_done
        self.glyph = look.glyph("phase now" if self.now else f"phase {back}{'done' if done else 'to come'}")
        begun = bool(status.phases_done)
        self.ink = palette.GOOD if done else palette.DIM if begun else palette.FAINT
        self.words = palette.TEXT if done else palette.DIM if begun else palette.FAINT

    @property
    def width(self) -> int:
        """Columns with its name."""
        return columns(self.name) + 2

    def named(self, after: str) -> Iterator[Piece]:
        """It with its name, and what stands between it and the next."""
        if self.now:
            yield Piece(f"{self.glyph}{BREAK if self.stops else ' '}{self.name}", palette.CHIP_WARN, self.number)
        else:
            yield Piece(self.glyph, self.ink, self.number)
            yield Piece(BREAK if self.stops else " ", palette.BAD if self.stops else self.ink, self.number)
            yield Piece(self.name, self.words, self.number)
        yield Piece(after, palette.TEXT, -1)

    def bare(self) -> Piece:
        """It without its name."""
        return Piece(BREAK if self.stops else self.glyph, palette.BAD if self.stops else self.ink, self.number)


def _fitted(entries: list[_Entry], now: int, room: int, look: Terminal) -> list[Piece]:
    """The most that fits."""
    for gap in (2, 1):
        if sum(entry.width + gap for entry in entries) <= room:
            return [piece for entry in entries for piece in entry.named(" " * gap)]
    first, last = _window(entries, now, room)
    before = f"{first} {look.glyph('more before')} " if first else ""
    behind = f" {look.glyph('more behind')} {len(entries) - last}" if last < len(entries) else ""
    shown = entries[first:last]
    named = _named(shown, now - first, room - columns(before + behind))
    pieces = [Piece(before, palette.FAINT, -1)]
    for place, entry in enumerate(shown):
        if place not in named:
            pieces.append(entry.bare())
            continue
        if place and place - 1 not in named:
            pieces.append(Piece(" ", palette.TEXT, -1))
        pieces += entry.named(" ")
    return [*pieces, Piece(behind, palette.FAINT, -1)]


def _window(entries: list[_Entry], now: int, room: int) -> tuple[int, int]:
    """The phases that are shown: all as glyphs, or as many around the present one as leave room for some names."""
    most = room - 36
    if len(entries) <= most:
        return 0, len(entries)
    most = max(5, (room - 12) // 4)
    first = max(0, min(now - most // 3, len(entries) - most))
    return first, min(len(entries), first + most)


def _named(entries: list[_Entry], now: int, room: int) -> set[int]:
    """Which of them have their names: the present and the next one, the loss, then outward as far as they fit."""
    loss = [place for place, entry in enumerate(entries) if entry.mark.kind == "loss"]
    outward = [place for by in range(2, len(entries)) for place in (now - by + 1, now + by)]
    room -= len(entries)
    named: set[int] = set()
    for place in (now, now + 1, *loss, *outward):
        if not 0 <= place < len(entries) or place in named:
            continue
        needs = entries[place].width + 1
        if needs > room:
            break
        named.add(place)
        room -= needs
    return named
