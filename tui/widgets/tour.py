"""The tour: hints over the real screen, each of which points at something, names one key and leaves it in sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.geometry import Offset, Region, Size
from textual.widget import Widget

from tui import actions
from tui.render.drawing import wrapped
from tui.render.palette import Terminal
from tui.render.plain_text import plain

WIDTHS = 52, 38, 28
"""Columns of the box of a hint, where there is room."""


@dataclass(frozen=True)
class Hint:
    """One hint."""

    about: str
    """The id of the widget that it points at, which it never covers."""
    text: str
    """With the keys of actions in braces: {step}."""
    done_by: tuple[str, ...]
    """The actions that go on to the next hint, once one was done so many `times`."""
    times: int = 1
    beside: tuple[str, ...] = ()
    """Other widgets that it had better not cover."""

    def said(self) -> str:
        return actions.keyed(self.text)


HINTS = (
    Hint(
        "header",
        "Press {step}: one training step. A minibatch goes forward, its error comes back, the weights move. Up here "
        "are the step and its loss.",
        ("step",),
    ),
    Hint(
        "loss",
        "Press {run} and the training runs; {run} again pauses it. Every step lands on this curve.",
        ("run",),
        2,
        beside=("header",),
    ),
    Hint(
        "network",
        "Press an arrow key: the cursor walks from unit to unit. Orange is negative, blue is positive. The Neuron pane "
        "says what the unit adds up, and why.",
        ("left", "right", "up", "down"),
        beside=("neuron",),
    ),
    Hint(
        "status",
        "Press {zero}: the unit's output is now zero, in everything. This line says what that does to the loss, and "
        "which line of Python does the same.",
        ("zero",),
        beside=("network",),
    ),
    Hint(
        "timeline",
        "Press {undo}: it is taken back. {back} goes one training step back, bit for bit the same. Nothing that you do "
        "here is lost.",
        ("undo", "back"),
    ),
    Hint(
        "keys",
        "{save} saves all of it, {open} opens another network, {help} shows every key, and this tour again. The line "
        "here follows what you look at.",
        ("save", "open", "help"),
    ),
)


def placed(size: Size, box: Size, about: Region, others: Sequence[Region]) -> Offset:
    """Where to put a box on a screen: close to what it is about without covering it, and least of the others."""
    room_x, room_y = max(1, size.width - box.width + 1), max(1, size.height - box.height + 1)
    spots = [Offset(x, y) for y in range(room_y) for x in {*range(0, room_x, 4), room_x - 1}]

    def cost(spot: Offset) -> tuple[float, ...]:
        here = Region(spot.x, spot.y, box.width, box.height)
        covered = sum(here.intersection(other).area for other in others)
        away = _gap(here, about)
        return (here.intersection(about).area, covered + 8 * away, abs(here.center[0] - about.center[0]))

    return min(spots, key=cost)


def _clear(size: Size, text: str, about: Region, others: Sequence[Region]) -> Region:
    """The place of a text: in the widest box that does not cover what it is about."""
    for width in WIDTHS:
        box = Size(min(width, size.width), len(wrapped(text, width - 4)) + 2)
        spot = placed(size, box, about, others)
        found = Region(spot.x, spot.y, box.width, box.height)
        if not found.intersection(about).area:
            break
    return found


def _gap(one: Region, other: Region) -> int:
    """The columns and lines between two regions; columns are half as tall as lines."""
    across = max(one.x - other.right, other.x - one.right, 0)
    down = max(one.y - other.bottom, other.y - one.bottom, 0)
    return across // 2 + down


def pointer(box: Region, about: Region, look: Terminal) -> str:
    """The arrow from a box to what it is about."""
    if about.bottom <= box.y:
        return look.glyph("up")
    if about.y >= box.bottom:
        return look.glyph("down")
    return look.glyph("target") if about.right <= box.x else look.glyph("right")


class TourHint(Widget):
    """The box of the present hint; hidden while there is none."""

    DEFAULT_CSS = """
    TourHint {
        layer: tour; display: none; position: absolute; width: 52; height: auto; padding: 0 1;
        background: $lab-raised; color: $lab-text; border: round $lab-warn;
        border-title-color: $lab-warn; border-subtitle-color: $lab-dim;
    }
    """

    def __init__(self) -> None:
        super().__init__(id="tour")
        self._text = plain("")
        self.at = -1
        """The number of the hint; -1 for none."""

    @property
    def hint(self) -> Hint | None:
        return HINTS[self.at] if 0 <= self.at < len(HINTS) else None

    def render(self) -> Content:
        return self._text

    def point(self, size: Size, about: Region, others: Sequence[Region], look: Terminal) -> None:
        """Show the hint beside what it is about."""
        hint = self.hint
        if hint is None:
            return
        text = hint.said()
        box = _clear(size, text, about, others)
        arrow = pointer(box, about, look)
        self._text = plain(text)
        self.border_title = plain(f"{arrow} {self.at + 1} of {len(HINTS)}")
        go_on = "enter: go on   esc: end" if box.width > 30 else "enter   esc: end"
        self.border_subtitle = plain(go_on if self.at < len(HINTS) - 1 else "enter: done")
        self.styles.width, self.styles.height = box.width, box.height
        self.styles.offset = box.offset
        self.display = True
        self.refresh(layout=True)
