"""Arranges the panes: on a large terminal one in each place, fewer at once on a small one.

`plan` computes the regions; the container `Desk` follows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from textual.containers import Container, Vertical
from textual.geometry import Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.render.drawing import blank
from tui.widgets.pane import Pane

LARGE = (140, 33)
"""From this size of the desk on (a terminal of about 140x40), every place is shown, with one of its panes."""
MEDIUM = (96, 22)
"""From this size on there are two columns of two places; below it, two panes side by side."""
LOSS_HEIGHT = 9
"""The height of the loss over another pane in a desk of medium size, frame included."""


@dataclass(frozen=True)
class PaneChoice:
    """What the user chose last: the active pane, the pane of each place, one pane alone (zoom)."""

    active: str = "network"
    left: str = "units"
    right: str = "neuron"
    other: str = "neuron"
    """The pane beside the network if only two fit."""
    front: tuple[tuple[str, str], ...] = ()
    """Place -> the pane picked last of those that share it."""
    zoom: bool = False
    left_share: float = 0.6
    """The share of the width that the left side of a large desk has."""
    network_height: int = 14
    """The best height of the network pane, frame included; at first that of the default recipe."""
    drawn: bool = False
    """Whether the network is drawn as a net, which gets more of the lines than cells do."""


@dataclass(frozen=True)
class Slot:
    """The place of a pane when the desk is large: its side, and the share of the lines left by the places above.

    Panes of one side with the same place share it: only the one picked last is shown.
    """

    side: str
    place: str
    share: tuple[int, int] = (1, 1)
    least: int = 0


def picked(pane: str, slot: Slot, front: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    """The fields of a PaneChoice that change when a pane is picked; `front` is what they were."""
    changes: dict[str, Any] = {"active": pane, "front": tuple((dict(front) | {slot.place: pane}).items())}
    if pane != "network":
        changes |= {slot.side: pane, "other": pane}
    return changes


def plan(width: int, height: int, choice: PaneChoice, slots: Mapping[str, Slot]) -> dict[str, Region]:
    """The region of each visible pane."""
    if choice.zoom:
        return {choice.active: Region(0, 0, width, height)}
    if width >= LARGE[0] and height >= LARGE[1]:
        left = round(width * choice.left_share)
        at_left = _column("left", 0, left, height, choice, slots)
        return at_left | _column("right", left, width - left, height, choice, slots)
    if width >= MEDIUM[0] and height >= MEDIUM[1]:
        return _four(width, height, choice)
    return _two(width, height, choice)


def sharing(pane: str, slots: Mapping[str, Slot]) -> tuple[str, ...]:
    """The panes that share a place with this one, itself among them."""
    return tuple(name for name, slot in slots.items() if slot.place == slots[pane].place)


def _column(
    side: str, x: int, width: int, height: int, choice: PaneChoice, slots: Mapping[str, Slot]
) -> dict[str, Region]:
    """The places of one side, one under another, each with the pane picked last; the last gets the remaining lines."""
    front = dict(choice.front)
    places = dict.fromkeys(slot.place for slot in slots.values() if slot.side == side)
    regions, top = {}, 0
    for number, place in enumerate(places, 1):
        name = front.get(place) or next(name for name, slot in slots.items() if slot.place == place)
        part, of = slots[name].share
        tall = height - top
        if number < len(places):
            tall = tall * 3 // 5 if name == "network" and choice.drawn else tall * part // of
            tall = max(slots[name].least, min(tall, choice.network_height) if name == "network" else tall)
        regions[name] = Region(x, top, width, tall)
        top += tall
    return regions


def _four(width: int, height: int, choice: PaneChoice) -> dict[str, Region]:
    """The network over a pane on the left; on the right the loss over a pane, or the loss alone where it was picked."""
    left = round(width * (choice.left_share - 0.02))
    network = max(6, min(choice.network_height, height * 2 // 3 if choice.drawn else height * 3 // 5))
    regions = {
        "network": Region(0, 0, left, network),
        choice.left: Region(0, network, left, height - network),
    }
    if choice.right == "loss":
        return regions | {"loss": Region(left, 0, width - left, height)}
    return regions | {
        "loss": Region(left, 0, width - left, LOSS_HEIGHT),
        choice.right: Region(left, LOSS_HEIGHT, width - left, height - LOSS_HEIGHT),
    }


def _two(width: int, height: int, choice: PaneChoice) -> dict[str, Region]:
    left = width // 2
    return {"network": Region(0, 0, left, height), choice.other: Region(left, 0, width - left, height)}


class DeskLayout(Layout):
    """Places the children as planned."""

    name = "desk"

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        assert isinstance(parent, Desk)
        regions = plan(size.width, size.height, parent.choice, parent.slots)
        no_margin = parent.styles.margin
        return [
            WidgetPlacement(regions[child.id], Region(0, 0, 0, 0).offset, no_margin, child)
            for child in children
            if child.id in regions
        ]


class Bare(Widget):
    """A container covered by its children; Textual asks it for all its lines whenever one of them is painted."""

    def render_lines(self, crop: Region) -> list[Strip]:
        return [blank(crop.width)] * crop.height


class Body(Bare, Vertical):
    """All that the screen shows unless the terminal is too small."""


class Desk(Bare, Container):
    """The container of the panes."""

    DEFAULT_CSS = "Desk { width: 1fr; height: 1fr; overflow: hidden hidden; }"

    class Arranged(Message):
        """Panes have become visible or hidden, or have moved."""

    def __init__(self, slots: Mapping[str, Slot], *panes: Widget) -> None:
        super().__init__(*panes, id="desk")
        self.slots = slots
        self.choice = PaneChoice()
        self._desk_layout = DeskLayout()

    @property
    def layout(self) -> Layout:
        return self._desk_layout

    def visible_panes(self) -> tuple[str, ...]:
        """The visible panes, in the order of their numbers."""
        regions = plan(self.size.width, self.size.height, self.choice, self.slots)
        return tuple(pane for pane in self.slots if pane in regions)

    def follow(self, choice: PaneChoice) -> None:
        """Arrange the panes by a choice."""
        if choice != self.choice:
            self.choice = choice
            self.arrange_panes()

    def pick(self, pane: str) -> None:
        """Show a pane as the active one."""
        self.follow(replace(self.choice, **picked(pane, self.slots[pane], self.choice.front)))

    @property
    def large(self) -> bool:
        """Whether every place is shown."""
        return self.size.width >= LARGE[0] and self.size.height >= LARGE[1]

    @property
    def network_room(self) -> Size:
        """The most that the network can get among the other panes, frame included."""
        most = replace(self.choice, zoom=False, network_height=self.size.height, drawn=True)
        return plan(self.size.width, self.size.height, most, self.slots)["network"].size

    def on_resize(self) -> None:
        self.arrange_panes()

    def arrange_panes(self) -> None:
        visible = self.visible_panes()
        for pane in self.children:
            pane.display = pane.id in visible
            if isinstance(pane, Pane):
                pane.alone = self.choice.zoom
                pane.beside = sharing(pane.NAME, self.slots)
        # A container keeps its arrangement until a child asks for a new layout.
        self.children[0].refresh(layout=True)
        self.post_message(self.Arranged())
